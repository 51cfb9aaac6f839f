// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"os/exec"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// withoutHeld turns the expectations of a call to those of a kernel that does not let its object be captured, or of a request of io_uring,
// for which nothing is held.
func (p *Probe) withoutHeld(r *event.Record, c *trigger.Call) {
	row := r.Row()
	if row.Held == nil || p.origins[row.Name] != FromArgument && r.Flags&event.FlagIOUring == 0 {
		return
	}
	for _, part := range row.Held {
		c.NoPart(part.Kind.String())
		switch part.Kind {
		case event.PartFile:
			c.File = nil
		case event.PartSock:
			c.Sock = nil
		}
	}
}

// TestOrigins: what a descriptor stood for is always captured; what the kernel finds for a path, wherever it lets programs be attached to
// its functions.
func TestOrigins(t *testing.T) {
	privileged(t)
	p := probe(t)
	for _, row := range event.Rows()[1:] {
		if row.Held == nil {
			continue
		}
		origin := p.origins[row.Name]
		t.Logf("%s: %s", row.Name, origin)
		if row.AtEntry() && origin == FromArgument || origin == "" {
			t.Errorf("%s has its object from %q", row.Name, origin)
		}
	}
	for _, l := range p.Lost() {
		t.Logf("%s: %v", l.Event, l.Why)
	}
}

// heldRows asks for every row with an object that is gone when its call returns, or out of reach.
func heldRows() *event.Demand {
	d := new(event.Demand)
	for _, row := range event.Rows() {
		if row.Held != nil {
			d.Add(row.ID, event.AllParts&^event.PartsOf(event.PartHere))
		}
	}
	return d
}

// TestHeldAtEntry: where no program can be attached to functions, sys_enter has what descriptors stood for, calls of 32-bit programs included, and
// of paths nothing is captured.
func TestHeldAtEntry(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	atFunctions = false
	defer func() { atFunctions = true }()
	p := openProbe(t, Options{Demand: heldRows(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	for name, origin := range p.Origins() {
		want := FromArgument
		if event.RowOf(event.ByName(name)[0]).AtEntry() {
			want = FromEntry
		}
		only(t, origin, want, "origin of "+name)
	}
	eachArch(t, func(t *testing.T, a arch) {
		for _, name := range []string{"close", "dup2", "dup3", "unlink", "renameat2"} {
			s := newSession(t, p)
			s.check(s.trigger(a.command(t, name)), a.compat)
		}
	})
}

// TestNothingIsHeldOn: what is held goes with the call, or with the thread.
func TestNothingIsHeldOn(t *testing.T) {
	privileged(t)
	p := probe(t)
	s := newSession(t, p)
	for _, name := range []string{"close", "unlink", "crowd"} {
		s.trigger(native().command(t, name))
	}
	// other processes of the machine may be in the middle of a call
	until := time.Now().Add(patience)
	for left := -1; left != 0; {
		var k [2]uint64
		var v uint32
		left = 0
		for it := p.maps["held"].Iterate(); it.Next(&k, &v); {
			if pid := uint32(k[0] >> 32); s.descends(pid) {
				left++
			}
		}
		if left > 0 && time.Now().After(until) {
			t.Fatalf("%d calls are still held", left)
		}
	}
	c, err := p.Total()
	if err != nil || c.Unheld != 0 {
		t.Errorf("%d calls were not held: %v", c.Unheld, err)
	}
}

// TestNothingIsHeldBeforeStart: a call whose end is not seen yet would keep what is held for it, as long as its thread lives.
func TestNothingIsHeldBeforeStart(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	p, err := Open(Options{Object: object(t), Demand: heldRows(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before, err := p.taken() // while hooks were proven
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec 3</dev/null; exec 3<&-; echo closed; read wait")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	only(t, said, "closed\n", "the program")
	after, err := p.taken()
	if err != nil {
		t.Fatal(err)
	}
	for thread := range after {
		if _, had := before[thread]; !had {
			t.Errorf("process %d holds", thread[0]>>32)
		}
	}
	_ = in.Close()
	_ = cmd.Wait()

	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	s := newSession(t, p)
	s.check(s.trigger(native().command(t, "close")), false)
}
