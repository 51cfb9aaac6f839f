// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"cmp"
	"math"
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
		if strings.IndexByte(c.s, 0) >= 0 {
			return func(*field.Value) bool { return false }
		}
		return func(v *field.Value) bool { return equalsC(v, c.s) }
	case classBytes, classIP:
		return func(v *field.Value) bool { return v.S == c.s }
	case classNet:
		return inNets([]constant{c})
	}
	return func(v *field.Value) bool { return v.N == c.n }
}

// ordered is `<` and its kin.
func ordered(op string, t event.Type, c constant) test {
	holds := holdsFor(op)
	switch classOf(t) {
	case classText:
		return func(v *field.Value) bool { return holds(strings.Compare(cString(v), c.s)) }
	case classSigned:
		return func(v *field.Value) bool { return holds(cmp.Compare(int64(v.N), int64(c.n))) }
	case classReal:
		limit := math.Float64frombits(c.n)
		return func(v *field.Value) bool { return holds(cmp.Compare(math.Float64frombits(v.N), limit)) }
	}
	return func(v *field.Value) bool { return holds(cmp.Compare(v.N, c.n)) }
}

// holdsFor says for which results of a three-way comparison the operator holds.
func holdsFor(op string) func(order int) bool {
	switch op {
	case "<":
		return func(order int) bool { return order < 0 }
	case "<=":
		return func(order int) bool { return order <= 0 }
	case ">":
		return func(order int) bool { return order > 0 }
	}
	return func(order int) bool { return order >= 0 }
}

// compareFields is a comparison of two values that are there, nil where the operator compares no two fields.
func compareFields(op string, t event.Type) func(a, b *field.Value) bool {
	switch op {
	case "=", "in", "intersects":
		switch classOf(t) {
		case classText:
			return func(a, b *field.Value) bool { return cString(a) == cString(b) }
		case classBytes, classIP:
			return func(a, b *field.Value) bool { return a.S == b.S }
		case classNet: // a network is a constant; no field has one
			return nil
		}
		return func(a, b *field.Value) bool { return a.N == b.N }
	case "!=":
		eq := compareFields("=", t)
		if eq == nil {
			return nil
		}
		return func(a, b *field.Value) bool { return !eq(a, b) }
	case "<", "<=", ">", ">=":
		holds := holdsFor(op)
		switch classOf(t) {
		case classText:
			return func(a, b *field.Value) bool { return holds(strings.Compare(cString(a), cString(b))) }
		case classSigned:
			return func(a, b *field.Value) bool { return holds(cmp.Compare(int64(a.N), int64(b.N))) }
		case classReal:
			return func(a, b *field.Value) bool {
				return holds(cmp.Compare(math.Float64frombits(a.N), math.Float64frombits(b.N)))
			}
		}
		return func(a, b *field.Value) bool { return holds(cmp.Compare(a.N, b.N)) }
	}
	two := textOps[op]
	if two == nil {
		return nil
	}
	return func(a, b *field.Value) bool { return two(cString(a), cString(b)) }
}
