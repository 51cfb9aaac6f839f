// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// warnings loads a text and returns its warnings of the given code, one in a line.
func warnings(t *testing.T, code Code, text string) string {
	t.Helper()
	s, results := load(t, Options{}, text)
	if s == nil {
		t.Fatal(results[0].Text(true))
	}
	var out []string
	for _, w := range results[0].Warnings {
		if w.Code == code {
			out = append(out, w.Line())
		}
	}
	return strings.Join(out, "\n")
}

// TestNeverIsWarnedOfInItsPlace has comparisons in vain in a rule, in a macro and by a list.
func TestNeverIsWarnedOfInItsPlace(t *testing.T) {
	text := "- list: long\n  items: [bash, kube-controller-manager, kube-apiserver-of-mine]\n- macro: known\n  condition: >\n    proc.pname = sshd\n    or proc.name in (long)\n" +
		ruleText("A", "evt.type = openat and fd.sport = 80 and known") + ruleText("B", "evt.type = openat and known")
	want := "a.yaml:9:36: condition 'A': never holds: in events of type openat there is no fd.sport (... have it) (LOAD_DUBIOUS)\n" +
		"a.yaml:6:22: condition 'known': never met: proc.name has up to 15 bytes, and 'kube-controller-manager' has 23 (write 'kube-controller', or compare proc.exepath); " +
		"the same is true of 1 more in list long (LOAD_DUBIOUS)"
	got := warnings(t, Dubious, text)
	if i, j := strings.Index(got, "fd.sport (")+len("fd.sport "), strings.Index(got, "have it)"); i > 0 && j > i {
		got = got[:i] + "(... " + got[j:]
	}
	if got != want {
		t.Errorf("warnings are\n%s\nwant\n%s", got, want)
	}
	other := ruleText("A", "evt.type = openat and both") + ruleText("B", "evt.type = connect and both")
	if got := warnings(t, Dubious, "- macro: both\n  condition: (fd.sport = 80 or fd.name startswith /etc)\n"+other); got != "" {
		t.Errorf("a macro of rules for different events is warned of: %s", got)
	}
}

// TestFalcosRulesAreNotInVain loads Falco's own rules, of which nothing is in vain.
func TestFalcosRulesAreNotInVain(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(os.Getenv("FALCONET_FALCO_RULES"), "*.yaml"))
	if len(files) == 0 {
		t.Skip("FALCONET_FALCO_RULES names no directory with Falco's rules")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := warnings(t, Dubious, string(b)); got != "" {
			t.Errorf("%s:\n%s", filepath.Base(name), got)
		}
	}
}
