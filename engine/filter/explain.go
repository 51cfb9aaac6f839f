// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"maps"
	"slices"
	"strings"

	"falconet/engine/event"
)

// Clause is one comparison of a condition, and what is known of it.
type Clause struct {
	Check   *Check
	Negated bool       // it stands under an odd number of nots
	Types   EventSet   // the event types for which its truth matters
	Fields  []FieldRef // what it reads
	Cost    float64    // a guess at how long it takes, in nanoseconds
	Class   string     // what the guess comes to: "index", "cheap", "moderate" or "dear"
	Err     error      // why it is not known what it reads
}

// Clauses returns the comparisons of a condition in the order in which they were written, those that are written alike once.
func (k *Compiler) Clauses(e Expr) (list []Clause) {
	at := make(map[string]int)
	r := reach{known: make(map[Expr]outcome), found: func(c *Check, types EventSet, negated bool) {
		key := Print(c)
		if negated {
			key = "not " + key
		}
		if i, again := at[key]; again {
			list[i].Types = eitherOf(list[i].Types, types)
			return
		}
		at[key] = len(list)
		clause := Clause{Check: c, Negated: negated, Types: types, Fields: Fields(c)}
		left, err := k.resolve(&c.Left)
		if clause.Err = err; err == nil {
			clause.Cost = estimateCheck(c, left).cost
			clause.Class = costClass(left, clause.Cost)
		}
		list = append(list, clause)
	}}
	r.walk(e, AllEvents(), false)
	return list
}

// The bounds of the classes of cost. What most comparisons take is cheap; what reads of other processes or makes text is not.
const (
	cheapCost    = 30
	moderateCost = 90
)

func costClass(t typed, cost float64) string {
	switch {
	case t.Def.Name == "evt.type": // rules are sorted by it beforehand
		return "index"
	case cost <= cheapCost:
		return "cheap"
	case cost <= moderateCost:
		return "moderate"
	}
	return "dear"
}

// FoundBy returns the operands by whose values the group finds program i. There are none for a program that is asked for every event.
func (k *Compiler) FoundBy(g *Group, i int) (operands []string) {
	if g.always[i/64]&(1<<(i%64)) != 0 {
		return nil
	}
	for _, l := range g.lookups {
		if l.users[i/64]&(1<<(i%64)) != 0 {
			operands = append(operands, k.operandOf(l.anchor))
		}
	}
	slices.Sort(operands)
	return slices.Compact(operands)
}

// operandOf writes what an anchor takes its value from.
func (k *Compiler) operandOf(a anchor) string {
	if a.several != nil {
		return a.several.Name
	}
	key := ""
	switch s := a.from.(type) {
	case *read:
		key = keyOf(k.reads, s)
	case *applied:
		key = keyOf(k.made, s)
	}
	name, rest, _ := strings.Cut(key, "\x00")
	arg, fns, _ := strings.Cut(rest, "\x00")
	if arg != "" {
		name += "[" + arg + "]"
	}
	for fn := range strings.SplitSeq(fns, "\x00") {
		if fn != "" {
			name = fn + "(" + name + ")"
		}
	}
	return name
}

func keyOf[T comparable](m map[string]T, v T) string {
	for key := range maps.Keys(m) {
		if m[key] == v {
			return key
		}
	}
	return ""
}

// Unreported returns the event types that a condition asks for and that no event here has.
func Unreported(e Expr) (names []string) {
	Walk(e, func(e Expr) bool {
		c, ok := e.(*Check)
		if !ok || c.Left.Field != "evt.type" || c.Op != "=" && c.Op != "in" {
			return true
		}
		for _, v := range c.Values {
			if IsEvent(v.Text) && !isReported(eventName(v.Text)) && !slices.Contains(names, v.Text) {
				names = append(names, v.Text)
			}
		}
		return true
	})
	return names
}

// RowsOf returns the rows of the event types of a set, and the names of those that have no row of their own.
func RowsOf(types EventSet) (rows []*event.Row, calls []string) {
	rows, _ = rowsOf(types)
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		if isGeneric(nr64, nr32) && types.Has(name) && isReported(name) {
			calls = append(calls, name)
		}
		return true
	})
	slices.Sort(calls)
	return rows, slices.Compact(calls)
}

// RelativePaths returns the constants of a clause that are no paths from the root on, where the field has hardly anything else: only what
// the kernel has no path for is named otherwise.
func (k *Compiler) RelativePaths(c Clause) (list []Value) {
	left, err := k.resolve(&c.Check.Left)
	if err != nil || c.Check.Right != nil {
		return nil
	}
	rows, generic := rowsOf(c.Types)
	q := question{compiler: k, op: c.Check.Op, kind: left.Type, domain: domainOf(left, rows, generic)}
	if !q.domain.Loose {
		return nil
	}
	q.domain.Loose = false
	for _, v := range c.Check.Values {
		if _, whole := q.badBegin(v); whole && !strings.Contains(v.Text, "/") {
			list = append(list, v)
		}
	}
	return list
}

// Groups calls fn with the terms of every And and Or of a condition; those of one that stands directly in another of its kind count as the
// other's.
func Groups(e Expr, fn func(and bool, terms []Expr)) {
	if _, kids, self := terms(e); kids != nil {
		fn(self == 'a', kids)
		for _, k := range kids {
			Groups(k, fn)
		}
		return
	}
	if n, ok := e.(*Not); ok {
		Groups(n.Kid, fn)
	}
}

// Terms returns what has to hold for a condition to hold, as far as it is written so: the terms of an And, else the condition itself.
func Terms(e Expr) []Expr {
	if _, kids, self := terms(e); self == 'a' {
		return kids
	}
	return []Expr{e}
}

// Kids returns the terms of an And or Or.
func Kids(e Expr) []Expr {
	_, kids, _ := terms(e)
	return kids
}
