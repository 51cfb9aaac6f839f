// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// holding makes a row whose pieces held have to be captured before the call is done. from says where the object comes from: the
// descriptor in a register, as the call begins, or what the kernel finds for the call's paths.
func (r Row) holding(from Object, held ...Part) Row {
	r.Held, r.HeldFrom = held, from
	r.Parts = slices.Clone(r.Parts)
	for i, p := range held {
		r.Parts = append(r.Parts, Part{Kind: p.Kind, Op: OpHeld, Arg: uint8(i)})
	}
	return r
}

// holdingPath is for calls on a path that leave no descriptor.
func (r Row) holdingPath() Row {
	return r.holding(ObjInside, file()...)
}

// holdingPaths is for calls on two paths; facts are those of the first.
func (r Row) holdingPaths() Row {
	return r.holding(ObjInside, append(file(), Part{Kind: PartPath2, Op: OpPath2})...)
}

// HeldParts are the pieces that have to be captured before the call is done. A source may be unable to, and says so.
func (r *Row) HeldParts() (s Parts) {
	for _, p := range r.Held {
		s |= 1 << p.Kind
	}
	return s
}

// AtEntry reports whether what the row holds is there at the beginning of the call already, and gone at its end: where the kernel
// allows no better, it takes a hook that every call of the machine runs through.
func (r *Row) AtEntry() bool { return r.Held != nil && r.HeldFrom != ObjInside }

// WantsEntry returns the names of the rows of which pieces were asked that are only there as the call begins.
func (d *Demand) WantsEntry() (names []string) {
	return d.held((*Row).AtEntry)
}

// WantsInside returns the names of the rows of which the objects were asked that the kernel finds for the call's paths.
func (d *Demand) WantsInside() (names []string) {
	return d.held(func(r *Row) bool { return r.HeldFrom == ObjInside })
}

func (d *Demand) held(which func(*Row) bool) (names []string) {
	for i := range events.rows {
		r := &events.rows[i]
		if parts, ok := d.Wants(r.ID); ok && which(r) && parts&r.HeldParts() != 0 {
			names = append(names, r.Name)
		}
	}
	return names
}
