// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strconv"
	"time"

	"falconet/engine/event"
)

// argText is evt.arg: what a parameter means where it means something, else the parameter as it is.
func (c *Ctx) argText(i int) string {
	c.scratch = c.appendMeaning(c.scratch[:0], i)
	if len(c.scratch) == 0 {
		c.scratch = c.appendPlain(c.scratch, i)
	}
	return c.keep(c.scratch)
}

// keep copies what was written to the scratch, where nothing else that fields write can run into it, to the arena.
func (c *Ctx) keep(b []byte) string {
	mark := len(c.arena)
	c.arena = append(c.arena, b...)
	return c.str(mark)
}

// appendArgs is evt.args: every parameter as name=value, what it means in brackets behind it.
func (c *Ctx) appendArgs(dst []byte) []byte {
	for i, p := range c.Rec.Row().Params {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, p.Name...), '=')
		dst = c.appendPlain(dst, i)
		mark := len(dst)
		dst = append(dst, '(')
		dst = c.appendMeaning(dst, i)
		if len(dst) == mark+1 {
			dst = dst[:mark]
		} else {
			dst = append(dst, ')')
		}
	}
	return dst
}

// appendPlain appends parameter i as Falco writes it before any resolution.
func (c *Ctx) appendPlain(dst []byte, i int) []byte {
	p := &c.Rec.Row().Params[i]
	t := c.Rec.ParamType(i)
	if c.Rec.Numeric(i) {
		n, ok := c.Rec.Uint(i)
		if !ok {
			return append(dst, "NULL"...)
		}
		return c.appendNumber(dst, t, p.Print, n)
	}
	b, ok := c.Rec.Bytes(i)
	if !ok {
		return append(dst, "NULL"...)
	}
	switch t {
	case event.ByteBuf:
		return appendPrintable(dst, b)
	case event.SockAddr:
		return appendSockaddr(dst, b)
	case event.SockTuple:
		return c.appendMessage(dst, c.desc())
	case event.FDList:
		return appendPolled(dst, b)
	}
	return append(dst, b...)
}

func (c *Ctx) appendNumber(dst []byte, t event.Type, p event.Print, n uint64) []byte {
	switch {
	case t == event.UID || t == event.GID:
		return strconv.AppendInt(dst, int64(int32(n)), 10)
	case t == event.AbsTime:
		return time.Unix(0, int64(n)).In(c.zone()).AppendFormat(dst, layoutAbsolute)
	case t == event.Bool:
		return strconv.AppendBool(dst, n != 0)
	case t == event.SigSet:
		return appendSignals(dst, n)
	case t.IsFlags() && t != event.Mode || t.IsEnum() || t == event.SigType:
		return strconv.AppendUint(dst, n, 10)
	}
	return appendNumber(dst, t, printOf(p), n)
}

func printOf(p event.Print) Print {
	switch p {
	case event.Hex:
		return Hex
	case event.Oct:
		return Oct
	}
	return Dec
}

// appendMeaning appends what parameter i stands for: names of flags, errors, users, processes and descriptors, and absolute
// paths. It appends nothing when there is no more to say.
func (c *Ctx) appendMeaning(dst []byte, i int) []byte {
	p := &c.Rec.Row().Params[i]
	t := c.Rec.ParamType(i)
	if t == event.FSPath || t == event.FSRelPath {
		if b, ok := c.Rec.Bytes(i); ok && (len(b) == 0 || b[0] != '/') {
			v, _ := c.lexical(i)
			return append(dst, v.S...)
		}
		return dst
	}
	if !c.Rec.Numeric(i) {
		return dst
	}
	n, ok := c.Rec.Uint(i)
	if !ok {
		return dst
	}
	switch {
	case t == event.Errno:
		if int64(n) < 0 {
			return append(dst, errnoName(int64(n))...)
		}
	case t == event.FD:
		return c.appendFD(dst, i, int64(n))
	case t == event.PID:
		return c.appendPID(dst, int64(n))
	case t == event.UID:
		if uint32(n) == noLogin {
			return append(dst, "<NONE>"...)
		}
		u, ok := c.user(uint32(n))
		if !ok {
			return append(dst, na...)
		}
		return append(dst, u.Name...)
	case t == event.GID:
		if uint32(n) == noLogin {
			return append(dst, "<NONE>"...)
		}
		name, ok := c.group(uint32(n))
		if !ok {
			name = na
		}
		return append(dst, name...)
	case t == event.SigType:
		return append(dst, signalName(n)...)
	case t == event.SyscallID:
		return append(dst, c.Rec.EventName()...)
	case t == event.RelTime:
		if int64(n) == -1 {
			return append(dst, "none"...)
		}
		return append(strconv.AppendFloat(dst, float64(n)/second, 'g', 6, 64), 's')
	case t == event.Mode && p.Flags != nil:
		return appendMode(dst, p.Flags, n)
	case t.IsFlags() && p.Flags != nil:
		return appendFlags(dst, p.Flags, n)
	case t.IsEnum() && p.Flags != nil:
		return appendEnum(dst, p.Flags, n)
	}
	return dst
}

// appendFlags names the bits of n in the order of the set; a name takes its bits away from those after it.
func appendFlags(dst []byte, set *event.FlagSet, n uint64) []byte {
	mark, left := len(dst), n
	for _, f := range set.Flags {
		bits := uint64(f.Value)
		if left&bits != bits || bits == 0 && n != 0 {
			continue
		}
		left &^= bits
		if len(dst) > mark {
			dst = append(dst, '|')
		}
		dst = append(dst, f.Name...)
	}
	return dst
}

// appendEnum names the value n with every name that it has.
func appendEnum(dst []byte, set *event.FlagSet, n uint64) []byte {
	mark := len(dst)
	for _, f := range set.Flags {
		if uint64(f.Value) != n {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, '|')
		}
		dst = append(dst, f.Name...)
	}
	return dst
}

// appendFD says what is behind a descriptor: "<f>/etc/passwd".
func (c *Ctx) appendFD(dst []byte, i int, n int64) []byte {
	if n == atCwd {
		return append(dst, "AT_FDCWD"...)
	}
	if n < 0 {
		return append(dst, errnoName(n)...)
	}
	if f := c.desc(); i == c.row().fd && f.ok {
		dst = append(append(dst, '<'), f.kind.char...)
		if f.isIP() {
			if l4 := f.l4(); l4 != na {
				dst = append(dst, l4[0])
			}
		}
		dst = append(dst, '>')
		if f.hasSock {
			return c.appendTuple(dst, f)
		}
		if path, ok := c.Rec.Part(event.PartPath); ok {
			return append(dst, path...)
		}
		if f.kind == kindDir {
			dir, _ := c.Rec.Part(event.PartDir)
			return append(dst, dir...)
		}
		return dst
	}
	params := c.Rec.Row().Params
	for j := range params { // the directory that another parameter's path starts from
		if params[j].Type != event.FSRelPath || int(params[j].DirFD) != i {
			continue
		}
		if dir, _ := c.directory(j); len(dir) > 0 && dir[0] == '/' {
			return append(append(dst, "<d>"...), dir...)
		}
	}
	return dst
}

func (c *Ctx) appendPID(dst []byte, n int64) []byte {
	if n <= 0 {
		return dst
	}
	_, img := c.Process()
	if uint32(n) != c.Rec.PID && uint32(n) != c.Rec.TID {
		p := c.Host.Procs.Current(uint32(n))
		if p == nil {
			return dst
		}
		img = p.At(c.Rec.TS)
	}
	return append(dst, img.Comm...)
}

func appendSockaddr(dst, b []byte) []byte {
	if e, ok := sockaddr(b); ok {
		return e.append(dst)
	}
	if len(b) >= 2 && uint16(b[0])|uint16(b[1])<<8 == afUnix {
		return append(dst, unixPath(b)...)
	}
	if len(b) < 2 {
		return append(dst, "NULL"...)
	}
	return strconv.AppendUint(append(dst, "family "...), uint64(b[0])|uint64(b[1])<<8, 10)
}

// appendPrintable appends bytes with a dot for each that is no printable ASCII, as Falco shows buffers.
func appendPrintable(dst, b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		dst = append(dst, c)
	}
	return dst
}

// renderNeeds is what the text of parameter i of a row needs beyond the parameter itself.
func renderNeeds(row *event.Row, i int) event.Parts {
	r := &rowInfos[row.ID]
	switch t := row.Params[i].Type; {
	case i == r.fd:
		return partsKind
	case t == event.SockTuple:
		return partsSock | event.PartsOf(event.PartFile)
	case t == event.FSPath, t == event.FSRelPath:
		return event.PartsOf(event.PartDir, event.PartDir2, event.PartCwd)
	case t == event.FD:
		return event.PartsOf(event.PartDir, event.PartDir2)
	}
	return 0
}
