// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strings"

	"falconet/engine/event"
	"falconet/engine/state"
)

// ofAncestor reads a field from the ancestor that the index names. Without an index there is no one to read it from.
func ofAncestor(read func(c *Ctx, p *state.Process, i *state.Image) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, a Arg) (Value, bool) {
		if !a.Present {
			return Value{}, false
		}
		p := c.ancestor(a.Index)
		if p == nil || !p.Known() {
			return Value{}, false
		}
		return read(c, p, p.At(c.Rec.TS))
	}
}

// lineageText is ofAncestor for text; without an index, as templates may print it, it is the text of every ancestor, the nearest first.
func lineageText(read func(c *Ctx, i *state.Image) string) func(*Ctx, Arg) (Value, bool) {
	one := ofAncestor(func(c *Ctx, _ *state.Process, i *state.Image) (Value, bool) { return Str(read(c, i)), true })
	return func(c *Ctx, a Arg) (Value, bool) {
		if a.Present {
			return one(c, a)
		}
		c.scratch = c.scratch[:0]
		p, _ := c.Process()
		for n := 0; ; n++ {
			if p = c.next(p, n); p == nil {
				return Str(c.keep(c.scratch)), len(c.scratch) > 0
			}
			if !p.Known() {
				continue
			}
			if len(c.scratch) > 0 {
				c.scratch = append(c.scratch, ' ')
			}
			c.scratch = append(c.scratch, read(c, p.At(c.Rec.TS))...)
		}
	}
}

// eachAncestor yields a field of every ancestor, the process itself not among them.
func eachAncestor(read func(c *Ctx, p *state.Process, i *state.Image) (Value, bool)) func(*Ctx, func(Value) bool) {
	return func(c *Ctx, yield func(Value) bool) {
		p, _ := c.Process()
		for n := 0; ; n++ {
			if p = c.next(p, n); p == nil {
				return
			}
			if !p.Known() {
				continue
			}
			if v, ok := read(c, p, p.At(c.Rec.TS)); ok && !yield(v) {
				return
			}
		}
	}
}

// leader finds who leads the session or group with the given id: outside of pid namespaces the process with that number,
// inside, where numbers are not the table's, the process itself or the oldest of the ancestors that share the id one after another.
func (c *Ctx) leader(idOf func(t *event.NowFacts) uint32) *state.Image {
	now, ok := c.latest()
	if !ok {
		return nil
	}
	p, img := c.Process()
	id, own := idOf(now), now.VPID
	if !p.InPidns() {
		if q := c.Host.Procs.Current(id); q != nil && q.Known() {
			return q.At(c.Rec.TS)
		}
	}
	if own == id {
		return img
	}
	var found *state.Image
	for n := 0; ; n++ {
		p = c.next(p, n)
		if p == nil {
			return found
		}
		i := p.At(c.Rec.TS)
		if !p.Known() || !i.HasTask {
			return found
		}
		if began := nowOf(&i.Task); idOf(&began) != id {
			return found
		}
		found = i
	}
}

func leaderField(idOf func(t *event.NowFacts) uint32, read func(i *state.Image) string) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		i := c.leader(idOf)
		if i == nil {
			return Str(""), true
		}
		return Str(read(i)), true
	}
}

// loginShell is the oldest of the process and its ancestors whose name ends like a shell's.
func (c *Ctx) loginShell() (pid uint32, ok bool) {
	p, _ := c.Process()
	for n := 0; p != nil; n++ {
		if strings.HasSuffix(p.At(c.Rec.TS).Comm, "sh") {
			pid, ok = p.PID, true
		}
		p = c.next(p, n)
	}
	return pid, ok
}

const maxEnvAncestors = 20

// ancestorEnv is proc.aenv: a variable of the nearest ancestor that has it, or the environment of one ancestor.
func (c *Ctx) ancestorEnv(a Arg) (Value, bool) {
	if a.IsIndex {
		p := c.ancestor(a.Index)
		if p == nil || !p.Known() {
			return Value{}, false
		}
		return Str(c.spaced(p.At(c.Rec.TS).Env)), true
	}
	if !a.Present {
		return Value{}, false
	}
	p, _ := c.Process()
	for n := 0; n < maxEnvAncestors; n++ {
		if p = c.next(p, n); p == nil {
			break
		}
		if v, ok := p.At(c.Rec.TS).Getenv(a.Key); ok {
			return Str(strings.Trim(v, " ")), true
		}
	}
	return Str(""), true
}

func lineageFields() []Def {
	const walk = NoTransformer | NoRHS
	var defs []Def
	for _, f := range textOf {
		read := func(c *Ctx, _ *state.Process, i *state.Image) (Value, bool) {
			return pathValue(f.read(c, i), f.gap(i)), true
		}
		defs = append(defs,
			Def{Name: f.parent, Type: event.CharBuf, Flags: f.flags, Example: f.parent + " = " + f.value, Desc: strings.Replace(f.desc, "%", "the parent", 1), Domain: f.domain("proc.p"),
				Get: func(c *Ctx, _ Arg) (Value, bool) {
					p := c.Parent()
					if p == nil || !p.Known() {
						return Value{}, false
					}
					return read(c, p, p.At(c.Rec.TS))
				}},
			Def{Name: f.ancestor, Type: event.CharBuf, Arg: ArgOptional, Form: ByIndex, Flags: walk | f.flags, Example: f.ancestor + "[2] = " + f.value,
				Desc:   strings.Replace(f.desc, "%", "an ancestor: [1] is the parent, [2] its parent; without an index, of any of them", 1),
				Domain: f.domain("proc.a"), Get: lineageText(f.read), Multi: eachAncestor(read)})
	}
	pid := func(_ *Ctx, p *state.Process, _ *state.Image) (Value, bool) {
		return num(event.Int64, uint64(p.PID)), true
	}
	ancestorPID := ofAncestor(pid)
	environ := func(c *Ctx, _ *state.Process, i *state.Image) (Value, bool) { return Str(c.spaced(i.Env)), true }
	sid := func(t *event.NowFacts) uint32 { return t.SID }
	vpgid := func(t *event.NowFacts) uint32 { return t.VPGID }
	pgid := func(t *event.NowFacts) uint32 { return t.PGID }
	for _, l := range []struct {
		id              func(*event.NowFacts) uint32
		name, exe, path string
		of              string
		hostIDs         bool
	}{
		{sid, "proc.sname", "proc.sid.exe", "proc.sid.exepath", "leader of the session", false},
		{vpgid, "proc.vpgid.name", "proc.vpgid.exe", "proc.vpgid.exepath", "leader of the process group", false},
		{pgid, "proc.pgid.name", "proc.pgid.exe", "proc.pgid.exepath", "leader of the process group by the ids of the initial pid namespace", true},
	} {
		lead := func(read func(i *state.Image) string) func(*Ctx, Arg) (Value, bool) {
			if !l.hostIDs {
				return leaderField(l.id, read)
			}
			return func(c *Ctx, _ Arg) (Value, bool) { return Str(c.groupLeader(read)), true }
		}
		defs = append(defs,
			Def{Name: l.name, Type: event.CharBuf, Needs: partsOfNow, Flags: SelfChosen, Example: l.name + " = bash", Desc: "name of the " + l.of + "; empty when it is not known", Domain: commDomain(l.path), Get: lead(func(i *state.Image) string { return i.Comm })},
			Def{Name: l.exe, Type: event.CharBuf, Needs: partsOfNow, Flags: SelfChosen, Domain: Domain{Instead: l.path}, Example: l.exe + " = -bash", Desc: "argv[0] of the " + l.of + "; empty when it is not known", Get: lead(func(i *state.Image) string { return i.Exe })},
			Def{Name: l.path, Type: event.CharBuf, Needs: partsOfNow, Example: l.path + " = /usr/bin/bash", Desc: "program of the " + l.of + "; empty when it is not known", Domain: exePath, Get: lead(func(i *state.Image) string { return i.ExePath })})
	}
	return append(defs,
		Def{Name: "proc.apid", Type: event.Int64, Arg: ArgOptional, Form: ByIndex, Flags: walk, Example: "proc.apid[2] = 1", Desc: "process id of an ancestor: [1] is the parent; without an index, of any of them",
			Get: func(c *Ctx, a Arg) (Value, bool) {
				if !a.Present { // templates may print it, and Falco shows the process itself
					return num(event.Int64, uint64(c.Rec.PID)), true
				}
				return ancestorPID(c, a)
			}, Multi: eachAncestor(pid)},
		Def{Name: "proc.aargs", Type: event.CharBuf, Flags: SelfChosen, Domain: chosenText("proc.a"), Arg: ArgOptional, Form: ByIndex, Example: "proc.aargs[1] contains '-c'", Desc: "arguments of an ancestor: [1] is the parent; without an index, of the process itself",
			Get: func(c *Ctx, a Arg) (Value, bool) {
				p := c.ancestor(a.Index)
				if p == nil || !p.Known() {
					return Value{}, false
				}
				return Str(p.At(c.Rec.TS).Args()), true
			}},
		Def{Name: "proc.aenv", Type: event.CharBuf, Arg: ArgOptional, Form: ByKey | ByIndex, Flags: walk | SelfChosen, Domain: chosenText("proc.a"), Example: "proc.aenv[SSH_CLIENT] != ''", Desc: "[NAME] is the variable in the environment of the nearest ancestor that has it, [N] the environment of an ancestor; without either, that of any of them",
			Get: func(c *Ctx, a Arg) (Value, bool) { return c.ancestorEnv(a) }, Multi: eachAncestor(environ)},
		Def{Name: "proc.pvpid", Type: event.Int64, Example: "proc.pvpid = 1", Desc: "process id of the parent, in the parent's own pid namespace",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				p := c.Parent()
				if p == nil || !p.At(c.Rec.TS).HasTask {
					return Value{}, false
				}
				return num(event.Int64, uint64(p.At(c.Rec.TS).Task.VPID)), true
			}},
		Def{Name: "proc.loginshellid", Type: event.Int64, Example: "proc.loginshellid > 0", Desc: "process id of the oldest shell among the process and its ancestors",
			Get: func(c *Ctx, _ Arg) (Value, bool) { pid, ok := c.loginShell(); return num(event.Int64, uint64(pid)), ok }},
		Def{Name: "proc.ppid.duration", Type: event.RelTime, Example: "proc.ppid.duration < 1000000000", Desc: "nanoseconds since the parent was made",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return age(c, c.Parent()) }},
		Def{Name: "proc.ppid.ts", Type: event.RelTime, Example: "proc.ppid.ts > 0", Desc: "when the parent was made, in nanoseconds since the epoch",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				p := c.Parent()
				if p == nil || p.Start == 0 {
					return Value{}, false
				}
				return num(event.RelTime, c.started(p)), true
			}},
	)
}

// groupLeader is leader for process groups by the ids of the initial namespace, which are the table's.
func (c *Ctx) groupLeader(read func(i *state.Image) string) string {
	now, ok := c.latest()
	if !ok {
		return ""
	}
	if q := c.Host.Procs.Current(now.PGID); q != nil && q.Known() {
		return read(q.At(c.Rec.TS))
	}
	return ""
}
