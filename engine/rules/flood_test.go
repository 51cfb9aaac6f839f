// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	"falconet/engine/event"
)

// Of events that come in floods only a rule that names them asks.
func TestDemandOfFloods(t *testing.T) {
	fault, signal := event.ByName("page_fault")[0], event.ByName("signaldeliver")[0]
	for condition, want := range map[string][2]bool{
		"proc.name = x":                                 {false, true},
		"evt.type != open":                              {false, true},
		"not evt.type = page_fault":                     {false, true},
		"evt.type = page_fault":                         {true, false},
		"evt.type in (page_fault, signaldeliver)":       {true, true},
		"evt.type = page_fault or proc.name = x":        {false, true},
		"evt.type = page_fault and not evt.type = open": {true, false},
	} {
		d := mustLoad(t, Options{}, ruleText("A", condition)).Demand()
		_, faults := d.Wants(fault)
		_, signals := d.Wants(signal)
		if got := [2]bool{faults, signals}; got != want {
			t.Errorf("%s asks for page faults and signals: %v, want %v", condition, got, want)
		}
	}
}
