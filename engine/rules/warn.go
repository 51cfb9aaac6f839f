// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/field"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// warnAt warns of a place in the text of a condition, in the file that holds it. A place that several rules share is warned of once.
func (b *builder) warnAt(code Code, p filter.Pos, n int, msg string) {
	if b.warned[p] {
		return
	}
	b.warned[p] = true
	it, where := b.texts[p.Src].where(p, n)
	it.file.warn(code, msg, where...)
}

// eachField calls fn for every field that a condition reads, and says where it is.
func eachField(e filter.Expr, fn func(at filter.Pos, f *field.Operand)) {
	filter.Walk(e, func(e filter.Expr) bool {
		c, ok := e.(*filter.Check)
		if !ok {
			return true
		}
		for _, o := range []*filter.Operand{&c.Left, c.Right} {
			if o != nil {
				o.Fields(func(f *field.Operand) {
					at := o.At
					at.Off += f.Off - o.Off
					fn(at, f)
				})
			}
		}
		return true
	})
}

// warnFields warns of fields that are there for the sake of older rules.
func (b *builder) warnFields(e filter.Expr) {
	eachField(e, func(at filter.Pos, f *field.Operand) {
		if d, _, err := field.Resolve(f.Field, f.Arg, f.HasArg); err == nil && d.Flags&field.Deprecated != 0 {
			b.warnAt(DeprecatedItem, at, len(f.Field), deprecation(d))
		}
	})
}

func deprecation(d *field.Def) string {
	if d.Name == "evt.dir" {
		return "evt.dir is deprecated: an event carries both what entering and what leaving did, so a test of it says nothing and can be left out"
	}
	return fmt.Sprintf("field %s is deprecated, it never has a value: %s", d.Name, d.Desc)
}

// warnUnsafe warns of comparisons with the text that stands for a missing value, for the fields where Falco once had it.
func (b *builder) warnUnsafe(e filter.Expr) {
	filter.Walk(e, func(e filter.Expr) bool {
		c, ok := e.(*filter.Check)
		if !ok || !strings.HasPrefix(c.Left.Field, "ka.") && !strings.HasPrefix(c.Left.Field, "jevt.") {
			return true
		}
		for _, v := range c.Values {
			if v.Text == format.Missing && (c.Op == "=" || c.Op == "!=" || slices.Contains(listOps, c.Op)) {
				b.warnAt(UnsafeNACheck, v.At, v.Len, "a missing value is not the text <NA>: write "+c.Left.String()+" exists")
			}
		}
		return true
	})
}

// manyTypes is how many event types are worth a warning. Falco warns of more than 100 codes, of which a type has two.
const manyTypes = 50

// warnEvents warns of a condition that holds for none or very many types of events.
func (b *builder) warnEvents(r *rule, w *written, set filter.EventSet) {
	it, where := w.where(filter.Pos{Off: w.parts[0].off}, len(strings.TrimSpace(r.condition[0].text)))
	switch {
	case set.Empty():
		it.file.warn(Dubious, "no event satisfies this condition: it never holds", where...)
	case !r.warnTypes:
	case set.All():
		it.file.warn(NoEventType, "condition names no event type: every event of the machine has to be looked at", where...)
	case set.Except || len(set.Names) > manyTypes:
		it.file.warn(NoEventType, "condition holds for very many event types: the events of all of them have to be looked at", where...)
	}
}
