// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// Never returns what is in vain in the programs compiled so far: comparisons that never hold, or always, because the field cannot have such
// a value, or does not occur with any event type for which the comparison matters. They are in the order of their texts, each place once.
func (k *Compiler) Never() (out []Warning) {
	for _, p := range k.places.list {
		types := p.types
		if types.Empty() { // what is around it never holds, for now: of its events there is no telling
			types = AllEvents()
		}
		rows, generic := rowsOf(types)
		if !generic {
			if w, ok := k.absent(p.check, rows); ok {
				out = append(out, w)
				continue
			}
		}
		out = append(out, k.valuesInVain(p.check, rows, generic)...)
	}
	return out
}

// rowsOf returns the rows of the event types. generic says that there are system calls without a row among them.
func rowsOf(types EventSet) (rows []*event.Row, generic bool) {
	for i := range event.Rows() {
		if r := &event.Rows()[i]; i > 0 && !r.Internal() && r.ID != event.Generic && types.Has(r.Name) {
			rows = append(rows, r)
		}
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		generic = isGeneric(nr64, nr32) && types.Has(name)
		return !generic
	})
	return rows, generic
}

// isGeneric reports whether a system call has no row of its own in one of the tables.
func isGeneric(nr64, nr32 int) bool {
	return nr64 >= 0 && event.ByNumber(nr64, false) == event.Generic || nr32 >= 0 && event.ByNumber(nr32, true) == event.Generic
}

// absent finds a field of the comparison that events of none of the rows have: without a value no comparison holds.
func (k *Compiler) absent(c *Check, rows []*event.Row) (w Warning, found bool) {
	for _, o := range []*Operand{&c.Left, c.Right} {
		if o == nil {
			continue
		}
		o.Fields(func(f *field.Operand) {
			d, a, err := k.fields(f.Field, f.Arg, f.HasArg)
			if found || err != nil || c.Op == "exists" && d.Any != nil || occurs(d, a, rows) {
				return
			}
			at := o.At
			at.Off, at.Col = at.Off+f.Off-o.Off, at.Col+f.Off-o.Off
			w, found = Warning{Pos: at, Len: f.Len, Ours: true, Msg: absentText(d, a, f, rows)}, true
		})
	}
	return w, found
}

func occurs(d *field.Def, a field.Arg, rows []*event.Row) bool {
	return slices.ContainsFunc(rows, func(r *event.Row) bool { return d.OccursWith(r, a) })
}

func absentText(d *field.Def, a field.Arg, f *field.Operand, rows []*event.Row) string {
	bare := field.Operand{Field: f.Field, Arg: f.Arg, HasArg: f.HasArg}
	msg := "never holds: " + inEvents(rows) + " there is no " + bare.String()
	all, _ := rowsOf(AllEvents())
	if all = slices.DeleteFunc(all, func(r *event.Row) bool { return !d.OccursWith(r, a) }); len(all) > 0 {
		msg += " (" + enumerate(rowNames(all), maxNamed) + map[bool]string{true: " has it)", false: " have it)"}[len(all) == 1]
	}
	return msg
}

// maxNamed is how many names a message has; it counts the others.
const maxNamed = 6

func inEvents(rows []*event.Row) string {
	return "in events of type " + enumerate(rowNames(rows), maxNamed)
}

func rowNames(rows []*event.Row) (names []string) {
	for _, r := range rows {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// enumerate joins words, of which it leaves out those beyond limit.
func enumerate(words []string, limit int) string {
	if more := len(words) - limit; more > 1 {
		return strings.Join(words[:limit], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(words, ", ")
}

// valuesInVain looks at the constants of a comparison.
func (k *Compiler) valuesInVain(c *Check, rows []*event.Row, generic bool) (out []Warning) {
	if c.Right != nil || c.Op == "exists" {
		return nil
	}
	left, err := k.resolve(&c.Left)
	if err != nil || left.Def.Name == "evt.type" { // whose values are checked for what they are
		return nil
	}
	q := &question{compiler: k, name: c.Left.String(), op: c.Op, kind: left.Type, domain: domainOf(left, rows, generic)}
	if left.Def.HasDomainIn() && !generic {
		q.where = " " + inEvents(rows)
	}
	for _, a := range q.doubts(c.Values) {
		out = append(out, Warning{Pos: a.value.At, Len: a.value.Len, Ours: true, Msg: a.text(c.List || c.Quant != "")})
	}
	return out
}

// domainOf is what is known of an operand's values in events of the rows.
func domainOf(t typed, rows []*event.Row, generic bool) field.Domain {
	d := t.Def.Domain
	if !generic && t.Def.HasDomainIn() {
		first := true
		for _, r := range rows {
			switch {
			case !t.Def.OccursWith(r, t.Arg):
			case first:
				d, first = t.Def.DomainIn(r, t.Arg), false
			default:
				d = d.Or(t.Def.DomainIn(r, t.Arg))
			}
		}
	}
	return d.Through(t.Resolved.Fns)
}
