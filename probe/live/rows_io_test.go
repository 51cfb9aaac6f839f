// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

func init() {
	for name, triggers := range map[string][]string{
		"read": {"buffers"}, "write": {"buffers"}, "pread": {"buffers"}, "pwrite": {"buffers"},
		"readv": {"vectors"}, "writev": {"vectors"}, "preadv": {"vectors"}, "pwritev": {"vectors"},
		"process_vm_readv": {"otherMemory"}, "process_vm_writev": {"otherMemory"},
		"sendto": {"datagrams", "streams"}, "recvfrom": {"datagrams", "streams"},
		"listen": {"listening"}, "shutdown": {"shutdowns"}, "socketpair": {"pairs"}, "getsockname": {"names"}, "getpeername": {"names"},
		"setsockopt": {"setOptions"}, "getsockopt": {"getOptions"},
		"sendmmsg": {"several"}, "recvmmsg": {"several"},
		"sendmsg": {"messages"}, "recvmsg": {"messages"},
	} {
		rowTests[name] = calls(name, triggers...)
	}
}

// demandOf asks for events by name, with the given pieces.
func demandOf(parts event.Parts, names ...string) *event.Demand {
	d := new(event.Demand)
	for _, name := range names {
		d.Add(event.ByName(name)[0], parts)
	}
	return d
}

// TestRolesOfOlderConnections: a connection that was there before the probe has its ends too.
func TestRolesOfOlderConnections(t *testing.T) {
	privileged(t)
	cmd := native().command(t, "elder")
	var out strings.Builder
	cmd.Stdout = &out
	before := newSession(t, probe(t))
	l := before.start(cmd)
	waitFor(t, filepath.Join(cmd.Dir, "ready"))
	before.p.Drain(before.take, func() {})
	p := openProbe(t, Options{Demand: demandOf(event.AllParts, "sendto", "recvfrom"), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	for _, err := range p.Refused() {
		t.Error(err)
	}
	s := newSession(t, p)
	s.mine = before.mine
	if err := os.WriteFile(filepath.Join(cmd.Dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.collect(l.done, l.pid)
	var rep trigger.Report
	if err := json.Unmarshal([]byte(out.String()), &rep); err != nil {
		t.Fatal(err)
	}
	for _, c := range rep.Calls {
		if r := s.find(rep.Self, c, false); r != nil {
			(&checker{t, r, c}).sock()
		}
	}
	only(t, len(rep.Calls), 2, "calls")
}

// TestSilentCalls: whom a socket talks to is known from calls that nobody asks for, and that make no event.
func TestSilentCalls(t *testing.T) {
	privileged(t)
	probe(t)
	p := openProbe(t, Options{Demand: demandOf(event.PartsOf(event.PartChanged), "sendto"), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	s := newSession(t, p)
	rep := s.trigger(native().command(t, "datagrams"))
	i := 0
	for _, c := range rep.Calls {
		w := c.Parts["changed"]
		if c.Event != "sendto" || w.Kind == "" {
			continue
		}
		r := s.find(rep.Self, c, false)
		if r == nil {
			continue
		}
		b, ok := r.Part(event.PartChanged)
		(&checker{t, r, c}).bytes("piece changed", w, b, ok)
		i++
	}
	if i < 20 {
		t.Errorf("%d calls were compared", i)
	}
	for _, r := range s.records {
		if name := r.EventName(); name == "recvfrom" || name == "sendmsg" {
			t.Errorf("there is a %s", name)
		}
	}
}

func waitFor(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not appear", path)
		}
	}
}

// TestManyMessages: of a call with as many messages as there can be every one is seen, or counted as lost.
func TestManyMessages(t *testing.T) {
	privileged(t)
	probe(t)
	p := openProbe(t, Options{Demand: demandOf(event.PartsOf(event.PartData), "sendmmsg"), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	s := newSession(t, p)
	rep := s.trigger(native().command(t, "flood"))
	seen := 0
	for _, r := range s.records {
		if b, _ := r.Part(event.PartData); r.EventName() == "sendmmsg" && int(r.PID) == rep.Self.PID && string(b) == "x" {
			seen++
		}
	}
	c, err := p.Total()
	if err != nil {
		t.Fatal(err)
	}
	if seen+int(c.ScratchFull) != trigger.FloodMessages {
		t.Errorf("of %d messages %d were seen and %d lost", trigger.FloodMessages, seen, c.ScratchFull)
	}
	t.Logf("%d seen, %d lost", seen, c.ScratchFull)
}
