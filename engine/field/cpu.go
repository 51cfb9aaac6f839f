// SPDX-License-Identifier: Apache-2.0

package field

import (
	"falconet/engine/event"
	"falconet/engine/state"
)

// usage reads a field from what the thread has used of the processors.
func usage(read func(c *Ctx, u *state.Usage) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		p, _ := c.Process()
		u, ok := c.Host.Procs.UsageOf(p, c.Rec.TID)
		if !ok {
			return Value{}, false
		}
		return read(c, &u)
	}
}

// share is what part of its life the thread has spent so, in percent.
func share(spent func(u *state.Usage) uint64) func(*Ctx, Arg) (Value, bool) {
	return usage(func(c *Ctx, u *state.Usage) (Value, bool) {
		if c.Rec.TS <= u.Start {
			return Value{}, false
		}
		return double(100 * float64(spent(u)) / float64(c.Rec.TS-u.Start)), true
	})
}

func cpuFields() []Def {
	percent := func(name, desc string, spent func(u *state.Usage) uint64) Def {
		return Def{Name: name, Type: event.Double, Cost: askProc, Example: name + " > 50", Desc: desc + ", in percent of the time since it began", Get: share(spent)}
	}
	return []Def{
		{Name: "thread.exectime", Type: event.RelTime, Example: "not thread.exectime exists", Desc: "nanoseconds that the thread was on a processor until it was switched out; absent, since switches are no events here", Get: never},
		{Name: "thread.totexectime", Type: event.RelTime, Cost: askProc, Example: "thread.totexectime > 1000000000", Desc: "nanoseconds that the thread has been on a processor since it began, when the field is read",
			Get: usage(func(_ *Ctx, u *state.Usage) (Value, bool) { return num(event.RelTime, u.OnCPU), u.HasPreciseCPU })},
		percent("thread.cpu", "time that the thread has been on a processor", func(u *state.Usage) uint64 { return u.User + u.System }),
		percent("thread.cpu.user", "time that the thread has run its program", func(u *state.Usage) uint64 { return u.User }),
		percent("thread.cpu.system", "time that the thread has been in the kernel", func(u *state.Usage) uint64 { return u.System }),
	}
}
