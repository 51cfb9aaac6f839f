// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"

	"falconet/engine/filter"
)

// operands are those of a condition: all of them, and those without a comparison of which it cannot hold.
type operands struct {
	any  map[string]bool
	must []string
}

func operandsOf(e filter.Expr) (o operands) {
	o.any = make(map[string]bool)
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok {
			o.any[c.Left.String()] = true
		}
		return true
	})
	for _, t := range filter.Terms(e) {
		if c, ok := t.(*filter.Check); ok && c.Left.Field != "evt.type" && c.Left.Field != "evt.dir" {
			o.must = append(o.must, c.Left.String())
		}
	}
	return o
}

// shadowed looks for rules that an earlier one keeps from ever raising an alert.
func (l *linter) shadowed() {
	if l.opts.Matching != First {
		return
	}
	byRule := make(map[*Rule]*rule)
	l.eachRule(func(r *rule) {
		if r.made != nil {
			byRule[r.made] = r
		}
	})
	active := l.set.active
	of := make([]operands, len(active))
	for i, r := range active {
		of[i] = operandsOf(byRule[r].tree)
	}
	for i, later := range active {
		for j, earlier := range active[:i] {
			missing := func(operand string) bool { return !of[i].any[operand] }
			if slices.ContainsFunc(of[j].must, missing) || !later.Events.Within(earlier.Events) {
				continue
			}
			if by := byRule[earlier]; l.compiler.Implies(byRule[later].tree, by.tree) {
				l.ofRule(byRule[later], fmt.Sprintf("it never raises an alert: rule '%s' (%s) comes first and matches whenever this one does", by.name, by.first.place()),
					"put it before the other, make the other except what is meant here, or set rule_matching: all")
				break
			}
		}
	}
}
