// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"

	"falconet/engine/event"
	"falconet/engine/field"
)

// The operators that each class of types takes, besides `exists`.
var (
	equalOps = []string{"=", "!=", "in", "intersects"}
	orderOps = append([]string{"<", "<=", ">", ">="}, equalOps...)
	textual  = append([]string{"contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch", "regex"}, orderOps...)
	binary   = append([]string{"contains", "startswith", "endswith", "bcontains", "bstartswith"}, equalOps...)
	listed   = []string{"in", "intersects"}
)

func operators(t event.Type, list bool) []string {
	if list {
		return listed
	}
	switch classOf(t) {
	case classText:
		return textual
	case classBytes:
		return binary
	case classSigned, classNumber:
		return orderOps
	case classBool, classIP, classNet:
		return equalOps
	}
	return nil
}

// allowed checks that the operator suits the type.
func (k *Compiler) allowed(c *Check, left typed) error {
	ops := operators(left.Type, left.List)
	if slices.Contains(ops, c.Op) {
		return nil
	}
	e := &Error{Pos: c.OpAt, Len: len(c.Op), Msg: fmt.Sprintf("operator '%s' does not work on %s, a %s", c.Op, left.Def.Name, field.TypeName(left.Type, left.List))}
	if len(ops) > 0 {
		e.Hint = fmt.Sprintf("it takes %v", append(slices.Clone(ops), "exists"))
	}
	return e
}

// valueTest makes the test of a comparison with constants.
func (k *Compiler) valueTest(c *Check, left typed) (test, error) {
	if err := k.allowed(c, left); err != nil {
		return nil, err
	}
	if left.Def.Name == "evt.type" && len(left.Resolved.Fns) == 0 {
		var err error
		if c, err = k.events(c); err != nil {
			return nil, err
		}
	}
	switch c.Op {
	case "in", "intersects", "pmatch":
		list, err := constants(c.Values, left.Type)
		if err != nil {
			return nil, err
		}
		if c.Op == "pmatch" {
			return pmatch(list), nil
		}
		return member(left.Type, list), nil
	}
	if c.Quant == "" {
		return k.single(c.Op, c.Values[0], left.Type)
	}
	if t := anyText(c, left.Type); t != nil {
		return t, nil
	}
	tests := make([]test, len(c.Values))
	for i, v := range c.Values {
		t, err := k.single(c.Op, v, left.Type)
		if err != nil {
			return nil, err
		}
		tests[i] = t
	}
	return quantified(c.Quant, tests), nil
}

func constants(values []Value, t event.Type) ([]constant, error) {
	list := make([]constant, len(values))
	for i, v := range values {
		c, err := parseConstant(v, t)
		if err != nil {
			return nil, err
		}
		list[i] = c
	}
	return list, nil
}

// single is an operator with one constant.
func (k *Compiler) single(op string, v Value, t event.Type) (test, error) {
	switch op {
	case "=", "!=", "<", "<=", ">", ">=":
		c, err := parseConstant(v, t)
		if err != nil {
			return nil, err
		}
		if op == "=" {
			return equal(t, c), nil
		}
		if op == "!=" {
			eq := equal(t, c)
			return func(v *field.Value) bool { return !eq(v) }, nil
		}
		return ordered(op, t, c), nil
	}
	if op == "regex" {
		return k.regexTest(v), nil
	}
	made, err := textTest(op, v)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// quantified joins tests: exactly one, at least one, or all of them must hold. Without tests none does.
func quantified(quant string, tests []test) test {
	return func(v *field.Value) bool {
		n := 0
		for _, t := range tests {
			if t(v) {
				n++
			}
		}
		switch quant {
		case "oneof":
			return n == 1
		case "anyof":
			return n > 0
		}
		return n > 0 && n == len(tests)
	}
}

func (k *Compiler) warn(v Value, msg string) {
	if !k.warned[v.At] {
		k.warned[v.At] = true
		k.warnings = append(k.warnings, Warning{Pos: v.At, Len: v.Len, Msg: msg})
	}
}

// warnOurs warns of what Falco does not warn of.
func (k *Compiler) warnOurs(v Value, msg string) {
	if n := len(k.warnings); !k.warned[v.At] {
		k.warn(v, msg)
		k.warnings[n].Ours = true
	}
}

// events returns a comparison of evt.type with the names that events have. It refuses types that do not exist.
func (k *Compiler) events(c *Check) (*Check, error) {
	if c.Op != "=" && c.Op != "!=" && c.Op != "in" {
		return c, nil
	}
	out := *c
	out.Values = slices.Clone(c.Values)
	for i, v := range c.Values {
		if !IsEvent(v.Text) {
			return nil, &Error{Pos: v.At, Len: v.Len, Msg: "unknown event type '" + v.Text + "'", Hint: didYouMean(nearest(v.Text, eventNames))}
		}
		name := eventName(v.Text)
		if !isReported(name) {
			k.warnOurs(v, noEvents(v.Text))
		}
		out.Values[i].Text = name
	}
	return &out, nil
}

func noEvents(name string) string {
	if why := unseen[name]; why != "" {
		return "events of type '" + name + "' cannot be seen: " + why
	}
	return "there are no events of type '" + name + "' here"
}
