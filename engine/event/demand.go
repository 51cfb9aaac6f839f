// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// Demand is what a rule set asks of a source: which events, and which pieces of each. The zero value asks for nothing.
// What the state needs (new processes, images, the end of a process) a source delivers whatever is asked.
type Demand struct {
	parts   []Parts // by ID
	wanted  []bool  // by ID
	native  [MaxSyscall]bool
	compat  [MaxSyscall]bool
	threads bool
}

func (d *Demand) grow() {
	if d.parts == nil {
		d.parts, d.wanted = make([]Parts, len(events.rows)), make([]bool, len(events.rows))
	}
}

// Add asks for events of a row with the given pieces, in addition to what was asked before.
func (d *Demand) Add(id ID, p Parts) {
	d.grow()
	d.parts[id] |= p
	d.wanted[id] = true
}

// AddSyscall asks for the generic event of one system call by name. It reports whether the name is known; a call with a row
// of its own is none of its business.
func (d *Demand) AddSyscall(name string) bool {
	nr64, nr32, ok := SyscallNumber(name)
	if !ok {
		return false
	}
	d.grow()
	d.wanted[Generic] = true
	if nr64 >= 0 && ByNumber(nr64, false) == Generic {
		d.native[nr64] = true
	}
	if nr32 >= 0 && ByNumber(nr32, true) == Generic {
		d.compat[nr32] = true
	}
	return true
}

// AddAll asks for every event with every piece, generic system calls included.
func (d *Demand) AddAll() {
	for id := range events.rows[1:] {
		d.Add(ID(id+1), AllParts)
	}
	for _, s := range syscalls {
		d.AddSyscall(s.name)
	}
	d.threads = true
}

// Whole asks for every piece of the events that are asked for, but for those that have to be captured before their calls are done, which are
// more dear. For a recording it also asks for the events by which one follows processes.
func (d *Demand) Whole() {
	d.grow()
	d.threads = true
	for _, name := range LifeNames() {
		for _, id := range ByName(name) {
			d.wanted[id] = true
		}
	}
	for id := range d.wanted {
		if !d.wanted[id] {
			continue
		}
		all := AllParts
		for _, p := range events.rows[id].Held {
			all &^= 1 << p.Kind
		}
		d.parts[id] |= all
	}
}

// LifeNames are the events by which one follows processes and threads from their beginning to their end.
func LifeNames() []string {
	return []string{"clone", "clone3", "fork", "vfork", "execve", "execveat", "procexit"}
}

// Wants reports whether events of the row were asked for, and which pieces of them.
func (d *Demand) Wants(id ID) (Parts, bool) {
	if int(id) >= len(d.wanted) {
		return 0, false
	}
	return d.parts[id], d.wanted[id]
}

// WantsSyscall reports whether the generic event of a system call number was asked for.
func (d *Demand) WantsSyscall(nr int, compat bool) bool {
	if nr < 0 || nr >= MaxSyscall {
		return false
	}
	if compat {
		return d.compat[nr]
	}
	return d.native[nr]
}

// EveryThread asks for procexit of every thread, not only of the last of a process.
func (d *Demand) EveryThread() { d.threads = true }

// WantsEveryThread reports whether EveryThread was asked.
func (d *Demand) WantsEveryThread() bool { return d.threads }

// Remove takes back what was asked of a system call, with a row of its own or without. It reports whether anything had been asked.
// What the state needs stays.
func (d *Demand) Remove(name string) (asked bool) {
	if d.parts == nil {
		return false
	}
	nr64, nr32, _ := SyscallNumber(name)
	ids := slices.Concat(ByName(name), []ID{ByNumber(nr64, false), ByNumber(nr32, true)}) // the event may have another name than the call
	for _, id := range ids {
		if id != Generic {
			asked = asked || d.wanted[id]
			d.wanted[id], d.parts[id] = false, 0
		}
	}
	if nr64 >= 0 {
		asked = asked || d.native[nr64]
		d.native[nr64] = false
	}
	if nr32 >= 0 {
		asked = asked || d.compat[nr32]
		d.compat[nr32] = false
	}
	return asked
}

// Union returns what either demand asks for. Neither is changed.
func (d *Demand) Union(o *Demand) *Demand {
	all := *d
	all.parts, all.wanted = slices.Clone(d.parts), slices.Clone(d.wanted)
	all.grow()
	for id := range o.wanted {
		all.parts[id] |= o.parts[id]
		all.wanted[id] = all.wanted[id] || o.wanted[id]
	}
	for nr := range MaxSyscall {
		all.native[nr] = all.native[nr] || o.native[nr]
		all.compat[nr] = all.compat[nr] || o.compat[nr]
	}
	all.threads = all.threads || o.threads
	return &all
}
