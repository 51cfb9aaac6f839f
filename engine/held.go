// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// LogHeld says what it takes to know what calls close, remove and change, and which rules have to do with less. atEntry are the events that
// are captured at the entry of their calls for it, lost those of which the argument is all there is, and why says for what reason.
func LogHeld(log zerolog.Logger, set *rules.Set, atEntry, lost []string, why error) {
	if len(atEntry) > 0 {
		log.Info().Strs("events", atEntry).Strs("rules", set.HeldBy(atEntry...)).
			Msg("falconet costs every system call of the machine more than twice as much: these rules ask what these calls close, and this kernel shows it at sys_enter only")
	}
	if len(lost) > 0 {
		log.Warn().Strs("events", lost).Strs("rules", set.HeldBy(lost...)).Err(why).
			Msg("these rules take the paths of these events for what was passed to the call: this kernel does not show what it found for them")
	}
}
