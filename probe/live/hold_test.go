// SPDX-License-Identifier: Apache-2.0

package live

import (
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// withoutHeld turns the expectations of a call to those of a kernel that does not let its object be captured.
func (p *Probe) withoutHeld(row *event.Row, c *trigger.Call) {
	if row.Held == nil || p.origins[row.Name] != FromArgument {
		return
	}
	for _, part := range row.Held {
		c.NoPart(part.Kind.String())
		switch part.Kind {
		case event.PartFile:
			c.File = nil
		case event.PartSock:
			c.Sock = nil
		}
	}
}

// TestOrigins: what a descriptor stood for is always captured; what the kernel finds for a path, wherever it lets programs be attached to
// its functions.
func TestOrigins(t *testing.T) {
	privileged(t)
	p := probe(t)
	for _, row := range event.Rows()[1:] {
		if row.Held == nil {
			continue
		}
		origin := p.origins[row.Name]
		t.Logf("%s: %s", row.Name, origin)
		if row.AtEntry() && origin == FromArgument || origin == "" {
			t.Errorf("%s has its object from %q", row.Name, origin)
		}
	}
	for _, l := range p.Lost() {
		t.Logf("%s: %v", l.Event, l.Why)
	}
}
