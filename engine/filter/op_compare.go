// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"cmp"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// test decides about one value that is there.
type test func(v *field.Value) bool

// equal is `=`.
func equal(t event.Type, c constant) test {
	switch classOf(t) {
	case classText:
		return func(v *field.Value) bool { return cString(v) == c.s }
	case classBytes, classIP:
		return func(v *field.Value) bool { return v.S == c.s }
	case classNet:
		return inNets([]constant{c})
	}
	return func(v *field.Value) bool { return v.N == c.n }
}

// ordered is `<` and its kin.
func ordered(op string, t event.Type, c constant) test {
	holds := func(order int) bool {
		switch op {
		case "<":
			return order < 0
		case "<=":
			return order <= 0
		case ">":
			return order > 0
		}
		return order >= 0
	}
	switch classOf(t) {
	case classText:
		return func(v *field.Value) bool { return holds(strings.Compare(cString(v), c.s)) }
	case classSigned:
		return func(v *field.Value) bool { return holds(cmp.Compare(int64(v.N), int64(c.n))) }
	}
	return func(v *field.Value) bool { return holds(cmp.Compare(v.N, c.n)) }
}

// compareFields is a comparison of two values that are there.
func compareFields(op string, t event.Type) func(a, b *field.Value) bool {
	switch op {
	case "=", "in", "intersects":
		if c := classOf(t); c == classText || c == classBytes || c == classIP {
			return func(a, b *field.Value) bool { return a.S == b.S }
		}
		return func(a, b *field.Value) bool { return a.N == b.N }
	case "!=":
		eq := compareFields("=", t)
		return func(a, b *field.Value) bool { return !eq(a, b) }
	case "<", "<=", ">", ">=":
		return func(a, b *field.Value) bool { return ordered(op, t, constant{n: b.N, s: b.S})(a) }
	}
	two := textOps[op]
	if two == nil {
		return nil
	}
	return func(a, b *field.Value) bool { return two(a.S, b.S) }
}
