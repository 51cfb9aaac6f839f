// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// maxVerified bounds what a program may cost the verifier, far below the million instructions at which it gives up.
const maxVerified = 200_000

// TestProgramsAreCheapToVerify prints a line for each program: what it cost the verifier, how long it is for the kernel and the processor; and
// how long it took to load all of them, side by side, and to open the probe, with its maps, hooks and the kernel's types.
func TestProgramsAreCheapToVerify(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	began := time.Now()
	p := openProbe(t, Options{Demand: everyRow(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller, logLevel: ebpf.LogLevelStats})
	defer p.Close()
	opened := time.Since(began)
	for _, err := range p.Refused() {
		t.Error(err)
	}
	programs := map[string]*ebpf.Program{"dump_tasks": p.iter}
	for _, h := range p.hooks {
		for name, prog := range h.progs {
			programs[name+string(h.spelling)] = prog
		}
	}
	for _, h := range p.holders {
		programs[h.at] = h.prog
	}
	t.Logf("program %-24s %9s %9s %9s", "", "verified", "length", "machine")
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		info, err := programs[name].Info()
		if err != nil {
			t.Fatal(err)
		}
		verified, err := processed(programs[name])
		if err != nil {
			t.Errorf("program %s: %v", name, err)
		}
		if verified > maxVerified {
			t.Errorf("program %s costs %d instructions", name, verified)
		}
		length, err := info.TranslatedSize()
		if err != nil {
			t.Fatal(err)
		}
		machine, err := info.JitedSize()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("program %-24s %9d %9d %9d", name, verified, length/8, machine)
	}
	t.Logf("program loading: %d ms for all %d, %d ms with everything that opening a probe takes", p.loading.Milliseconds(), len(programs), opened.Milliseconds())
}

// processed is how many instructions the verifier looked at, which kernels before 5.16 say nowhere but at the end of its log.
func processed(p *ebpf.Program) (n int, err error) {
	_, end, _ := strings.Cut(p.VerifierLog, "processed ")
	if _, err := fmt.Sscanf(end, "%d insns", &n); err != nil {
		return 0, fmt.Errorf("read the verifier's statistics: %w: %q", err, p.VerifierLog)
	}
	return n, nil
}

// The spelling that kernels without BTF tracepoints take captures the same.
func TestRawTracepoints(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	all := spellings
	spellings = []spelling{rawTracepoint}
	defer func() { spellings = all }()
	p := openProbe(t, Options{Demand: everyRow(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: shared.controller, logLevel: ebpf.LogLevelStats})
	defer p.Close()
	for _, h := range p.hooks {
		only(t, h.spelling, rawTracepoint, "spelling of "+h.tracepoint)
		for name, prog := range h.progs {
			n, err := processed(prog)
			if err != nil || n > maxVerified {
				t.Errorf("program %s%s costs %d instructions (%v)", name, h.spelling, n, err)
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
	spec, err := p.specify()
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{spec: spec, maps: p.maps, types: btf.NewCache(), logLevel: ebpf.LogLevelStats}
	sysExit := slices.IndexFunc(p.hooks, func(h *loaded) bool { return h.tracepoint == "sys_exit" })
	prog, err := l.program("capture_messages_by_turns"+string(p.hooks[sysExit].spelling), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prog.Close() }()
	n, err := processed(prog)
	t.Logf("%d instructions", n)
	if err != nil || n > maxVerified {
		t.Errorf("it costs %d instructions (%v)", n, err)
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
