// SPDX-License-Identifier: Apache-2.0

package live

import (
	"maps"
	"slices"

	"falconet/engine/config"
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

// LogLoss says what did not arrive.
func (p *Probe) LogLoss(log zerolog.Logger) {
	if n := p.Malformed(); n > 0 {
		log.Warn().Uint64("records", n).Msg("records could not be decoded")
	}
	stats, err := p.Stats()
	if err != nil {
		log.Warn().Err(err).Msg("what was lost is not known")
		return
	}
	stats.Log(log)
}

// LogBuffers says how events travel, and when the configuration asks for more than this machine has.
func (p *Probe) LogBuffers(log zerolog.Logger, conf config.Probe) {
	if n, err := OnlineCPUs(); err == nil && conf.CPUsForEachBuffer > n {
		log.Warn().Int("asked", conf.CPUsForEachBuffer).Int("cpus", n).Msg("engine.modern_ebpf.cpus_for_each_buffer is more than the CPUs that are online: all share one buffer")
	}
	log.Info().Int("buffers", p.Rings()).Int("bytes", conf.BufferBytes()).Msg("buffers for events")
}

// Held returns, sorted, the events that are captured at the entry of their calls for what is gone at the end, and those of which the
// argument is all there is although more was asked, with the reason.
func (p *Probe) Held() (atEntry, lost []string, why error) {
	for name, from := range p.Origins() {
		if from == FromEntry {
			atEntry = append(atEntry, name)
		}
	}
	slices.Sort(atEntry)
	for _, l := range p.Lost() {
		lost, why = append(lost, l.Event), l.Why
	}
	return atEntry, lost, why
}

// LogRefused says what the kernel refused.
func LogRefused(log zerolog.Logger, errs []error) {
	for _, lost := range errs {
		log.Warn().Err(lost).Msg("this kernel refused a part of the probe")
	}
}
