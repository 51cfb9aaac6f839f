// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"falconet/engine/rules"
	"falconet/probe/live"

	"github.com/rs/zerolog"
)

// sayHeld says what it takes to know what calls close, remove and change, and which rules have to do with less.
func sayHeld(log zerolog.Logger, p *live.Probe, set *rules.Set) {
	var entry []string
	for name, from := range p.Origins() {
		if from == live.FromEntry {
			entry = append(entry, name)
		}
	}
	if len(entry) > 0 {
		slices.Sort(entry)
		log.Info().Strs("events", entry).Strs("rules", askers(set, entry)).
			Msg("falconet costs every system call of the machine more than twice as much: these rules ask what these calls close, and this kernel shows it at sys_enter only")
	}
	lost := p.Lost()
	if len(lost) == 0 {
		return
	}
	names := make([]string, len(lost))
	for i, l := range lost {
		names[i] = l.Event
	}
	log.Warn().Strs("events", names).Strs("rules", askers(set, names)).Err(lost[0].Why).
		Msg("these rules take the paths of these events for what was passed to the call: this kernel does not show what it found for them")
}

// askers are the rules that read what the events lose.
func askers(set *rules.Set, events []string) (names []string) {
	for _, e := range events {
		names = append(names, set.HeldBy(e)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
