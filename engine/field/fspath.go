// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// succeeded reports whether the call did what it was asked for; fs.path fields exist only then.
func (c *Ctx) succeeded() bool { return !c.row().tracept && c.Rec.Ret >= 0 }

// fsPath reads one of the fs.path fields: pick chooses the parameter.
type fsPath func(r *rowInfo) int

// resolved is the kernel's path where the event has the file itself, else Falco's.
func (p fsPath) resolved(c *Ctx, _ Arg) (Value, bool) {
	r := c.row()
	i := p(r)
	if !c.succeeded() || i < 0 && !r.object {
		return Value{}, false
	}
	if p.ofObject(r, i) {
		if b, ok := c.Rec.Part(event.PartPath); ok {
			return Str(text(b)), true
		}
	}
	if i < 0 {
		return Value{}, false
	}
	s, ok := c.lexical(i)
	return Str(s), ok
}

// ofObject reports whether parameter i is the path of the event's own file.
func (p fsPath) ofObject(r *rowInfo, i int) bool {
	return r.object && i < 0 || i >= 0 && i == r.fsName && (r.kind == rowOpen || r.kind == rowCreat)
}

func (p fsPath) alt(c *Ctx, a Arg) (Value, bool) {
	r := c.row()
	i := p(r)
	if i < 0 || !c.succeeded() || !p.ofObject(r, i) {
		return Value{}, false
	}
	main, _ := p.resolved(c, a)
	s, ok := c.lexical(i)
	return Str(s), ok && s != main.S
}

func (p fsPath) raw(c *Ctx, _ Arg) (Value, bool) {
	r := c.row()
	i := p(r)
	if !c.succeeded() {
		return Value{}, false
	}
	if i < 0 {
		if !r.object {
			return Value{}, false
		}
		b, ok := c.Rec.Part(event.PartPath)
		return Str(text(b)), ok
	}
	b, ok := c.Rec.Bytes(i)
	return Str(c.collapse(b)), ok
}

func fsPathFields() []Def {
	one := fsPath(func(r *rowInfo) int { return r.fsName })
	source := fsPath(func(r *rowInfo) int { return r.fsSource })
	target := fsPath(func(r *rowInfo) int { return r.fsTarget })
	needs := Needs{Parts: partsPath | partsName | event.PartsOf(event.PartName2, event.PartDir2)}
	raw := Needs{Parts: event.PartsOf(event.PartName, event.PartName2, event.PartPath)}
	unless := func(get func(*Ctx, Arg) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
		return func(c *Ctx, a Arg) (Value, bool) {
			if c.row().object { // no second path there
				return Value{}, false
			}
			return get(c, a)
		}
	}
	fields := []Def{
		{Name: "fs.path.name", Example: "fs.path.name startswith /etc", Desc: "path that a successful call made, opened, removed or changed", Needs: needs, occurs: withPath(one, true), Domain: openedPath, Get: one.resolved, Alt: one.alt, MayAlt: (*Ctx).respelled},
		{Name: "fs.path.nameraw", Example: "fs.path.nameraw endswith .sh", Desc: "fs.path.name as it was passed to the call", Needs: raw, occurs: withPath(one, true), Get: one.raw},
		{Name: "fs.path.source", Example: "fs.path.source startswith /tmp", Desc: "path that a successful rename moved, or the new name of a link", Needs: needs, occurs: withPath(source, false), Domain: givenPath, Get: unless(source.resolved)},
		{Name: "fs.path.sourceraw", Example: "fs.path.sourceraw contains tmp", Desc: "fs.path.source as it was passed to the call", Needs: raw, occurs: withPath(source, false), Get: unless(source.raw)},
		{Name: "fs.path.target", Example: "fs.path.target startswith /usr/bin", Desc: "path that a successful rename gave, or what a link points to", Needs: needs, occurs: withPath(target, false), Domain: givenPath, Get: unless(target.resolved)},
		{Name: "fs.path.targetraw", Example: "fs.path.targetraw contains bin", Desc: "fs.path.target as it was passed to the call", Needs: raw, occurs: withPath(target, false), Get: unless(target.raw)},
	}
	for i := range fields {
		fields[i].Type = event.CharBuf
	}
	return fields
}
