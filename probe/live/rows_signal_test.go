// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

func init() {
	rowTests["signaldeliver"] = func(t *testing.T) {
		privileged(t)
		t.Run("to a thread", only64("signaldeliver", "signals"))
		t.Run("to a parent", signalOfChild)
		t.Run("that ends a process", lastSignal)
	}
	rowTests["page_fault"] = pageFaults
}

// delivery describes a signaldeliver record; registers are what the tracepoint has.
func delivery(self trigger.Self, sender, thread, signal int64) *trigger.Call {
	c := &trigger.Call{Event: "signaldeliver", UID: self.UID, GID: self.GID, Params: make(map[string]trigger.Want), Parts: make(map[string]trigger.Want)}
	return c.Number("spid", sender).Number("dpid", thread).Number("sig", signal)
}

func signalOfChild(t *testing.T) {
	s := newSession(t, probe(t))
	rep := s.trigger(native().command(t, "signals"))
	child, _ := strconv.ParseInt(rep.Notes["child"], 10, 64)
	for _, r := range s.records {
		if r.Row().Name == "signaldeliver" && int(r.PID) == rep.Self.PID && r.Args[2] == uint64(syscall.SIGCHLD) {
			compare(t, r, rep.Self, delivery(rep.Self, child, int64(r.TID), int64(syscall.SIGCHLD)))
			return
		}
	}
	t.Errorf("the end of child %d was not signalled", child)
}

// lastSignal: to a process that a signal ends the kernel delivers SIGKILL, and does not say who sent what.
func lastSignal(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		dir := workDir(t)
		s := newSession(t, probe(t))
		l := s.start(&exec.Cmd{Path: paused(t, 64, dir, "victim"), Dir: dir, Env: []string{}, Stderr: os.Stderr})
		self := selfOf(t, l.pid)
		s.await("execve", of("execve", l.pid, 0))
		if err := syscall.Kill(l.pid, sent); err != nil {
			t.Fatal(err)
		}
		r := s.await("signal", of("signaldeliver", l.pid, 0))
		compare(t, r, self, delivery(self, 0, int64(l.pid), int64(syscall.SIGKILL)))
		l.kill()
	}
}

// pageFaults has a probe of its own, which takes all that the machine has of them.
func pageFaults(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	d := new(event.Demand)
	d.Add(event.ByName("page_fault")[0], event.AllParts)
	p := openProbe(t, Options{Demand: d, EventBytes: 64 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	s := newSession(t, p)
	rep := s.trigger(native().command(t, "faults"))
	for _, touch := range rep.Touches {
		var found []*event.Record
		c := &trigger.Call{Event: "page_fault", UID: rep.Self.UID, GID: rep.Self.GID, Params: make(map[string]trigger.Want), Parts: make(map[string]trigger.Want)}
		c.Number("addr", int64(touch.Addr)).Flags("error", touch.Error...)
		for _, r := range s.records {
			if r.Row().Name == "page_fault" && int(r.TID) == touch.TID && r.Args[0] == touch.Addr {
				found = append(found, r)
			}
		}
		if len(found) != 1 {
			t.Errorf("%d faults at %#x (%v)", len(found), touch.Addr, touch.Error)
			continue
		}
		r := found[0]
		compare(t, r, rep.Self, c.Number("ip", int64(r.Args[1])))
		if r.Args[1] < touch.Low || r.Args[1] > touch.High {
			t.Errorf("the instruction of %v is at %#x, not from %#x to %#x", touch.Error, r.Args[1], touch.Low, touch.High)
		}
	}
	only(t, len(rep.Touches), 4, "number of faults")
}

// Hooks that a machine runs through all the time are there only for who asks.
func TestHooksOnDemand(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	for _, c := range []struct {
		rows []string
		want []string
	}{
		{[]string{"chmod"}, nil},
		{[]string{"signaldeliver"}, []string{"signal_deliver"}},
		{[]string{"page_fault", "kill"}, []string{"page_fault_user", "page_fault_kernel"}},
	} {
		d := new(event.Demand)
		for _, name := range c.rows {
			d.Add(event.ByName(name)[0], event.AllParts)
		}
		p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
		var got []string
		for i, h := range p.hooks {
			if h.link == nil {
				t.Errorf("%q have %s, which is not attached", c.rows, h.tracepoint)
			}
			if i >= 4 {
				got = append(got, h.tracepoint)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q have the hooks %q, want %q", c.rows, got, c.want)
		}
		p.Close()
	}
}
