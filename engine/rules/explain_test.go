// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"falconet/engine/alert"
	"falconet/engine/format"
)

func explain(t *testing.T, o ExplainOptions, name string) (*Explanation, error) {
	t.Helper()
	b, err := os.ReadFile("testdata/explain/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o.Suffix = format.ParseSuffix("")
	if o.MinPriority == 0 {
		o.MinPriority = alert.Debug
	}
	x, results, err := Explain(o, name, File{Name: "rules.yaml", Data: b})
	if x == nil && err == nil {
		t.Fatal(results[0].Text(true))
	}
	return x, err
}

var update = flag.Bool("update", false, "write the explanations to testdata")

// TestExplain compares explanations with those in testdata: NAME.txt, and NAME.v.txt for verbose ones.
func TestExplain(t *testing.T) {
	goldens, err := filepath.Glob("testdata/explain/*.txt")
	if err != nil || len(goldens) < 4 {
		t.Fatalf("goldens: %q, %v", goldens, err)
	}
	for _, path := range goldens {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		rule, verbose := strings.CutSuffix(name, ".v")
		x, err := explain(t, ExplainOptions{NotCaptured: map[string]string{"sync": "it is left out here"}}, strings.ReplaceAll(rule, "_", " "))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := x.Text(verbose)
		if *update {
			err = os.WriteFile(path, []byte(got), 0o644)
		}
		if got != string(want) || err != nil {
			t.Errorf("%s: the explanation is\n%s%v", path, got, err)
		}
	}
}

func TestExplainState(t *testing.T) {
	f := func(o Options, rule string, on bool, by string) {
		t.Helper()
		x, err := explain(t, ExplainOptions{Options: o}, rule)
		if err != nil {
			t.Fatal(err)
		}
		if x.Enabled != on || x.EnabledBy != by {
			t.Errorf("%s is enabled: %v, %s", rule, x.Enabled, x.EnabledBy)
		}
	}
	f(Options{}, "Accounts changed", true, "nothing disables it")
	f(Options{}, "Odd", false, "its file says enabled: false")
	off, on := Selection{Tag: "files"}, Selection{Rule: "Acc*", Enable: true}
	f(Options{Select: []Selection{off}}, "Accounts changed", false, "entry 1 of the configuration's rules: disable {tag: files}")
	f(Options{Select: []Selection{off, on, {Rule: "Odd", Enable: true}}}, "Accounts changed", true, "entry 2 of the configuration's rules: enable {rule: Acc*}")
	f(Options{MinPriority: alert.Error}, "Accounts changed", false, "its priority Warning is below Error, the least that is asked for")
}

func TestExplainNames(t *testing.T) {
	for name, want := range map[string]string{
		"Accounts chnged":  "there is no rule named 'Accounts chnged': did you mean 'Accounts changed'?",
		"accounts CHANGED": "there is no rule named 'accounts CHANGED': did you mean 'Accounts changed'?",
		"file read":        "there is no rule named 'file read': did you mean 'Login file read' or 'Hosts file read' or 'Groups file read'?",
		"nothing like it":  "there is no rule named 'nothing like it' among the 7 that were read",
	} {
		if _, err := explain(t, ExplainOptions{}, name); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	x, results, err := Explain(ExplainOptions{}, "R", File{Name: "f", Data: []byte("- rule: R\n")})
	if x != nil || err != nil || results[0].OK() {
		t.Errorf("a file that is refused: %+v, %v", x, err)
	}
}

func TestExplainJSON(t *testing.T) {
	x, err := explain(t, ExplainOptions{}, "Accounts changed")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Place   Place
		Written []WrittenText
		Events  struct{ Rows []string }
		Clauses []struct {
			Text  string
			Place Place
			Cost  string
			Lacks string
			Reads struct{ Pieces []string }
		}
		FoundBy []Found `json:"found_by"`
		Lists   []Definition
	}
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Written) != 2 || back.Written[1].Place != (Place{"rules.yaml", 32, 14}) || back.Events.Rows[0] != "creat" {
		t.Errorf("%+v", back)
	}
	clause := back.Clauses[4]
	if clause.Text != "fd.name in (/etc/passwd, /etc/shadow)" || clause.Place != (Place{"rules.yaml", 16, 25}) || clause.Cost != "cheap" || clause.Reads.Pieces[0] != "name" {
		t.Errorf("%+v", clause)
	}
	if lacks := back.Clauses[6]; lacks.Cost != "" || !strings.HasPrefix(lacks.Lacks, "field evt.arg: no event has") {
		t.Errorf("%+v", lacks)
	}
	if len(back.Lists) != 1 || back.Lists[0].Members != 7 {
		t.Errorf("%+v", back.Lists)
	}
	if len(back.FoundBy) != 2 || back.FoundBy[0].Fields[0] != "fd.name" || back.FoundBy[1].Events[0] != "creat" {
		t.Errorf("%+v", back.FoundBy)
	}
}

// TestExplainWarnings has warnings of every item that had a say, and of what the rule uses.
func TestExplainWarnings(t *testing.T) {
	text := "- list: names\n  items: [longer-than-fifteen]\n- macro: named\n  condition: proc.name in (names)\n- macro: other\n  condition: (proc.name = much-longer-than-that)\n" +
		ruleText("R", "evt.type = openat and named and fd.type = fille") +
		"- rule: R\n  condition: and fd.directory = /etc/\n  override: {condition: append}\n- rule: R\n  priority: DEBUG\n  override: {priority: replace}\n" +
		ruleText("Q", "evt.type = openat and other")
	x, results, err := Explain(ExplainOptions{Options: Options{MinPriority: alert.Debug}}, "R", File{Name: "f", Data: []byte(text)})
	if err != nil || x == nil {
		t.Fatal(err, results[0].Text(true))
	}
	if len(x.Warnings) != 3 || x.Place.Line != 7 || len(x.Written) != 2 {
		t.Errorf("%q", x.Warnings)
	}
	for i, want := range []string{"fille", "/etc/", "longer-than-fifteen"} {
		if !slices.ContainsFunc(x.Warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("warning %d about %s is missing: %q", i, want, x.Warnings)
		}
	}
}
