// SPDX-License-Identifier: Apache-2.0

package event

import "testing"

// TestExtras: every system call can carry what changes of its process, and no row is longer than the probe allows.
func TestExtras(t *testing.T) {
	for i := range Rows()[1:] {
		row := &Rows()[i+1]
		if len(row.Parts) > maxCaptured {
			t.Errorf("%s has %d pieces", row.Name, len(row.Parts))
		}
		tells := row.Captures(PartNow) || row.Captures(PartTask)
		if isCall := row.Flags&(Internal|Tracepoint) == 0; isCall && !tells {
			t.Errorf("%s can carry nothing of its process", row.Name)
		} else if !isCall && row.Captures(PartNow) {
			t.Errorf("%s, which is no call, carries what calls do", row.Name)
		}
	}
	if row := RowOf(Generic); !row.Captures(PartNow) || !row.Captures(PartHere) || !row.Captures(PartMemory) {
		t.Error("calls without a row of their own carry nothing of their process")
	}
}
