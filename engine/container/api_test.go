// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The containers in testdata/answers: what docker 20.10 and containerd 1.6 answered.
const (
	askedID      = "5732cabd99bbe51b673675e647f291796ae33d24330bd0ea900e62cd155e0f64"
	askedSandbox = "e94de9260ee0482e562e7d8e65f57abfb6202a7a6579b441a13626fcd28bc714"
)

// serve answers at a socket below root as long as the test runs.
func serve(t *testing.T, root, path string, h http.HandlerFunc) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}

func answer(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/answers/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// grpc answers a call with a message.
func grpc(w http.ResponseWriter, status string, b []byte) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	if b != nil {
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...))
	}
	w.Header().Set("Grpc-Status", status)
}

// containerd answers like the real one: for one container, its sandbox, and a container that was made with containerd's own tools.
func containerd(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || len(b) < 5 || r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" {
			t.Errorf("%s: a request of %d bytes over HTTP/%d: %v", r.URL.Path, len(b), r.ProtoMajor, err)
			return
		}
		id := string(message(b[5:]).sub(1))
		switch {
		case r.URL.Path == callContainer && id == askedID:
			grpc(w, "0", answer(t, "cri-container.pb"))
		case r.URL.Path == callSandbox && id == askedSandbox:
			grpc(w, "0", answer(t, "cri-sandbox.pb"))
		case r.URL.Path == callVersion:
			grpc(w, "0", answer(t, "cri-version.pb"))
		case r.URL.Path == callPlain && id == "ctrweb3" && r.Header.Get("Containerd-Namespace") == "default":
			grpc(w, "0", answer(t, "plain-container.pb"))
		case r.URL.Path == callImage:
			grpc(w, "0", answer(t, "plain-image.pb"))
		default:
			grpc(w, statusNotFound, nil)
		}
	}
}

func TestCRI(t *testing.T) {
	root := t.TempDir()
	serve(t, root, "c.sock", containerd(t))
	s := newSocket(root, "/c.sock", true)
	m, err := s.cri(context.Background(), Info{FullID: askedID, Type: "cri"})
	if err != nil {
		t.Fatal(err)
	}
	app, _ := m.PodLabel("app")
	got := []string{m.Type, m.Name, m.Repository, m.Tag, m.ImageID[:12], m.PodName, m.PodNamespace, m.PodUID, m.SandboxID, app, m.Mounts[0].Dest, m.Mounts[0].Propagation}
	want := []string{"containerd", "web", "registry.local:5000/acm/busy", "v1.2", "82293c1f568b", "pody", "ns1", "u-1", askedSandbox, "web", "/data", "private"}
	if strings.Join(got, " ") != strings.Join(want, " ") || !m.HostNetwork || m.HostPID || m.Privileged || m.Mounts[0].RW || m.Have != hasAll {
		t.Errorf("got %q of %+v\nwant %q", got, m, want)
	}
	m, err = s.cri(context.Background(), Info{FullID: askedSandbox, Type: "cri"})
	if err != nil || !m.IsSandbox || m.Name != "pody" || !strings.Contains(m.Image, "/acm/pause") {
		t.Errorf("the sandbox is %+v, %v", m, err)
	}
	m, err = s.plain(context.Background(), Info{FullID: "ctrweb3"})
	if err != nil || m.Repository != "registry.local:5000/acm/busy" || !strings.HasPrefix(m.Digest, "sha256:5d05") {
		t.Errorf("containerd's own is %+v, %v", m, err)
	}
	if tier, _ := m.Label("tier"); tier != "front" {
		t.Errorf("its labels are %v", m.Labels)
	}
	if _, err = s.cri(context.Background(), Info{FullID: "nosuch"}); !errors.Is(err, errGone) {
		t.Errorf("a container that is not there: %v", err)
	}
}

func TestDockerAPI(t *testing.T) {
	root := t.TempDir()
	var calls atomic.Int32
	serve(t, root, "run/docker.sock", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1.24/containers/"+dockerID+"/json":
			if calls.Add(1) < 3 { // one that is being made
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write(answer(t, "docker.json"))
		case strings.HasPrefix(r.URL.Path, "/v1.24/images/"):
			_, _ = w.Write([]byte(`{"RepoDigests":["other@sha256:1","registry.local:5000/acme/busy@sha256:2"]}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	s := NewStore(Options{Root: root, Enabled: allEnabled})
	defer s.Close()
	b := s.Box(Info{ID: dockerID[:12], FullID: dockerID, Type: "docker"})
	for end := time.Now().Add(time.Minute); !b.Settled() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	m := b.Metadata()
	if m.Name != "web1" || m.Repository != imageRepo || m.Digest != "sha256:2" || m.From != FromAPI || m.Have != hasAll || !strings.HasPrefix(m.IP, "172.") || len(m.Mounts) != 2 {
		t.Errorf("got %+v", m)
	}
	if got := s.Stats(); got.FromAPI != 1 || got.Retries != 2 || got.FromDisk != 0 {
		t.Errorf("%+v", got)
	}
	none := s.Box(Info{FullID: podmanID, Type: "podman"})
	for end := time.Now().Add(time.Minute); !none.Settled() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if got := s.Stats(); !none.Settled() || got.Failed != 1 || got.Retries != 2 {
		t.Errorf("a runtime that does not run was waited for: %+v", got)
	}
}

// TestHostileAnswers has what someone could answer who listens in place of a runtime.
func TestHostileAnswers(t *testing.T) {
	root := t.TempDir()
	answers := map[string]func(w http.ResponseWriter){
		"nothing":      func(http.ResponseWriter) {},
		"no message":   func(w http.ResponseWriter) { grpc(w, "0", nil) },
		"junk":         func(w http.ResponseWriter) { grpc(w, "0", []byte(strings.Repeat("\xff\x0a", 1000))) },
		"a long field": func(w http.ResponseWriter) { grpc(w, "0", []byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) },
		"an error":     func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"a redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://example.org/")
			w.WriteHeader(http.StatusFound)
		},
		"a short frame": func(w http.ResponseWriter) {
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write([]byte{0, 0, 0, 1, 0, 'x'})
			w.Header().Set("Grpc-Status", "0")
		},
	}
	current := answers["nothing"]
	serve(t, root, "h.sock", func(w http.ResponseWriter, _ *http.Request) { current(w) })
	for name, a := range answers {
		current = a
		if m, err := newSocket(root, "h.sock", true).cri(context.Background(), Info{FullID: askedID}); err == nil && (m.Name != "" || m.Image != "") {
			t.Errorf("%s is taken for %+v", name, m)
		}
		if m, err := newSocket(root, "h.sock", false).inspect(context.Background(), Info{FullID: dockerID}); err == nil {
			t.Errorf("%s is taken for %+v", name, m)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, name := range []string{"cri-container.pb", "cri-sandbox.pb", "plain-container.pb"} {
		b, err := os.ReadFile("testdata/answers/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &Metadata{}
		m.pod(b, "x")
		m.criImage(b)
		m.criMounts(b)
		m.verbose(message(b).pairs(2)["info"])
		labels(message(b).pairs(12))
	})
}
