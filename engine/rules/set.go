// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"

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

	fields    []filter.FieldRef
	output    string // as written, with what was appended
	operators []string
	program   *filter.Program
	refs
	exceptions []*exception
	below      bool // less urgent than what is wanted
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
	byRow    [][]*Rule
	native   [event.MaxSyscall][]*Rule // generic events by number
	compat   [event.MaxSyscall][]*Rule
}

// index sorts the enabled rules by the events that they can match.
func (s *Set) index() {
	s.byRow = make([][]*Rule, len(event.Rows()))
	for _, r := range s.active {
		for i := range event.Rows() {
			row := &event.Rows()[i]
			if i > 0 && !row.Internal() && row.ID != event.Generic && r.Events.Has(row.Name) {
				s.byRow[i] = append(s.byRow[i], r)
			}
		}
		event.SyscallNames(func(name string, nr64, nr32 int) bool {
			if r.Events.Has(name) {
				if nr64 >= 0 && event.ByNumber(nr64, false) == event.Generic {
					s.native[nr64] = append(s.native[nr64], r)
				}
				if nr32 >= 0 && event.ByNumber(nr32, true) == event.Generic {
					s.compat[nr32] = append(s.compat[nr32], r)
				}
			}
			return true
		})
	}
}

// Match calls fn for the first rule, or for every rule, whose condition holds for the event of c. An event that no rule matches costs
// no allocation.
func (s *Set) Match(c *field.Ctx, fn func(*Rule)) {
	list := s.candidates(c.Rec)
	if len(list) == 0 {
		return
	}
	s.compiler.Begin()
	for _, r := range list {
		if r.program.Match(c) {
			fn(r)
			if s.matching == First {
				return
			}
		}
	}
}

func (s *Set) candidates(r *event.Record) []*Rule {
	switch {
	case r.Event != event.Generic:
		return s.byRow[r.Event]
	case r.NR >= event.MaxSyscall:
		return nil
	case r.Compat32():
		return s.compat[r.NR]
	}
	return s.native[r.NR]
}

// Demand returns what the enabled rules ask of a source of events: the events that they can match, and of each the pieces that their
// conditions and outputs read.
func (s *Set) Demand() *event.Demand {
	d := &event.Demand{}
	for i, list := range s.byRow {
		row := &event.Rows()[i]
		for _, r := range list {
			d.Add(row.ID, r.parts(row))
			if row.Name == "procexit" {
				d.EveryThread()
			}
		}
	}
	for nr := range s.native {
		if len(s.native[nr]) > 0 {
			d.AddSyscall(event.SyscallName(nr, false))
		}
		if len(s.compat[nr]) > 0 {
			d.AddSyscall(event.SyscallName(nr, true))
		}
	}
	return d
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

// Enabled returns how many rules are enabled and urgent enough.
func (s *Set) Enabled() int { return len(s.active) }

// enable turns a rule on or off. A rule that is turned on matches after those that were on before.
func (s *Set) enable(r *Rule, on bool) {
	s.active = slices.DeleteFunc(s.active, func(a *Rule) bool { return a == r && !on })
	if on && !r.Enabled && !r.below {
		s.active = append(s.active, r)
	}
	r.Enabled = on
}
