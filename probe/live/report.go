// SPDX-License-Identifier: Apache-2.0

package live

import (
	"maps"
	"slices"

	"falconet/engine/event"

	"github.com/rs/zerolog"
)

// Log writes what was lost: of every event type how many, and why; and as debug messages what there was.
func (s *Stats) Log(log zerolog.Logger) {
	total := s.Total()
	if total.Lost() > 0 {
		log.Warn().Uint64("events", total.Sent).Uint64("lost", total.Lost()).Msg("events were lost")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Missed)) {
		log.Warn().Str("program", name).Uint64("times", s.Missed[name]).Msg("a program was left out, as it was at work already")
	}
	for id := range s.Events() {
		c := s.Event(id)
		name := event.RowOf(id).Name
		log.Debug().Str("event", name).Uint64("events", c.Sent).Msg("captured")
		c.log(log, name, true, "events of this type were lost")
		c.log(log, name, false, "events of this type lack pieces")
	}
}

// log writes the reasons that cost whole events, or pieces, if there are any.
func (c *Counters) log(log zerolog.Logger, name string, whole bool, msg string) {
	e, any := log.Warn().Str("event", name), false
	if !whole {
		e = log.Info().Str("event", name)
	}
	for r := range Reasons() {
		if n := c.Of(r); n > 0 && r.WholeEvent() == whole {
			e, any = e.Uint64(r.String(), n), true
		}
	}
	if any {
		e.Msg(msg)
	}
}
