// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"falconet/engine/config"
	"falconet/engine/event"
	"falconet/engine/pushdown"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// selectEvents decides what is captured: what the rules ask for, as the configuration changes that. It says which rules lose what, and as
// debug messages, in Falco's words, what is left.
func selectEvents(log zerolog.Logger, set *rules.Set, conf *config.Config) *event.Demand {
	base := conf.Syscall.Base
	demand := set.Demand()
	list := func(names []string, what string) {
		log.Debug().Msgf("(%d) syscalls %s: %s", len(names), what, strings.Join(names, ", "))
	}
	list(pushdown.Captured(demand), "in rules and for the state")
	if unknown := pushdown.Unknown(base); len(unknown) > 0 {
		log.Warn().Msg("base_syscalls.custom_set: there is no system call or event of this name: " + strings.Join(unknown, ", "))
	}
	if refused := pushdown.Restrict(demand, base); len(refused) > 0 {
		log.Warn().Msg("rules ask for system calls that are not captured (unsupported-evttype): " + strings.Join(refused, ", ") +
			"; high-volume ones need option -A, others are left out by base_syscalls.custom_set")
		for _, name := range refused {
			warnOfLoss(log, set, name)
		}
	}
	set.Limit(demand)
	pushdown.Widen(demand, base)
	list(pushdown.Captured(demand), "selected in total (final set)")
	return demand
}

// warnOfLoss names the rules that a system call is lost to. Rules that look at every event are a number only.
func warnOfLoss(log zerolog.Logger, set *rules.Set, name string) {
	named, others := set.Asking(name)
	text := "not captured: " + name
	if len(named) > 0 {
		text += ", which rules name: " + strings.Join(named, ", ")
	}
	if others > 0 {
		text += fmt.Sprintf("; rules that look at all events or all but some: %d", others)
	}
	log.Warn().Msg(text)
}
