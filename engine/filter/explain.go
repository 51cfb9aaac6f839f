// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"maps"
	"slices"
	"strings"
)

// Clause is one comparison of a condition, and what is known of it.
type Clause struct {
	Check   *Check
	Negated bool       // it stands under an odd number of nots
	Types   EventSet   // the event types for which its truth matters
	Fields  []FieldRef // what it reads
	Cost    float64    // a guess at how long it takes, in nanoseconds
	Class   string     // what the guess comes to: "index", "cheap", "moderate" or "dear"
}

// Clauses returns the comparisons of a condition in the order in which they were written, those that are written alike once.
func (k *Compiler) Clauses(e Expr) (list []Clause, err error) {
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
		left, e := k.resolve(&c.Left)
		if e != nil {
			err = e
			return
		}
		at[key] = len(list)
		cost := estimateCheck(c, left).cost
		list = append(list, Clause{Check: c, Negated: negated, Types: types, Fields: Fields(c), Cost: cost, Class: costClass(left, cost)})
	}}
	r.walk(e, AllEvents(), false)
	return list, err
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
