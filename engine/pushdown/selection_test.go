// SPDX-License-Identifier: Apache-2.0

package pushdown

import (
	"slices"
	"testing"

	"falconet/engine/config"
	"falconet/engine/event"
)

// life is what is captured whatever is asked.
var life = []string{"execve", "execveat", "procexit"}

func TestSelection(t *testing.T) {
	f := func(asked string, base config.BaseSyscalls, refused []string, want ...string) {
		t.Helper()
		d := &event.Demand{}
		d.Add(event.ByName(asked)[0], event.AllParts)
		if got := Restrict(d, base); !slices.Equal(got, refused) {
			t.Errorf("%+v refuses %q, want %q", base, got, refused)
		}
		Widen(d, base)
		want = append(want, life...)
		slices.Sort(want)
		if got := Captured(d); !slices.Equal(got, want) {
			t.Errorf("%+v lets %q be captured, want %q", base, got, want)
		}
	}
	set := func(names ...string) config.BaseSyscalls { return config.BaseSyscalls{CustomSet: names} }
	all := func(names ...string) config.BaseSyscalls { return config.BaseSyscalls{CustomSet: names, All: true} }
	repair := func(names ...string) config.BaseSyscalls { return config.BaseSyscalls{CustomSet: names, Repair: true} }

	f("openat", set(), nil, "openat")
	f("openat", repair(), nil, "openat")
	f("openat", set("close", "sync", "nosuch"), nil, "openat", "close", "sync")
	f("openat", set("close", "!close"), nil, "openat")
	f("openat", set("!openat", "openat"), []string{"openat"})
	f("openat", set("write", "ptrace"), nil, "openat", "ptrace")
	f("openat", all("write"), nil, "openat", "write")
	f("execve", set("!execve"), []string{"execve"})
	f("execve", repair("!execve", "!openat"), nil)
	f("procexit", set("!procexit"), nil)
}

// What is selected without a rule is an event without pieces; what a rule asks of it stays.
func TestWidenAddsNoPieces(t *testing.T) {
	d := &event.Demand{}
	open := event.ByName("openat")[0]
	d.Add(open, event.PartsOf(event.PartPath))
	Widen(d, config.BaseSyscalls{CustomSet: []string{"openat", "unlinkat"}})
	if p, ok := d.Wants(open); !ok || p != event.PartsOf(event.PartPath) {
		t.Errorf("openat is captured with %b (%v)", p, ok)
	}
	if p, ok := d.Wants(event.ByName("unlinkat")[0]); !ok || p != 0 {
		t.Errorf("unlinkat is captured with %b (%v)", p, ok)
	}
}

func TestUnknown(t *testing.T) {
	names := []string{"openat", "!close", "opennat", "!nosuch", "sync", "procexit", "sendfile64", "procfork", ""}
	want := []string{"opennat", "nosuch", "procfork"}
	if got := Unknown(config.BaseSyscalls{CustomSet: names}); !slices.Equal(got, want) {
		t.Errorf("unknown are %q, want %q", got, want)
	}
}
