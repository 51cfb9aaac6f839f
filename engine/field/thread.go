// SPDX-License-Identifier: Apache-2.0

package field

import (
	"errors"
	"strings"

	"falconet/engine/event"
	"falconet/engine/state"
)

// capNames are the capabilities by bit: include/uapi/linux/capability.h.
var capNames = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
	"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
	"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

var capWords = Domain{Words: capNames[:], Join: " "}

func capabilities(set func(t *event.NowFacts) uint64) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		t, ok := c.latest()
		if !ok {
			return Value{}, false
		}
		bits, mark := set(t), len(c.arena)
		for n, name := range capNames {
			if bits>>n&1 == 0 {
				continue
			}
			if len(c.arena) > mark {
				c.arena = append(c.arena, ' ')
			}
			c.arena = append(c.arena, name...)
		}
		return Str(c.str(mark)), true
	}
}

// cgroups are those of the process: what the image began in, unless the event says that it has moved since.
func (c *Ctx) cgroups(i *state.Image) string {
	began := &i.Task
	if !i.HasTask || began.Cgroup == 0 || c.Rec.Cgroup == 0 || began.Cgroup == c.Rec.Cgroup && began.Cgroup1 == c.Rec.Cgroup1 {
		return i.Cgroups
	}
	if c.done&cachedCgroups == 0 {
		c.done |= cachedCgroups
		p, _ := c.Process()
		c.moved = c.Host.Procs.CgroupsOf(p)
	}
	if c.moved == "" {
		return i.Cgroups
	}
	return c.moved
}

// cgroupOf returns the path of one controller. What is io in v2 has its v1 name blkio in records, and rules use either.
func cgroupOf(list, controller string) (string, bool) {
	if controller == "io" {
		controller = "blkio"
	}
	for rest := list; rest != ""; {
		var entry string
		entry, rest, _ = strings.Cut(rest, "\x00")
		if name, path, ok := strings.Cut(entry, "="); ok && name == controller {
			return path, true
		}
	}
	return "", false
}

func threadFields() []Def {
	u64 := func(n uint64) Value { return num(event.Uint64, n) }
	return []Def{
		{Name: "thread.cap_permitted", Type: event.CharBuf, Example: "thread.cap_permitted contains CAP_SYS_ADMIN", Desc: "permitted capabilities, joined by spaces", Needs: partsOfNow, Domain: capWords, Get: capabilities(func(t *event.NowFacts) uint64 { return t.CapPrm })},
		{Name: "thread.cap_inheritable", Type: event.CharBuf, Example: "thread.cap_inheritable contains CAP_NET_RAW", Desc: "inheritable capabilities, joined by spaces", Needs: partsOfNow, Domain: capWords, Get: capabilities(func(t *event.NowFacts) uint64 { return t.CapInh })},
		{Name: "thread.cap_effective", Type: event.CharBuf, Example: "thread.cap_effective contains CAP_SYS_PTRACE", Desc: "effective capabilities, joined by spaces", Needs: partsOfNow, Domain: capWords, Get: capabilities(func(t *event.NowFacts) uint64 { return t.CapEff })},
		{Name: "thread.tid", Type: event.Int64, Example: "thread.tid > 1", Desc: "thread id, in the initial pid namespace",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Int64, uint64(c.Rec.TID)), true }},
		{Name: "thread.ismain", Type: event.Bool, Example: "thread.ismain = true", Desc: "whether the thread is the main one of its process",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.Rec.TID == c.Rec.PID), true }},
		{Name: "thread.vtid", Type: event.Int64, Example: "thread.vtid = 1", Desc: "thread id in the thread's own pid namespace", Needs: partsOfNow,
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				p, img := c.Process()
				if now, ok := c.now(); ok {
					return num(event.Int64, uint64(now.VTID)), true
				}
				if c.Rec.TID == c.Rec.PID {
					return num(event.Int64, uint64(img.Task.VPID)), img.HasTask
				}
				return num(event.Int64, uint64(c.Rec.TID)), img.HasTask && !p.InPidns()
			}},
		{Name: "thread.pfmajor", Type: event.Uint64, Example: "thread.pfmajor > 0", Desc: "major page faults", Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return u64(t.FaultsMajor) })},
		{Name: "thread.pfminor", Type: event.Uint64, Example: "thread.pfminor > 0", Desc: "minor page faults", Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return u64(t.FaultsMinor) })},
		{Name: "thread.cgroups", Type: event.CharBuf, Example: "thread.cgroups contains kubepods", Desc: "cgroups of the process as controller=path, joined by spaces",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) { s := c.cgroups(i); return Str(c.spaced(s)), s != "" })},
		{Name: "thread.cgroup", Type: event.CharBuf, Arg: ArgRequired, Form: DotOnly, Example: "thread.cgroup.cpu contains kubepods", Desc: "cgroup of the process for the controller after the dot",
			checkArg: func(a Arg) error {
				if strings.Trim(strings.ToLower(a.Key), "abcdefghijklmnopqrstuvwxyz_") != "" {
					return errors.New("a controller's name is letters and underscores")
				}
				return nil
			},
			Get: func(c *Ctx, a Arg) (Value, bool) {
				_, img := c.Process()
				s, ok := cgroupOf(c.cgroups(img), a.Key)
				return Str(s), ok
			}},
		{Name: "thread.vmsize", Type: event.Uint64, Example: "thread.vmsize > 0", Desc: "proc.vmsize for the main thread, 0 for the others", Needs: needsMemory, Get: ofMain(ofMemory(func(m *event.MemoryFacts) uint32 { return m.Size }))},
		{Name: "thread.vmrss", Type: event.Uint64, Example: "thread.vmrss > 0", Desc: "proc.vmrss for the main thread, 0 for the others", Needs: needsMemory, Get: ofMain(ofMemory(func(m *event.MemoryFacts) uint32 { return m.RSS }))},
	}
}

// ofMain is for what counts once for a process.
func ofMain(get func(*Ctx, Arg) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, a Arg) (Value, bool) {
		if c.Rec.TID != c.Rec.PID {
			return num(event.Uint64, 0), true
		}
		return get(c, a)
	}
}
