// SPDX-License-Identifier: Apache-2.0

package state

import (
	"strconv"
	"strings"
)

// CgroupsOf asks /proc which cgroups the process is in now, "" when it is no longer there. The form is that of Image.Cgroups.
func (t *Table) CgroupsOf(p *Process) string {
	if t.fs.other || !t.same(p) {
		return ""
	}
	b, ok := t.fs.read(p.PID, "cgroup")
	if !ok {
		return ""
	}
	return Cgroups(string(b))
}

// Usage is how much of the processors a thread has used since it began.
type Usage struct {
	Start         uint64 // of the thread, in nanoseconds since boot, rounded down to a tick
	User, System  uint64 // nanoseconds, in ticks
	OnCPU         uint64 // nanoseconds on a processor
	HasPreciseCPU bool   // the kernel counts OnCPU
}

// UsageOf asks /proc what a thread of the process has used; ok is false when it is no longer there.
func (t *Table) UsageOf(p *Process, tid uint32) (u Usage, ok bool) {
	if t.fs.other || !t.same(p) {
		return u, false
	}
	task := "task/" + strconv.FormatUint(uint64(tid), 10) + "/"
	b, ok := t.fs.read(p.PID, task+"stat")
	if !ok {
		return u, false
	}
	s := string(b)
	w := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(w) < 20 {
		return u, false
	}
	num := func(s string) uint64 { // what is no number is 0
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	u.User, u.System, u.Start = num(w[11])*tick, num(w[12])*tick, num(w[19])*tick
	if b, ok := t.fs.read(p.PID, task+"schedstat"); ok {
		first, _, _ := strings.Cut(string(b), " ")
		u.OnCPU, u.HasPreciseCPU = num(first), true
	}
	return u, true
}
