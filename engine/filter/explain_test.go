// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"
	"strings"
	"testing"
)

func TestClauses(t *testing.T) {
	e, err := Parse("evt.type in (open, openat) and (fd.name = /x or not (evt.type = open and proc.aname in (a))) and fd.name = /x and nosuch.field = 1 and evt.args contains x")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range NewCompiler().Clauses(e) {
		text := Print(c.Check) + " " + c.Class
		if c.Negated {
			text = "not " + text
		}
		if c.Err != nil {
			text += "?"
		}
		for _, name := range []string{"open", "openat", "execve"} {
			if c.Types.Has(name) {
				text += " " + name
			}
		}
		got = append(got, text)
	}
	want := []string{
		"evt.type in (open, openat) index open openat execve", "fd.name = /x cheap open openat", "not evt.type = open index open openat",
		"not proc.aname in (a) moderate open", "nosuch.field = 1 ? open openat", "evt.args contains x dear open openat",
	}
	if !slices.Equal(got, want) {
		t.Errorf("clauses are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFoundBy(t *testing.T) {
	k := NewCompiler()
	var programs []*Program
	for _, text := range []string{
		"fd.name = /a", "fd.name = /b and proc.pid > 1", "fd.name startswith /c", "fd.name = /d or proc.args[1] = x", "tolower(fd.filename) = a",
		"tolower(fd.filename) = b", "tolower(fd.filename) = c", "proc.args[1] = y", "proc.args[1] = z", "proc.aname = a", "proc.aname = b", "proc.aname = c", "proc.pid > 1",
	} {
		programs = append(programs, compile(t, k, text))
	}
	g := k.Group(programs)
	want := map[int]string{0: "fd.name", 1: "fd.name", 2: "fd.name", 3: "fd.name proc.args[1]", 4: "tolower(fd.filename)", 7: "proc.args[1]", 9: "proc.aname", 12: ""}
	for i, want := range want {
		if got := strings.Join(k.FoundBy(g, i), " "); got != want {
			t.Errorf("program %d is found by %q, want %q", i, got, want)
		}
	}
}

func TestUnreported(t *testing.T) {
	e, err := Parse("evt.type in (open, container, sync) or not evt.type = drop or evt.type != switch or evt.type = exit_group")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(Unreported(e), " "); got != "container drop exit_group" {
		t.Errorf("%q", got)
	}
}

func TestTerms(t *testing.T) {
	e, err := Parse("a and (b and (c or (d or e)) and not (f and g))")
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	Groups(e, func(and bool, terms []Expr) {
		var texts []string
		for _, t := range terms {
			texts = append(texts, Print(t))
		}
		groups = append(groups, map[bool]string{true: "and: ", false: "or: "}[and]+strings.Join(texts, ", "))
	})
	want := "and: a, b, c or (d or e), not (f and g)\nor: c, d, e\nand: f, g"
	if got := strings.Join(groups, "\n"); got != want {
		t.Errorf("groups are\n%s\nwant\n%s", got, want)
	}
	if n := len(Terms(e)); n != 4 {
		t.Errorf("%d terms", n)
	}
	if n := len(Kids(Terms(e)[2])); n != 3 {
		t.Errorf("%d kids", n)
	}
	if n := len(Terms(Terms(e)[2])); n != 1 {
		t.Errorf("a disjunction has %d terms", n)
	}
}
