// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"falconet/engine/alert"
)

func load(t testing.TB, o Options, texts ...string) (*Set, []*Result) {
	t.Helper()
	var files []File
	for i, s := range texts {
		files = append(files, File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(s)})
	}
	o.MinPriority = alert.Debug
	return Load(o, files...)
}

func mustLoad(t testing.TB, o Options, texts ...string) *Set {
	t.Helper()
	s, results := load(t, o, texts...)
	if s == nil {
		for _, r := range results {
			t.Error(r.Text(true))
		}
		t.FailNow()
	}
	return s
}

const base = `
- list: shells
  items: [bash, "sh"]
- list: programs
  items: [shells, '"my program"']
- macro: started
  condition: evt.type = execve and evt.dir = <
- macro: shell
  condition: proc.name in (programs, zsh)
- rule: Shell
  desc: a shell
  condition: started and shell
  output: "shell %proc.name"
  priority: WARNING
  tags: [b, a]
`

func TestConditionsAreExpanded(t *testing.T) {
	f := func(want string, texts ...string) {
		t.Helper()
		s := mustLoad(t, Options{}, append([]string{base}, texts...)...)
		if got := s.Rules[0].Compiled; got != want {
			t.Errorf("condition is\n%s, want\n%s", got, want)
		}
	}
	plain := `(evt.type = execve and evt.dir = <) and proc.name in (bash, sh, "my program", zsh)`
	f(plain)
	f(`(evt.type = execve and evt.dir = <) and proc.name in (bash, sh, fish, "my program", zsh)`,
		"- list: shells\n  items: [fish]\n  append: true")
	f(`(evt.type = execve and evt.dir = <) and proc.name in (fish, "my program", zsh)`,
		"- list: shells\n  items: [fish]\n  override: {items: replace}")
	f(`(evt.type = execve and evt.dir = <) and (proc.name in (bash, sh, "my program", zsh) or proc.name = x)`,
		"- macro: shell\n  condition: or proc.name = x\n  override: {condition: append}")
	f(plain+" and user.uid = 0", "- rule: Shell\n  condition: and user.uid = 0\n  append: true")
	f(`((evt.type = execve and evt.dir = <) and proc.name in (bash, sh, "my program", zsh)) and not ((proc.pname = a and fd.num = 1) or (proc.pname = "b c" and fd.num = 2)) and not proc.tty in (1, 2)`,
		`
- rule: Shell
  exceptions:
    - name: pairs
      fields: [proc.pname, fd.num]
      values: [[a, 1], ["b c", 2]]
    - name: ttys
      fields: proc.tty
      values: [1, 2]
  override: {exceptions: append}`)
}

func TestListInPlaceOfAValue(t *testing.T) {
	const lists = "- list: one\n  items: [a]\n- list: two\n  items: [a, b]\n"
	const rule = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type = open and "
	f := func(condition, want string, warnings int) {
		t.Helper()
		s, r := load(t, Options{}, lists+rule+condition+"\n- macro: m\n  condition: proc.name in (one, two)\n- rule: Q\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type = open and m\n")
		if s == nil || s.Rules[0].Compiled != "evt.type = open and "+want || len(r[0].Warnings) != warnings {
			t.Errorf("%s: %s", condition, r[0].Text(true))
		}
	}
	f("proc.name = one", "proc.name = a", 0)
	f("proc.name = 'one'", "proc.name = one", 0)
	f("proc.name in (x, two)", "proc.name in (x, a, b)", 0)
	f("proc.name in two", "proc.name in (a, b)", 0)
	f("proc.name = 'two'", "proc.name = two", 0)
}

func TestOverrides(t *testing.T) {
	s := mustLoad(t, Options{}, base, `
- rule: Shell
  output: more %proc.pid
  priority: notice
  tags: [c]
  enabled: false
  override: {output: append, priority: replace, tags: append, enabled: replace}`)
	r := s.Rules[0]
	if r.Output.String() != "shell %proc.name more %proc.pid" || r.Priority != alert.Notice || strings.Join(r.Tags, "") != "abc" || r.Enabled {
		t.Errorf("rule is %+v", r)
	}
}

func TestSelection(t *testing.T) {
	s := mustLoad(t, Options{Select: []Selection{{Enable: false, Rule: "*"}, {Enable: true, Tag: "a"}}}, base)
	if s.Enabled() != 1 {
		t.Error("a rule that a tag enables is not")
	}
	for pattern, want := range map[string]bool{"Shell": true, "Sh*": true, "*ll": true, "*": true, "S*e*l": true, "shell": false, "*x": false, "Shell*l": false} {
		if wildcard(pattern, "Shell") != want {
			t.Errorf("%q matches Shell: %v", pattern, !want)
		}
	}
}

func TestErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, results := load(t, Options{}, text)
		if s != nil {
			t.Errorf("%q is accepted", text)
			return
		}
		var got []string
		for _, p := range results[0].Errors {
			got = append(got, p.Line())
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%q gives\n%s\nwant\n%s", text, strings.Join(got, "\n"), want)
		}
	}
	rule := func(condition string) string {
		return "- rule: R\n  desc: d\n  condition: " + condition + "\n  output: o\n  priority: INFO\n"
	}
	f("a: b", "a.yaml:1:1: file 'a.yaml': a rules file is a sequence of items, each beginning with a dash (LOAD_ERR_YAML_VALIDATE)")
	f("- rule: [", "a.yaml:1:1: file 'a.yaml': did not find expected node content in what begins here (LOAD_ERR_YAML_PARSE)")
	f("- 3", "a.yaml:1:3: an item is a map: one of required_engine_version, required_plugin_versions, list, macro, rule and its keys (LOAD_ERR_YAML_VALIDATE)")
	f("- rule: R\n  desc: d", "a.yaml:1:3: rule 'R': rule has no 'condition' (LOAD_ERR_YAML_VALIDATE)")
	f(rule("evt.type = open and proc.nam = x"), "a.yaml:3:34: condition 'R': nonexistent field 'proc.nam' (did you mean 'proc.name'?) (LOAD_ERR_COMPILE_CONDITION)")
	f(rule(">\n    evt.type = open\n    and proc.name == (x"), "a.yaml:5:22: condition 'R': expecting a value (LOAD_ERR_COMPILE_CONDITION)")
	f(rule("evt.type = open and nothing"), "a.yaml:3:34: condition 'R': Undefined macro 'nothing' used in filter. (LOAD_ERR_VALIDATE)")
	f(strings.Replace(rule("evt.type = open"), "INFO", "LOUD", 1), `a.yaml:5:13: rule 'R': unknown priority "LOUD": it is one of emergency, alert, critical, error, warning, notice, informational, debug (LOAD_ERR_YAML_VALIDATE)`)
	f(strings.Replace(rule("evt.type = open"), "output: o", "output: '%no.such'", 1), "a.yaml:4:12: rule output 'R': invalid formatting token at character 1: nonexistent field 'no.such' (LOAD_ERR_COMPILE_OUTPUT)")
	f("- macro: a\n  condition: b\n- macro: b\n  condition: a\n"+rule("evt.type = open and a"), "a.yaml:1:3: macro 'a': macro is part of itself (LOAD_ERR_VALIDATE)")
	f("- list: l\n  items: [a, "+strings.Repeat("b", 256)+"]\n"+rule("evt.type = open and proc.cmdline in (l)"),
		"a.yaml:5:51: condition 'R': list 'l' has a member that is longer than 255 bytes (LOAD_ERR_COMPILE_CONDITION)")
	f("- required_engine_version: 0.99.0", "a.yaml:1:28: required_engine_version '0.99.0': the file needs version 0.99.0 of the rule engine, this is 0.63.0 (LOAD_ERR_VALIDATE)")
	f("- list: x\n  items: [a]\n  append: true", "a.yaml:1:3: list 'x': there is no list of this name to append to or override (LOAD_ERR_VALIDATE)")
}

func TestParametersThatNoEventHasLeaveTheRuleOut(t *testing.T) {
	s, results := load(t, Options{}, "- rule: R\n  desc: d\n  condition: evt.type = open and evt.arg.app_id = true\n  output: o\n  priority: INFO\n")
	if s == nil || len(s.Rules) != 0 || len(results[0].Warnings) != 1 || results[0].Warnings[0].Code != NotSupported {
		t.Errorf("results: %s", results[0].Text(true))
	}
}

// TestPublicRules loads the rule files that Falco ships.
func TestPublicRules(t *testing.T) {
	dir := os.Getenv("FALCONET_FALCO_RULES")
	if dir == "" {
		t.Skip("FALCONET_FALCO_RULES names no directory")
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if len(names) == 0 {
		t.Fatalf("%s holds no rule files", dir)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, results := Load(Options{MinPriority: alert.Debug}, File{Name: filepath.Base(name), Data: b})
		if s == nil {
			t.Errorf("%s", results[0].Text(true))
			continue
		}
		left := 0
		for _, w := range results[0].Warnings {
			if strings.HasPrefix(w.Message, "rule is left out") {
				left++
				t.Log(w.Line())
			}
		}
		if all := strings.Count("\n"+string(b), "\n- rule:"); len(s.Rules)+left != all || len(s.Rules) < all/2 {
			t.Errorf("%s: of %d rules %d are there and %d left out", name, all, len(s.Rules), left)
		}
	}
}

func TestExceptions(t *testing.T) {
	f := func(exceptions, more, want string) {
		t.Helper()
		s, results := load(t, Options{}, "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n  exceptions: "+exceptions+"\n"+more)
		got := ""
		if s != nil {
			got = strings.TrimPrefix(s.Rules[0].Compiled, "evt.type = open")
		} else {
			got = "error: " + results[0].Errors[0].Message
		}
		if got != want {
			t.Errorf("%s\ngives %s\nwant  %s", exceptions, got, want)
		}
	}
	f("[{name: a, fields: proc.name}]", "", "")
	f("[{name: a, fields: proc.name, values: [x, 'y z', 'a\"b\\']}]", "", ` and not proc.name in (x, "y z", "a\"b\\")`)
	f("[{name: a, fields: fd.name, comps: pmatch, values: [/x]}]", "", ` and not fd.name pmatch (/x)`)
	f("[{name: a, fields: [proc.name, fd.name], comps: [in, startswith], values: [[[x, y], /z], ['(q, r)', s t]]}]", "",
		` and not ((proc.name in (x, y) and fd.name startswith /z) or (proc.name in (q, r) and fd.name startswith "s t"))`)
	f("[{name: a, fields: [container.image.repository]}]", "", "")
	f("[{name: a, fields: 'proc.aname[2]', values: [x]}]", "", " and not proc.aname[2] in (x)")
	f("[{name: a, fields: [proc.name], values: [[x]]}]", "- rule: R\n  exceptions: [{name: a, values: [[y]]}]\n  append: true",
		" and not (proc.name = x or proc.name = y)")
	f("[{name: a, fields: [proc.name], values: [[x]]}]", "- rule: R\n  exceptions: [{name: a, fields: [proc.name], values: [[y]]}]\n  override: {exceptions: replace}",
		" and not proc.name = y")
	f("[{name: a, fields: [proc.nam]}]", "", "error: 'proc.nam' is not a field (did you mean 'proc.name'?)")
	f("[{name: a, fields: [proc.name], comps: [is]}]", "", "error: 'is' is no operator (did you mean 'in'?)")
	f("[{name: a, fields: [proc.name], comps: [in, in]}]", "", "error: there are 1 fields and 2 comps")
	f("[{name: a, fields: proc.name, comps: startswith}]", "", "error: 'startswith' is no operator for an exception of one field: it takes in, intersects, pmatch, or a text operator with oneof, anyof or allof")
	f("[{name: a, fields: [proc.name], comps: in}]", "", "error: 'fields' and 'comps' are both one value or both lists")
	f("[{name: a, fields: [proc.name], values: [x]}]", "", "error: every value has as many members as there are fields (1)")
	f("[{name: a, fields: proc.name, values: [[x]]}]", "", "error: one value for each entry, because 'fields' is one field")
	f("[{fields: proc.name}]", "", "error: an exception has a name")
	f("[{name: a}]", "", "error: an exception needs 'fields'")
}

func TestForeignSourcesAreLeftOut(t *testing.T) {
	s, results := load(t, Options{}, base+`
- rule: Other
  desc: d
  condition: ka.verb = create and jevt.value[/x] exists
  output: "%ka.user.name"
  priority: INFO
  source: k8s_audit
  exceptions: [{name: e, fields: [ka.user.name], values: [[x]]}]`)
	if s == nil || len(s.Rules) != 1 || len(results[0].Warnings) != 2 || results[0].Warnings[0].Code != UnknownSource {
		t.Error(results[0].Text(true))
	}
}

func TestWarnings(t *testing.T) {
	f := func(text string, want ...Code) {
		t.Helper()
		s, results := load(t, Options{}, text)
		var got []Code
		for _, w := range results[0].Warnings {
			got = append(got, w.Code)
		}
		if s == nil || !slices.Equal(got, want) {
			t.Errorf("%s\ngives %v, want %v\n%s", text, got, want, results[0].Text(true))
		}
	}
	rule := func(condition, more string) string {
		return "- rule: R\n  desc: d\n  condition: " + condition + "\n  output: o\n  priority: INFO\n" + more
	}
	f(rule("evt.type = open", ""))
	f(rule("proc.name = x", ""), NoEventType)
	f(rule("evt.type != open", ""), NoEventType)
	f(rule("evt.type = open and evt.type = openat", ""), Dubious)
	f(rule("proc.name = x", "  warn_evttypes: false\n"))
	f(rule("evt.type = open and proc.name = proc.pname", ""), CompileCondition)
	f(rule("evt.type = open and evt.latency > 5", ""), DeprecatedItem)
	f(rule("evt.type = nosuch", "  skip-if-unknown-filter: true\n"), UnknownFilter)
	f(rule("evt.type = open and no.such = 1", "  skip-if-unknown-filter: true\n"), UnknownFilter)
	f(rule("evt.type = open", "  nonsense: 1\n"), UnknownKey)
	f(rule("evt.type = open", "  desc: again\n"), NoEffect)
	f(rule("evt.type = open", "- nonsense: 1\n"), UnknownItem)
	f(rule("evt.type = open", "- macro: m\n  condition: evt.num = 1\n"), UnusedMacro)
	f(rule("evt.type = open", "- list: l\n  items: []\n"), UnusedList)
	f(rule("evt.type = open", "- macro: a-b\n  condition: evt.num = 1\n"), InvalidMacroName, UnusedMacro)
	f(rule("evt.type = open", "- rule: R\n  enabled: false\n"), DeprecatedItem)
	f(rule("evt.type = open", "- rule: R\n  condition: and evt.num = 1\n  append: true\n"), DeprecatedItem)
	f(rule("evt.type = open", "- required_plugin_versions: [{name: json, version: 0.7.0}]\n"), NotSupported)
	f("- required_plugin_versions: [{name: nope, version: 0.7.0, alternatives: [{name: container, version: 0.4.1}]}]\n" + rule("evt.type = open", ""))
}
