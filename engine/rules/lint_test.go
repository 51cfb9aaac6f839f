// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"falconet/engine/alert"
	"falconet/engine/format"
)

// sound is a rule in which nothing is weak but what its condition may be.
func sound(name, condition string, more ...string) string {
	return fmt.Sprintf("- rule: %s\n  desc: what it is\n  condition: %s\n  output: 'it happened (command=%%proc.cmdline container=%%container.id)'\n  priority: INFO\n  tags: [t]\n%s",
		name, condition, strings.Join(more, ""))
}

func lint(t *testing.T, o LintOptions, texts ...string) []string {
	t.Helper()
	o.MinPriority, o.Suffix = alert.Debug, format.ParseSuffix("")
	var files []File
	for i, s := range texts {
		files = append(files, File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(s)})
	}
	found, results, err := Lint(o, files...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.OK() {
			t.Fatal(r.Text(true))
		}
	}
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s: %s: %s: %s", f.Place, f.Check, f.Item, f.Message))
	}
	return out
}

func TestLint(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := lint(t, LintOptions{}, text); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\nhas the findings\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	cond := func(condition string, want ...string) {
		t.Helper()
		f(sound("R", condition), want...)
	}
	cond("evt.type = openat and fd.name = /etc/x")
	// contradictions
	cond("evt.type = openat and proc.exepath = /a and proc.exepath = /b",
		"a.yaml:3:58: contradiction: rule 'R': 'proc.exepath = /b' and 'proc.exepath = /a' (a.yaml:3:36) exclude one another")
	cond("evt.type = openat and (user.uid = 0 or (proc.pid > 9 and fd.num = 1 and not proc.pid > 9))",
		"a.yaml:3:86: contradiction: rule 'R': 'not proc.pid > 9' and 'proc.pid > 9' (a.yaml:3:54) exclude one another")
	cond("evt.type = openat and fd.name = /a and fd.name = /b") // a path may be spelt in two ways
	cond("evt.type = openat and (proc.exepath = /a or proc.exepath = /b)")
	// duplicates
	cond("evt.type = openat and fd.name = /a and user.uid = 0 and fd.name = /a", "a.yaml:3:70: duplicate: rule 'R': 'fd.name = /a' is there twice (a.yaml:3:36)")
	cond("evt.type = openat and fd.name in (/a, /b, /a)", "a.yaml:3:56: duplicate: rule 'R': '/a' is twice in the list")
	f("- list: l\n  items: [a, b, a]\n"+sound("R", "evt.type = openat and fd.filename in (l)"), "a.yaml:2:17: duplicate: list 'l': 'a' is twice in the list")
	// what says nothing
	cond("evt.type = openat and (fd.name startswith /etc or fd.name startswith /etc/ssh)",
		"a.yaml:3:64: implied: rule 'R': 'fd.name startswith /etc/ssh' never holds where 'fd.name startswith /etc' does not")
	cond("evt.type = openat and fd.name startswith /etc and fd.name in (/etc/a, /etc/b)",
		"a.yaml:3:36: implied: rule 'R': 'fd.name startswith /etc' always holds where 'fd.name in (/etc/a, /etc/b)' does")
	cond("evt.type = openat and fd.name pmatch (/etc) and not fd.name pmatch (/etc/ssh)")
	f("- macro: m\n  condition: (fd.name startswith /etc/ssh)\n" + sound("R", "evt.type = openat and fd.name startswith /etc and m")) // the macro may have other uses
	// exceptions for names
	cond("evt.type = openat and fd.name = /a and not proc.name in (sh, bash)",
		"a.yaml:3:57: evadable-name: rule 'R': the exception for 'proc.name in (sh, bash)' lets through whatever says so of itself")
	cond("evt.type = openat and fd.name = /a and not (proc.name = sh and proc.pname = x and fd.directory = /)",
		"a.yaml:3:58: evadable-name: rule 'R': the exception for 'proc.name = sh' and 1 more like it lets through whatever says so of itself")
	cond("evt.type = openat and fd.name = /a and not (proc.exepath = /bin/sh and proc.name = sh) and not proc.name in (<NA>, '')")
	cond("evt.type = openat and fd.name = /a and not (container.id != host and proc.name = sh) and proc.name = sh")
	f(sound("R", "evt.type = openat and fd.name = /a", "  exceptions: [{name: e, fields: [proc.aname], comps: [=], values: [[x]]}]\n"),
		"a.yaml:7:70: evadable-name: rule 'R': the exception for 'proc.aname = x' lets through whatever says so of itself")
	// command lines
	cond("evt.type = execve and evt.failed = false and container.id != host and proc.cmdline contains stratum",
		"a.yaml:3:84: cmdline-only: rule 'R': 'proc.cmdline contains stratum' is all that the rule goes by besides the event: quotes, other options or another way to the same end evade it")
	cond("evt.type = execve and proc.cmdline contains stratum and proc.name = x")
	cond("evt.type = execve and (proc.args contains a or (proc.name = x and proc.args contains b))",
		"a.yaml:3:37: cmdline-only: rule 'R': 'proc.args contains a' is all that the rule goes by besides the event: quotes, other options or another way to the same end evade it")
	cond("evt.type = openat and fd.name = /a and (proc.args contains a or proc.args contains b)")
	cond("evt.type = execve and proc.env contains LD_PRELOAD")
	// paths
	cond("evt.type = openat and fd.nameraw startswith /etc",
		"a.yaml:3:36: raw-path: rule 'R': 'fd.nameraw startswith /etc' compares the path as it was passed: a symlink, a directory or .. disguises the file")
	cond("evt.type in (open, openat) and evt.arg.name = /etc/shadow",
		"a.yaml:3:45: raw-path: rule 'R': 'evt.arg.name = /etc/shadow' compares the path as it was passed: a symlink, a directory or .. disguises the file")
	cond("evt.type in (open, openat) and fd.nameraw contains ../ and fd.name = /x")
	cond("evt.type = unlink and evt.arg.path = /etc/shadow")
	cond("evt.type = openat and fd.name = shadow", "a.yaml:3:46: relative-path: rule 'R': 'shadow' is no whole path: hardly any fd.name is so")
	cond("evt.type = connect and fd.name = shadow")
	cond("evt.type = openat and fd.name endswith shadow")
	// events, outputs and the rest
	cond("evt.type = openat and evt.dir = < and fd.name = /a",
		"a.yaml:3:36: LOAD_DEPRECATED_ITEM: rule 'R': evt.dir is deprecated: an event carries both what entering and what leaving did, so a test of it says nothing and can be left out")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), "command=%proc.cmdline", "fd=%fd.name", 1), "a.yaml:1:3: output-process: rule 'R': the output does not say who did it")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), " container=%container.id", "", 1), "a.yaml:1:3: output-container: rule 'R': the output does not say in which container it was done")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a and container.id = host"), " container=%container.id", "", 1))
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), "container=%container.id", "%container.info", 1),
		"a.yaml:4:47: LOAD_DEPRECATED_ITEM: rule 'R': %container.info is deprecated: name the fields that should be there")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), "INFO", "Info", 1), "a.yaml:5:13: priority-case: rule 'R': priority 'Info': the schema of rule files has them in upper case")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), "what it is", "' '", 1), "a.yaml:1:3: no-description: rule 'R': it has no description")
	f(strings.Replace(sound("R", "evt.type = openat and fd.name = /a"), "tags: [t]", "tags: []", 1), "a.yaml:1:3: no-tags: rule 'R': it has no tags")
	f(sound("R", "evt.type = openat and fd.name = /a", "  exceptions: [{name: e, fields: [evt.arg.task_name, fd.name]}, {name: f, fields: fd.name}]\n"),
		"a.yaml:1:3: dead-exception: rule 'R': exception 'e' compares evt.arg.task_name, which is not there: field evt.arg: no event has a parameter \"task_name\"")
	// what loading warns of
	f("- list: unused\n  items: [a]\n"+sound("R", "fd.name = /a"),
		"a.yaml:1:9: LOAD_UNUSED_LIST: list 'unused': list is not used by a rule, macro or list",
		"a.yaml:5:14: LOAD_NO_EVTTYPE: rule 'R': condition names no event type: every event of the machine has to be looked at")
	cond("evt.type = openat and proc.name = longer-than-fifteen",
		"a.yaml:3:48: LOAD_DUBIOUS: rule 'R': never holds: proc.name has up to 15 bytes, and 'longer-than-fifteen' has 19 (write 'longer-than-fif', or compare proc.exepath)")
}

func TestLintShadows(t *testing.T) {
	f := func(o LintOptions, earlier, later string, shadowed bool, more ...string) {
		t.Helper()
		var got []string
		for _, s := range lint(t, o, sound("Earlier", earlier)+sound("Later", later, more...)) {
			if strings.Contains(s, ": shadowed: ") {
				got = append(got, s)
			}
		}
		want := []string{"a.yaml:7:3: shadowed: rule 'Later': it never raises an alert: rule 'Earlier' (a.yaml:1:3) comes first and matches whenever this one does"}
		if !shadowed {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, and then %s: %q", earlier, later, got)
		}
	}
	const etc = "evt.type in (open, openat) and fd.name pmatch (/etc)"
	f(LintOptions{}, etc, "evt.type = openat and fd.name = /etc/shadow", true)
	f(LintOptions{}, etc, "evt.type = openat and fd.name startswith /etc/ssh/ and user.uid = 0 and not proc.exepath = /x", true)
	f(LintOptions{}, etc, "fd.name in (/etc/a, /etc/b) and evt.type in (openat, open) and (proc.exepath = /a or proc.exepath = /b)", true)
	f(LintOptions{}, etc+" and not proc.exepath in (/a)", "evt.type = openat and fd.name = /etc/shadow and not proc.exepath in (/a, /b)", true)
	f(LintOptions{}, etc+" and not proc.exepath in (/a, /b)", "evt.type = openat and fd.name = /etc/shadow and not proc.exepath in (/a)", false)
	f(LintOptions{}, etc, "evt.type in (openat, openat2) and fd.name = /etc/shadow", false)
	f(LintOptions{}, etc, "evt.type = openat and fd.name = /var/x", false)
	f(LintOptions{}, "evt.type = openat and fd.name = /etc/shadow", "evt.type = openat and fd.name pmatch (/etc)", false)
	f(LintOptions{}, etc, "evt.type = openat and fd.name = /etc/shadow", false, "  enabled: false\n")
	f(LintOptions{Options: Options{Matching: All}}, etc, "evt.type = openat and fd.name = /etc/shadow", false)
	f(LintOptions{Options: Options{Select: []Selection{{Rule: "Earlier"}}}}, etc, "evt.type = openat and fd.name = /etc/shadow", false)
	f(LintOptions{Options: Options{Select: []Selection{{Rule: "Earlier"}, {Rule: "Earlier", Enable: true}}}}, etc, "evt.type = openat and fd.name = /etc/shadow", false)
}

func TestLintOptions(t *testing.T) {
	weak := sound("R", "evt.type = openat and evt.dir = < and fd.name = shadow") + "- list: unused\n  items: [a]\n"
	if got := lint(t, LintOptions{}, weak); len(got) != 3 {
		t.Errorf("findings are %q", got)
	}
	if got := lint(t, LintOptions{Disable: []string{"LOAD_DEPRECATED_ITEM", "LOAD_UNUSED_LIST"}}, weak); len(got) != 1 {
		t.Errorf("findings are %q", got)
	}
	_, _, err := Lint(LintOptions{Disable: []string{"no-tag"}})
	if err == nil || err.Error() != "there is no check 'no-tag' (did you mean 'no-tags'?)" {
		t.Error(err)
	}
	found, results, err := Lint(LintOptions{}, File{Name: "f", Data: []byte("- rule: R\n")})
	if err != nil || found != nil || results[0].OK() {
		t.Errorf("a file that is refused has the findings %v", found)
	}
}

func TestFindingsText(t *testing.T) {
	list := []Finding{{Place{"a.yaml", 3, 4}, "no-tags", "rule 'R'", "it has no tags", "add tags"}, {Place{"a.yaml", 1, 1}, "LOAD_X", "", "something", ""}}
	want := "a.yaml:3:4: no-tags: rule 'R': it has no tags\n    add tags\na.yaml:1:1: LOAD_X: something\n2 findings\n"
	if got := FindingsText(list); got != want {
		t.Errorf("%q", got)
	}
	if got := FindingsText(nil); got != "no findings\n" {
		t.Errorf("%q", got)
	}
}

// TestEmbeddedRulesLintClean is about the rules that are shipped.
func TestEmbeddedRulesLintClean(t *testing.T) {
	files, err := filepath.Glob("../../embed/rules/*_rules.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := lint(t, LintOptions{}, string(b)); len(got) > 0 {
			t.Errorf("%s\n%s", name, strings.Join(got, "\n"))
		}
	}
}
