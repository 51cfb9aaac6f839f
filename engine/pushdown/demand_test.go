// SPDX-License-Identifier: Apache-2.0

package pushdown

import (
	"slices"
	"testing"

	"falconet/engine/config"
	"falconet/engine/event"
)

func TestRestrict(t *testing.T) {
	demand := func() *event.Demand {
		d := &event.Demand{}
		d.Add(event.ByName("openat")[0], event.AllParts)
		d.Add(event.ByName("read")[0], event.AllParts)
		d.Add(event.ByName("pread")[0], event.AllParts)
		d.AddSyscall("sync")
		return d
	}
	f := func(base config.BaseSyscalls, want ...string) {
		t.Helper()
		d := demand()
		got := Restrict(d, base)
		if !slices.Equal(got, want) {
			t.Errorf("%+v refuses %q, want %q", base, got, want)
		}
		for _, name := range want {
			nr, _, _ := event.SyscallNumber(name)
			if _, still := d.Wants(event.ByNumber(nr, false)); d.WantsSyscall(nr, false) || event.ByNumber(nr, false) != event.Generic && still {
				t.Errorf("%s is still in the demand", name)
			}
		}
		if !d.WantsSyscall(162, false) {
			t.Error("sync is gone")
		}
	}
	f(config.BaseSyscalls{}, "pread64", "read")
	f(config.BaseSyscalls{All: true})
	f(config.BaseSyscalls{All: true, CustomSet: []string{"!openat", "!pread", "close"}}, "openat", "pread")
	f(config.BaseSyscalls{CustomSet: []string{"!nosuch"}}, "pread64", "read")
}
