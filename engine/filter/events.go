// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"

	"falconet/engine/event"
	"falconet/engine/field"
)

// IsEvent reports whether name is the type of an event: one of the table, or a system call.
func IsEvent(name string) bool {
	for _, id := range event.ByName(name) {
		if !event.RowOf(id).Internal() {
			return true
		}
	}
	if _, _, ok := event.SyscallNumber(name); ok {
		return true
	}
	return otherEvents[name]
}

// otherEvents are event types of Falco's schema that rules may name although this probe does not send them: they match nothing.
var otherEvents = map[string]bool{
	"signaldeliver": true, "page_fault": true, "container": true, "pluginevent": true, "asyncevent": true, "drop": true,
	"switch": true, "notification": true, "infra": true, "mesos": true, "k8s": true, "tracer": true, "procinfo": true,
	"cpu_hotplug": true, "user_added": true, "user_deleted": true, "group_added": true, "group_deleted": true,
	"umount": true, "eventfd": true, "signalfd": true,
}

func eventNames(yield func(string) bool) {
	for i := range event.Rows() {
		if r := &event.Rows()[i]; i > 0 && !r.Internal() && !yield(r.Name) {
			return
		}
	}
	event.SyscallNames(func(name string, _, _ int) bool { return yield(name) })
}

// EventSet is a set of event types: Names, or with Except set all but Names.
type EventSet struct {
	Except bool
	Names  []string // sorted
}

// AllEvents is the set of every event type.
func AllEvents() EventSet { return EventSet{Except: true} }

// Has reports whether the set holds the type.
func (s EventSet) Has(name string) bool {
	_, found := slices.BinarySearch(s.Names, name)
	return found != s.Except
}

// All reports whether the set holds every type.
func (s EventSet) All() bool { return s.Except && len(s.Names) == 0 }

// Empty reports whether the set holds no type.
func (s EventSet) Empty() bool { return !s.Except && len(s.Names) == 0 }

func (s EventSet) not() EventSet { return EventSet{!s.Except, s.Names} }

func (s EventSet) and(o EventSet) EventSet {
	switch {
	case s.Except && o.Except:
		return EventSet{true, merge(s.Names, o.Names)}
	case s.Except:
		return o.and(s)
	}
	return EventSet{false, slices.DeleteFunc(slices.Clone(s.Names), func(n string) bool { return !o.Has(n) })}
}

func (s EventSet) or(o EventSet) EventSet { return s.not().and(o.not()).not() }

func merge(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// EventTypes returns the event types for which e can hold, as far as its tests of evt.type tell.
func EventTypes(e Expr) EventSet { return eventTypes(e, false) }

func eventTypes(e Expr, negated bool) EventSet {
	switch e := e.(type) {
	case *Not:
		return eventTypes(e.Kid, !negated)
	case *And:
		return fold(e.Kids, negated, !negated)
	case *Or:
		return fold(e.Kids, negated, negated)
	case *Check:
		if s, ok := ofCheck(e); ok {
			if negated {
				return s.not()
			}
			return s
		}
	}
	return AllEvents()
}

// fold joins the sets of kids: by `and`, or by `or`.
func fold(kids []Expr, negated, and bool) EventSet {
	all := eventTypes(kids[0], negated)
	for _, k := range kids[1:] {
		if s := eventTypes(k, negated); and {
			all = all.and(s)
		} else {
			all = all.or(s)
		}
	}
	return all
}

func ofCheck(c *Check) (EventSet, bool) {
	if c.Left.Field != "evt.type" || len(c.Left.Fns) > 0 || c.Right != nil || c.Quant != "" {
		return EventSet{}, false
	}
	names := make([]string, 0, len(c.Values))
	for _, v := range c.Values {
		names = append(names, v.Text)
	}
	s := EventSet{false, merge(names, nil)}
	switch c.Op {
	case "=", "in":
		return s, true
	case "!=":
		return s.not(), true
	}
	return EventSet{}, false
}

// FieldRef is a field as a condition uses it.
type FieldRef struct {
	Def  *field.Def
	Arg  field.Arg
	Text string // as written, without transformers
}

// Fields returns the fields that e reads, each once, in the order in which they appear. Names that are no fields are left out.
func Fields(e Expr) (refs []FieldRef) {
	add := func(o *Operand) {
		bare := Operand{Field: o.Field, Arg: o.Arg, HasArg: o.HasArg}
		text := bare.String()
		if slices.ContainsFunc(refs, func(r FieldRef) bool { return r.Text == text }) {
			return
		}
		if d, a, err := field.Resolve(o.Field, o.Arg, o.HasArg); err == nil {
			refs = append(refs, FieldRef{d, a, text})
		}
	}
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Check); ok {
			add(&c.Left)
			if c.Right != nil {
				add(c.Right)
			}
		}
		return true
	})
	return refs
}

// Operators returns the operators of e, each once, in the order in which they appear.
func Operators(e Expr) (ops []string) {
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Check); ok && !slices.Contains(ops, c.Op) {
			ops = append(ops, c.Op)
		}
		return true
	})
	return ops
}
