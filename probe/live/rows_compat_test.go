// SPDX-License-Identifier: Apache-2.0

package live

import (
	"testing"

	"falconet/engine/event"
)

// oldArchs are the two kinds of code that call through the 32-bit table: 32-bit code, and 64-bit code with int 0x80.
func oldArchs(t *testing.T, via string, f func(t *testing.T, a arch)) {
	privileged(t)
	program := compat(t) // skips where the kernel has no such table
	for _, a := range []arch{{name: "32", bin: program.bin, compat: true, via: via}, {name: "int80", bin: native().bin, compat: true, via: via}} {
		t.Run(a.name, func(t *testing.T) { f(t, a) })
	}
}

// Through int 0x80 a 64-bit program makes the same events, with the same arguments and paths.
func TestOtherTable(t *testing.T) {
	oldArchs(t, "int80", func(t *testing.T, a arch) {
		for _, c := range []struct{ event, trigger string }{
			{"open", "open"}, {"openat", "openat"}, {"openat2", "openat2"}, {"creat", "creat"}, {"unlink", "unlink"}, {"unlinkat", "unlinkat"}, {"rename", "rename"},
			{"renameat", "renameat"}, {"renameat2", "renameat2"}, {"chmod", "chmod"}, {"fchmod", "fchmod"}, {"fchmodat", "fchmodat"}, {"memfd_create", "memfd"},
			{"connect", "inet"}, {"accept4", "unix"}, {"bind", "bind"}, {"connect", "netfail"},
		} {
			t.Run(c.trigger, func(t *testing.T) { a.calls(t, c.event, c.trigger) })
		}
	})
}

// What goes through socketcall is the plain call's event, in everything that its row says.
func TestCallsOfSocketcall(t *testing.T) {
	oldArchs(t, "shared", func(t *testing.T, a arch) {
		for _, name := range []string{"inet", "inet6", "unix", "netfail"} {
			t.Run(name, func(t *testing.T) { a.calls(t, "accept", name) })
		}
		t.Run("bind", func(t *testing.T) { a.calls(t, "bind", "bind") })
	})
}

// Every call that shares a number is reported as itself, with its own arguments; a number that no call has stays what it is.
func TestCallsThatShareANumber(t *testing.T) {
	oldArchs(t, "", func(t *testing.T, a arch) {
		probe(t) // finds the v1 controller
		d := everyRow()
		for _, s := range sharings {
			d.AddSyscall(s.call)
		}
		d.AddSyscall("socketcall")
		d.AddSyscall("ipc")
		p := openProbe(t, Options{Demand: d, EventBytes: 8 << 20, LifeBytes: 4 << 20, Controller: shared.controller})
		defer p.Close()
		for _, name := range []string{"socketcalls", "ipcs"} {
			t.Run(name, func(t *testing.T) {
				s := newSession(t, p)
				rep := s.trigger(a.command(t, name))
				s.check(rep, true)
				made := make(map[string]bool)
				for _, c := range rep.Calls {
					made[c.Event] = true
				}
				for _, c := range sharings {
					if c.of.flags&routeMany != 0 && name == "socketcalls" == (c.of == &socketcall) && !made[c.call] && c.call != "recvmmsg" && c.call != "sendmmsg" {
						t.Errorf("nothing makes %s", c.call)
					}
				}
			})
		}
	})
}

func init() {
	for _, name := range []string{"send", "recv"} {
		rowTests[name] = func(t *testing.T) { oldArchs(t, "", func(t *testing.T, a arch) { a.calls(t, name, "talks") }) }
	}
}

// A demand for nothing that shares a number leaves these numbers alone.
func TestSharedNumbersOfNoInterest(t *testing.T) {
	var d event.Demand
	d.Add(event.ByName("openat")[0], event.AllParts)
	p := makePlan(&d)
	for nr, r := range p.routes {
		if r.Flags&routeShared != 0 {
			t.Errorf("number %d is looked at", nr)
		}
	}
	d.AddSyscall("shmat")
	if p = makePlan(&d); p.routes[117].Flags != ipc.flags || p.routes[117].Shared != uint16(ipc.first) || p.routes[102].Flags != 0 || p.routes[397].Compat == 0 {
		t.Errorf("shmat makes the routes %+v, %+v and %+v", p.routes[117], p.routes[102], p.routes[397])
	}
}
