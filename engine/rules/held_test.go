// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"testing"

	assets "falconet/embed"
	"falconet/engine/alert"
)

// A hook that every call of the machine runs through is asked for by rules that name an event and what it loses, and by no rule inside.
func TestDemandOfEntry(t *testing.T) {
	for condition, want := range map[string][]string{
		"evt.type = close":                                   nil,
		"evt.type = close and fd.num = 3":                    nil,
		"evt.type = close and fd.name = /x":                  {"close"},
		"evt.type in (close, dup2) and fd.type = ipv4":       {"close"},
		"evt.type in (dup2, dup3) and fd.replaced = /x":      {"dup2", "dup3"},
		"fd.name = /x":                                       nil,
		"evt.type != open and fd.name = /x":                  nil,
		"evt.type in (openat, unlink) and fs.path.name = /x": nil,
	} {
		if got := mustLoad(t, Options{}, strings.ReplaceAll(ruleText("A", condition), "%fd.name", "%fd.num")).Demand().WantsEntry(); !slices.Equal(got, want) {
			t.Errorf("%s asks for the beginning of %q, want %q", condition, got, want)
		}
	}
	if got := mustLoad(t, Options{}, ruleText("A", "evt.type = close")).Demand().WantsEntry(); !slices.Equal(got, []string{"close"}) {
		t.Errorf("an output with fd.name asks for the beginning of %q", got)
	}
	if got := mustLoad(t, Options{}, ruleText("A", "evt.type in (openat, unlink) and fs.path.name = /x")).Demand().WantsInside(); !slices.Equal(got, []string{"unlink"}) {
		t.Errorf("the objects of %q are asked for", got)
	}
	var files []File
	for _, a := range assets.Rules() {
		files = append(files, File{Name: a.Name, Data: a.Data})
	}
	set, results := Load(Options{MinPriority: alert.Debug}, files...)
	for _, r := range results {
		if !r.OK() {
			t.Fatal(r.Text(true))
		}
	}
	if got := set.Demand().WantsEntry(); set.Enabled() == 0 || len(got) > 0 {
		t.Errorf("of %d rules inside some ask for the beginning of %q", set.Enabled(), got)
	}
}
