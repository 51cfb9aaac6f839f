// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesExplain asks the binary about rules inside it and in files.
func TestRulesExplain(t *testing.T) {
	r := command(t, "rules", "explain", "Ptrace attached to a process")
	for _, want := range []string{"Ptrace attached to a process\n", "enabled (nothing disables it)", "types    ptrace\n", "list   debuggers", "evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE)", "\nOutput\n"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, indent(r.stdout))
		}
	}
	if r.code != 0 || r.stderr != "" {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	dir := tempDir(t)
	macros := write(t, filepath.Join(dir, "macros.yaml"), "- macro: opened\n  condition: (evt.type = openat)\n")
	file := write(t, filepath.Join(dir, "rules.yaml"), "- rule: Mine\n  desc: d\n  condition: opened and fd.name = /x\n  output: '%proc.name'\n  priority: INFO\n")
	r = command(t, "rules", "explain", macros, file, "Mine", "-o", "rules[].disable.rule=M*", "--format", "json")
	var x struct {
		Enabled   bool
		EnabledBy string `json:"enabled_by"`
		Compiled  string `json:"condition_compiled"`
		Macros    []struct{ Place struct{ File string } }
		Clauses   []struct{ Text string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &x); err != nil {
		t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
	}
	if x.Enabled || x.EnabledBy != "entry 1 of the configuration's rules: disable {rule: M*}" || x.Compiled != "evt.type = openat and fd.name = /x" ||
		len(x.Macros) != 1 || x.Macros[0].Place.File != macros || len(x.Clauses) != 2 {
		t.Errorf("%+v", x)
	}
	command(t, "rules", "explain", "-r", macros, "-r", file, "mine").refused(t, "there is no rule named 'mine'", "did you mean 'Mine'?")
	if r := command(t, "rules", "explain", file+"x", "Mine"); r.code != 1 || !strings.Contains(r.stdout+r.stderr, "rules.yamlx") {
		t.Errorf("a file that is not there: exit code %d\n%s", r.code, indent(r.stdout+r.stderr))
	}
	command(t, "rules", "explain", "--format", "xml", "Mine").refused(t, "option --format", "xml")
	if r := command(t, "rules", "explain", file, "Mine"); r.code != 1 || !strings.Contains(r.stdout, "Undefined macro 'opened'") {
		t.Errorf("a file that is refused: exit code %d\n%s", r.code, indent(r.stdout+r.stderr))
	}
}

// TestRulesLint lets the binary judge its own rules and worse ones.
func TestRulesLint(t *testing.T) {
	if r := command(t, "rules", "lint"); r.code != 0 || r.stdout != "no findings\n" || r.stderr != "" {
		t.Errorf("the rules inside: exit code %d\n%s", r.code, indent(r.stdout+r.stderr))
	}
	file := write(t, filepath.Join(tempDir(t), "weak.yaml"), "- rule: Weak\n  desc: d\n  condition: evt.type = openat and fd.name = /etc/shadow and not proc.name = cat\n"+
		"  output: '%proc.name %container.id'\n  priority: INFO\n  tags: [t]\n")
	r := command(t, "rules", "lint", file)
	want := file + ":3:66: evadable-name: rule 'Weak': the exception for 'proc.name = cat' lets through whatever says so of itself\n" +
		"    compare proc.exepath, beside it or instead\n1 finding\n"
	if r.code != 1 || r.stdout != want || r.stderr != "" {
		t.Errorf("exit code %d\n%s", r.code, indent(r.stdout+r.stderr))
	}
	var found struct {
		Findings []struct {
			File         string
			Line, Column int
			Check, Mend  string
		}
	}
	r = command(t, "rules", "lint", "--format", "json", file)
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil || r.code != 1 {
		t.Fatalf("exit code %d, %v\n%s", r.code, err, r.stdout)
	}
	if len(found.Findings) != 1 || found.Findings[0].Check != "evadable-name" || found.Findings[0].Line != 3 || found.Findings[0].Column != 66 || found.Findings[0].Mend == "" {
		t.Errorf("%+v", found)
	}
	if r := command(t, "rules", "lint", "--disable", "evadable-name", "--format", "json", file); r.code != 0 || strings.Join(strings.Fields(r.stdout), "") != `{"findings":[]}` {
		t.Errorf("exit code %d\n%s", r.code, r.stdout)
	}
	command(t, "rules", "lint", "--disable", "evadable-names", file).refused(t, "option --disable", "did you mean 'evadable-name'?")
}
