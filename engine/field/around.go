// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

const millisecond = 1_000_000

// around is how far the event is from the time that the argument names, in milliseconds, the last begun one counted.
func (c *Ctx) around(a Arg) uint64 {
	now, at := uint64(c.Time()), uint64(a.Index)
	far := max(now, at) - min(now, at)
	return far/millisecond + min(far%millisecond, 1)
}

func evtAroundFields() []Def {
	return []Def{
		{Name: "evt.around", Type: event.Uint64, Flags: FilterOnly | NoTransformer | NoRHS | Within, Arg: ArgRequired, Form: ByIndex | ByTime, Example: "evt.around[1700000000000000000] = 500",
			Desc: "whether the event is near to a time: the argument is the time in nanoseconds since the epoch, the number how many milliseconds before or after it count",
			Get:  func(c *Ctx, a Arg) (Value, bool) { return num(event.Uint64, c.around(a)), true }},
		{Name: "evt.loss", Type: event.Uint32, Flags: Ours, Example: "evt.loss > 0", Desc: "how many events were lost on the processor of the event since the one before it that came from there",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint32, uint64(c.Rec.Lost)), true }},
	}
}
