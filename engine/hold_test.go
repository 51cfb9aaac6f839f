// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/rules"
)

const boxID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"

const boxRules = `
- rule: Ours
  desc: d
  condition: evt.type = openat and fd.name = /etc/passwd and container.image.repository = acme/web
  output: "%container.name opened %fd.name"
  priority: NOTICE
- rule: Not ours
  desc: d
  condition: evt.type = openat and fd.name = /etc/passwd and container.id != host and not container.image.repository = acme/web
  output: "%container.id opened %fd.name"
  priority: NOTICE
- rule: Printed
  desc: d
  condition: evt.type = openat and fd.name = /etc/shadow
  output: "%container.name opened %fd.name"
  priority: NOTICE
`

// docker answers at the socket of a host's docker when it is told to.
func docker(t *testing.T, root string) (tell chan<- struct{}) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(root, "run/docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-told:
		case <-r.Context().Done():
		}
		if strings.HasPrefix(r.URL.Path, "/v1.24/containers/") {
			_, _ = w.Write([]byte(`{"Id":"` + boxID + `","Name":"/web","Config":{"Image":"acme/web:1"},"HostConfig":{}}`))
		}
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return told
}

// boxed returns an engine that knows of a cgroup that it is a container's.
func boxed(t *testing.T, root string, patience time.Duration, out Receiver) (*Engine, *container.Store) {
	t.Helper()
	set, results := rules.Load(rules.Options{MinPriority: alert.Debug, Matching: rules.All}, rules.File{Name: "r.yaml", Data: []byte(boxRules)})
	if set == nil {
		t.Fatal(results[0].Text(true))
	}
	host := NewHost("host", root, 0, 256<<20)
	store := container.NewStore(container.Options{Root: root, Enabled: container.Enabled{Docker: true}})
	t.Cleanup(store.Close)
	host.Containers.Use(store)
	host.Containers.Learn(container.Key{V2: 77}, []byte("cpu=/docker/"+boxID+"\x00"))
	return New(Options{Host: host, Rules: set, Out: out, Patience: patience}), store
}

func opened(t *testing.T, e *Engine, path string) {
	t.Helper()
	b := openOf(path, 1)
	var r event.Record
	if err := r.Reset(b); err != nil {
		t.Fatal(err)
	}
	r.Cgroup = 77
	e.Handle(&r)
	// The record is the source's again: another event comes into its place.
	clear(b)
}

func texts(r received) string {
	var out []string
	for _, a := range r {
		mark := ""
		for _, f := range a.Fields {
			if f.Name == unknownMark {
				mark, _ = f.Value.(string)
			}
		}
		out = append(out, a.Rule+": "+a.Message+" ["+mark+"]")
	}
	return strings.Join(out, "; ")
}

func TestEventsWaitForTheirContainer(t *testing.T) {
	root := t.TempDir()
	tell := docker(t, root)
	var out received
	e, store := boxed(t, root, time.Hour, &out)
	opened(t, e, "/etc/passwd")
	opened(t, e, "/etc/shadow")
	e.Settled()
	if len(out) != 0 {
		t.Fatalf("before the runtime answers there is %s", texts(out))
	}
	close(tell)
	for end := time.Now().Add(time.Minute); len(out) < 2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		e.Settled()
	}
	if got, want := texts(out), "Ours: web opened /etc/passwd []; Printed: web opened /etc/shadow []"; got != want {
		t.Errorf("got %s, want %s; %+v", got, want, store.Stats())
	}
	opened(t, e, "/etc/passwd")
	if len(out) != 3 {
		t.Error("an event of a known container waits")
	}
	if s := e.Stats(); s.Held != 2 || s.TimedOut != 0 || len(e.held) != 0 || e.heldBytes != 0 {
		t.Errorf("%+v, %d bytes", s, e.heldBytes)
	}
}

func TestEventsDoNotWaitForEver(t *testing.T) {
	root := t.TempDir()
	docker(t, root)
	var out received
	e, _ := boxed(t, root, time.Millisecond, &out)
	opened(t, e, "/etc/passwd")
	for end := time.Now().Add(time.Minute); len(out) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		e.Settled()
	}
	if got, want := texts(out), "Not ours: "+boxID[:12]+" opened /etc/passwd (not all of the container is known yet) [pending]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s := e.Stats(); s.TimedOut != 1 {
		t.Errorf("%+v", s)
	}
}

func TestEventsThatWaitAreBounded(t *testing.T) {
	root := t.TempDir()
	docker(t, root)
	var out received
	e, _ := boxed(t, root, time.Hour, &out)
	for range maxHeld + 10 {
		opened(t, e, "/etc/passwd")
	}
	if s := e.Stats(); s.Held != maxHeld || s.Unheld != 10 || len(out) != 10 {
		t.Errorf("%+v, %d alerts", s, len(out))
	}
	e.Flush()
	if len(out) != maxHeld+10 || len(e.held) != 0 {
		t.Errorf("%d alerts at the end", len(out))
	}
}

func TestContainersThatNobodyKnows(t *testing.T) {
	var out received
	e, _ := boxed(t, t.TempDir(), time.Hour, &out)
	for end := time.Now().Add(time.Minute); len(out) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		opened(t, e, "/etc/passwd")
		e.Settled()
	}
	if got, want := texts(out[:1]), "Not ours: "+boxID[:12]+" opened /etc/passwd [none]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEventsOfKnownContainersAllocateNothing(t *testing.T) {
	root := t.TempDir()
	var out received
	e, _ := boxed(t, root, 0, &out)
	var r event.Record
	if err := r.Reset(openOf("/nowhere", 1)); err != nil {
		t.Fatal(err)
	}
	r.Cgroup = 77
	e.Handle(&r)
	if n := testing.AllocsPerRun(100, func() { e.Handle(&r) }); n != 0 {
		t.Errorf("an event without a match allocates %v times", n)
	}
}
