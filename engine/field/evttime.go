// SPDX-License-Identifier: Apache-2.0

package field

import (
	"time"

	"falconet/engine/event"
)

const second = 1_000_000_000

// The layouts of the time fields.
const (
	layoutTime     = "15:04:05.000000000"
	layoutTimeS    = "15:04:05"
	layoutDate     = "2006-01-02 15:04:05.000000000"
	layoutDateS    = "2006-01-02 15:04:05"
	layoutISO      = "2006-01-02T15:04:05.000000000-0700"
	layoutAbsolute = "2006-01-02 15:04:05.000000000 -0700"
)

func (c *Ctx) zone() *time.Location {
	if c.Host.Location == nil {
		return time.Local
	}
	return c.Host.Location
}

func timeText(layout string, utc bool) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		zone := time.UTC
		if !utc {
			zone = c.zone()
		}
		ns, mark := c.Time(), len(c.arena)
		c.arena = time.Unix(0, ns).In(zone).AppendFormat(c.arena, layout)
		return Value{Kind: event.CharBuf, S: c.str(mark), N: uint64(ns)}, true
	}
}

func evtTimeFields() []Def {
	text := func(name, example, desc, layout string, utc bool) Def {
		return Def{Name: name, Type: event.CharBuf, Flags: EventTime, Example: example, Desc: desc, Get: timeText(layout, utc)}
	}
	number := func(name string, t event.Type, p Print, desc string, read func(c *Ctx) uint64) Def {
		return Def{Name: name, Type: t, Print: p, Example: name + " >= 0", Desc: desc,
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(t, read(c)), true }}
	}
	wall := func(c *Ctx) uint64 { return uint64(c.Time()) }
	since := func(c *Ctx) uint64 { return c.Rec.TS - min(c.first, c.Rec.TS) }
	output := text("evt.outputtime", "%evt.outputtime", "the time of the event as output lines begin with it", layoutTime, false)
	output.Flags |= OutputOnly
	relative := number("evt.reltime", event.RelTime, Pad9, "nanoseconds since the first event", since)
	relative.Flags |= EventTime
	gone := func(name string, t event.Type, p Print, desc string) Def {
		return Def{Name: name, Type: t, Print: p, Flags: Deprecated, Example: "not " + name + " exists",
			Desc: desc + "; absent, since calls are reported when they return and not when they begin", Get: never}
	}
	return []Def{
		text("evt.time", "evt.time startswith '03:'", "local time of the event with nanoseconds", layoutTime, false),
		text("evt.time.s", "evt.time.s startswith '03:'", "local time of the event", layoutTimeS, false),
		text("evt.time.iso8601", "evt.time.iso8601 contains T03", "date and time of the event in UTC with nanoseconds, as ISO 8601 has it", layoutISO, true),
		text("evt.datetime", "evt.datetime contains ' 03:'", "local date and time of the event with nanoseconds", layoutDate, false),
		text("evt.datetime.s", "evt.datetime.s contains ' 03:'", "local date and time of the event", layoutDateS, false),
		number("evt.rawtime", event.AbsTime, Dec, "time of the event in nanoseconds since the epoch", wall),
		number("evt.rawtime.s", event.AbsTime, Dec, "time of the event in seconds since the epoch", func(c *Ctx) uint64 { return wall(c) / second }),
		number("evt.rawtime.ns", event.AbsTime, Pad9, "nanoseconds of the time of the event within its second", func(c *Ctx) uint64 { return wall(c) % second }),
		relative,
		number("evt.reltime.s", event.RelTime, Dec, "seconds since the first event", func(c *Ctx) uint64 { return since(c) / second }),
		number("evt.reltime.ns", event.RelTime, Pad9, "nanoseconds since the first event, within their second", func(c *Ctx) uint64 { return since(c) % second }),
		number("evt.deltatime", event.RelTime, Dec, "nanoseconds since the event before this one", func(c *Ctx) uint64 { return c.delta }),
		number("evt.deltatime.s", event.RelTime, Dec, "seconds since the event before this one", func(c *Ctx) uint64 { return c.delta / second }),
		number("evt.deltatime.ns", event.RelTime, Pad9, "nanoseconds since the event before this one, within their second", func(c *Ctx) uint64 { return c.delta % second }),
		output,
		gone("evt.latency", event.RelTime, Dec, "nanoseconds that the call took"),
		gone("evt.latency.s", event.RelTime, Dec, "seconds that the call took"),
		gone("evt.latency.ns", event.RelTime, Pad9, "nanoseconds that the call took, within their second"),
		gone("evt.latency.human", event.CharBuf, Dec, "time that the call took, as text"),
		gone("evt.wait_latency", event.RelTime, Dec, "nanoseconds that a call waited"),
	}
}
