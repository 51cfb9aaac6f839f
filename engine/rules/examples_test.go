// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"falconet/engine/field"
)

// TestExamples loads every field's example as a rule, and reads it in an event: a field is described by something that works.
func TestExamples(t *testing.T) {
	c := context(t, nrOpenat, "/x")
	for _, d := range field.All() {
		text := "- rule: R\n  desc: d\n  condition: >\n    " + d.Example + "\n  output: o\n  priority: INFO\n"
		if d.Flags&field.OutputOnly != 0 {
			text = ruleText("R", "evt.num > 0")
			text = strings.Replace(text, "%fd.name", d.Example, 1)
		}
		set, results := load(t, Options{}, text)
		if set == nil {
			t.Errorf("%s: %s", d.Name, results[0].Text(true))
			continue
		}
		matches(set, c)
		set.Match(c, func(r *Rule) { r.Output.Append(nil, c); r.Output.Fields(c) })
		if set.Demand() == nil {
			t.Errorf("%s asks for nothing", d.Name)
		}
	}
}

// TestFieldsOfOutputs prints every field that outputs may name.
func TestFieldsOfOutputs(t *testing.T) {
	c := context(t, nrOpenat, "/x")
	for _, d := range field.All() {
		if d.Flags&field.FilterOnly != 0 || d.Arg == field.ArgRequired {
			continue
		}
		text := strings.Replace(ruleText("R", "evt.num > 0"), "%fd.name", "%"+d.Name, 1)
		set, results := load(t, Options{}, text)
		if set == nil {
			t.Errorf("%s: %s", d.Name, results[0].Text(true))
			continue
		}
		n := 0
		set.Match(c, func(r *Rule) { n++; r.Output.Append(nil, c) })
		if n != 1 {
			t.Errorf("%s: %d matches", d.Name, n)
		}
	}
}
