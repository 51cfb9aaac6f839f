// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"falconet/engine/alert"
)

// TestSelections wants the rules that match an event, in their order, after entries that enable and disable.
func TestSelections(t *testing.T) {
	rule := func(name, more string) string { return ruleText(name, "evt.type = openat", more) }
	text := rule("first rule", "  tags: [exec]\n") + rule("second rule", "  tags: [exec process, other]\n") +
		rule("third disabled rule", "  enabled: false\n  tags: [exec]\n") + strings.Replace(rule("low rule", "  tags: [low]\n"), "INFO", "DEBUG", 1)
	on := func(name, tag string) Selection { return Selection{Enable: true, Rule: name, Tag: tag} }
	off := func(name, tag string) Selection { return Selection{Rule: name, Tag: tag} }
	f := func(want string, list ...Selection) {
		t.Helper()
		s, results := Load(Options{MinPriority: alert.Informational, Matching: All, Select: list}, File{Name: "f", Data: []byte(text)})
		if s == nil {
			t.Fatal(results[0].Text(true))
		}
		var got []string
		s.Match(context(t, nrOpenat, "/x"), func(r *Rule) { got = append(got, strings.Fields(r.Name)[0]) })
		if strings.Join(got, " ") != want || s.Enabled() != len(got) {
			t.Errorf("%+v leaves %q (%d), want %q", list, got, s.Enabled(), want)
		}
	}
	f("first second")
	f("first second third", on("third disabled rule", ""))
	f("first second third", on("*", ""))
	f("first second third", on("third*", ""))
	f("first second third", on("*disabled*", ""))
	f("first second", on("Third*", ""))
	f("first second", on("third", ""))
	f("first second", on("third*Rule", ""))
	f("", off("*", ""))
	f("", off("*rule", ""))
	f("second", off("first rule", ""))
	f("first", off("*second*r*", ""))
	f("first second third", on("", "exec"))
	f("first second", on("", "process"))
	f("first", off("", "exec process"))
	f("first second", off("", "Exec"))
	f("second", off("", "exec"))
	f("", off("first*", "other"))
	f("third", off("*", ""), on("third disabled rule", ""))
	f("third first", off("*", ""), on("third*", ""), on("first rule", ""))
	f("second first", off("first*", ""), on("first*", ""))
	f("first second", on("first*", ""))
	f("first", off("*", ""), on("first*", ""), off("nothing", "nothing"))
	f("first second third", on("low*", "exec"))
	f("first second", on("low rule", "low"))
	f("first second", Selection{Enable: true}, Selection{})

	for pattern, want := range map[string]bool{"foo": false, "*foo": true, "foo*": true, "*foo*foo": true, "*foo*foo*": true, "*foofoo": true, "**": true, "foo*oo": true, "foof*foo": false, "": false} {
		if wildcard(pattern, "foofoo") != want {
			t.Errorf("%q matches foofoo: %v", pattern, !want)
		}
	}
}

// TestFirstMatch wants the first rule in the order of definition, whatever is defined again or changed later.
func TestFirstMatch(t *testing.T) {
	a, b := ruleText("A", "evt.type = openat"), ruleText("B", "evt.type = openat")
	f := func(want, text string, list ...Selection) {
		t.Helper()
		if got := matches(mustLoad(t, Options{Select: list}, text), context(t, nrOpenat, "/x")); got != want {
			t.Errorf("%s\nmatches %q, want %q", text, got, want)
		}
	}
	f("A", a+b)
	f("A", a+b+a)
	f("B", a+b+ruleText("A", "evt.type = openat and evt.num = 2"))
	f("A", a+b+"- rule: A\n  desc: more\n  override: {desc: append}\n")
	f("B", a+b+"- rule: A\n  enabled: false\n  override: {enabled: replace}\n")
	f("A", a+b+"- rule: A\n  enabled: false\n  override: {enabled: replace}\n- rule: A\n  enabled: true\n  override: {enabled: replace}\n")
	f("B", a+b, Selection{Rule: "A"}, Selection{Enable: true, Rule: "A"})
}
