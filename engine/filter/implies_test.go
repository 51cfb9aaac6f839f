// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"
	"testing"

	"falconet/engine/event"
	"falconet/engine/field"
)

func parseTwo(t *testing.T, a, b string) (Expr, Expr) {
	t.Helper()
	x, err := Parse(a)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	y, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return x, y
}

func TestImplies(t *testing.T) {
	f := func(inner, outer string, want bool) {
		t.Helper()
		x, y := parseTwo(t, inner, outer)
		if got := NewCompiler().Implies(x, y); got != want {
			t.Errorf("%s implies %s: %v", inner, outer, got)
		}
	}
	f("evt.type = open and proc.name = a", "evt.type = open", true)
	f("evt.type = open", "evt.type = open and proc.name = a", false)
	f("evt.type = open and proc.name = a and fd.name = /x", "proc.name in (a, b) and evt.type in (open, openat)", true)
	f("evt.type in (open, openat)", "evt.type != execve", true)
	f("evt.type = open or evt.type = openat", "evt.type in (openat, open)", true)
	f("evt.type in (open, execve)", "evt.type in (open, openat)", false)
	f("proc.name = a and not fd.name = /x", "not fd.name = /x", true)
	f("not proc.name in (a, b)", "not proc.name = a", true)
	f("not proc.name = a", "not proc.name in (a, b)", false)
	f("not (proc.name = a or proc.name = b)", "not proc.name = a", true)
	f("not not proc.name = a", "proc.name = a or proc.name = b", true)
	f("proc.name = a", "evt.dir = < and proc.name = a", true)
	f("proc.name = a", "proc.name exists", true)
	f("proc.aname = a", "proc.aname in (a, b)", true)
	f("fd.name = /etc/x", "fd.name startswith /etc", true)
	f("fd.name in (/etc/x, /etc/y)", "fd.name pmatch (/etc)", true)
	f("fd.name startswith /etc/ssh/", "fd.name pmatch (/etc)", true)
	f("fd.name startswith /etcetera", "fd.name pmatch (/etc)", false)
	f("fd.name startswith anyof (/etc/a, /etc/b)", "fd.name startswith /etc", true)
	f("fd.name startswith allof (/etc/a, /var)", "fd.name startswith /etc", false)
	f("fd.sport = 80", "fd.sport < 1024", true)
	f("fd.sport > 100", "fd.sport > 99", true)
	f("fd.sport > 99", "fd.sport > 100", false)
	f("proc.name = a", "not proc.name = b", true)
	f("proc.name = a", "proc.name != b", false)  // true, and not worth the trouble
	f("fd.name = /a", "not fd.name = /b", false) // it has two spellings
	f("proc.name = val(proc.pname)", "proc.name = val(proc.pname)", true)
	f("proc.name = val(proc.pname)", "proc.name exists", true)
	f("proc.name = val(proc.pname)", "proc.name = proc.pname", false)
}

func TestExcludes(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		x, y := parseTwo(t, a, b)
		k := NewCompiler()
		if got := k.Excludes(x, y); got != want || k.Excludes(y, x) != want {
			t.Errorf("%s excludes %s: %v", a, b, got)
		}
	}
	f("proc.name = a", "proc.name = b", true)
	f("proc.name in (a, b)", "proc.name in (c, d)", true)
	f("proc.name in (a, b)", "proc.name in (b, c)", false)
	f("proc.name = a", "proc.name != a", true)
	f("proc.name = a", "proc.name != b", false)
	f("proc.name != a", "proc.name != b", false)
	f("proc.name in (a, b)", "proc.name != a", false)
	f("proc.name = a", "not proc.name = a", true)
	f("proc.name = a", "not proc.name in (a, b)", true)
	f("proc.name = abc", "proc.name startswith x", true)
	f("proc.name = abc", "proc.name contains b", false)
	f("proc.name = abc", "proc.name regex 'x.*'", true)
	f("proc.exepath startswith /usr", "proc.exepath startswith /bin", true)
	f("proc.exepath startswith /usr", "proc.exepath startswith /usr/bin", false)
	f("proc.aname = a", "proc.aname = b", false)
	f("fd.name = /a", "fd.name = /b", false)
	f("fd.sport = 80", "fd.sport = 443", true)
	f("fd.sport < 80", "fd.sport > 80", true)
	f("fd.sport <= 80", "fd.sport >= 80", false)
	f("fd.sport <= 80", "fd.sport > 80", true)
	f("evt.failed = true", "evt.failed = false", true)
	f("evt.type = open", "evt.type = openat", true)
	f("evt.type = open", "proc.name = a", false)
	f("proc.name = a and proc.pname = x", "proc.name = b", true)
	f("proc.name = a or proc.name = b", "proc.name = c", true)
	f("proc.name = a", "proc.name exists", false)
}

// TestImplicationsAreTrue compares what is said of pairs of comparisons with what the comparisons do.
func TestImplicationsAreTrue(t *testing.T) {
	k := kindCompiler()
	texts := []string{"", "a", "ab", "aB", "b", "/a", "/a/", "/a/b", "a/b", "/a/bc", "/ab", "ba", "/b/a", "/A/b"}
	var checks []*Check
	add := func(text string) {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		checks = append(checks, e.(*Check))
	}
	for _, op := range []string{"=", "!=", "startswith", "endswith", "contains", "icontains", "glob", "iglob", "regex", "<", ">="} {
		for _, s := range texts {
			if isNumberOp(op) {
				break // numbers only
			}
			add(fmt.Sprintf("t.text %s '%s'", op, s))
		}
	}
	for i := range texts {
		add(fmt.Sprintf("t.text in ('%s', '%s')", texts[i], texts[(i+3)%len(texts)]))
		add(fmt.Sprintf("t.text pmatch ('%s', '%s')", texts[i], texts[(i+5)%len(texts)]))
		add(fmt.Sprintf("t.text startswith anyof ('%s', '%s')", texts[i], texts[(i+2)%len(texts)]))
		add(fmt.Sprintf("t.text contains allof ('%s', '%s')", texts[i], texts[(i+2)%len(texts)]))
		add(fmt.Sprintf("t.text = oneof ('%s', '%s')", texts[i], texts[(i+2)%len(texts)]))
	}
	add("t.text glob '/a*'")
	add("t.text pmatch ('/*/b')")
	numbers := len(checks)
	for _, op := range []string{"=", "!=", "<", "<=", ">", ">="} {
		for n := range 5 {
			add(fmt.Sprintf("t.u64 %s %d", op, n))
		}
	}
	add("t.u64 in (1, 2)")
	add("t.u64 in (2, 3, 4)")
	holds := func(c *Check, v *field.Value) bool {
		left, err := k.resolve(&c.Left)
		if err != nil {
			t.Fatal(err)
		}
		test, err := k.valueTest(c, left)
		if err != nil {
			t.Fatal(err)
		}
		return test(v)
	}
	truth := make([]string, len(checks)) // + for every value that the comparison holds for
	for i, c := range checks {
		var b strings.Builder
		if i < numbers {
			for _, s := range texts {
				b.WriteByte("-+"[boolNumber(holds(c, &field.Value{Kind: event.CharBuf, S: s}))])
			}
		} else {
			for n := range uint64(6) {
				b.WriteByte("-+"[boolNumber(holds(c, &field.Value{Kind: event.Uint64, N: n}))])
			}
		}
		truth[i] = b.String()
	}
	implied, apart := 0, 0
	for i, x := range checks {
		for j, y := range checks {
			if (i < numbers) != (j < numbers) {
				continue
			}
			both, only := false, false
			for n := range truth[i] {
				both = both || truth[i][n] == '+' && truth[j][n] == '+'
				only = only || truth[i][n] == '+' && truth[j][n] == '-'
			}
			if k.Implies(x, y) {
				if implied++; only {
					t.Errorf("%s is said to imply %s: %s, %s", Print(x), Print(y), truth[i], truth[j])
				}
			}
			if k.Excludes(x, y) {
				if apart++; both {
					t.Errorf("%s is said to exclude %s", Print(x), Print(y))
				}
			}
		}
	}
	if implied < 1000 || apart < 1000 {
		t.Errorf("only %d and %d answers", implied, apart)
	}
}

// TestImpliesIsBounded has conditions that would take for ever to compare.
func TestImpliesIsBounded(t *testing.T) {
	var x, y Expr = &Check{}, &Check{}
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "(proc.name = a%d or proc.pname = b%d) and ", i, i)
	}
	x, y = parseTwo(t, b.String()+"proc.pid = 1", strings.ReplaceAll(b.String(), " = ", " contains ")+"proc.pid = 2")
	if NewCompiler().Implies(x, y) {
		t.Error("implied")
	}
}

func TestPretty(t *testing.T) {
	f := func(in string, width, fold int, want string) {
		t.Helper()
		e, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got := Pretty(e, width, fold)
		if got != want {
			t.Errorf("%s is\n%s\nwant\n%s", in, got, want)
		}
		if fold > 0 {
			return
		}
		again, err := Parse(got)
		if err != nil || Pretty(again, width, 0) != got {
			t.Errorf("%s\ndoes not survive: %v", got, err)
		}
	}
	f("evt.type = open and (proc.name = a or proc.name = b)", 100, 0, "evt.type = open and (proc.name = a or proc.name = b)")
	f("evt.type = open and (proc.name = a and not proc.name = b)", 40, 0, "evt.type = open\nand proc.name = a\nand not proc.name = b")
	f("evt.type = open and (proc.name = a or (proc.name = b and fd.num = 1))", 45, 0,
		"evt.type = open\nand (\n  proc.name = a\n  or (proc.name = b and fd.num = 1)\n)")
	f("a or not (evt.type = open and proc.name = abcdefgh)", 30, 0, "a\nor not (\n  evt.type = open\n  and proc.name = abcdefgh\n)")
	f("proc.name in (aaaa, bbbb, 'c, d', eeee, ffff) and m", 24, 0, "proc.name in (\n  aaaa, bbbb, \"c, d\",\n  eeee, ffff\n)\nand m")
	f("proc.name in (a, b, c, d, e)", 100, 3, "proc.name in (a, b, c, ... 2 more)")
	f("proc.name in (a, b, c, d)", 100, 3, "proc.name in (a, b, c, d)")
	f("not (a or b) and not not c", 100, 0, "not (a or b) and not not c")
	f("proc.cmdline contains 'a very long text that does not fit'", 20, 0, "proc.cmdline contains \"a very long text that does not fit\"")
}
