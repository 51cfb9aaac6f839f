// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// maxVerified bounds what a program may cost the verifier, far below the million instructions at which it gives up.
const maxVerified = 200_000

func TestProgramsAreCheapToVerify(t *testing.T) {
	privileged(t)
	p := probe(t)
	for _, err := range p.Refused() {
		t.Error(err)
	}
	for _, h := range p.hooks {
		for name, prog := range h.progs {
			info, err := prog.Info()
			if err != nil {
				t.Fatal(err)
			}
			n, ok := info.VerifiedInstructions()
			if !ok {
				t.Log("this kernel does not count") // before 5.16
				continue
			}
			t.Logf("%s%s: %d", name, h.spelling, n)
			if n > maxVerified {
				t.Errorf("program %s%s costs %d instructions", name, h.spelling, n)
			}
		}
	}
}

// The spelling that kernels without BTF tracepoints take captures the same.
func TestRawTracepoints(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	all := spellings
	spellings = []spelling{rawTracepoint}
	defer func() { spellings = all }()
	p := openProbe(t, Options{Demand: everyRow(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	for _, h := range p.hooks {
		only(t, h.spelling, rawTracepoint, "spelling of "+h.tracepoint)
		for name, prog := range h.progs {
			if info, err := prog.Info(); err == nil {
				if n, _ := info.VerifiedInstructions(); n > maxVerified {
					t.Errorf("program %s%s costs %d instructions", name, h.spelling, n)
				}
			}
		}
	}
	for _, name := range []string{"openat", "execfail", "inet", "renameat2", "thread"} {
		s := newSession(t, p)
		rep := s.trigger(native().command(t, name))
		s.check(rep, false)
		s.end(rep.Self.PID)
	}
}

// The program of calls with several messages that kernels without bpf_loop take captures the same, of fewer messages, and counts the
// others.
func TestMessagesByTurns(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	d := demandOf(event.AllParts, "sendmmsg", "recvmmsg")
	p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller})
	defer p.Close()
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range p.maps {
		spec.Maps[name].MaxEntries = m.MaxEntries()
	}
	l := &loader{spec: spec, maps: p.maps, types: btf.NewCache()}
	prog, err := l.program("capture_messages_by_turns"+string(p.hooks[len(p.hooks)-1].spelling), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prog.Close() }()
	if info, err := prog.Info(); err == nil {
		n, _ := info.VerifiedInstructions()
		t.Logf("%d instructions", n)
		if n > maxVerified {
			t.Errorf("it costs %d instructions", n)
		}
	}
	for i, c := range p.plan.slots {
		if c.program == captureMessages {
			if err := p.maps["exit_programs"].Put(uint32(i), prog); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := newSession(t, p)
	s.check(s.trigger(native().command(t, "several", trigger.Few+"=1")), false)

	s = newSession(t, p)
	before, _ := p.Total()
	rep := s.trigger(native().command(t, "flood"))
	seen := 0
	for _, r := range s.records {
		if r.EventName() == "sendmmsg" && int(r.PID) == rep.Self.PID {
			seen++
		}
	}
	after, err := p.Total()
	if err != nil {
		t.Fatal(err)
	}
	if lost := int(after.ScratchFull - before.ScratchFull); seen == 0 || lost == 0 || seen+lost != trigger.FloodMessages {
		t.Errorf("of %d messages %d were seen and %d lost", trigger.FloodMessages, seen, lost)
	}
}
