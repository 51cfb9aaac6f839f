// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"

	"falconet/engine/filter"
)

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
	earlier := &shadows{byValue: make(map[string][]int)}
	named := make(map[string]int) // how many rules compare an operand with a value
	for _, r := range l.set.active {
		of := operandsOf(byRule[r].tree)
		earlier.of = append(earlier.of, of)
		for _, v := range of.values {
			named[v]++
		}
	}
	for i, r := range l.set.active {
		later, of := byRule[r], earlier.of[i]
		for _, j := range earlier.candidates(of) {
			by := byRule[l.set.active[j]]
			missing := func(operand string) bool { return !of.any[operand] }
			if slices.ContainsFunc(earlier.of[j].must, missing) || !r.Events.Within(by.made.Events) || !l.compiler.Implies(later.tree, by.tree) {
				continue
			}
			l.ofRule(later, fmt.Sprintf("it never raises an alert: rule '%s' (%s) comes first and matches whenever this one does", by.name, by.first.place()),
				"put it before the other, make the other except what is meant here, or set rule_matching: all")
			break
		}
		earlier.add(i, named)
	}
}

// operands are those of a condition.
type operands struct {
	any     map[string]bool
	values  []string   // with each of the values that it is compared with
	must    []string   // those that it does not hold without a comparison of
	anchors [][]string // of these, with the values of which it must have one
}

func operandsOf(e filter.Expr) (o operands) {
	o.any = make(map[string]bool)
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok {
			o.any[c.Left.String()] = true
			o.values = append(o.values, valuesOf(c)...)
		}
		return true
	})
	for _, t := range filter.Terms(e) {
		c, ok := t.(*filter.Check)
		if !ok || c.Left.Field == "evt.type" || c.Left.Field == "evt.dir" {
			continue
		}
		o.must = append(o.must, c.Left.String())
		if v := valuesOf(c); v != nil {
			o.anchors = append(o.anchors, v)
		}
	}
	return o
}

// valuesOf are the operand with each of the values of a comparison that it has to equal, nil for any other.
func valuesOf(c *filter.Check) (out []string) {
	if c.Op != "=" && c.Op != "in" || c.Quant != "" {
		return nil
	}
	operand := c.Left.String()
	for _, v := range c.Values {
		out = append(out, operand+"\x00"+v.Text)
	}
	return out
}

// shadows are the rules that came before, by what they want: a rule implies another that wants one of some values only if it names one of
// them as well.
type shadows struct {
	of      []operands
	byValue map[string][]int
	other   []int
}

// add enters a rule by the values that the fewest rules name.
func (s *shadows) add(i int, named map[string]int) {
	var best []string
	least := 0
	for _, values := range s.of[i].anchors {
		n := 0
		for _, v := range values {
			n += named[v]
		}
		if best == nil || n < least {
			best, least = values, n
		}
	}
	for _, v := range best {
		s.byValue[v] = append(s.byValue[v], i)
	}
	if best == nil {
		s.other = append(s.other, i)
	}
}

// candidates returns the rules that may keep one from matching, in their order.
func (s *shadows) candidates(of operands) []int {
	list := slices.Clone(s.other)
	for _, v := range of.values {
		list = append(list, s.byValue[v]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
