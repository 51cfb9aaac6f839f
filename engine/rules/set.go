// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"falconet/engine/alert"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// Rule is a compiled rule.
type Rule struct {
	Index     int
	Name      string
	Desc      string
	Source    string
	Condition string // as written, with what was appended
	Compiled  string // after macros, lists and exceptions
	Priority  alert.Priority
	Tags      []string // sorted
	Enabled   bool
	Output    *format.Template
	Events    filter.EventSet // the event types that it can match

	fields []filter.FieldRef
	output string // as written, with what was appended
	recording
	operators []string
	program   *filter.Program
	refs
	exceptions []*exception
	below      bool // less urgent than what is wanted
	hosts      []string
}

// Matching says how many rules may match one event.
type Matching uint8

// The ways of matching: the first rule in the order of definition, or all.
const (
	First Matching = iota
	All
)

// Set is a compiled rule set. Match belongs to one goroutine; everything else only reads.
type Set struct {
	Rules []*Rule // in the order of definition, disabled ones and those below the wanted priority included

	active   []*Rule // the enabled ones, in the order in which they match
	needs    requirements
	lists    []*list
	macros   []*macro
	compiler *filter.Compiler
	matching Matching
	byRow    []*batch
	native   [event.MaxSyscall]*batch // generic events by number
	compat   [event.MaxSyscall]*batch
}

// batch is the rules that look at one kind of event.
type batch struct {
	rules []*Rule // in the order in which they match
	group *filter.Group
}

// index sorts the enabled rules by the events that they can match.
func (s *Set) index() {
	same := make(map[string]*batch) // most events have the rules that another has
	s.byRow = make([]*batch, len(event.Rows()))
	none := s.batch("", same)
	for i := range s.byRow {
		s.byRow[i] = none
		if row := &event.Rows()[i]; i > 0 && !row.Internal() && row.ID != event.Generic {
			s.byRow[i] = s.batch(row.Name, same)
		}
	}
	for nr := range s.native {
		s.native[nr], s.compat[nr] = none, none
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		b := s.batch(name, same)
		if nr64 >= 0 && event.ByNumber(nr64, false) == event.Generic {
			s.native[nr64] = b
		}
		if nr32 >= 0 && event.ByNumber(nr32, true) == event.Generic {
			s.compat[nr32] = b
		}
		return true
	})
}

// batch returns the rules for events of a type, none for "".
func (s *Set) batch(eventType string, same map[string]*batch) *batch {
	b := &batch{}
	var programs []*filter.Program
	var key []byte
	for _, r := range s.active {
		if eventType == "" || !r.Events.Has(eventType) {
			continue
		}
		p := r.program.For(eventType)
		if p.Never() {
			continue
		}
		b.rules, programs = append(b.rules, r), append(programs, p)
		key = binary.NativeEndian.AppendUint64(key, uint64(uintptr(unsafe.Pointer(p))))
	}
	if have := same[string(key)]; have != nil {
		return have
	}
	b.group = s.compiler.Group(programs)
	same[string(key)] = b
	return b
}

// Match calls fn for the first rule, or for every rule, whose condition holds for the event of c. An event that no rule matches costs
// no allocation.
func (s *Set) Match(c *field.Ctx, fn func(*Rule)) {
	b := s.candidates(c.Rec.Event, c.Rec.NR, c.Rec.Compat32())
	if b == nil || len(b.rules) == 0 {
		return
	}
	s.compiler.Begin()
	b.group.Match(c, func(i int) bool {
		fn(b.rules[i])
		return s.matching == All
	})
}

// Asks reports whether a rule looks at the events of a row, of the generic one at those of a call.
func (s *Set) Asks(id event.ID, nr uint16, compat bool) bool {
	b := s.candidates(id, nr, compat)
	return b != nil && len(b.rules) > 0
}

func (s *Set) candidates(id event.ID, nr uint16, compat bool) *batch {
	switch {
	case id != event.Generic:
		return s.byRow[id]
	case nr >= event.MaxSyscall:
		return nil
	case compat:
		return s.compat[nr]
	}
	return s.native[nr]
}

// Demand returns what the enabled rules ask of a source of events: the events that they can match, and of each the pieces that their
// conditions and outputs read.
func (s *Set) Demand() *event.Demand {
	d := &event.Demand{}
	for i, b := range s.byRow {
		row := &event.Rows()[i]
		for _, r := range b.rules {
			if row.Flags&event.Flood != 0 && r.Events.Except {
				continue
			}
			parts := r.parts(row)
			if r.tooWide(row) {
				parts &^= row.HeldParts()
			}
			d.Add(row.ID, parts)
			if row.Name == "procexit" {
				d.EveryThread()
			}
		}
	}
	for nr := range s.native {
		if len(s.native[nr].rules) > 0 {
			d.AddSyscall(event.SyscallName(nr, false))
			s.native[nr].generic(d)
		}
		if len(s.compat[nr].rules) > 0 {
			d.AddSyscall(event.SyscallName(nr, true))
			s.compat[nr].generic(d)
		}
	}
	return d
}

// generic asks for the pieces that the rules read of calls without a row of their own.
func (b *batch) generic(d *event.Demand) {
	for _, r := range b.rules {
		d.Add(event.Generic, r.parts(event.RowOf(event.Generic)))
	}
}

// parts returns the pieces of an event that the rule reads.
func (r *Rule) parts(row *event.Row) (p event.Parts) {
	for _, f := range r.fields {
		p |= f.Def.PartsFor(row, f.Arg)
	}
	for _, f := range r.Output.Reads() {
		if f.Def != nil {
			p |= f.Def.PartsFor(row, f.Arg)
		}
	}
	return p
}

// ReadsUsers reports whether an enabled rule names a user or group.
func (s *Set) ReadsUsers() bool {
	reads := func(d *field.Def) bool { return d != nil && (d.Class == "user" || d.Class == "group") }
	for _, r := range s.active {
		for _, f := range r.fields {
			if reads(f.Def) {
				return true
			}
		}
		for _, f := range r.Output.Reads() {
			if reads(f.Def) {
				return true
			}
		}
	}
	return false
}

// Hosts returns the names of hosts that the enabled rules compare addresses with, sorted.
func (s *Set) Hosts() (hosts []string) {
	for _, r := range s.active {
		hosts = append(hosts, r.hosts...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// hostsOf returns the names of hosts that a condition compares addresses with.
func hostsOf(e filter.Expr) (hosts []string) {
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok {
			if d, ok := field.Lookup(c.Left.Field); ok && d.Flags&field.HostName != 0 {
				for _, v := range c.Values {
					hosts = append(hosts, v.Text)
				}
			}
		}
		return true
	})
	return hosts
}

// Enabled returns how many rules are enabled and urgent enough.
func (s *Set) Enabled() int { return len(s.active) }

// enable turns a rule on. It matches after those that were on before.
func (s *Set) enable(r *Rule) {
	if !r.Enabled && !r.below {
		s.active = append(s.active, r)
	}
	r.Enabled = true
}
