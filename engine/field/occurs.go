// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// OccursWith reports whether the field, with argument a, can have a value in events of a row. It follows from what the row captures and
// from its parameters. Of calls without a row of their own too little is known: with event.Generic everything occurs.
func (d *Def) OccursWith(row *event.Row, a Arg) bool {
	if row.ID == event.Generic {
		return true
	}
	for k := event.PartNone + 1; d.Needs.Must>>k != 0; k++ {
		if d.Needs.Must.Has(k) && !row.Captures(k) {
			return false
		}
	}
	return d.occurs == nil || d.occurs(&rowInfos[row.ID], row, a)
}

// withDescriptor is for fields of the descriptor that the event is about.
func withDescriptor(r *rowInfo, _ *event.Row, _ Arg) bool { return r.fd >= 0 }

// withObject is for what calls on a path have too that the kernel found something for.
func withObject(r *rowInfo, _ *event.Row, _ Arg) bool { return r.fd >= 0 || r.inside }

// withReplaced is for calls that close a descriptor to give its number away.
func withReplaced(_ *rowInfo, row *event.Row, _ Arg) bool {
	return row.AtEntry() && row.HeldParts().Has(event.PartPath2)
}

// withCall is for what only system calls have: a result.
func withCall(r *rowInfo, _ *event.Row, _ Arg) bool { return !r.tracept }

// withParam is for fields whose argument names a parameter.
func withParam(_ *rowInfo, row *event.Row, a Arg) bool {
	if a.IsIndex {
		return a.Index < len(row.Params)
	}
	_, ok := row.Param(a.Key)
	return ok
}

// withPath is for fields of the path that pick chooses among a row's parameters; object asks for those as well whose path is that of
// the event's file.
func withPath(pick fsPath, object bool) func(*rowInfo, *event.Row, Arg) bool {
	return func(r *rowInfo, _ *event.Row, _ Arg) bool { return !r.tracept && (pick(r) >= 0 || object && r.object) }
}

// withAbspath is for evt.abspath.
func withAbspath(r *rowInfo, _ *event.Row, a Arg) bool {
	switch two := r.path2 >= 0; {
	case a.Present != two:
		return false
	case a.Key == "dst":
		return true
	}
	return r.path >= 0
}
