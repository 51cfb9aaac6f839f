// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// The bits of the schema's file_flags that fields ask for.
const (
	flagRead    = 1 << 0
	flagWrite   = 1 << 1
	flagCreat   = 1 << 2
	flagTmpfile = 1 << 13
	flagCreated = 1 << 14
)

// fmodeCreated is FMODE_CREATED of include/linux/fs.h.
const fmodeCreated = 1 << 20

// openFlags returns the flags of an open, and whether the event is one.
func (c *Ctx) openFlags() (uint64, bool) {
	r := c.row()
	switch {
	case r.kind == rowCreat:
		flags := uint64(flagWrite | flagCreat)
		if f := c.desc(); f.hasFile && f.file.FMode&fmodeCreated != 0 {
			flags |= flagCreated
		}
		return flags, true
	case r.kind == rowOpen && r.flags >= 0:
		flags, ok := c.Rec.Uint(r.flags)
		return flags, ok
	}
	return 0, false
}

func openHas(test func(c *Ctx, flags uint64) bool) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		flags, ok := c.openFlags()
		return boolean(ok && test(c, flags)), true
	}
}

// mayExecute reports whether an open that makes a file gives it an execute permission.
func mayExecute(c *Ctx, flags uint64) bool {
	i := c.row().mode
	if i < 0 || flags&(flagCreat|flagTmpfile) == 0 {
		return false
	}
	mode, ok := c.Rec.Uint(i)
	return ok && mode&0o111 != 0
}

// count is 1 when test holds, else absent.
func count(test func(c *Ctx) bool) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint32, 1), test(c) }
}

func (c *Ctx) aboutFile() bool {
	f := c.desc()
	return f.ok && (f.kind == kindFile || f.kind == kindDir) || f.failed && c.opens()
}

func (c *Ctx) aboutNet() bool {
	f := c.desc()
	return f.ok && (f.isIP() || f.kind == kindUnix) || f.failed && (c.row().kind == rowAccept || c.row().kind == rowSocket)
}

func evtIOFields() []Def {
	calls := func(bits uint8) func(*Ctx, Arg) (Value, bool) {
		return func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.io()&bits != 0), true }
	}
	flags := Needs{Params: []string{"flags", "mode"}, Parts: event.PartsOf(event.PartFile)}
	kind := Needs{Parts: partsKind}
	memory := func(c *Ctx) bool { return c.Rec.Row().Category == event.CatMemory }
	defs := []Def{
		{Name: "evt.is_io", Type: event.Bool, Example: "evt.is_io = true", Desc: "whether the call reads from a descriptor or writes to it", Get: calls(callReads | callWrites)},
		{Name: "evt.is_io_read", Type: event.Bool, Example: "evt.is_io_read = true", Desc: "whether the call reads from a descriptor", Get: calls(callReads)},
		{Name: "evt.is_io_write", Type: event.Bool, Example: "evt.is_io_write = true", Desc: "whether the call writes to a descriptor", Get: calls(callWrites)},
		{Name: "evt.io_dir", Type: event.CharBuf, Example: "evt.io_dir = write", Desc: "read or write for calls that do that, else absent", occurs: withCall, Domain: oneOf("read", "write"),
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				switch {
				case c.io()&callReads != 0:
					return Str("read"), true
				case c.io()&callWrites != 0:
					return Str("write"), true
				}
				return Value{}, false
			}},
		{Name: "evt.is_wait", Type: event.Bool, Example: "evt.is_wait = true", Desc: "whether the call waits: poll, select, epoll_wait, nanosleep", Get: calls(callWaits)},
		{Name: "evt.buflen", Type: event.Uint64, Example: "evt.buflen > 1000", Desc: "number of bytes that a call read or wrote", occurs: withCall,
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				n, ok := c.result()
				return num(event.Uint64, uint64(n)), ok && n >= 0 && c.io()&(callReads|callWrites) != 0
			}},
		{Name: "evt.count", Type: event.Uint32, Example: "evt.count = 1", Desc: "always 1", Get: count(func(*Ctx) bool { return true })},
		{Name: "evt.count.error", Type: event.Uint32, Example: "evt.count.error = 1", Desc: "1 when the call returned an error, else absent", Get: count((*Ctx).failed)},
		{Name: "evt.count.error.file", Type: event.Uint32, Example: "evt.count.error.file = 1", Desc: "evt.count.error of calls on files", Needs: kind,
			Get: count(func(c *Ctx) bool { return c.failed() && c.aboutFile() })},
		{Name: "evt.count.error.net", Type: event.Uint32, Example: "evt.count.error.net = 1", Desc: "evt.count.error of calls on sockets", Needs: kind,
			Get: count(func(c *Ctx) bool { return c.failed() && c.aboutNet() })},
		{Name: "evt.count.error.memory", Type: event.Uint32, Example: "evt.count.error.memory = 1", Desc: "evt.count.error of calls on memory",
			Get: count(func(c *Ctx) bool { return c.failed() && memory(c) })},
		{Name: "evt.count.error.other", Type: event.Uint32, Example: "evt.count.error.other = 1", Desc: "evt.count.error of all other calls", Needs: kind,
			Get: count(func(c *Ctx) bool { return c.failed() && !c.aboutFile() && !c.aboutNet() && !memory(c) })},
		{Name: "evt.count.exit", Type: event.Uint32, Example: "evt.count.exit = 1", Desc: "1 for events that report a result, else absent", occurs: withCall,
			Get: count(func(c *Ctx) bool { return !c.row().tracept })},
		{Name: "evt.is_open_read", Type: event.Bool, Example: "evt.is_open_read = true", Desc: "whether the call opens a file for reading, whether it succeeds or not", Needs: flags, domainIn: openDomain,
			Get: openHas(func(_ *Ctx, f uint64) bool { return f&flagRead != 0 })},
		{Name: "evt.is_open_write", Type: event.Bool, Example: "evt.is_open_write = true", Desc: "whether the call opens a file for writing, whether it succeeds or not", Needs: flags, domainIn: openDomain,
			Get: openHas(func(_ *Ctx, f uint64) bool { return f&flagWrite != 0 })},
		{Name: "evt.is_open_exec", Type: event.Bool, Example: "evt.is_open_exec = true", Desc: "whether the call may make a file that can be executed", Needs: flags, domainIn: openDomain, Get: openHas(mayExecute)},
		{Name: "evt.is_open_create", Type: event.Bool, Example: "evt.is_open_create = true", Desc: "whether the call made a file", Needs: flags, domainIn: openDomain,
			Get: openHas(func(c *Ctx, f uint64) bool { return f&flagCreated != 0 || f&flagTmpfile != 0 && c.Rec.Ret >= 0 })},
	}
	if carryData() { // without an event that carries a buffer there is no such field
		defs = append(defs, Def{Name: "evt.buffer", Type: event.ByteBuf, Example: "evt.buffer contains GET", Desc: "beginning of the bytes that the call read or wrote", Needs: Needs{Params: []string{"data"}},
			occurs: func(r *rowInfo, _ *event.Row, _ Arg) bool { return r.data >= 0 },
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				if c.row().data < 0 {
					return Value{}, false
				}
				return c.rawParam(c.row().data)
			}})
	}
	return defs
}
