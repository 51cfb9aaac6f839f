// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// Implies reports whether outer holds for every event for which inner does, as far as it can be told from how the two are written. True is
// certain; false says nothing. Neither may hold macros.
func (k *Compiler) Implies(inner, outer Expr) bool {
	m := implication{k: k, steps: maxSteps}
	return m.holds(term{inner, false}, term{outer, false})
}

// Excludes reports whether there is no event for which both hold, in the same manner.
func (k *Compiler) Excludes(a, b Expr) bool {
	m := implication{k: k, steps: maxSteps}
	return m.holds(term{a, false}, term{b, true})
}

// maxSteps bounds a search: conditions that give that much to compare are said not to imply one another.
const maxSteps = 50000

type implication struct {
	k     *Compiler
	steps int
}

// term is a condition, or what it is not.
type term struct {
	e   Expr
	not bool
}

// split returns the terms of what is a conjunction or a disjunction, nots taken into account.
func (t term) split() (and, or []term) {
	var kids []Expr
	isAnd := true
	switch e := t.e.(type) {
	case *And:
		kids = e.Kids
	case *Or:
		kids, isAnd = e.Kids, false
	default:
		return nil, nil
	}
	terms := make([]term, len(kids))
	for i, k := range kids {
		terms[i] = term{k, t.not}
	}
	if isAnd != t.not {
		return terms, nil
	}
	return nil, terms
}

func (m *implication) holds(x, y term) bool {
	if m.steps--; m.steps < 0 {
		return false
	}
	for _, t := range []*term{&x, &y} {
		for n, ok := t.e.(*Not); ok; n, ok = t.e.(*Not) {
			t.e, t.not = n.Kid, !t.not
		}
	}
	xAnd, xOr := x.split()
	yAnd, yOr := y.split()
	switch {
	case yAnd != nil:
		return !slices.ContainsFunc(yAnd, func(t term) bool { return !m.holds(x, t) })
	case xOr != nil:
		return !slices.ContainsFunc(xOr, func(t term) bool { return !m.holds(t, y) })
	}
	if slices.ContainsFunc(yOr, func(t term) bool { return m.holds(x, t) }) ||
		slices.ContainsFunc(xAnd, func(t term) bool { return m.holds(t, y) }) {
		return true
	}
	b, isCheck := x.e.(*Check)
	a, areChecks := y.e.(*Check)
	switch {
	case !isCheck || !areChecks:
		return false
	case !x.not && !y.not:
		return m.k.narrower(b, a)
	case x.not && y.not:
		return m.k.narrower(a, b)
	case y.not:
		return m.k.apart(b, a)
	}
	return false
}

// narrower reports whether comparison a holds whenever b does.
func (k *Compiler) narrower(b, a *Check) bool {
	if a == b || same(a, b) || a.Left.Field == "evt.dir" && a.Right == nil {
		return true // a test of evt.dir says nothing
	}
	if sb, ok := ofCheck(b); ok {
		if sa, ok := ofCheck(a); ok {
			return sb.and(sa.not()).Empty()
		}
	}
	left, ok := k.comparable(b, a)
	if !ok {
		return false
	}
	if a.Op == "exists" {
		return !left.several() && b.Op != "exists"
	}
	if a.Op == "!=" || b.Op == "!=" || a.Op == "exists" || b.Op == "exists" || !disjunctive(a) || !disjunctive(b) || left.List && a.Op != b.Op {
		return false
	}
	for _, v := range b.Values {
		one := *b
		one.Values = []Value{v}
		if !slices.ContainsFunc(a.Values, func(w Value) bool { return k.valueNarrower(b.Op, v, a.Op, w, left.Type) }) {
			return false
		}
	}
	return len(b.Values) > 0
}

// same reports whether two comparisons are written alike.
func same(a, b *Check) bool {
	return a.Op == b.Op && a.Left.Field == b.Left.Field && len(a.Values) == len(b.Values) && Print(a) == Print(b)
}

// comparable reports whether two comparisons are of one operand with constants.
func (k *Compiler) comparable(a, b *Check) (left typed, ok bool) {
	if a.Right != nil && b.Op != "exists" || b.Right != nil || a.Left.String() != b.Left.String() || a.Left.Field == "evt.dir" || a.Left.Field == "evt.type" {
		return left, false
	}
	left, err := k.resolve(&a.Left)
	return left, err == nil && left.Def.Flags&field.Within == 0
}

// disjunctive reports whether a comparison holds when it does with one of its constants.
func disjunctive(c *Check) bool { return c.Quant == "" || c.Quant == "anyof" }

// valueNarrower is narrower for one constant each.
func (k *Compiler) valueNarrower(opB string, b Value, opA string, a Value, t event.Type) bool {
	switch class := classOf(t); {
	case isMember(opB):
		return k.meets(b, opA, a, t)
	case class == classSigned || class == classNumber:
		return boundNarrower(opB, b.Text, opA, a.Text)
	case class != classText:
		return opA == opB && a.Text == b.Text
	}
	s, w := b.Text, a.Text
	switch opB + " " + opA {
	case "startswith startswith":
		return strings.HasPrefix(s, w)
	case "endswith endswith":
		return strings.HasSuffix(s, w)
	case "startswith contains", "endswith contains", "contains contains":
		return strings.Contains(s, w)
	case "startswith icontains", "endswith icontains", "contains icontains", "icontains icontains":
		return containsFold(s, w)
	case "startswith pmatch": // what stands before the last slash are whole components
		s = s[:strings.LastIndexByte(s, '/')+1]
		return k.meets(Value{Text: s}, opA, a, t)
	case "pmatch pmatch":
		return !strings.ContainsAny(s, `*?[`) && k.meets(b, opA, a, t)
	}
	return opA == opB && s == w
}

// meets reports whether the comparison with constant a holds for the value that b is.
func (k *Compiler) meets(b Value, op string, a Value, t event.Type) bool {
	c, err := parseConstant(b, t)
	if err != nil || classOf(t) == classNet {
		return isMember(op) && a.Text == b.Text
	}
	q := question{compiler: k, op: op, kind: t}
	test := q.test(a)
	return test != nil && test(&field.Value{Kind: t, N: c.n, S: c.s})
}

// apart reports whether two comparisons never hold for one value.
func (k *Compiler) apart(a, b *Check) bool {
	if sa, ok := ofCheck(a); ok {
		if sb, ok := ofCheck(b); ok {
			return sa.and(sb).Empty()
		}
	}
	left, ok := k.comparable(a, b)
	switch {
	case !ok || left.several() || left.List || left.Def.Alt != nil: // several values, of which each meets another
		return false
	case a.Op == "exists" || b.Op == "exists" || !disjunctive(a) || !disjunctive(b):
		return false
	}
	for _, v := range a.Values {
		for _, w := range b.Values {
			if !k.valuesApart(a.Op, v, b.Op, w, left.Type) {
				return false
			}
		}
	}
	return len(a.Values) > 0 && len(b.Values) > 0
}

func (k *Compiler) valuesApart(opA string, a Value, opB string, b Value, t event.Type) bool {
	class := classOf(t)
	switch {
	case class == classNet:
		return false
	case opA == "!=":
		return isMember(opB) && k.meets(b, "=", a, t)
	case opB == "!=":
		return isMember(opA) && k.meets(a, "=", b, t)
	case isMember(opA):
		return !k.meets(a, opB, b, t)
	case isMember(opB):
		return !k.meets(b, opA, a, t)
	case class == classSigned || class == classNumber:
		return boundsApart(opA, a.Text, opB, b.Text)
	case opA == "startswith" && opB == "startswith":
		return !strings.HasPrefix(a.Text, b.Text) && !strings.HasPrefix(b.Text, a.Text)
	case opA == "endswith" && opB == "endswith":
		return !strings.HasSuffix(a.Text, b.Text) && !strings.HasSuffix(b.Text, a.Text)
	}
	return false
}

// bound is a comparison of order with a number: above or below it.
type bound struct {
	above, below, equal bool
	n                   int64
}

func boundOf(op, text string) (b bound, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return bound{strings.HasPrefix(op, ">"), strings.HasPrefix(op, "<"), strings.HasSuffix(op, "="), n}, err == nil && n >= 0 && isNumberOp(op)
}

func boundNarrower(opB, b, opA, a string) bool {
	x, ok := boundOf(opB, b)
	y, ok2 := boundOf(opA, a)
	if !ok || !ok2 || x.above != y.above {
		return false
	}
	order := cmp.Compare(x.n, y.n)
	if x.below {
		order = -order
	}
	return order > 0 || order == 0 && (y.equal || !x.equal)
}

func boundsApart(opA, a, opB, b string) bool {
	x, ok := boundOf(opA, a)
	y, ok2 := boundOf(opB, b)
	if !ok || !ok2 || x.above == y.above {
		return false
	}
	if x.below {
		x, y = y, x
	}
	return x.n > y.n || x.n == y.n && !(x.equal && y.equal)
}
