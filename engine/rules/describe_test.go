// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"falconet/engine/format"
)

func TestDescribe(t *testing.T) {
	s := mustLoad(t, Options{}, "- required_engine_version: 15\n- required_plugin_versions: [{name: container, version: 0.4.0}]\n"+base+`
- rule: Shell
  exceptions: [{name: pairs, fields: [proc.pname, fd.num], comps: [startswith, =], values: [[a, 1]]}]
  override: {exceptions: append}`)
	d, err := Describe(s, "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Engine != "0.15.0" || len(d.Plugins) != 1 || len(d.Macros) != 2 || len(d.Lists) != 2 {
		t.Errorf("description is %+v", d)
	}
	r := d.Rules[0].Details
	for _, c := range []struct {
		what string
		got  []string
		want string
	}{
		{"events", r.Events, "execve"}, {"macros", r.Macros, "started shell"}, {"lists", r.Lists, ""},
		{"fields", r.Fields, "evt.type evt.dir proc.name proc.pname fd.num"}, {"operators", r.Operators, "= in startswith"},
		{"exceptions", slices.Concat(r.ExceptionNames, r.ExceptionFields, r.ExceptionOperators), "pairs proc.pname fd.num startswith ="},
		{"output fields", r.OutputFields, "proc.name"}, {"list of list", d.Lists[1].Details.Lists, "shells"},
		{"members", d.Lists[1].Details.Compiled, "bash sh my program"}, {"lists of macro", d.Macros[1].Details.Lists, "programs"},
	} {
		if got := strings.Join(c.got, " "); got != c.want {
			t.Errorf("%s are %q, want %q", c.what, got, c.want)
		}
	}
	if one, err := Describe(s, "Shell"); err != nil || len(one.Rules) != 1 || one.Lists != nil {
		t.Errorf("description of one rule is %+v, %v", one, err)
	}
	if _, err := Describe(s, "Shall"); err == nil {
		t.Error("a rule that is not there is described")
	}
}

// TestDescription compares what -L prints as JSON, key by key.
func TestDescription(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s := mustLoad(t, Options{Suffix: format.ParseSuffix(""), Append: []Append{
		{Tags: []string{"a"}, Output: "n=%evt.num", Fields: []Extra{{Name: "evt.res"}, {Name: "who", Text: "is %user.name"}}},
	}}, read("describe.yaml"))
	printed := func(rule string) string {
		t.Helper()
		d, err := Describe(s, rule)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := printed(""); got != read("describe.json") {
		t.Errorf("the description is\n%s", got)
	}
	var one struct{ Rules []json.RawMessage }
	if err := json.Unmarshal([]byte(printed("Passwords read")), &one); err != nil || len(one.Rules) != 1 || strings.Contains(printed("Passwords read"), "required_engine_version") {
		t.Errorf("the description of one rule is\n%s\n%v", printed("Passwords read"), err)
	}
	empty, err := Describe(mustLoad(t, Options{}, ""), "")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(empty); err != nil || string(b) != `{"lists":[],"macros":[],"required_engine_version":"0.0.0","required_plugin_versions":[],"rules":[]}` {
		t.Errorf("the description of nothing is %s, %v", b, err)
	}
}
