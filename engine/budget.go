// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"os"
	"runtime/debug"
)

// Budget is how many bytes the program may keep. What it keeps is sized by it; what does not fit leaves, and is counted.
type Budget int64

// perProcess is what a process takes in the table, about: most have a few kilobytes of environment, which their children share.
const perProcess = 4 << 10

// Processes is how many processes the table may hold, no more than limit.
func (b Budget) Processes(limit int) int {
	n := max(int(b/2/perProcess), 1024)
	if limit > 0 {
		n = min(n, limit)
	}
	return n
}

// Containers is how many containers are known, and in how many bytes.
func (b Budget) Containers() (containers, bytes int) {
	return int(min(max(b>>16, 1024), 1<<16)), int(min(b/16, 256<<20))
}

// Held is how many bytes of events may wait for what is to be known of their containers.
func (b Budget) Held() int { return int(min(b/32, 64<<20)) }

// Guests is how many bytes of containers' users and groups are kept.
func (b Budget) Guests() int { return int(min(b/16, 64<<20)) }

// LimitMemory returns a budget of so many megabytes and binds the garbage collector to it, unless the environment has done so.
func LimitMemory(mb int) Budget {
	b := Budget(mb) << 20
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(b))
	}
	return b
}
