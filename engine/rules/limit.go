// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"

	"falconet/engine/event"
)

// Limit keeps the rules from events that a source delivers for the sake of the state alone, although some rule would match them. d is the
// set's demand, less what is not to be captured.
func (s *Set) Limit(d *event.Demand) {
	none := s.byRow[0]
	for id := range s.byRow {
		if _, ok := d.Wants(event.ID(id)); !ok {
			s.byRow[id] = none
		}
	}
	for nr := range s.native {
		if !d.WantsSyscall(nr, false) {
			s.native[nr] = none
		}
		if !d.WantsSyscall(nr, true) {
			s.compat[nr] = none
		}
	}
}

// Asking returns the names of the enabled rules that name an event type, and how many more look at it because they look at every event, or
// every event but some. name may be that of a system call whose event has another.
func (s *Set) Asking(name string) (named []string, others int) {
	types := []string{name}
	if nr64, nr32, ok := event.SyscallNumber(name); ok {
		for _, id := range []event.ID{event.ByNumber(nr64, false), event.ByNumber(nr32, true)} {
			if row := event.RowOf(id); row != nil && id != event.Generic {
				types = append(types, row.Name)
			}
		}
	}
	for _, r := range s.active {
		if !slices.ContainsFunc(types, func(t string) bool { return r.Events.Has(t) && !r.program.For(t).Never() }) {
			continue
		}
		if r.Events.Except {
			others++
		} else {
			named = append(named, r.Name)
		}
	}
	return named, others
}
