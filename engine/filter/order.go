// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"
)

// estimate is a guess at a term: how long it takes, in nanoseconds or so, and how often it holds. Only order follows from it.
type estimate struct {
	cost  float64
	holds float64 // from 0 to 1
}

// allOf joins nodes by `and`. Nodes that are joined so themselves become part of it, constants vanish, and the terms are put in the order
// that is likely to come to a no soonest: no term has an effect, so order is ours.
func allOf(list []node) node { return join(list, true) }

// anyOf joins nodes by `or`, and puts them in the order that is likely to come to a yes soonest.
func anyOf(list []node) node { return join(list, false) }

func noneOf(kid node) node {
	if c, ok := kid.(constantNode); ok {
		return !c
	}
	return &notNode{kid}
}

func join(list []node, and bool) node {
	nodes := make([]node, 0, len(list))
	for _, n := range list {
		switch n := n.(type) {
		case constantNode:
			if bool(n) != and {
				return n
			}
			continue
		case *groupNode:
			if n.and == and {
				nodes = append(nodes, n.kids...)
				continue
			}
		}
		nodes = append(nodes, n)
	}
	switch len(nodes) {
	case 0:
		return constantNode(and)
	case 1:
		return nodes[0]
	}
	// What decides most for its cost comes first.
	rank := func(n node) float64 {
		e := n.estimate()
		decides := e.holds
		if and {
			decides = 1 - e.holds
		}
		return e.cost / max(decides, 0.001)
	}
	slices.SortStableFunc(nodes, func(a, b node) int {
		switch x, y := rank(a), rank(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	var sum estimate
	reached := 1.0 // how often the next term is asked
	for _, n := range nodes {
		e := n.estimate()
		sum.cost += reached * e.cost
		if and {
			reached *= e.holds
		} else {
			reached *= 1 - e.holds
		}
	}
	if sum.holds = reached; !and {
		sum.holds = 1 - reached
	}
	return &groupNode{kids: nodes, and: and, est: sum}
}

// estimateCheck is the guess at a comparison. Rules name things that are rare: most values do not equal a text, and most bounds on numbers,
// flags and one-letter kinds are there to leave out the exception.
func estimateCheck(c *Check, left typed) estimate {
	text := classOf(left.Type) == classText || classOf(left.Type) == classBytes
	e := estimate{cost: 8, holds: 0.8}
	switch {
	case left.Def.Name == "evt.type":
		e.cost = 2
	case left.several(), left.List:
		e.cost = 40
	case text:
		e.cost = 15
	}
	e.cost += float64(left.Def.Cost) + 5*float64(len(left.Resolved.Fns))
	switch c.Op {
	case "=", "in", "intersects", "startswith", "endswith", "pmatch":
		if classOf(left.Type) != classBool && !(text && oneLetter(c)) {
			e.holds = 0.03
		}
	case "<", "<=", ">", ">=":
		e.holds = 0.6
	case "contains", "glob", "bcontains", "bstartswith":
		e.holds = 0.1
	case "icontains", "iglob", "regex":
		e.cost, e.holds = e.cost+20, 0.1
	case "!=", "exists":
		e.holds = 0.9
	}
	return e
}

func oneLetter(c *Check) bool {
	return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v Value) bool { return len(v.Text) > 1 })
}

// mergeable are the operators of which several with one field are one with several constants.
var mergeable = []string{"=", "in", "startswith", "endswith", "contains", "icontains", "pmatch"}

// mergeChecks returns the terms of an Or with comparisons of one field by one operator joined: they are then decided together.
func mergeChecks(list []Expr) []Expr {
	at := make(map[string]int) // place in out
	out := make([]Expr, 0, len(list))
	for _, e := range list {
		c, ok := e.(*Check)
		if !ok || c.Right != nil || !slices.Contains(mergeable, c.Op) || c.Quant != "" && c.Quant != "anyof" {
			out = append(out, e)
			continue
		}
		key := c.Op + " " + c.Left.String()
		i, again := at[key]
		if !again {
			at[key] = len(out)
			out = append(out, c)
			continue
		}
		all := *out[i].(*Check)
		all.List = true
		if all.Values = slices.Concat(all.Values, c.Values); all.Op != "in" && all.Op != "pmatch" {
			all.Quant = "anyof"
		}
		out[i] = &all
	}
	return out
}
