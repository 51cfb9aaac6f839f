// SPDX-License-Identifier: Apache-2.0

package rules

import "testing"

func TestStaticFields(t *testing.T) {
	f := func(static map[string]string, text, want string) {
		t.Helper()
		_, results := load(t, Options{Static: static}, text)
		got := ""
		for _, e := range results[0].Errors {
			got += string(e.Code) + " " + e.Message
		}
		if got != want {
			t.Errorf("%q with %v: %q, want %q", text, static, got, want)
		}
	}
	site := map[string]string{"site": "north", "a-b": "x"}
	rule := func(condition, output string) string {
		return "- rule: R\n  desc: d\n  condition: evt.type = open and " + condition + "\n  output: '" + output + "'\n  priority: INFO\n"
	}
	f(site, rule("static.site = north", "%static.site %static[a-b]"), "")
	f(nil, rule("static.other = x", "%static.other"), "")
	f(site, rule("static.other = x", "o"), "LOAD_ERR_COMPILE_CONDITION nonexistent field 'static.other' (static_fields of the configuration has no such name)")
	f(site, rule("fd.num > 1", "%static.other"), "LOAD_ERR_COMPILE_OUTPUT nonexistent field 'static.other' (static_fields of the configuration has no such name)")
	f(site, rule("static.other = x", "o")+"  skip-if-unknown-filter: true\n", "")
}
