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
	if v, ok := p.kernel(c, r, i); ok {
		return v, true
	}
	if i < 0 {
		return Value{}, false
	}
	return c.lexical(i)
}

// kernel is the path that the kernel has for what parameter i names; ok is false where it was not captured.
func (p fsPath) kernel(c *Ctx, r *rowInfo, i int) (v Value, ok bool) {
	switch {
	case r.object && i < 0, i >= 0 && i == r.fsName && (r.kind == rowOpen || r.kind == rowCreat):
		return c.captured(event.PartPath)
	case i < 0 || !r.inside:
		return v, false
	case c.Rec.Row().Params[i].Needs().Has(event.PartName2):
		return c.captured(event.PartPath2)
	}
	return c.captured(event.PartPath)
}

func (p fsPath) alt(c *Ctx, a Arg) (Value, bool) {
	r := c.row()
	i := p(r)
	if i < 0 || !c.succeeded() || r.object {
		return Value{}, false
	}
	main, ok := p.kernel(c, r, i)
	if !ok {
		return Value{}, false
	}
	v, ok := c.lexical(i)
	return Str(v.S), ok && v.S != main.S
}

// origin says where the path is from.
func (p fsPath) origin(c *Ctx, _ Arg) (Value, bool) {
	r := c.row()
	i := p(r)
	if i < 0 {
		i = r.fsSource
	}
	if !c.succeeded() || i < 0 && !r.object {
		return Value{}, false
	}
	if _, ok := p.kernel(c, r, i); ok {
		return Str("kernel"), true
	}
	return Str("argument"), true
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
	needs := Needs{Parts: partsPath | partsName | event.PartsOf(event.PartName2, event.PartDir2, event.PartPath2), Inside: true}
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
		{Name: "fs.path.source", Example: "fs.path.source startswith /tmp", Desc: "path that a successful rename moved, or the new name of a link", Needs: needs, occurs: withPath(source, false), Domain: openedPath, Get: unless(source.resolved), Alt: unless(source.alt)},
		{Name: "fs.path.sourceraw", Example: "fs.path.sourceraw contains tmp", Desc: "fs.path.source as it was passed to the call", Needs: raw, occurs: withPath(source, false), Get: unless(source.raw)},
		{Name: "fs.path.target", Example: "fs.path.target startswith /usr/bin", Desc: "path that a successful rename gave, or what a link points to", Needs: needs, occurs: withPath(target, false), Domain: openedPath, Get: unless(target.resolved), Alt: unless(target.alt)},
		{Name: "fs.path.targetraw", Example: "fs.path.targetraw contains bin", Desc: "fs.path.target as it was passed to the call", Needs: raw, occurs: withPath(target, false), Get: unless(target.raw)},
		{Name: "fs.path.origin", Flags: Ours, Example: "fs.path.origin = argument", Desc: "kernel where the paths are those of what the kernel found, argument where they are what was passed to the call behind the directory it starts from",
			Needs: Needs{Parts: event.PartsOf(event.PartPath), Inside: true}, Domain: oneOf("kernel", "argument"), Get: one.origin,
			occurs: func(r *rowInfo, row *event.Row, a Arg) bool {
				return withPath(one, true)(r, row, a) || withPath(source, false)(r, row, a)
			}},
	}
	for i := range fields {
		fields[i].Type = event.CharBuf
		if fields[i].Alt != nil {
			fields[i].Flags |= Gaps
		}
	}
	return fields
}
