// SPDX-License-Identifier: Apache-2.0

// Package pushdown turns rules into what the probe has to do.
package pushdown

import (
	"slices"
	"strings"

	"falconet/engine/config"
	"falconet/engine/event"
)

// HighVolume are the system calls that are captured only with base_syscalls.all, even when a rule asks for them.
var HighVolume = [...]string{
	"pread64", "preadv", "pwrite64", "pwritev", "read", "readv", "recv", "send", "sendfile", "sendfile64", "write", "writev",
}

// IsHighVolume reports whether name is one of these calls or the event of one.
func IsHighVolume(name string) bool {
	return slices.ContainsFunc(HighVolume[:], func(call string) bool {
		of, _ := event.NameOfCall(call)
		return name == call || name == of
	})
}

// Restrict takes from a rule set's demand what the configuration does not let be captured. It returns the names of the system calls
// that rules ask for and do not get.
func Restrict(d *event.Demand, base config.BaseSyscalls) (refused []string) {
	drop := func(name string) {
		if d.Remove(name) {
			refused = append(refused, name)
		}
	}
	if !base.All {
		for _, name := range HighVolume {
			drop(name)
		}
	}
	for _, name := range base.CustomSet {
		if without, ok := strings.CutPrefix(name, "!"); ok && !kept(without, base) {
			drop(without)
		}
	}
	return refused
}
