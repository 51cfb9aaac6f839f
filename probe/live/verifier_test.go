// SPDX-License-Identifier: Apache-2.0

package live

import (
	"slices"
	"testing"

	"github.com/cilium/ebpf"
)

// maxVerified bounds what a program may cost the verifier, far below the million instructions at which it gives up.
const maxVerified = 200_000

func TestProgramsAreCheapToVerify(t *testing.T) {
	privileged(t)
	p := probe(t)
	for _, err := range p.Refused() {
		t.Error(err)
	}
	held := &loaded{progs: make(map[string]*ebpf.Program)}
	for _, h := range p.holders {
		held.progs[h.at] = h.prog
	}
	for _, h := range append(slices.Clone(p.hooks), held) {
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
