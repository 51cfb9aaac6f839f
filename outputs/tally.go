// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"falconet/engine/alert"
)

// Tally counts matches by rule and by priority, for metrics and for the statistics at the end of a run. The zero value is ready; its
// methods may be called from any goroutine.
type Tally struct {
	mu         sync.Mutex
	total      uint64
	byPriority [8]uint64
	byRule     map[string]*RuleCount
	order      []*RuleCount // in the order in which they matched first
}

// RuleCount says how often a rule matched.
type RuleCount struct {
	Rule     string
	Source   string
	Priority alert.Priority
	Tags     []string
	Matches  uint64
}

// Add counts one match.
func (t *Tally) Add(a *alert.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byRule == nil {
		t.byRule = map[string]*RuleCount{}
	}
	c := t.byRule[a.Rule]
	if c == nil {
		c = &RuleCount{Rule: a.Rule, Source: a.Source, Priority: a.Priority, Tags: a.Tags}
		t.byRule[a.Rule] = c
		t.order = append(t.order, c)
	}
	t.total++
	c.Matches++
	if int(a.Priority) < len(t.byPriority) {
		t.byPriority[a.Priority]++
	}
}

// Counted counts alerts on their way to a queue.
type Counted struct {
	*Queue
	Tally *Tally
}

// Send counts the alert and hands it to the queue.
func (c Counted) Send(a *alert.Alert) {
	c.Tally.Add(a)
	c.Queue.Send(a)
}

// Total returns the number of matches.
func (t *Tally) Total() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// Counts returns the rules that matched, in the order in which they did so first.
func (t *Tally) Counts() []RuleCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]RuleCount, len(t.order))
	for i, c := range t.order {
		out[i] = *c
	}
	return out
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
	for _, c := range t.order {
		fmt.Fprintf(&b, "   %s: %d\n", appendText(nil, c.Rule), c.Matches)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
