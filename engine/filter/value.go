// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"falconet/engine/event"
	"falconet/engine/field"
)

// class groups the types that compare alike.
type class uint8

const (
	classNone   class = iota
	classSigned       // numbers as int64
	classNumber       // numbers as uint64
	classReal         // numbers with a fraction
	classBool
	classText
	classBytes
	classIP
	classNet
)

func classOf(t event.Type) class {
	switch t {
	case event.CharBuf, event.FSPath, event.FSRelPath:
		return classText
	case event.ByteBuf:
		return classBytes
	case event.Bool:
		return classBool
	case event.IPAddr:
		return classIP
	case event.IPNet:
		return classNet
	case event.Double:
		return classReal
	case event.None, event.L4Proto, event.SockAddr, event.SockTuple, event.FDList, event.SigSet:
		return classNone
	}
	if t.Signed() {
		return classSigned
	}
	return classNumber
}

// constant is a value of a condition in the type of its field.
type constant struct {
	n    uint64
	s    string
	addr netip.Prefix // of classNet
}

func parseConstant(v Value, t event.Type) (constant, *Error) {
	bad := func(what, hint string) (constant, *Error) {
		return constant{}, &Error{Pos: v.At, Len: v.Len, Msg: fmt.Sprintf("'%s' is not a valid %s", v.Text, what), Hint: hint}
	}
	switch classOf(t) {
	case classText, classBytes:
		return constant{s: v.Text}, nil
	case classBool:
		if v.Text != "true" && v.Text != "false" {
			return bad("boolean", "write true or false")
		}
		return constant{n: boolNumber(v.Text == "true")}, nil
	case classIP:
		a, err := netip.ParseAddr(v.Text)
		if err != nil {
			return bad("IP address", "")
		}
		return constant{s: string(a.AsSlice())}, nil
	case classNet:
		p, err := netip.ParsePrefix(v.Text)
		if err != nil {
			return bad("network", "write an address and a prefix length, like 10.0.0.0/8")
		}
		return constant{addr: p.Masked()}, nil
	case classReal:
		x, err := strconv.ParseFloat(v.Text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return bad("number", "")
		}
		return constant{n: math.Float64bits(x + 0)}, nil // there is one zero
	}
	if t == event.Port {
		if v.Text == "" {
			return constant{}, nil
		}
		if _, err := strconv.ParseInt(v.Text, 10, 64); err != nil {
			port, err := net.LookupPort("tcp", v.Text)
			if err != nil {
				port, err = net.LookupPort("udp", v.Text)
			}
			if err != nil {
				return bad("port", "write a number or the name of a service")
			}
			return constant{n: uint64(port)}, nil
		}
	}
	if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
		return constant{n: narrow(n, t)}, nil
	}
	if n, err := strconv.ParseUint(v.Text, 10, 64); err == nil {
		return constant{n: n}, nil
	}
	return bad("number", "numbers of conditions are decimal")
}

// narrow makes a number of a condition one of the type, as Falco does: -1 is what an unsigned field has where all bits are set.
func narrow(n int64, t event.Type) uint64 {
	if n >= 0 || t.Signed() {
		return uint64(n)
	}
	switch t {
	case event.Uint8, event.Flags8, event.EnumFlags8, event.SigType:
		return uint64(uint8(n))
	case event.Uint16, event.Flags16, event.EnumFlags16, event.SyscallID, event.Port:
		return uint64(uint16(n))
	case event.Uint32, event.Flags32, event.EnumFlags32, event.UID, event.GID, event.Mode:
		return uint64(uint32(n))
	}
	return uint64(n)
}

func boolNumber(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// cString is v's string as most comparisons see it: text ends at its first NUL.
func cString(v *field.Value) string {
	if i := strings.IndexByte(v.S, 0); i >= 0 && v.Kind != event.ByteBuf {
		return v.S[:i]
	}
	return v.S
}

// equalsC reports whether v's string, up to its first NUL, is s, in which there is none.
func equalsC(v *field.Value, s string) bool {
	n := len(s)
	return len(v.S) == n && v.S == s || len(v.S) > n && v.S[n] == 0 && v.Kind != event.ByteBuf && v.S[:n] == s
}

// trimNUL is v's string as sets, paths and regular expressions see it: without the NULs at its end.
func trimNUL(v *field.Value) string {
	s := v.S
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}

func addrOf(v *field.Value) (netip.Addr, bool) {
	switch len(v.S) {
	case 4:
		return netip.AddrFrom4([4]byte([]byte(v.S))), true
	case 16:
		return netip.AddrFrom16([16]byte([]byte(v.S))), true
	}
	return netip.Addr{}, false
}

func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
