// SPDX-License-Identifier: Apache-2.0

package live

import (
	"testing"

	"falconet/engine/event"
)

// rowTests are the tests that make the kernel do what each row describes, and compare the whole record with what really happened.
var rowTests = map[string]func(t *testing.T){
	"syscall":      calls("getppid", "generic"),
	"heartbeat":    heartbeat,
	"open":         calls("open", "open", "paths"),
	"openat":       calls("openat", "openat"),
	"openat2":      calls("openat2", "openat2"),
	"creat":        calls("creat", "creat"),
	"unlink":       calls("unlink", "unlink"),
	"unlinkat":     calls("unlinkat", "unlinkat"),
	"rename":       calls("rename", "rename"),
	"renameat":     calls("renameat", "renameat"),
	"renameat2":    calls("renameat2", "renameat2"),
	"chmod":        calls("chmod", "chmod"),
	"fchmod":       calls("fchmod", "fchmod"),
	"fchmodat":     calls("fchmodat", "fchmodat"),
	"memfd_create": calls("memfd_create", "memfd"),
	"ptrace":       calls("ptrace", "ptrace"),
	"connect":      calls("connect", "inet", "inet6", "unix", "netfail"),
	"accept4":      calls("accept4", "inet", "inet6", "unix", "netfail"),
	"accept":       accept,
	"socket":       calls("socket", "socket"),
	"bind":         calls("bind", "bind", "inet", "unix", "netfail"),
}

// TestEveryRowIsTriggered: a row that no test makes happen is not done.
func TestEveryRowIsTriggered(t *testing.T) {
	for _, row := range event.Rows()[1:] {
		if rowTests[row.Name] == nil {
			t.Errorf("nothing triggers row %s", row.Name)
		}
	}
	for name := range rowTests {
		if len(event.ByName(name)) == 0 {
			t.Errorf("there is no row %s", name)
		}
	}
}

func TestRows(t *testing.T) {
	for _, row := range event.Rows()[1:] {
		if f := rowTests[row.Name]; f != nil {
			t.Run(row.Name, f)
		}
	}
}

// calls runs triggers through both system call tables. Each must make the event; all that it makes besides is compared too.
func calls(name string, triggers ...string) func(*testing.T) {
	return func(t *testing.T) {
		eachArch(t, func(t *testing.T, a arch) {
			for _, trigger := range triggers {
				t.Run(trigger, func(t *testing.T) { a.calls(t, name, trigger) })
			}
		})
	}
}

func (a arch) calls(t *testing.T, name, trigger string) {
	s := newSession(t, probe(t))
	rep := s.trigger(a.command(t, trigger))
	made := false
	for _, c := range rep.Calls {
		made = made || c.Event == name
	}
	if !made {
		t.Errorf("trigger %s makes no %s", trigger, name)
	}
	s.check(rep, a.compat)
}

// accept has a number of its own in the 64-bit table only. For the other way see TestCallsOfSocketcall.
func accept(t *testing.T) {
	privileged(t)
	for _, trigger := range []string{"inet", "inet6", "unix", "netfail"} {
		t.Run(trigger, func(t *testing.T) { native().calls(t, "accept", trigger) })
	}
}

func TestOverlayLayers(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "creat", "overlay") })
}

// heartbeat has no parameters and is not delivered: that it was counted is its test.
func heartbeat(t *testing.T) {
	privileged(t)
	p := probe(t)
	before := p.Beats()
	for range 3 {
		p.Beat()
	}
	p.Drain(func(r *event.Record) {
		if r.Row().Name == "heartbeat" {
			t.Error("a heartbeat was delivered")
		}
	}, func() {})
	if got := p.Beats() - before; got != 3 {
		t.Errorf("%d heartbeats came back instead of 3", got)
	}
}
