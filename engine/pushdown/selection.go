// SPDX-License-Identifier: Apache-2.0

package pushdown

import (
	"slices"
	"strings"

	"falconet/engine/config"
	"falconet/engine/event"
)

// Widen adds to a demand what the configuration wants captured although no rule asks for it: the events, without any piece. What Restrict
// takes away stays away.
func Widen(d *event.Demand, base config.BaseSyscalls) {
	for _, name := range base.CustomSet {
		if strings.HasPrefix(name, "!") {
			continue
		}
		for _, id := range rowsOf(name) {
			d.Add(id, 0)
		}
		if len(rowsOf(name)) == 0 {
			d.AddSyscall(name)
		}
	}
	Restrict(d, base)
}

// rowsOf are the rows that a name stands for: an event's, or that of a system call whose row has another name. The generic row is none.
func rowsOf(name string) (ids []event.ID) {
	for _, id := range event.ByName(name) {
		if id != event.Generic && !event.RowOf(id).Internal() {
			ids = append(ids, id)
		}
	}
	nr64, nr32, _ := event.SyscallNumber(name)
	if nr64 >= 0 && event.ByNumber(nr64, false) != event.Generic {
		ids = append(ids, event.ByNumber(nr64, false))
	}
	if nr32 >= 0 && event.ByNumber(nr32, true) != event.Generic {
		ids = append(ids, event.ByNumber(nr32, true))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Unknown returns the names of a custom_set that nothing has.
func Unknown(base config.BaseSyscalls) (names []string) {
	for _, name := range base.CustomSet {
		name = strings.TrimPrefix(name, "!")
		if _, _, isCall := event.SyscallNumber(name); name != "" && !isCall && len(rowsOf(name)) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// kept reports whether an event cannot be excluded: the end of processes, as in Falco, and with repair all that the state lives on.
func kept(name string, base config.BaseSyscalls) bool {
	return name == "procexit" || base.Repair && slices.ContainsFunc(rowsOf(name), func(id event.ID) bool {
		return event.RowOf(id).Flags&event.Life != 0
	})
}

// Captured are the names of the events that a demand lets be captured, and of those that the state lives on, sorted.
func Captured(d *event.Demand) (names []string) {
	for i := range event.Rows() {
		row := &event.Rows()[i]
		if i == 0 || row.Internal() || row.ID == event.Generic {
			continue
		}
		if _, ok := d.Wants(row.ID); ok || row.Flags&event.Life != 0 {
			names = append(names, row.Name)
		}
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		if d.WantsSyscall(nr64, false) || d.WantsSyscall(nr32, true) {
			names = append(names, name)
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}
