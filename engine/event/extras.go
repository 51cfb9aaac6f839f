// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// extras are the pieces that any system call can carry beside its own, when a rule asks for them: what changes of a process from one call to
// the next. They stand behind a row's own pieces but for data.
func extras(r *Row) []Part {
	var own Parts
	for _, p := range r.Parts {
		own |= 1 << p.Kind
		switch p.Op {
		case OpTask, OpArgv, OpArgvUser, OpCgroups: // captured by a program that tells all this anyway
			return nil
		}
	}
	if r.Flags&(Internal|Life|Tracepoint) != 0 || len(r.NR64)+len(r.NR32) == 0 && r.ID != Generic {
		return nil
	}
	list := []Part{{Kind: PartNow, Op: OpNow}}
	if !own.Has(PartMemory) {
		list = append(list, Part{Kind: PartMemory, Op: OpMemory})
	}
	if !own.Has(PartPoll) && !own.Has(PartCwd) { // polls have a program that walks no paths
		list = append(list, Part{Kind: PartHere, Op: OpCwd})
	}
	return list
}

// maxCaptured is how many pieces the probe captures of one event.
const maxCaptured = 16

// withExtras returns the pieces of a row with those that any call can carry, as far as there is room for them.
func withExtras(r *Row) []Part {
	more := extras(r)
	more = more[:min(len(more), max(maxCaptured-len(r.Parts), 0))]
	at := len(r.Parts)
	if at > 0 && r.Parts[at-1].Op == OpData { // it may be longer than what a part can begin behind
		at--
	}
	return slices.Insert(slices.Clone(r.Parts), at, more...)
}
