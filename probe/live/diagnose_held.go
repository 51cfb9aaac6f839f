// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"strings"

	"falconet/engine/event"
)

// heldFindings say where the objects of calls come from that are gone at their end, or out of reach.
func (p *Probe) heldFindings() []Finding {
	const alone = "by hooks in these calls alone, which no other call runs through"
	by := make(map[Origin][]string)
	closing := Finding{Name: "what calls close", OK: true}
	var closers []string
	for _, row := range event.Rows()[1:] {
		switch origin := p.origins[row.Name]; {
		case origin == "":
		case row.AtEntry():
			closers = append(closers, row.Name)
			switch origin {
			case FromFunction:
				closing.Detail = alone
			case FromEntry:
				closing.Detail = "at sys_enter: while a rule asks for it, falconet costs every system call of the machine more than twice as much"
			default:
				closing.OK, closing.Detail = false, "not seen"
			}
		default:
			by[origin] = append(by[origin], row.Name)
		}
	}
	closing.Detail = strings.Join(closers, ", ") + ": " + closing.Detail
	out := []Finding{closing}
	if names := by[FromFunction]; len(names) > 0 {
		out = append(out, Finding{Name: "paths of calls", OK: true, Detail: strings.Join(names, ", ") + ": " + alone})
	}
	if names := by[FromArgument]; len(names) > 0 {
		out = append(out, Finding{
			Name: "paths of calls", Minor: true, Detail: fmt.Sprintf("%s: what was passed to the call (%v)", strings.Join(names, ", "), p.Lost()[0].Why),
			Advice: "fs.path.origin tells; for files that matter rely on their opening, where the path is the kernel's own",
		})
	}
	return out
}
