// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"falconet/engine/event"
)

// Render appends the value as text, as Falco prints it, and returns the extended slice. Of strings no byte is changed:
// whoever writes a line escapes it. Buffers are in base64 where the host asks for it, else they show a dot for what is not printable.
func Render(dst []byte, c *Ctx, d *Def, v Value) []byte {
	if d.List {
		dst = append(dst, '(')
		for i, e := range v.List() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = renderOne(dst, c, d, e)
		}
		return append(dst, ')')
	}
	return renderOne(dst, c, d, v)
}

func renderOne(dst []byte, c *Ctx, d *Def, v Value) []byte {
	switch {
	case v.Kind.IsString():
		return append(dst, v.S...)
	case v.Kind == event.ByteBuf && c.Host.Base64:
		return base64.StdEncoding.AppendEncode(dst, bytesOf(v.S))
	case v.Kind == event.ByteBuf:
		return appendPrintable(dst, bytesOf(v.S))
	case v.Kind == event.IPAddr || v.Kind == event.IPNet:
		return appendAddr(dst, v.S)
	case v.Kind == event.SockAddr:
		return appendSockaddr(dst, bytesOf(v.S))
	case v.Kind == event.SockTuple:
		return c.appendTuple(dst, c.desc())
	case v.Kind == event.FDList:
		return appendPolled(dst, bytesOf(v.S))
	case v.Kind == event.SigSet:
		return appendSignals(dst, v.N)
	case v.Kind == event.Bool:
		return strconv.AppendBool(dst, v.N != 0)
	case v.Kind == event.Double:
		return strconv.AppendFloat(dst, math.Float64frombits(v.N), 'f', 1, 64)
	case v.Kind == event.Mode && d.Print == Dec:
		return appendNumber(dst, v.Kind, Oct, v.N)
	}
	return appendNumber(dst, v.Kind, d.Print, v.N)
}

// SuggestedOutput is what the fields suggest to put behind every output: each that has the flag of that name, as fd_name=%fd.name.
func SuggestedOutput() string {
	var list []string
	for _, d := range All() {
		if d.Flags&Suggested != 0 {
			list = append(list, strings.ReplaceAll(d.Name, ".", "_")+"=%"+d.Name)
		}
	}
	return strings.Join(list, " ")
}

// bytesOf returns the bytes of a string, only to be read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func appendAddr(dst []byte, raw string) []byte {
	switch len(raw) {
	case 4:
		return netip.AddrFrom4([4]byte([]byte(raw))).AppendTo(dst)
	case 16:
		return netip.AddrFrom16([16]byte([]byte(raw))).AppendTo(dst)
	}
	return dst
}

func appendNumber(dst []byte, t event.Type, p Print, n uint64) []byte {
	switch p {
	case Hex:
		mark := len(dst)
		dst = strconv.AppendUint(dst, narrow(t, n), 16)
		for i := mark; i < len(dst); i++ {
			if dst[i] >= 'a' {
				dst[i] -= 'a' - 'A'
			}
		}
		return dst
	case Oct:
		if n = narrow(t, n); n != 0 {
			dst = append(dst, '0')
		}
		return strconv.AppendUint(dst, n, 8)
	case Pad9:
		for limit := uint64(100_000_000); limit > 1 && n < limit; limit /= 10 {
			dst = append(dst, '0')
		}
		return strconv.AppendUint(dst, n, 10)
	}
	if t.Signed() {
		return strconv.AppendInt(dst, int64(n), 10)
	}
	return strconv.AppendUint(dst, n, 10)
}

// narrow takes the sign extension off numbers that are written by their bits.
func narrow(t event.Type, n uint64) uint64 {
	switch t {
	case event.Int8:
		return n & 0xff
	case event.Int16:
		return n & 0xffff
	case event.Int32, event.FD, event.PID:
		return n & 0xffffffff
	}
	return n
}

// JSONValue returns what an alert's JSON has for the value: a string, a bool, an int64, a uint64, a float64, or a []any of these. It
// holds nothing of the context: it may be kept.
func JSONValue(c *Ctx, d *Def, v Value) any {
	if d.List {
		members := v.List()
		list := make([]any, len(members))
		for i, e := range members {
			list[i] = jsonOne(c, d, e)
		}
		return list
	}
	return jsonOne(c, d, v)
}

func jsonOne(c *Ctx, d *Def, v Value) any {
	switch {
	case d.Flags&EventTime != 0:
		return int64(v.N)
	case v.Kind == event.Bool:
		return v.N != 0
	case v.Kind == event.Double:
		return math.Float64frombits(v.N)
	case v.Kind == event.AbsTime || v.Kind == event.RelTime:
		if d.Print != Pad9 {
			return int64(v.N)
		}
	case d.Print != Dec || v.Kind == event.ByteBuf || v.Kind.IsString() || v.Kind == event.IPAddr || v.Kind == event.IPNet ||
		v.Kind == event.SockAddr || v.Kind == event.SockTuple || v.Kind == event.FDList || v.Kind == event.SigSet || v.Kind == event.Mode:
	case v.Kind.Signed():
		return int64(v.N)
	default:
		return v.N
	}
	return string(renderOne(nil, c, d, v))
}
