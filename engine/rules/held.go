// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"

	"falconet/engine/event"
	"falconet/engine/filter"
)

// Held says of events what they lose before their calls are done, and what in a rule asks for it.
type Held struct {
	Events []string `json:"events"`
	By     []string `json:"asked_by"`
	Entry  bool     `json:"at_entry"` // it may take a hook that every system call runs through
}

// HeldBy returns the names of the enabled rules that read of one of these events what it loses before its call is done, sorted.
func (s *Set) HeldBy(events ...string) (rules []string) {
	for i, b := range s.byRow {
		row := &event.Rows()[i]
		if b == nil || !slices.Contains(events, row.Name) {
			continue
		}
		for _, r := range b.rules {
			if r.held(row) != 0 {
				rules = unite(rules, r.Name)
			}
		}
	}
	slices.Sort(rules)
	return rules
}

// held are the pieces that the rule reads of an event and that have to be captured before the call is done.
func (r *Rule) held(row *event.Row) event.Parts {
	if r.tooWide(row) {
		return 0
	}
	return r.parts(row) & row.HeldParts()
}

// tooWide reports whether the rule gets no pieces of an event for which every call of the machine would have to pay: only one that names the
// event does.
func (r *Rule) tooWide(row *event.Row) bool { return row.AtEntry() && r.Events.Except }

// explainHeld finds what of a rule asks for what calls lose.
func explainHeld(r *Rule, x *Explanation) (list []Held) {
	rows, _ := filter.RowsOf(r.Events)
	for _, entry := range []bool{true, false} {
		h := Held{Entry: entry}
		for _, row := range rows {
			if row.AtEntry() == entry && r.held(row) != 0 {
				h.Events = unite(h.Events, row.Name)
			}
		}
		if h.Events == nil {
			continue
		}
		for i := range x.Clauses {
			if x.Clauses[i].holds(rows, entry) {
				h.By = unite(h.By, x.Clauses[i].Text)
			}
		}
		for _, ref := range r.Output.Reads() {
			if ref.Def != nil && slices.ContainsFunc(rows, func(row *event.Row) bool {
				return row.AtEntry() == entry && ref.Def.PartsFor(row, ref.Arg)&row.HeldParts() != 0
			}) {
				h.By = unite(h.By, "%"+ref.Text)
			}
		}
		list = append(list, h)
	}
	return list
}

func (c *ExplainedClause) holds(rows []*event.Row, entry bool) bool {
	for _, f := range c.fields {
		for _, row := range rows {
			if row.AtEntry() == entry && f.Def.PartsFor(row, f.Arg)&row.HeldParts() != 0 {
				return true
			}
		}
	}
	return false
}

// text says what it takes.
func (h *Held) text() string {
	if h.Entry {
		return "what they close is gone at their end, and captured at their beginning: by a hook in these calls alone where the kernel allows it, " +
			"else by one that every system call of the machine runs through, which more than doubles what falconet costs each"
	}
	return "what the kernel finds for their paths is captured by a hook in these calls alone; where the kernel allows none, there is the argument"
}
