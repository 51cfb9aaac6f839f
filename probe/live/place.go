// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"maps"

	"falconet/engine/event"
)

// place gives the slots of a plan their numbers in the probe's table, beside those of the plan that the probe works by: where that one has
// the same slot, its number, which stays in use all the time; else one that is free.
func (p *plan) place(beside *plan, room int) error {
	have := make(map[capture]uint16, len(beside.slots))
	for i, c := range beside.slots[1:] {
		if c != (capture{}) {
			have[c] = uint16(i + 1)
		}
	}
	to := make([]uint16, len(p.slots))
	slots := make([]capture, max(len(p.slots), len(beside.slots)))
	taken := func(i int) bool {
		return i < len(beside.slots) && beside.slots[i] != (capture{}) || i < len(slots) && slots[i] != (capture{})
	}
	free := 1
	for i, c := range p.slots[1:] {
		at, ok := have[c]
		if !ok {
			for taken(free) {
				free++
			}
			at = uint16(free)
		}
		for int(at) >= len(slots) {
			slots = append(slots, capture{})
		}
		to[i+1], slots[at] = at, c
	}
	if len(slots) > room {
		return fmt.Errorf("the demand takes %d slots, the probe has %d", len(slots), room)
	}
	p.slots = slots
	p.renumber(to)
	return nil
}

func (p *plan) renumber(to []uint16) {
	for _, routes := range []*[event.MaxSyscall]route{&p.routes, &p.holds} {
		for nr := range routes {
			r := &routes[nr]
			r.Native, r.Compat = to[r.Native], to[r.Compat]
		}
	}
	for i := range p.shared {
		p.shared[i].Slot = to[p.shared[i].Slot]
	}
	for _, n := range []*uint16{&p.exec, &p.execveat, &p.fork, &p.exit, &p.heartbeat} {
		*n = to[*n]
	}
	maps.DeleteFunc(p.rows, func(_ event.ID, n uint16) bool { return to[n] == 0 })
	for id, n := range p.rows {
		p.rows[id] = to[n]
	}
}

// fixed reports whether two plans have the slots in one place whose numbers are constants of the programs.
func (p *plan) fixed(o *plan) bool {
	return p.exec == o.exec && p.execveat == o.execveat && p.fork == o.fork && p.exit == o.exit && p.heartbeat == o.heartbeat
}
