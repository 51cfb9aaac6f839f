// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Now is what /proc says of a thread right after a call: of its session, groups, terminal, capabilities, limit and faults.
type Now struct {
	CapInh, CapPrm, CapEff, FDLimit   uint64
	PGID, VPGID, SID, VPID, VTID, TTY uint32
	FaultsMinor, FaultsMajor          uint64 // no more than these
}

// ofNow is nil where there is no /proc to ask.
func ofNow(pid, tid int) *Now {
	stat, err := Stat(tid)
	if err != nil {
		return nil
	}
	status, err := Status(tid)
	if err != nil {
		return nil
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		return nil
	}
	last := func(line string) uint32 {
		w := strings.Fields(status[line])
		return uint32(number(w[len(w)-1]))
	}
	mask := func(line string) uint64 { return one(strconv.ParseUint(status[line], 16, 64)) }
	n := &Now{
		CapInh: mask("CapInh"), CapPrm: mask("CapPrm"), CapEff: mask("CapEff"),
		PGID: uint32(number(strings.Fields(status["NSpgid"])[0])), VPGID: last("NSpgid"), SID: last("NSsid"), VPID: last("NStgid"), VTID: last("NSpid"),
		TTY: uint32(number(stat[7])), FaultsMinor: uint64(number(stat[10])), FaultsMajor: uint64(number(stat[12])),
	}
	for line := range strings.Lines(string(limits)) {
		if limit, ok := strings.CutPrefix(line, "Max open files"); ok {
			soft := strings.Fields(limit)[0]
			if n.FDLimit = ^uint64(0); soft != "unlimited" {
				n.FDLimit = uint64(number(soft))
			}
		}
	}
	return n
}
