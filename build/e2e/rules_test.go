// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// ruleCase is one entry of the _test.yaml beside a rule file.
type ruleCase struct {
	Rule   string            `yaml:"rule"`
	Name   string            `yaml:"name"`
	Run    string            `yaml:"run"`
	Expect map[string]string `yaml:"expect"`
	Quiet  bool              `yaml:"quiet"`
}

// caseVar marks the processes of a case: its value comes back in the alerts.
const caseVar = "E2E_CASE"

// TestRules plays the cases of every rule file that is shipped.
func TestRules(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared.root, "embed/rules/*_rules.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cases := readCases(t, strings.TrimSuffix(file, ".yaml")+"_test.yaml")
			checkCases(t, ruleNames(t, file), cases)
			playCases(t, file, cases)
		})
	}
}

func readCases(t *testing.T, path string) []ruleCase {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("rules have no tests: %v", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	var cases []ruleCase
	if err := dec.Decode(&cases); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return cases
}

func ruleNames(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var items []struct {
		Rule string `yaml:"rule"`
	}
	if err := yaml.Unmarshal(b, &items); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var names []string
	for _, it := range items {
		if it.Rule != "" && !slices.Contains(names, it.Rule) {
			names = append(names, it.Rule)
		}
	}
	return names
}

// checkCases wants a firing case and a quiet one for each rule.
func checkCases(t *testing.T, rules []string, cases []ruleCase) {
	t.Helper()
	fires, quiet := map[string]bool{}, map[string]bool{}
	names := map[string]bool{}
	for _, c := range cases {
		if !slices.Contains(rules, c.Rule) {
			t.Errorf("case %q is for rule %q, which is not in the file", c.Name, c.Rule)
		}
		if names[c.Rule+"/"+c.Name] || c.Name == "" || c.Run == "" {
			t.Errorf("rule %q: case %q has no name or script, or is there twice", c.Rule, c.Name)
		}
		names[c.Rule+"/"+c.Name] = true
		if c.Quiet == (len(c.Expect) > 0) {
			t.Errorf("rule %q: case %q has to be either quiet or to expect fields", c.Rule, c.Name)
		}
		if c.Quiet {
			quiet[c.Rule] = true
		} else {
			fires[c.Rule] = true
		}
	}
	for _, r := range rules {
		if !fires[r] || !quiet[r] {
			t.Errorf("rule %q needs a case that raises its alert and a quiet one", r)
		}
	}
}

func playCases(t *testing.T, file string, cases []ruleCase) {
	privileged(t)
	bin := tempDir(t)
	link(t, actor(t), filepath.Join(bin, "act"))
	// nothing is to be learnt of these containers, and an alert that waits for it comes later than it is looked for
	d := start(t, launch{files: []string{file}, config: "container_engines:\n  wait_ms: 0\n", args: []string{"-p", "case=%proc.env[" + caseVar + "] session=%proc.sid"}})
	for i, c := range cases {
		t.Run(strings.ReplaceAll(c.Rule+"/"+c.Name, " ", "-"), func(t *testing.T) {
			playCase(t, d, bin, i, c)
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func playCase(t *testing.T, d *daemon, bin string, i int, c ruleCase) {
	dir := tempDir(t)
	id := fmt.Sprintf("e2e%08x", i+1)
	container := fmt.Sprintf("%064x", 0xe2e0000000+i)
	container = container[len(container)-10:] + container[:len(container)-10]
	cmd := exec.Command("/bin/sh", "-e", "-c", c.Run)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + bin + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		caseVar + "=" + id,
		fmt.Sprintf("CGROUP=/falconet-e2e-%d/%s", os.Getpid(), container),
	}
	from := d.mark()
	perform(t, cmd)
	d.sync()
	vars := strings.NewReplacer("${DIR}", dir, "${CONTAINER}", container[:12])
	var mine []alert
	for _, a := range d.alerts(from) {
		ours := a.str("proc.env["+caseVar+"]") == id || a.str("proc.sid") == fmt.Sprint(cmd.Process.Pid)
		if a.Rule == c.Rule && ours {
			mine = append(mine, a)
		}
	}
	if c.Quiet {
		for _, a := range mine {
			t.Errorf("rule fired: %s", a.Line)
		}
		return
	}
	if len(mine) != 1 {
		t.Errorf("%d alerts, want one", len(mine))
	}
	for _, a := range mine {
		if diff := differences(t, a, c.Expect, vars); diff != "" {
			t.Errorf("%s\n%s", diff, indent(a.Line))
		}
	}
}

// differences tells where an alert is not as expected.
func differences(t *testing.T, a alert, expect map[string]string, vars *strings.Replacer) string {
	t.Helper()
	var diff []string
	for field, want := range expect {
		got, ok := a.Fields[field]
		if !ok {
			diff = append(diff, field+" is not in the alert's output")
			continue
		}
		if pattern, isPattern := strings.CutPrefix(want, "~"); isPattern {
			re, err := regexp.Compile(vars.Replace(pattern))
			if err != nil {
				t.Fatalf("expect of %s: %v", field, err)
			}
			if !re.MatchString(fmt.Sprint(got)) {
				diff = append(diff, fmt.Sprintf("%s is %q, want a match of %q", field, fmt.Sprint(got), re))
			}
		} else if want = vars.Replace(want); fmt.Sprint(got) != want {
			diff = append(diff, fmt.Sprintf("%s is %q, want %q", field, fmt.Sprint(got), want))
		}
	}
	slices.Sort(diff)
	return strings.Join(diff, "; ")
}
