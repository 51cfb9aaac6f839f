// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"testing"

	"falconet/engine/event"
)

// Rules do not see events that are delivered although they are not to be captured, and who loses them is known by name.
func TestLimit(t *testing.T) {
	set := mustLoad(t, Options{}, `
- rule: of execve
  desc: d
  condition: evt.type = execve and proc.name = a
  output: o
  priority: INFO
- rule: of openat
  desc: d
  condition: evt.type in (openat, umask) and proc.name = a
  output: o
  priority: INFO
- rule: of all but openat
  desc: d
  condition: evt.type != openat and proc.name = a
  output: o
  priority: INFO
`)
	asking := func(name string, others int, want ...string) {
		t.Helper()
		got, n := set.Asking(name)
		if !slices.Equal(got, want) || n != others {
			t.Errorf("%s is asked for by %q and %d others, want %q and %d", name, got, n, want, others)
		}
	}
	asking("execve", 1, "of execve")
	asking("openat", 0, "of openat")
	asking("umask", 1, "of openat")
	asking("sync", 1)

	d := set.Demand()
	d.Remove("execve")
	d.Remove("umask")
	set.Limit(d)
	sees := func(h event.Header) int {
		return len(set.candidates(h.Event, h.NR, h.Flags&event.FlagCompat32 != 0).rules)
	}
	id := func(name string) event.ID { return event.ByName(name)[0] }
	nr, _, _ := event.SyscallNumber("umask")
	sync, _, _ := event.SyscallNumber("sync")
	if n := sees(event.Header{Event: id("execve")}); n != 0 {
		t.Errorf("%d rules see execve", n)
	}
	if n := sees(event.Header{Event: event.Generic, NR: uint16(nr)}); n != 0 {
		t.Errorf("%d rules see umask", n)
	}
	if n := sees(event.Header{Event: event.Generic, NR: uint16(sync)}); n != 1 {
		t.Errorf("%d rules see sync", n)
	}
	if n := sees(event.Header{Event: id("openat")}); n != 1 {
		t.Errorf("%d rules see openat", n)
	}
}
