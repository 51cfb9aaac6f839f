// SPDX-License-Identifier: Apache-2.0

package live

import (
	"slices"
	"strings"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

func init() {
	for _, name := range []string{"io_uring_setup", "io_uring_enter", "io_uring_register"} {
		rowTests[name] = calls(name, "ring-calls")
	}
}

// everyRequest asks for what io_uring can do, besides every row.
func everyRequest() *event.Demand {
	d := everyRow()
	for _, o := range operations {
		d.AddSyscall(o.call)
		d.AddSyscall(o.positioned)
	}
	return d
}

// requestProbe is a probe of its own: to look at every read and write of the machine would be too much for the shared one.
func requestProbe(t *testing.T, kept int) *Probe {
	t.Helper()
	privileged(t)
	probe(t) // finds the v1 controller
	p := openProbe(t, Options{Demand: everyRequest(), EventBytes: 16 << 20, LifeBytes: 4 << 20, Controller: shared.controller, requests: kept})
	t.Cleanup(p.Close)
	for _, err := range p.Refused() {
		t.Error(err)
	}
	return p
}

// Requests of io_uring make the events of the system calls that they stand for, whoever submits and runs them.
func TestRequests(t *testing.T) {
	p := requestProbe(t, 0)
	for _, name := range []string{"ring-files", "ring-net", "ring-fixed", "ring-odd", "ring-bad", "ring-repeated", "ring-pipe"} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, p)
			rep := s.trigger(native().command(t, name))
			if p.requests.tracepoints[requestFailed] == "" { // of these this kernel says nothing, as the probe's limits do
				rep.Calls = slices.DeleteFunc(rep.Calls, func(c *trigger.Call) bool { return c.Refused })
			}
			s.check(rep, false)
		})
	}
}

// crowd runs a chain of requests that are under way at one time under one name, and returns the files that were reported opened, and
// those of which only the attempt was reported.
func crowd(t *testing.T, p *Probe) (opened, tried []string) {
	t.Helper()
	s := newSession(t, p)
	rep := s.trigger(native().command(t, "ring-crowd"))
	for _, r := range s.records {
		if r.Flags&event.FlagIOUring == 0 || r.EventName() != "openat" || int(r.PID) != rep.Self.PID {
			continue
		}
		name, _ := r.Part(event.PartName)
		path, ok := r.Part(event.PartPath)
		switch {
		case r.Flags&event.FlagUnknown != 0 && !ok && r.Ret == 0:
			tried = append(tried, string(name))
		case r.Flags&event.FlagUnknown == 0 && ok && strings.HasSuffix(string(path), "/"+string(name)):
			opened = append(opened, string(name))
		default:
			t.Errorf("openat(%q) = %d of %q with flags %#x", name, r.Ret, path, r.Flags)
		}
	}
	return opened, tried
}

// Every request is reported once. Where a completion does not name its request, those are reported at submission for whose names
// there is no room.
func TestRequestsOfOneName(t *testing.T) {
	p := requestProbe(t, 0)
	opened, tried := crowd(t, p)
	want := 10
	if p.requests.options["complete_by_name"] == true {
		want = namesakes - 1 // the first of the chain has that name too
	}
	if len(opened) != want || len(opened)+len(tried) != 10 {
		t.Errorf("opened are %v, tried %v", opened, tried)
	}
}

// Requests that find no room in the table are reported at submission, and counted.
func TestRequestsWithoutRoom(t *testing.T) {
	const kept = 4 // the first of the chain is one of them
	p := requestProbe(t, kept)
	before, err := p.Total()
	if err != nil {
		t.Fatal(err)
	}
	opened, tried := crowd(t, p)
	if len(opened) != kept-1 || len(opened)+len(tried) != 10 {
		t.Errorf("opened are %v, tried %v", opened, tried)
	}
	after, err := p.Total()
	if err != nil {
		t.Fatal(err)
	}
	if n := after.Unknown - before.Unknown; n != uint64(len(tried)) {
		t.Errorf("%d requests are counted as reported without a result", n)
	}
	// the place of a request that is done is free again
	if opened, _ := crowd(t, p); len(opened) != kept-1 {
		t.Errorf("the second time opened are %v", opened)
	}
}

// What the kernel does not complete does not fill the table for ever.
func TestRequestsOfEndedProcesses(t *testing.T) {
	const kept = 4
	p := requestProbe(t, kept)
	left := func() (n int) {
		var key uint64
		for it := p.maps["pending"].Iterate(); it.Next(&key, new(saved)); n++ {
		}
		return n
	}
	s := newSession(t, p)
	s.trigger(native().command(t, "ring-taken"))
	if n, err := p.timesFull(); n != 1 || err != nil {
		t.Errorf("%d requests found the table full, %v", n, err)
	}
	only(t, left(), kept, "number of requests that are left over")
	if err := p.forgetEnded(); err != nil {
		t.Fatal(err)
	}
	only(t, left(), 0, "number of requests after that")
}
