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
		logLoss(log, c, name, true, "events of this type were lost")
		logLoss(log, c, name, false, "events of this type lack pieces")
	}
}

// logLoss writes the reasons that cost whole events, or pieces, if there are any.
func logLoss(log zerolog.Logger, c event.Counters, name string, whole bool, msg string) {
	e, any := log.Warn().Str("event", name), false
	if !whole {
		e = log.Info().Str("event", name)
	}
	for r := range event.Reasons() {
		if n := c.Of(r); n > 0 && r.WholeEvent() == whole {
			e, any = e.Uint64(r.String(), n), true
		}
	}
	if any {
		e.Msg(msg)
	}
}

// LogBuffers says how events travel, and when the configuration asks for more than this machine has.
func (p *Probe) LogBuffers(log zerolog.Logger, conf config.Probe) {
	if n, err := OnlineCPUs(); err == nil && conf.CPUsForEachBuffer > n {
		log.Warn().Int("asked", conf.CPUsForEachBuffer).Int("cpus", n).Msg("engine.modern_ebpf.cpus_for_each_buffer is more than the CPUs that are online: all share one buffer")
	}
	log.Info().Int("buffers", p.rings).Int("bytes", conf.BufferBytes()).Msg("buffers for events")
}

// LogRefused says what this kernel refused, and what it cannot tell, as far as that has not been said before.
func (p *Probe) LogRefused(log zerolog.Logger) {
	for _, lost := range p.refused[p.toldRefused:] {
		log.Warn().Err(lost).Msg("this kernel refused a part of the probe")
	}
	for _, limit := range p.limits[p.toldLimits:] {
		log.Warn().Msg(limit)
	}
	p.toldRefused, p.toldLimits = len(p.refused), len(p.limits)
}

// Report says what of the demand could not be had, and what it takes to have the rest.
func (p *Probe) Report(log zerolog.Logger, rules func(events ...string) []string) {
	p.LogRefused(log)
	p.logHeld(log, rules)
}

// logHeld says what it takes to know what calls close, remove and change, and which rules have to do with less. rules returns those that ask
// for it of the given events.
func (p *Probe) logHeld(log zerolog.Logger, rules func(events ...string) []string) {
	var entry, names []string
	for _, row := range p.plan.held {
		if p.origins[row.Name] == FromEntry {
			entry = append(entry, row.Name)
		}
	}
	if len(entry) > 0 {
		slices.Sort(entry)
		log.Info().Strs("events", entry).Strs("rules", rules(entry...)).
			Msg("falconet costs every system call of the machine more than twice as much: these rules ask what these calls close, and this kernel shows it at sys_enter only")
	}
	var why error
	for _, l := range p.Lost() {
		if slices.ContainsFunc(p.plan.held, func(row *event.Row) bool { return row.Name == l.Event }) {
			names = append(names, l.Event)
			if why == nil {
				why = l.Why
			}
		}
	}
	if len(names) > 0 {
		log.Warn().Strs("events", names).Strs("rules", rules(names...)).Err(why).
			Msg("these rules take the paths of these events for what was passed to the call: this kernel does not show what it found for them")
	}
}

// LogLoss says at the end what did not arrive.
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
