// SPDX-License-Identifier: Apache-2.0

package field

import (
	"fmt"

	"falconet/engine/event"
)

// result returns what the call returned; ok is false for events that are no calls.
func (c *Ctx) result() (int64, bool) { return c.Rec.Ret, !c.row().tracept }

// failed reports whether the call returned an error number.
func (c *Ctx) failed() bool {
	n, ok := c.result()
	return ok && n < 0 && n > -4096
}

// category is evt.category; that of reads and writes follows from the kind of their descriptor.
func (c *Ctx) category() string {
	cat := c.Rec.Row().Category
	switch cat {
	case event.CatIORead, event.CatIOWrite, event.CatIOOther:
	default:
		return cat.String()
	}
	switch f := c.desc(); f.kind {
	case kindFile, kindDir:
		return "file"
	case kindIPv4, kindIPv6:
		return "net"
	case kindUnix, kindPipe:
		return "ipc"
	}
	return "unknown"
}

// abspath is evt.abspath: Falco's absolute path of the call's path argument; of calls with two, the key says which.
func (c *Ctx) abspath(a Arg) (v Value, ok bool) {
	r := c.row()
	i := r.path
	switch {
	case a.Present && r.path2 < 0:
		return v, false
	case a.Key == "dst":
		i = r.path2
	case !a.Present && r.path2 >= 0:
		return v, false
	}
	if i < 0 {
		return v, false
	}
	return c.lexical(i)
}

func checkAbspath(a Arg) error {
	if a.Key != "src" && a.Key != "dst" {
		return fmt.Errorf("the argument is src or dst, not %q", a.Key)
	}
	return nil
}

// checkParam refuses names that no event has; a number is an index.
func checkParam(a Arg) error {
	if a.IsIndex {
		return nil
	}
	for i := range event.Rows() {
		if _, ok := event.Rows()[i].Param(a.Key); ok {
			return nil
		}
	}
	return fmt.Errorf("%w %q", ErrNoParam, a.Key)
}

func checkEventName(a Arg) error {
	if len(event.ByName(a.Key)) > 0 {
		return nil
	}
	if _, _, ok := event.SyscallNumber(a.Key); ok {
		return nil
	}
	return fmt.Errorf("unknown event type %q", a.Key)
}

// param finds the parameter that an argument names in this event.
func (c *Ctx) param(a Arg) (int, bool) {
	row := c.Rec.Row()
	if a.IsIndex {
		return a.Index, a.Index < len(row.Params)
	}
	return row.Param(a.Key)
}

// rawParam is the value of a parameter with its own type.
func (c *Ctx) rawParam(i int) (Value, bool) {
	t := c.Rec.ParamType(i)
	if c.Rec.Numeric(i) {
		n, ok := c.Rec.Uint(i)
		return num(t, n), ok
	}
	b, ok := c.Rec.Bytes(i)
	return Value{Kind: t, S: text(b)}, ok
}

func evtFields() []Def {
	u32 := func(n uint64) Value { return num(event.Uint32, n) }
	all := Needs{All: true}
	one := Needs{Arg: true}
	args := func(c *Ctx, _ Arg) (Value, bool) {
		c.scratch = c.appendArgs(c.scratch[:0])
		return Str(c.keep(c.scratch)), true
	}
	return []Def{
		{Name: "evt.num", Type: event.Uint64, Example: "evt.num > 0", Desc: "number of the event, counted from the start",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint64, c.Num), true }},
		{Name: "evt.source", Type: event.CharBuf, Example: "evt.source = syscall", Desc: "where the event comes from", Domain: oneOf("syscall"), Get: constant(Str("syscall"))},
		{Name: "evt.is_async", Type: event.Bool, Example: "evt.is_async = false", Desc: "whether the event was made by this program rather than by the kernel", Get: constant(boolean(false))},
		{Name: "evt.asynctype", Type: event.CharBuf, Example: "not evt.asynctype exists", Desc: "name of an event that was made by this program", Get: never},
		{Name: "evt.pluginname", Type: event.CharBuf, Example: "not evt.pluginname exists", Desc: "plugin that made the event; none makes those of the kernel", Get: never},
		{Name: "evt.plugininfo", Type: event.CharBuf, Example: "not evt.plugininfo exists", Desc: "what the plugin that made the event says of it", Get: never},
		{Name: "evt.hostname", Type: event.CharBuf, Example: "evt.hostname != ''", Desc: "name of the host",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return Str(c.Host.Name), true }},
		{Name: "evt.dir", Type: event.CharBuf, Flags: Deprecated, Example: "evt.dir = <", Desc: "< for events that report a result, > for others; calls are reported when they return", Domain: oneOf("<", ">"),
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				if c.row().tracept {
					return Str(">"), true
				}
				return Str("<"), true
			}},
		{Name: "evt.type", Type: event.CharBuf, Example: "evt.type in (open, openat, openat2)", Desc: "name of the event: that of the system call",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return Str(c.Rec.EventName()), true }},
		{Name: "evt.type.is", Type: event.Uint32, Arg: ArgRequired, Form: DotOnly, Example: "evt.type.is.execve = 1", Desc: "1 when the event has the name after the dot, else 0", checkArg: checkEventName,
			Get: func(c *Ctx, a Arg) (Value, bool) {
				if c.Rec.EventName() == a.Key {
					return u32(1), true
				}
				return u32(0), true
			}},
		{Name: "syscall.type", Type: event.CharBuf, Example: "syscall.type = connect", Desc: "name of the system call; absent for events that are none", occurs: withCall, Domain: callWords(),
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				if c.row().tracept {
					return Value{}, false
				}
				return Str(c.Rec.EventName()), true
			}},
		{Name: "evt.category", Type: event.CharBuf, Example: "evt.category = file", Desc: "category of the event: file, net, ipc, memory, process, signal, user, system and so on", Needs: Needs{Parts: partsKind, IOOnly: true},
			Domain: categoryWords(nil, Arg{}), domainIn: categoryWords,
			Get: func(c *Ctx, _ Arg) (Value, bool) { return Str(c.category()), true }},
		{Name: "evt.cpu", Type: event.Int16, Example: "evt.cpu >= 0", Desc: "processor that the event happened on",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Int16, uint64(c.Rec.CPU)), true }},
		{Name: "evt.is_io_uring", Type: event.Bool, Flags: Ours, Example: "evt.is_io_uring = true", Desc: "whether the call was made through io_uring",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.Rec.Flags&event.FlagIOUring != 0), true }},
		{Name: "evt.is_result_unknown", Type: event.Bool, Flags: Ours, Example: "evt.is_result_unknown = false",
			Desc: "whether the event was reported before the call was done, as the few requests of io_uring are whose end the kernel does not tell; the result is 0 then",
			Get:  func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.Rec.Flags&event.FlagUnknown != 0), true }},
		pathGapField(),
		{Name: "evt.is_compat32", Type: event.Bool, Flags: Ours, Example: "evt.is_compat32 = true", Desc: "whether the call was made through the kernel's 32-bit table",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.Rec.Compat32()), true }},
		{Name: "evt.args", Type: event.CharBuf, Cost: 200, Example: "evt.args contains O_CREAT", Desc: "every parameter of the event as name=value, joined by spaces", Needs: all, Get: args},
		{Name: "evt.info", Type: event.CharBuf, Cost: 200, Example: "evt.info contains O_CREAT", Desc: "the same as evt.args", Needs: all, Get: args},
		{Name: "evt.arg", Type: event.CharBuf, Cost: 60, Arg: ArgRequired, Form: ByIndex | ByDot | ByKey, Example: "evt.arg.flags contains O_CREAT", Desc: "one parameter of the event as text, by name or index", Needs: one, checkArg: checkParam, occurs: withParam, domainIn: argDomain,
			Get: func(c *Ctx, a Arg) (Value, bool) {
				i, ok := c.param(a)
				if !ok {
					return Value{}, false
				}
				return Str(c.argText(i)), true
			}},
		{Name: "evt.rawarg", Type: event.Dynamic, Arg: ArgRequired, Form: DotOnly, Flags: NoTransformer | NoRHS, Example: "evt.rawarg.flags > 0", Desc: "one parameter of the event by name, with the type that it has", Needs: one, checkArg: checkParam, occurs: withParam,
			Get: func(c *Ctx, a Arg) (Value, bool) {
				i, ok := c.param(a)
				if !ok {
					return Value{}, false
				}
				return c.rawParam(i)
			}},
		{Name: "evt.abspath", Type: event.CharBuf, Arg: ArgOptional, Form: ByDot, Example: "evt.abspath startswith /etc", Desc: "absolute path that the call was given, made from its directory and its path argument; .src and .dst for calls with two", checkArg: checkAbspath, occurs: withAbspath, Domain: givenPath,
			Needs: Needs{Parts: partsName | event.PartsOf(event.PartName2, event.PartDir2, event.PartPath)},
			Flags: Gaps, Get: (*Ctx).abspath},
		{Name: "evt.res", Type: event.CharBuf, Example: "evt.res = SUCCESS", Desc: "SUCCESS, or the name of the error that the call returned", occurs: withCall, Domain: errnoWords("SUCCESS"),
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				n, ok := c.result()
				switch {
				case !ok:
					return Value{}, false
				case c.failed():
					mark := len(c.arena)
					c.arena = appendErrno(c.arena, n)
					return Str(c.str(mark)), true
				}
				return Str("SUCCESS"), true
			}},
		{Name: "evt.rawres", Type: event.Int64, Example: "evt.rawres < 0", Desc: "what the call returned", occurs: withCall,
			Get: func(c *Ctx, _ Arg) (Value, bool) { n, ok := c.result(); return num(event.Int64, uint64(n)), ok }},
		{Name: "evt.failed", Type: event.Bool, Example: "evt.failed = true", Desc: "whether the call returned an error", occurs: withCall,
			Get: func(c *Ctx, _ Arg) (Value, bool) { _, ok := c.result(); return boolean(c.failed()), ok }},
	}
}
