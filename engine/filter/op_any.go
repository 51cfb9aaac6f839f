// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"falconet/engine/event"
	"falconet/engine/field"
)

// anyText makes the test of a text operator that holds for any of many constants: one pass over the value, or one search, whatever their
// number. It is nil where comparing one by one is as good.
func anyText(c *Check, t event.Type) test {
	if c.Quant != "anyof" || classOf(t) != classText || len(c.Values) <= few {
		return nil
	}
	switch c.Op {
	case "=":
		texts := make([]string, len(c.Values))
		for i, v := range c.Values {
			texts[i] = v.Text
		}
		set := newTextSet(texts)
		return func(v *field.Value) bool { return set.has(cString(v)) }
	case "startswith":
		var a affixes
		for _, v := range c.Values {
			a.add(v.Text, 0)
		}
		a.link()
		return func(v *field.Value) bool { return a.any(cString(v)) }
	case "endswith":
		return anySuffix(c.Values)
	case "contains", "icontains":
		return anyPart(c)
	}
	return nil
}

func anySuffix(values []Value) test {
	var a affixes
	longest := 0
	for _, v := range values {
		a.add(string(reversed(nil, v.Text, len(v.Text))), 0)
		longest = max(longest, len(v.Text))
	}
	a.link()
	var scratch []byte
	return func(v *field.Value) bool {
		scratch = reversed(scratch[:0], cString(v), longest)
		return a.any(asString(scratch))
	}
}

func anyPart(c *Check) test {
	b := automatonBuilder{fold: c.Op == "icontains"}
	for _, v := range c.Values {
		if v.Text == "" {
			return func(*field.Value) bool { return true }
		}
		if !b.add(v.Text, 0) {
			return nil
		}
	}
	a := b.build()
	return func(v *field.Value) bool { return a.any(cString(v)) }
}
