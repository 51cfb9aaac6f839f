// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"falconet/engine/alert"
)

// Tally counts matches by rule and by priority, for the statistics at the end of a run. The zero value is ready; its methods may
// be called from any goroutine.
type Tally struct {
	mu         sync.Mutex
	total      uint64
	byPriority [8]uint64
	byRule     map[string]uint64
	order      []string // rules in the order in which they matched first
}

// Add counts one match.
func (t *Tally) Add(rule string, p alert.Priority) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byRule == nil {
		t.byRule = map[string]uint64{}
	}
	if t.byRule[rule] == 0 {
		t.order = append(t.order, rule)
	}
	t.total++
	t.byRule[rule]++
	if int(p) < len(t.byPriority) {
		t.byPriority[p]++
	}
}

// Total returns the number of matches.
func (t *Tally) Total() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// WriteTo writes the statistics in Falco's shape: the total, the priorities that occurred, most urgent first, and the rules that
// matched, in the order in which they did so first.
func (t *Tally) WriteTo(w io.Writer) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "Events detected: %d\nRule counts by severity:\n", t.total)
	for p, n := range t.byPriority {
		if n > 0 {
			name := strings.ToUpper(alert.Priority(p).String())
			if alert.Priority(p) == alert.Informational {
				name = "INFO"
			}
			fmt.Fprintf(&b, "   %s: %d\n", name, n)
		}
	}
	b.WriteString("Triggered rules by rule name:\n")
	for _, rule := range t.order {
		fmt.Fprintf(&b, "   %s: %d\n", appendText(nil, rule), t.byRule[rule])
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
