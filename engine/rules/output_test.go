// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"falconet/engine/format"
)

// fieldsOf are the fields of a rule's alert for an openat of /x, as text.
func fieldsOf(t *testing.T, r *Rule) string {
	t.Helper()
	got := map[string]any{}
	for _, f := range r.Output.Fields(context(t, nrOpenat, "/x")) {
		if _, twice := got[f.Name]; twice {
			t.Errorf("field %s is there twice", f.Name)
		}
		got[f.Name] = f.Value
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(got)) {
		list = append(list, fmt.Sprintf("%s=%v(%[2]T)", k, got[k]))
	}
	return strings.Join(list, " ")
}

func TestAppendedOutputs(t *testing.T) {
	text := ruleText("A", "evt.type = openat", "  tags: [x, y]\n") + ruleText("B", "evt.type = connect")
	field := func(pairs ...string) (out []Extra) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, Extra{Name: pairs[i], Text: pairs[i+1]})
		}
		return out
	}
	f := func(what, p string, list []Append, outputs, fields string) {
		t.Helper()
		s := mustLoad(t, Options{Suffix: format.ParseSuffix(p), Append: list}, text)
		if got := s.Rules[0].Output.String() + "; " + s.Rules[1].Output.String(); got != outputs {
			t.Errorf("%s: outputs are\n%s\nwant\n%s", what, got, outputs)
		}
		if got := fieldsOf(t, s.Rules[0]); got != fields {
			t.Errorf("%s: fields of A are\n%s\nwant\n%s", what, got, fields)
		}
	}
	f("nothing", "", nil, "A %fd.name; B %fd.name", "fd.name=/x(string)")
	f("every rule, in order", "", []Append{{Output: "one"}, {Output: "two=%evt.num"}}, "A %fd.name one two=%evt.num; B %fd.name one two=%evt.num",
		"evt.num=1(uint64) fd.name=/x(string)")
	f("tags: all of them", "", []Append{{Tags: []string{"y", "x"}, Output: "xy"}, {Tags: []string{"x"}, Output: "x"}, {Tags: []string{"x", "z"}, Output: "no"}},
		"A %fd.name xy x; B %fd.name", "fd.name=/x(string)")
	f("rule: the whole name", "", []Append{{Rule: "B", Output: "b"}, {Rule: "b", Output: "no"}, {Rule: "B*", Output: "no"}}, "A %fd.name; B %fd.name b", "fd.name=/x(string)")
	f("source", "", []Append{{Source: "syscall", Output: "s"}, {Source: "k8s_audit", Output: "no"}}, "A %fd.name s; B %fd.name s", "fd.name=/x(string)")
	f("all three", "", []Append{{Source: "syscall", Tags: []string{"x"}, Rule: "A", Output: "a"}, {Source: "syscall", Tags: []string{"x"}, Rule: "B", Output: "no"}},
		"A %fd.name a; B %fd.name", "fd.name=/x(string)")
	f("-p comes last", "end=%evt.num", []Append{{Output: "one"}}, "A %fd.name one end=%evt.num; B %fd.name one end=%evt.num", "evt.num=1(uint64) fd.name=/x(string)")
	f("container.info of an entry", "", []Append{{Rule: "A", Output: "%container.info"}},
		"A %fd.name container_id=%container.id container_name=%container.name; B %fd.name", "container.id=host(string) container.name=host(string) fd.name=/x(string)")
	f("fields change no text", "", []Append{{Fields: field("evt.res", "", "evt.rawres", "", "who", "n=%evt.num %fd.sip")}}, "A %fd.name; B %fd.name",
		"evt.rawres=5(int64) evt.res=SUCCESS(string) fd.name=/x(string) who=n=1 <NA>(string)")
	f("a field within a transformer", "", []Append{{Fields: field("toupper(fd.name)", "", "len(fd.name)", "", "fd.sip", "")}}, "A %fd.name; B %fd.name",
		"fd.name=/x(string) fd.sip=<nil>(<nil>) len(fd.name)=2(uint64) toupper(fd.name)=/X(string)")
	f("the last of a name counts", "", []Append{{Fields: field("fd.name", "is %evt.type", "x", "1")}, {Fields: field("x", "2")}}, "A %fd.name; B %fd.name",
		"fd.name=is openat(string) x=2(string)")
	for want, bad := range map[string]Append{
		"invalid formatting token at character 12: nonexistent field 'no.such'":           {Output: "%no.such"},
		"invalid formatting token at character 1: nonexistent field 'no.such'":            {Fields: field("no.such", "")},
		"invalid formatting token at character 1: 'evt.num x' is not the name of a field": {Fields: field("evt.num x", "")},
		"invalid formatting token at character 1: a percent sign at the end":              {Fields: field("x", "%")},
	} {
		s, results := load(t, Options{Append: []Append{bad}}, text)
		if s != nil {
			t.Errorf("%+v is accepted", bad)
		} else if p := results[0].Errors[0]; p.Code != ErrCompileOutput || !strings.Contains(p.Message, want) {
			t.Errorf("%+v gives %s", bad, p.Line())
		}
	}
}

func TestOutputWarnings(t *testing.T) {
	for output, want := range map[string]string{
		"x %5000fd.name":     "width 5000 is larger than 4096, which is used in its place",
		"x %fd.names":        "'%fd.names' prints field fd.name and 's' behind it",
		"x %proc.aname[one]": `field proc.aname: argument "one" is no index: what follows proc.aname is printed as text`,
	} {
		s, results := load(t, Options{}, "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: '"+output+"'\n  priority: INFO\n")
		if s == nil || len(results[0].Warnings) != 1 || results[0].Warnings[0].Message != want || results[0].Warnings[0].Code != Dubious {
			t.Errorf("%q: %s", output, results[0].Text(true))
		}
	}
}
