// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"strings"

	"falconet/engine/event"
)

// FirstController is what Options.Controller should be on this machine: the first of event.Controllers that has a v1 hierarchy, -1 when all
// are in the v2 one.
func FirstController() int {
	b, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return -1
	}
	for i, name := range event.Controllers {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 4 && f[0] == name && f[1] != "0" {
				return i
			}
		}
	}
	return -1
}
