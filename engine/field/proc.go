// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strings"

	"falconet/engine/event"
	"falconet/engine/state"
)

// The flags of event.TaskFacts.ExeFlags, as the schema's execve_flags has them.
const (
	exeWritable = 1 << iota
	exeUpperLayer
	exeFromMemfd
	exeLowerLayer
)

// ofSelf reads a field from the image of the event's process.
func ofSelf(read func(c *Ctx, i *state.Image) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		p, img := c.Process()
		if !p.Known() {
			return Value{}, false
		}
		return read(c, img)
	}
}

// ofTask reads a field from the task's facts, when they were captured.
func ofTask(read func(t *event.TaskFacts) Value) func(*Ctx, Arg) (Value, bool) {
	return ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) {
		if !i.HasTask {
			return Value{}, false
		}
		return read(&i.Task), true
	})
}

// ofExe is ofTask for what only the kernel tells of the program's file.
func ofExe(read func(t *event.TaskFacts) Value) func(*Ctx, Arg) (Value, bool) {
	return ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) {
		if !i.HasTask || i.FromProc {
			return Value{}, false
		}
		return read(&i.Task), true
	})
}

func exeFlag(bit uint32) func(*Ctx, Arg) (Value, bool) {
	return ofExe(func(t *event.TaskFacts) Value { return boolean(t.ExeFlags&bit != 0) })
}

// exeLine is argv[0] and the arguments. A space follows argv[0] even when it is alone, as in Falco.
func (c *Ctx) exeLine(i *state.Image) string {
	mark := len(c.arena)
	c.arena = append(append(append(c.arena, i.Exe...), ' '), i.Args()...)
	return c.str(mark)
}

// spaced writes NUL separated text with spaces.
func (c *Ctx) spaced(s string) string {
	mark := len(c.arena)
	c.arena = append(c.arena, strings.TrimRight(s, "\x00")...)
	for i := mark; i < len(c.arena); i++ {
		if c.arena[i] == 0 {
			c.arena[i] = ' '
		}
	}
	return c.str(mark)
}

// env is the whole environment, or the variable that the argument names: "" when it is not set.
func (c *Ctx) env(i *state.Image, a Arg) string {
	if !a.Present || a.IsIndex {
		return c.spaced(i.Env)
	}
	v, _ := i.Getenv(a.Key)
	return strings.Trim(v, " ")
}

// cwd is the working directory. Some records carry it, and calls with a path relative to it; else it is the last that was seen.
func (c *Ctx) cwd(i *state.Image) Value {
	for _, k := range [...]event.PartKind{event.PartHere, event.PartCwd} {
		if dir, ok := c.Rec.Part(k); ok && len(dir) > 0 {
			return pathValue(c.withSlash(dir), c.Rec.Truncated(k))
		}
	}
	r := c.row()
	if r.path >= 0 && c.fromCwd(&c.Rec.Row().Params[r.path]) {
		if dir, ok := c.Rec.Part(event.PartDir); ok && len(dir) > 0 && dir[0] == '/' {
			return pathValue(c.withSlash(dir), c.Rec.Truncated(event.PartDir))
		}
	}
	return pathValue(i.Cwd, i.CwdGap)
}

func (c *Ctx) withSlash(dir []byte) string {
	mark := len(c.arena)
	c.arena = append(c.arena, dir...)
	if dir[len(dir)-1] != '/' {
		c.arena = append(c.arena, '/')
	}
	return c.str(mark)
}

// started is the Unix time at which the process was made.
func (c *Ctx) started(p *state.Process) uint64 { return uint64(c.wall(p.Start)) }

func age(c *Ctx, p *state.Process) (Value, bool) {
	if p == nil || p.Start == 0 || c.Rec.TS < p.Start {
		return Value{}, false
	}
	return num(event.RelTime, c.Rec.TS-p.Start), true
}

func stdio(fd int) func(*Ctx, Arg) (Value, bool) {
	return ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) {
		k := event.FileKind(i.Task.Stdio[fd])
		if !i.HasTask || i.FromProc || k == event.KindUnknown {
			return Value{}, false
		}
		return Str(kindOf(k, nil).name), true
	})
}

// processText is a field that a process, its parent and its ancestors have alike.
type processText struct {
	self, parent, ancestor string // names of the fields
	value                  string // of the examples
	desc                   string
	read                   func(c *Ctx, i *state.Image) string
	domain                 func(prefix string) Domain // prefix is proc. with what the names of the parent or an ancestor put behind it
	flags                  Flags
}

var textOf = []processText{
	{"proc.exe", "proc.pexe", "proc.aexe", "/bin/sh", "first word of the command line (argv[0]) of %", func(_ *Ctx, i *state.Image) string { return i.Exe }, chosenText, SelfChosen},
	{"proc.exepath", "proc.pexepath", "proc.aexepath", "/usr/bin/bash", "path of the program of %, as the kernel has it", func(_ *Ctx, i *state.Image) string { return i.ExePath }, func(string) Domain { return exePath }, Gaps},
	{"proc.name", "proc.pname", "proc.aname", "bash", "name (comm, up to 15 characters) of %", func(_ *Ctx, i *state.Image) string { return i.Comm }, func(prefix string) Domain { return commDomain(prefix + "exepath") }, SelfChosen},
	{"proc.cmdline", "proc.pcmdline", "proc.acmdline", "'sh -c id'", "name and arguments of %, joined by spaces", func(_ *Ctx, i *state.Image) string { return i.CmdLine }, chosenText, SelfChosen},
}

// gap reports whether a part of the text is not known: of the fields that have gaps it is the program's path.
func (f *processText) gap(i *state.Image) bool { return f.flags&Gaps != 0 && i.ExeGap }

func chosenText(prefix string) Domain { return Domain{Instead: prefix + "exepath"} }

func procFields() []Def {
	i64 := func(n uint32) Value { return num(event.Int64, uint64(n)) }
	u64 := func(n uint64) Value { return num(event.Uint64, n) }
	var defs []Def
	for _, f := range textOf {
		defs = append(defs, Def{Name: f.self, Type: event.CharBuf, Flags: f.flags, Example: f.self + " = " + f.value, Desc: strings.Replace(f.desc, "%", "the process", 1), Domain: f.domain("proc."),
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) { return pathValue(f.read(c, i), f.gap(i)), true })})
	}
	exe := func(name, example, desc string, bit uint32) Def {
		return Def{Name: name, Type: event.Bool, Example: example, Desc: desc, Get: exeFlag(bit)}
	}
	return append(defs,
		Def{Name: "proc.args", Type: event.CharBuf, Flags: SelfChosen, Domain: chosenText("proc."), Arg: ArgOptional, Form: ByIndex, Example: "proc.args contains '-c'", Desc: "arguments without argv[0], joined by spaces; [N] is one of them, from 0",
			Get: func(c *Ctx, a Arg) (Value, bool) {
				p, img := c.Process()
				if !a.Present {
					return Str(img.Args()), p.Known()
				}
				s, ok := img.Arg(a.Index)
				return Str(s), ok
			}},
		Def{Name: "proc.cmdnargs", Type: event.Uint64, Example: "proc.cmdnargs > 1", Desc: "number of arguments without argv[0]",
			Get: ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) { return u64(uint64(i.NArgs)), true })},
		Def{Name: "proc.cmdlenargs", Type: event.Uint64, Example: "proc.cmdlenargs > 100", Desc: "length of all arguments without argv[0] and without what separates them",
			Get: ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) { return u64(uint64(i.LenArgs)), true })},
		Def{Name: "proc.exeline", Type: event.CharBuf, Flags: SelfChosen, Domain: chosenText("proc."), Example: "proc.exeline startswith /bin/sh", Desc: "argv[0] and the arguments, joined by spaces",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) { return Str(c.exeLine(i)), true })},
		Def{Name: "proc.env", Type: event.CharBuf, Flags: SelfChosen, Domain: chosenText("proc."), Arg: ArgOptional, Form: ByKey | ByIndex, Example: "proc.env[LD_PRELOAD] != ''", Desc: "environment, joined by spaces; [NAME] is one variable, empty when it is not set",
			Get: func(c *Ctx, a Arg) (Value, bool) {
				p, img := c.Process()
				if !p.Known() {
					return Value{}, false
				}
				return Str(c.env(img, a)), true
			}},
		Def{Name: "proc.cwd", Type: event.CharBuf, Example: "proc.cwd = /root/", Desc: "working directory, with a slash at its end", Needs: Needs{Parts: event.PartsOf(event.PartHere, event.PartDir, event.PartCwd)}, Domain: Domain{Begins: []string{"/"}, Shape: Slashed},
			Flags: Gaps, Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) { v := c.cwd(i); return v, v.S != "" })},
		Def{Name: "proc.tty", Type: event.Uint32, Example: "proc.tty != 0", Desc: "device number of the controlling terminal, 0 without one",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return num(event.Uint32, uint64(t.TTY)) })},
		Def{Name: "proc.pid", Type: event.Int64, Example: "proc.pid = 1", Desc: "process id, in the initial pid namespace",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return i64(c.Rec.PID), true }},
		Def{Name: "proc.ppid", Type: event.Int64, Example: "proc.ppid = 1", Desc: "process id of the parent",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return i64(c.Rec.PPID), c.Rec.PPID != 0 }},
		Def{Name: "proc.vpid", Type: event.Int64, Example: "proc.vpid = 1", Desc: "process id in the process's own pid namespace",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return i64(t.VPID) })},
		Def{Name: "proc.sid", Type: event.Int64, Example: "proc.sid = 1", Desc: "session id, in the process's own pid namespace",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return i64(t.SID) })},
		Def{Name: "proc.pgid", Type: event.Int64, Example: "proc.pgid = 1", Desc: "process group id, in the initial pid namespace",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return i64(t.PGID) })},
		Def{Name: "proc.vpgid", Type: event.Int64, Example: "proc.vpgid = 1", Desc: "process group id in the process's own pid namespace",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return i64(t.VPGID) })},
		Def{Name: "proc.is_sid_leader", Type: event.Bool, Example: "proc.is_sid_leader = true", Desc: "whether the process leads its session",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return boolean(t.SID == t.VPID) })},
		Def{Name: "proc.is_vpgid_leader", Type: event.Bool, Example: "proc.is_vpgid_leader = true", Desc: "whether the process leads its process group, by the ids of its own pid namespace",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return boolean(t.VPGID == t.VPID) })},
		Def{Name: "proc.is_pgid_leader", Type: event.Bool, Example: "proc.is_pgid_leader = true", Desc: "whether the process leads its process group, by the ids of the initial pid namespace",
			Needs: partsOfNow, Get: func(c *Ctx, _ Arg) (Value, bool) {
				t, ok := c.latest()
				return boolean(ok && t.PGID == c.Rec.PID), ok
			}},
		Def{Name: "proc.duration", Type: event.RelTime, Example: "proc.duration < 1000000000", Desc: "nanoseconds since the process was made",
			Get: func(c *Ctx, _ Arg) (Value, bool) { p, _ := c.Process(); return age(c, p) }},
		Def{Name: "proc.pid.ts", Type: event.RelTime, Example: "proc.pid.ts > 0", Desc: "when the process was made, in nanoseconds since the epoch",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				p, _ := c.Process()
				return num(event.RelTime, c.started(p)), p.Start != 0
			}},
		exe("proc.is_exe_writable", "proc.is_exe_writable = true", "whether the process's user may write to the file of its program", exeWritable),
		exe("proc.is_exe_upper_layer", "proc.is_exe_upper_layer = true", "whether the program's file lives in the upper layer of an overlay filesystem: it is not from the container's image", exeUpperLayer),
		exe("proc.is_exe_lower_layer", "proc.is_exe_lower_layer = true", "whether the program's file lives in a lower layer of an overlay filesystem", exeLowerLayer),
		exe("proc.is_exe_from_memfd", "proc.is_exe_from_memfd = true", "whether the program is an anonymous file in memory (memfd_create)", exeFromMemfd),
		Def{Name: "proc.exe_ino", Type: event.Int64, Example: "proc.exe_ino > 0", Desc: "inode number of the program's file",
			Get: ofSelf(func(_ *Ctx, i *state.Image) (Value, bool) { return num(event.Int64, i.Task.ExeIno), i.Task.ExeIno != 0 })},
		Def{Name: "proc.exe_ino.ctime", Type: event.AbsTime, Example: "proc.exe_ino.ctime > 0", Desc: "last status change of the program's file, in nanoseconds since the epoch",
			Get: ofTask(func(t *event.TaskFacts) Value { return num(event.AbsTime, t.ExeCtime) })},
		Def{Name: "proc.exe_ino.mtime", Type: event.AbsTime, Example: "proc.exe_ino.mtime > 0", Desc: "last modification of the program's file, in nanoseconds since the epoch",
			Get: ofTask(func(t *event.TaskFacts) Value { return num(event.AbsTime, t.ExeMtime) })},
		Def{Name: "proc.exe_ino.ctime_duration_proc_start", Type: event.AbsTime, Example: "proc.exe_ino.ctime_duration_proc_start < 10000000000", Desc: "nanoseconds from the last status change of the program's file to the start of the process",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) {
				p, _ := c.Process()
				return num(event.AbsTime, c.started(p)-i.Task.ExeCtime), i.HasTask && p.Start != 0
			})},
		Def{Name: "proc.exe_ino.ctime_duration_pidns_start", Type: event.AbsTime, Example: "proc.exe_ino.ctime_duration_pidns_start > 0", Desc: "nanoseconds from the start of the pid namespace to a later status change of the program's file",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) {
				start := c.namespaced(i.Task.PidnsStart)
				return num(event.AbsTime, i.Task.ExeCtime-start), i.HasTask && !i.FromProc && i.Task.ExeCtime > start
			})},
		Def{Name: "proc.pidns_init_start_ts", Type: event.Uint64, Example: "proc.pidns_init_start_ts > 0", Desc: "when the first process of the pid namespace was made, in nanoseconds since the epoch",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) {
				return u64(c.namespaced(i.Task.PidnsStart)), i.HasTask && !i.FromProc
			})},
		Def{Name: "proc.fdlimit", Type: event.Int64, Example: "proc.fdlimit < 1024", Desc: "how many descriptors the process may have open",
			Needs: partsOfNow, Get: ofNow(func(t *event.NowFacts) Value { return num(event.Int64, t.FDLimit) })},
		Def{Name: "proc.vmsize", Type: event.Uint64, Example: "proc.vmsize > 1000", Desc: "virtual memory, in KiB", Needs: needsMemory,
			Get: ofMemory(func(m *event.MemoryFacts) uint32 { return m.Size })},
		Def{Name: "proc.vmrss", Type: event.Uint64, Example: "proc.vmrss > 1000", Desc: "resident memory, in KiB", Needs: needsMemory,
			Get: ofMemory(func(m *event.MemoryFacts) uint32 { return m.RSS })},
		Def{Name: "proc.vmswap", Type: event.Uint64, Example: "proc.vmswap > 0", Desc: "swapped memory, in KiB", Needs: needsMemory,
			Get: ofMemory(func(m *event.MemoryFacts) uint32 { return m.Swap })},
		Def{Name: "proc.nthreads", Type: event.Uint64, Example: "proc.nthreads > 1", Desc: "number of threads now, the main one included",
			Get: func(c *Ctx, _ Arg) (Value, bool) { n, ok := c.threads(); return u64(uint64(n)), ok }},
		Def{Name: "proc.nchilds", Type: event.Uint64, Example: "proc.nchilds > 0", Desc: "number of threads now, without the main one",
			Get: func(c *Ctx, _ Arg) (Value, bool) { n, ok := c.threads(); return u64(uint64(max(n-1, 0))), ok }},
		Def{Name: "proc.stdin.type", Type: event.CharBuf, Example: "proc.stdin.type in (ipv4, ipv6)", Desc: "fd.type of descriptor 0 when the program was started", Domain: kindWords(), Get: stdio(0)},
		Def{Name: "proc.stdout.type", Type: event.CharBuf, Example: "proc.stdout.type = pipe", Desc: "fd.type of descriptor 1 when the program was started", Domain: kindWords(), Get: stdio(1)},
		Def{Name: "proc.stderr.type", Type: event.CharBuf, Example: "proc.stderr.type = pipe", Desc: "fd.type of descriptor 2 when the program was started", Domain: kindWords(), Get: stdio(2)},
	)
}

func (c *Ctx) threads() (int, bool) {
	p, _ := c.Process()
	return c.Host.Procs.Threads(p)
}
