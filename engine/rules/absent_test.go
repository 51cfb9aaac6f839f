// SPDX-License-Identifier: Apache-2.0

package rules

import "testing"

// TestAbsentFields has rules with parameters that no event has: no comparison with them holds.
func TestAbsentFields(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		s, results := load(t, Options{}, "- macro: image\n  condition: evt.arg.task_name in (a, b)\n- macro: privileged\n  condition: (evt.num > 0 and evt.arg.app_id = true)\n"+
			"- macro: both\n  condition: image or privileged\n"+ruleText("R", condition+"\n    or (evt.num < 0 and both)"))
		if s == nil {
			t.Errorf("%s\n%s", condition, results[0].Text(true))
			return
		}
		got := "left out"
		if len(s.Rules) > 0 {
			got = "no"
			if matches(s, context(t, nrOpenat, "/x")) != "" {
				got = "yes"
			}
		}
		warned := 0
		for _, w := range results[0].Warnings {
			if w.Code == NotSupported {
				warned++
			}
		}
		if got != want || warned != 1 {
			t.Errorf("%s: %s, want %s; %d warnings", condition, got, want, warned)
		}
	}
	f("evt.type = openat and not image", "yes")
	f("evt.type = openat and not (image or fd.name = /y)", "yes")
	f("evt.type = openat and not (image or fd.name = /x)", "no")
	f("evt.type = openat and (image or fd.name = /x)", "yes")
	f("evt.type = openat and (privileged or fd.name = /x) and not privileged", "yes")
	f("evt.type = openat and privileged", "left out")
	f("evt.type = openat and both", "left out")
	f("not both", "yes")
	f("not not both", "left out")
	f("not (not both and evt.type = sync)", "yes")
	f("evt.arg.nosuch = x", "left out")
	f("fd.name = val(evt.arg.task_id)", "left out")
}
