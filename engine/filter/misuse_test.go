// SPDX-License-Identifier: Apache-2.0

package filter

import "testing"

func TestMisuse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		_, warnings, err := NewCompiler().Compile(e)
		got := ""
		if len(warnings) > 0 {
			got = warnings[0].Msg
		}
		if err != nil || got != want || len(warnings) > 0 && warnings[0].Ours {
			t.Errorf("%s warns %q, want %q; error %v", text, got, want, err)
		}
	}
	simple := func(s string) string {
		return "regex '" + s + "' could be a simpler and faster operator: =, contains, startswith or endswith"
	}
	f("proc.name regex 'abc'", simple("abc"))
	f("proc.name regex '^abc$'", simple("^abc$"))
	f("proc.name regex '.*abc.+'", simple(".*abc.+"))
	f("proc.name regex 'a.*bc'", "")
	f("proc.name regex '[a-z]+'", "")
	f("proc.name regex '.*.*'", simple(".*.*"))
	f("proc.name in (a, ' proc.pname ')", "' proc.pname ' may be a valid field misused as a constant: write val(proc.pname) to compare with the field")
	f("proc.name = 'proc.aname[2]'", "'proc.aname[2]' may be a valid field misused as a constant: write val(proc.aname[2]) to compare with the field")
	f("proc.name = 'toupper( proc.pname)'", "'toupper( proc.pname)' may be a valid transformer misused as a constant: without quotes it is one")
	f("proc.name = 'nosuch(proc.pname)'", "")
	f("proc.name = proc.names", "")
	f("proc.name = libc.so", "")
}

func TestEventNumbers(t *testing.T) {
	f := func(text string, want EventSet) {
		t.Helper()
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := EventTypes(e); got.Except != want.Except || len(got.Names) != len(want.Names) {
			t.Errorf("%s can hold for %+v, want %+v", text, got, want)
		}
	}
	none, all := EventSet{}, AllEvents()
	open := EventSet{Names: []string{"open"}}
	for text, want := range map[string]EventSet{
		"evt.num = 0": none, "evt.num in (0, 0)": none, "evt.num in ()": none, "evt.num <= 0": none, "evt.num < 1": none, "not evt.num > 0": none,
		"not evt.num >= 1": none, "not evt.num != 0": none, "evt.num = 1": all, "evt.num in (0, 1)": all, "evt.num < 2": all, "evt.num <= 1": all,
		"not evt.num = 0": all, "evt.num != 0": all, "evt.num > 0": all, "not evt.num > 1": all, "evt.num = -1": all,
		"evt.num = 0 or evt.type = open": open, "evt.type = open and not evt.num = 0": open, "evt.type = open and evt.num = 0": none,
	} {
		f(text, want)
	}
}
