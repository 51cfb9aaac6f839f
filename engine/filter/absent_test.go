// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"
	"testing"
)

// TestAbsentTruthTable is every operator on every kind of value when there is none: on the left, on the right, within a transformer. No
// comparison holds, the negated operators included, and so every negation with `not` does. Values that are empty are values.
func TestAbsentTruthTable(t *testing.T) {
	k := kindCompiler()
	operand := map[string]string{
		"<": "1", "<=": "1", ">": "1", ">=": "0", "in": "(%s)", "intersects": "(%s)", "pmatch": "(/)", "bcontains": "41", "bstartswith": "41",
		"exists": "", "regex": "'.*'", "glob": "'*'", "iglob": "'*'",
	}
	value := map[string]string{
		"t.none": "x", "t.nonumber": "1", "t.noip": "10.0.0.1", "t.nonet": "10.0.0.0/8", "t.nobool": "true", "t.nobytes": "x", "t.nolist": "x", "t.nobody": "1",
	}
	all := slices.Concat([]string{"exists"}, numberOps, stringOps, listOps)
	tried := make(map[string]int)
	f := func(text string, want bool) {
		t.Helper()
		k.Begin()
		if got := compile(t, k, text).Match(nil); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for name, constant := range value {
		def, _, err := k.fields(name, "", false)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range all {
			if op == "==" || op != "exists" && !slices.Contains(operators(def.Type, def.List), op) {
				continue
			}
			right, ok := operand[op]
			if !ok {
				right = constant
			} else if right == "(%s)" {
				right = fmt.Sprintf(right, constant)
			}
			check := name + " " + op + " " + right
			f(check, false)
			f("not "+check, true)
			f("not not "+check, false)
			tried[op]++
			if def.Multi == nil && !def.List && compareFields(op, def.Type) != nil {
				f(fmt.Sprintf("%s %s val(%s)", name, op, name), false)
				f(fmt.Sprintf("not %s %s val(%s)", name, op, name), true)
			}
			if slices.Contains(stringOps, op) && op != "bcontains" && op != "bstartswith" && name == "t.none" {
				for _, quant := range quantifiers {
					f(fmt.Sprintf("%s %s %s (%s, x)", name, op, quant, right), false)
					f(fmt.Sprintf("not %s %s %s (%s, x)", name, op, quant, right), true)
				}
			}
		}
	}
	for _, op := range all {
		if op != "==" && tried[op] == 0 {
			t.Errorf("operator %s was tried on nothing", op)
		}
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"t.text = val(t.none)", false}, {"t.text != val(t.none)", false}, {"not t.text = val(t.none)", true}, {"t.text in val(t.none)", false},
		{"t.i64 < val(t.nonumber)", false}, {"t.i64 >= val(t.nonumber)", false}, {"tolower(t.none) = x", false}, {"not tolower(t.none) = x", true},
		{"len(t.none) = 0", false}, {"len(t.nolist) = 0", false}, {"b64(t.text) exists", false}, {"b64(t.text) != x", false},
		{"t.empty exists", true}, {"t.empty = ''", true}, {"t.empty != x", true}, {"t.empty in ()", false}, {"t.empty contains ''", true},
		{"t.nothing exists", true}, {"t.nothing in (a)", true}, {"t.nothing intersects (a)", false}, {"len(t.nothing) = 0", true}, {"t.text in ()", false},
		{"t.text = oneof ()", false}, {"t.text startswith anyof ()", false}, {"t.text contains allof ()", false}, {"not t.text contains allof ()", true},
	} {
		f(c.text, c.want)
	}
}
