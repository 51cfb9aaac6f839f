// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (t *T) onSockCall(event string, nr, fd int, args ...uintptr) *Call {
	return t.call(event, nr, append([]uintptr{uintptr(fd)}, args...)...).Result("res").Number("fd", int64(fd))
}

// inUse expects the socket behind a descriptor, or that there is none.
func (c *Call) inUse(fd int) *Call {
	switch unix.Errno(-c.Ret) {
	case unix.EBADF:
		return c.NoPart("file", "sock")
	case unix.ENOTSOCK:
		return c.file(fd).NoPart("sock")
	}
	return c.sock(fd)
}

func listening(t *T) {
	listen := func(fd int, backlog int) *Call {
		return t.onSockCall("listen", unix.SYS_LISTEN, fd, uintptr(backlog)).Number("backlog", int64(backlog))
	}
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	listen(fd, 7).ok().inUse(fd).Sock.Bound = 1
	listen(fd, -1).ok().inUse(fd)
	datagram := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	listen(datagram, 5).fails(unix.EOPNOTSUPP).inUse(datagram).Sock.Bound = 0
	listen(1234, 5).fails(unix.EBADF).inUse(1234)
	null := one(unix.Open("/dev/null", unix.O_RDWR, 0))
	listen(null, 5).fails(unix.ENOTSOCK).inUse(null)
}

func shutdowns(t *T) {
	shutdown := func(fd, how int) *Call {
		return t.onSockCall("shutdown", unix.SYS_SHUTDOWN, fd, uintptr(how))
	}
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	for how, name := range []string{"SHUT_RD", "SHUT_WR", "SHUT_RDWR"} {
		shutdown(pair[0], how).ok().inUse(pair[0]).Flags("how", name)
	}
	for _, how := range []int{3, -1} {
		shutdown(pair[1], how).fails(unix.EINVAL).inUse(pair[1]).Number("how", 255)
	}
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	shutdown(fd, 0).fails(unix.ENOTCONN).inUse(fd).Flags("how", "SHUT_RD")
	shutdown(1234, 1).fails(unix.EBADF).inUse(1234).Flags("how", "SHUT_WR")
	client, server, _ := connection()
	// the kernel answers itself, sooner or later
	shutdown(server, 1).ok().inUse(server).role(2).Flags("how", "SHUT_WR").Sock.State = -1
	last := shutdown(client, 1).ok().inUse(client).role(1).Flags("how", "SHUT_WR")
	last.Sock.State, last.Sock.LPort = -1, -1 // both have gone
}

func pairs(t *T) {
	pair := func(family, typ, proto int, at uintptr) *Call {
		return t.call("socketpair", unix.SYS_SOCKETPAIR, uintptr(family), uintptr(typ), uintptr(proto), at).Result("res").
			Number("type", int64(typ)).Number("proto", int64(proto))
	}
	at := t.bytes([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC} {
		c := pair(unix.AF_UNIX, typ, 0, at).ok().Flags("domain", "AF_UNIX")
		b := t.at(at, 8)
		one, two := int32(binary.NativeEndian.Uint32(b)), int32(binary.NativeEndian.Uint32(b[4:]))
		// which sockets they are only the kernel knows
		c.Number("fd1", int64(one)).Number("fd2", int64(two)).Range("source", -1<<63, -1).Range("peer", -1<<63, -1).sock(int(one))
	}
	bad := func(c *Call) *Call {
		return c.Number("fd1", -1).Number("fd2", -1).Number("source", 0).Number("peer", 0).NoPart("file", "sock")
	}
	bad(pair(unix.AF_INET, unix.SOCK_STREAM, 0, at).fails(unix.EOPNOTSUPP)).Flags("domain", "AF_INET")
	bad(pair(unix.AF_UNIX, unix.SOCK_STREAM, 0, badPtr).fails(unix.EFAULT)).Flags("domain", "AF_UNIX")
	bad(pair(unix.AF_UNIX, 77, 0, at).fails(unix.EINVAL)).Flags("domain", "AF_UNIX")
}

func names(t *T) {
	for _, c := range []struct {
		name string
		nr   int
	}{{"getsockname", unix.SYS_GETSOCKNAME}, {"getpeername", unix.SYS_GETPEERNAME}} {
		client, _, _ := connection()
		t.call(c.name, c.nr, uintptr(client), t.bytes(make([]byte, 16)), t.bytes([]byte{16, 0, 0, 0})).ok()
		t.call(c.name, c.nr, 1234, 0, 0).fails(unix.EBADF)
	}
}

// timeval is a time as options take it.
func timeval(sec, usec uintptr) []byte {
	b := []uintptr{sec, usec}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), 2*unsafe.Sizeof(sec))...)
}

// option is an option with the value that a call passes or returns, and what it must be called and be taken for.
type option struct {
	level, name   int
	levels, names string
	value         []byte
	number        int64 // what the value means; with bytes set nothing
	bytes         bool
}

func (c *Call) option(o *option, value []byte, number int64) *Call {
	c.Flags("level", o.levels)
	if o.names == "" {
		c.Number("optname", 0)
	} else {
		c.Flags("optname", o.names)
	}
	switch {
	case len(value) == 0:
		return c.Absent("val")
	case o.bytes:
		return c.Bytes("val", string(value))
	}
	return c.Number("val", number)
}

func u32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func setOptions(t *T) {
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	set := func(fd int, o *option, number int64) *Call {
		return t.onSockCall("setsockopt", unix.SYS_SETSOCKOPT, fd, uintptr(o.level), uintptr(o.name), t.bytes(o.value), uintptr(len(o.value))).
			option(o, o.value, number).Number("optlen", int64(len(o.value)))
	}
	const sol, tcp, ip = unix.SOL_SOCKET, unix.IPPROTO_TCP, unix.IPPROTO_IP
	long := binary.NativeEndian.AppendUint64(nil, 1<<40+5)
	wide := append(binary.NativeEndian.AppendUint64(nil, 3), binary.NativeEndian.AppendUint64(nil, 250)...)
	for _, o := range []option{
		{level: sol, name: unix.SO_REUSEADDR, names: "SO_REUSEADDR", value: u32(1), number: 1},
		{level: sol, name: unix.SO_SNDBUF, names: "SO_SNDBUF", value: u32(70000), number: 70000},
		{level: sol, name: unix.SO_PRIORITY, names: "SO_PRIORITY", value: u32(3), number: 3},
		{level: sol, name: unix.SO_RCVTIMEO, names: "SO_RCVTIMEO", value: timeval(2, 500), number: 2_000_500_000},
		{level: sol, name: unix.SO_SNDTIMEO, names: "SO_SNDTIMEO", value: timeval(0, 999_999), number: 999_999_000},
		{level: sol, name: unix.SO_RCVTIMEO_NEW, names: "SO_RCVTIMEO", value: wide, number: 3_000_250_000},
		{level: sol, name: unix.SO_LINGER, names: "SO_LINGER", value: append(u32(1), u32(9)...), bytes: true},
		{level: sol, name: unix.SO_BINDTODEVICE, names: "SO_BINDTODEVICE", value: []byte("lo\x00\x00"), number: 'l' | 'o'<<8},
		{level: tcp, name: unix.TCP_NODELAY, levels: "SOL_TCP", value: u32(1), bytes: true},
		{level: ip, name: unix.IP_TOS, levels: "UNKNOWN", value: u32(16), bytes: true},
	} {
		if o.levels == "" {
			o.levels = "SOL_SOCKET"
		}
		set(fd, &o, o.number).ok().inUse(fd)
		set(1234, &o, o.number).fails(unix.EBADF).inUse(1234)
	}
	for _, o := range []option{
		{level: sol, name: unix.SO_ERROR, names: "SO_ERROR", value: u32(5), number: -5},
		{level: sol, name: unix.SO_COOKIE, names: "SO_COOKIE", value: long, number: 1<<40 + 5},
		{level: sol, name: unix.SO_MEMINFO, names: "SO_MEMINFO", value: pattern(36), bytes: true},
		{level: sol, name: 999, value: pattern(300), bytes: true},
		{level: 77, name: 1, levels: "UNKNOWN", value: pattern(10), bytes: true},
	} {
		if o.levels == "" {
			o.levels = "SOL_SOCKET"
		}
		set(fd, &o, o.number).fails(unix.ENOPROTOOPT).inUse(fd)
	}
	// less than the value has, nothing, more than there may be, and what cannot be read
	reuse := option{level: sol, name: unix.SO_REUSEADDR, levels: "SOL_SOCKET", names: "SO_REUSEADDR"}
	reuse.value = []byte{1, 0}
	set(fd, &reuse, 0).fails(unix.EINVAL).inUse(fd).Absent("val")
	reuse.value = nil
	set(fd, &reuse, 0).fails(unix.EINVAL).inUse(fd)
	call := func(at uintptr, n int32) *Call {
		return t.onSockCall("setsockopt", unix.SYS_SETSOCKOPT, fd, sol, unix.SO_REUSEADDR, at, uintptr(uint32(n))).
			option(&reuse, nil, 0).Number("optlen", int64(uint32(n))).fails(unix.EINVAL, unix.EFAULT).inUse(fd)
	}
	call(badPtr, 4).Fault = true
	call(0, 4)
	call(t.bytes(u32(1)), -1)
	huge := option{level: ip, name: unix.IP_OPTIONS, levels: "UNKNOWN", value: pattern(6000), bytes: true}
	c := set(fd, &huge, 0).fails(unix.EINVAL, unix.ENOBUFS).inUse(fd).Bytes("val", string(pattern(6000)[:4095]))
	c.Truncated = true
}

func getOptions(t *T) {
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 4, Usec: 8000}))
	get := func(fd, room int, o *option) (*Call, []byte) {
		at, size := t.bytes(make([]byte, room)), t.bytes(u32(uint32(room)))
		c := t.onSockCall("getsockopt", unix.SYS_GETSOCKOPT, fd, uintptr(o.level), uintptr(o.name), at, size)
		n := binary.NativeEndian.Uint32(t.at(size, 4))
		return c.Number("optlen", int64(n)), t.at(at, int(n))
	}
	const sol = unix.SOL_SOCKET
	number := func(b []byte) int64 { return int64(binary.NativeEndian.Uint32(b)) }
	for _, o := range []option{
		{level: sol, name: unix.SO_TYPE, names: "SO_TYPE"}, {level: sol, name: unix.SO_DOMAIN, names: "SO_DOMAIN"}, {level: sol, name: unix.SO_RCVBUF, names: "SO_RCVBUF"},
		{level: sol, name: unix.SO_ACCEPTCONN, names: "SO_ACCEPTCONN"}, {level: sol, name: unix.SO_LINGER, names: "SO_LINGER", bytes: true},
		{level: sol, name: unix.SO_PEERCRED, names: "SO_PEERCRED", bytes: true}, {level: unix.IPPROTO_TCP, name: unix.TCP_INFO, levels: "SOL_TCP", bytes: true},
	} {
		if o.levels == "" {
			o.levels = "SOL_SOCKET"
		}
		c, value := get(fd, 300, &o)
		if c.ok(); o.bytes {
			c.option(&o, value, 0).inUse(fd)
		} else {
			c.option(&o, value, number(value)).inUse(fd)
		}
	}
	timeout := option{level: sol, name: unix.SO_RCVTIMEO, levels: "SOL_SOCKET", names: "SO_RCVTIMEO"}
	c, value := get(fd, 16, &timeout)
	c.ok().option(&timeout, value, 4_008_000_000).inUse(fd)
	timeout.name = unix.SO_RCVTIMEO_NEW
	c, value = get(fd, 16, &timeout)
	c.ok().option(&timeout, value, 4_008_000_000).inUse(fd)
	cookie := option{level: sol, name: unix.SO_COOKIE, levels: "SOL_SOCKET", names: "SO_COOKIE"}
	c, value = get(fd, 8, &cookie)
	c.ok().option(&cookie, value, int64(binary.NativeEndian.Uint64(value))).inUse(fd)
	// an error that waits
	failed := option{level: sol, name: unix.SO_ERROR, levels: "SOL_SOCKET", names: "SO_ERROR"}
	other := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	gone := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	must(bindTo(gone, net.IPv4(127, 0, 0, 1)))
	must(unix.Connect(other, one(unix.Getsockname(gone))))
	must(unix.Close(gone))
	must(unix.Send(other, []byte("anybody?"), 0))
	c, value = get(other, 4, &failed)
	if number(value) != int64(unix.ECONNREFUSED) {
		fail("error %x", value)
	}
	c.ok().option(&failed, value, -int64(unix.ECONNREFUSED)).inUse(other)
	// what a call that failed leaves is what was there
	typ := option{level: sol, name: unix.SO_TYPE, levels: "SOL_SOCKET", names: "SO_TYPE"}
	c, value = get(1234, 4, &typ)
	c.fails(unix.EBADF).option(&typ, value, 0).inUse(1234)
	unknown := option{level: sol, name: 999, levels: "SOL_SOCKET", bytes: true}
	c, value = get(fd, 10, &unknown)
	c.fails(unix.ENOPROTOOPT).option(&unknown, value, 0).inUse(fd)
	c, value = get(fd, 2, &typ) // no room for all of it
	c.ok().option(&typ, value, 0).inUse(fd).Absent("val")
	call := func(at, size uintptr) *Call {
		return t.onSockCall("getsockopt", unix.SYS_GETSOCKOPT, fd, sol, unix.SO_TYPE, at, size).fails(unix.EFAULT).option(&typ, nil, 0).inUse(fd)
	}
	call(t.bytes(u32(0)), badPtr).Number("optlen", 0).Fault = true
	call(badPtr, t.bytes(u32(4))).Number("optlen", 4).Fault = true
}
