// SPDX-License-Identifier: Apache-2.0

package field

import (
	"math"
	"slices"
	"strconv"

	"falconet/engine/event"
	"falconet/engine/state"
)

// Fields of descriptors that the event is not about: /proc tells of them, as they are when it is asked. Of a process that is no longer
// there they have no value.

// askProc is the cost of fields that read /proc.
const askProc = 30_000

// opened returns what is behind descriptors of the process, all of them when none are given.
func (c *Ctx) opened(fds ...int) ([]state.Opened, bool) {
	p, _ := c.Process()
	return c.Host.Procs.Opened(p, fds...)
}

// stdioOf returns the standard descriptor with that number; outputs name all three of them together.
func (c *Ctx) stdioOf(fd int) (*state.Opened, bool) {
	if c.done&cachedStdio == 0 {
		c.done |= cachedStdio
		c.stdio, _ = c.opened(0, 1, 2)
	}
	i := slices.IndexFunc(c.stdio, func(o state.Opened) bool { return o.FD == fd })
	if i < 0 {
		return nil, false
	}
	return &c.stdio[i], true
}

// appendOpened appends the name of a descriptor as fd.name has it: the client's end of a socket first.
func appendOpened(dst []byte, o *state.Opened) []byte {
	switch {
	case !o.Local.IsValid():
		return append(dst, o.Name...)
	case o.Listens:
		return o.Local.AppendTo(dst)
	case o.Server:
		return o.Local.AppendTo(append(o.Remote.AppendTo(dst), "->"...))
	}
	return o.Remote.AppendTo(append(o.Local.AppendTo(dst), "->"...))
}

func stdioName(fd int) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		o, ok := c.stdioOf(fd)
		if !ok {
			return Value{}, false
		}
		c.scratch = appendOpened(c.scratch[:0], o)
		return Str(c.keep(c.scratch)), true
	}
}

// openedTypes is fd.types: the kinds of what the process has open, each once.
func (c *Ctx) openedTypes(a Arg) (Value, bool) {
	var fds []int
	if a.Present {
		fds = []int{a.Index}
	}
	list, ok := c.opened(fds...)
	if !ok || len(list) == 0 {
		return Value{}, false
	}
	types := make([]Value, 0, 8)
	for i := range list {
		name := kindOf(list[i].Kind, []byte(list[i].Name)).name
		if !slices.ContainsFunc(types, func(v Value) bool { return v.S == name }) {
			types = append(types, Str(name))
		}
	}
	return ListOf(event.CharBuf, types), true
}

// usage is how much of its limit of descriptors the process uses, in percent.
func (c *Ctx) fdUsage() (Value, bool) {
	p, img := c.Process()
	limit := img.Task.FDLimit
	if now, ok := c.now(); ok {
		limit = now.FDLimit
	}
	n, ok := c.Host.Procs.CountOpened(p)
	if !ok || !img.HasTask || limit == 0 {
		return Value{}, false
	}
	return double(100 * float64(n) / float64(limit)), true
}

func double(x float64) Value { return Value{Kind: event.Double, N: math.Float64bits(x)} }

func procFDFields() []Def {
	name := func(name, word string, fd int) Def {
		return Def{Name: name, Type: event.CharBuf, Cost: askProc, Example: name + " contains '->'",
			Desc: "fd.name of " + word + ", as it is when the field is read", Get: stdioName(fd)}
	}
	return []Def{
		{Name: "proc.fdopencount", Type: event.Uint64, Cost: askProc, Example: "proc.fdopencount > 1000", Desc: "how many descriptors the process has open when the field is read",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				p, _ := c.Process()
				n, ok := c.Host.Procs.CountOpened(p)
				return num(event.Uint64, n), ok
			}},
		{Name: "proc.fdusage", Type: event.Double, Cost: askProc, Example: "proc.fdusage > 90", Needs: partsOfNow, Desc: "proc.fdopencount in percent of proc.fdlimit",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return c.fdUsage() }},
		name("proc.stdin.name", "descriptor 0", 0), name("proc.stdout.name", "descriptor 1", 1), name("proc.stderr.name", "descriptor 2", 2),
	}
}

func fdTypesField() []Def {
	return []Def{{Name: "fd.types", Type: event.CharBuf, List: true, Cost: askProc, Flags: NoRHS, Arg: ArgOptional, Form: ByIndex, Example: "fd.types intersects (ipv4, ipv6)",
		Desc: "kinds of all descriptors that the process has open when the field is read, as fd.type names them, each once; [N] is the kind of one",
		Get:  func(c *Ctx, a Arg) (Value, bool) { return c.openedTypes(a) }}}
}

// polled returns the list of descriptors of a poll.
func (c *Ctx) polled() ([]byte, bool) {
	i := c.row().fds
	if i < 0 {
		return nil, false
	}
	return c.Rec.Bytes(i)
}

// polledList makes a list, joined by commas, of what add appends for the descriptors of a poll; those for which it appends nothing are left
// out. o is nil where nothing is known of a descriptor.
func polledList(ask bool, add func(dst []byte, fd int32, o *state.Opened) []byte) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		list, ok := c.polled()
		if !ok {
			return Value{}, false
		}
		var open []state.Opened
		if ask {
			var fds []int
			for i := 0; ; i++ {
				f, ok := event.Poll(list, i)
				if !ok {
					break
				}
				fds = append(fds, int(f.FD))
			}
			if len(fds) > 0 {
				open, _ = c.opened(fds...)
			}
		}
		c.scratch = c.scratch[:0]
		for i := 0; ; i++ {
			f, ok := event.Poll(list, i)
			if !ok {
				break
			}
			var o *state.Opened
			if at := slices.IndexFunc(open, func(o state.Opened) bool { return o.FD == int(f.FD) }); at >= 0 {
				o = &open[at]
			}
			mark := len(c.scratch)
			if mark > 0 {
				c.scratch = append(c.scratch, ',')
			}
			more := len(c.scratch)
			if c.scratch = add(c.scratch, f.FD, o); len(c.scratch) == more {
				c.scratch = c.scratch[:mark]
			}
		}
		return Str(c.keep(c.scratch)), len(c.scratch) > 0
	}
}

func fdListFields() []Def {
	// end appends one end of an internet socket: the client's, or the server's.
	end := func(client, port bool) func([]byte, int32, *state.Opened) []byte {
		return func(dst []byte, _ int32, o *state.Opened) []byte {
			if o == nil || !o.Local.IsValid() || o.Listens && client {
				return dst
			}
			at := o.Local
			if !o.Listens && client == o.Server {
				at = o.Remote
			}
			if port {
				return strconv.AppendUint(dst, uint64(at.Port()), 10)
			}
			return at.Addr().AppendTo(dst)
		}
	}
	needs := Needs{Params: []string{"fds"}}
	def := func(name, value, desc string, ask bool, add func([]byte, int32, *state.Opened) []byte) Def {
		d := Def{Name: name, Type: event.CharBuf, Example: name + " contains " + value, Desc: desc + ", joined by commas; of poll and ppoll", Needs: needs,
			occurs: func(r *rowInfo, _ *event.Row, _ Arg) bool { return r.fds >= 0 }, Get: polledList(ask, add)}
		if ask {
			d.Cost = askProc
		}
		return d
	}
	return []Def{
		def("fdlist.nums", "'3,4'", "numbers of the descriptors that the call waits for", false, func(dst []byte, fd int32, _ *state.Opened) []byte {
			return strconv.AppendInt(dst, int64(fd), 10)
		}),
		def("fdlist.names", "/dev/log", "their names as they are when the field is read, <NA> for those without one", true, func(dst []byte, _ int32, o *state.Opened) []byte {
			mark := len(dst)
			if o != nil {
				dst = appendOpened(dst, o)
			}
			if len(dst) == mark {
				dst = append(dst, na...)
			}
			return dst
		}),
		def("fdlist.cips", "10.0.0.1", "client addresses of the sockets among them", true, end(true, false)),
		def("fdlist.sips", "10.0.0.1", "server addresses of the sockets among them", true, end(false, false)),
		def("fdlist.cports", "443", "client ports of the sockets among them", true, end(true, true)),
		def("fdlist.sports", "443", "server ports of the sockets among them", true, end(false, true)),
	}
}
