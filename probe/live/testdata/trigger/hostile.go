// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bytes"
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"
)

// maxAddress is the size of a sockaddr_storage: the kernel takes no longer address.
const maxAddress = 128

// lengths are all that an address may have, and some that none has.
func lengths() (list []int) {
	for n := range maxAddress + 3 {
		list = append(list, n)
	}
	return append(list, 4095, 4096, 5000)
}

// addressed expects a call's address, of which n bytes were given, as far as there can be one.
func (c *Call) addressed(b []byte) *Call {
	switch {
	case len(b) == 0:
		return c.Absent("addr").NoPart("sockaddr")
	case len(b) > maxAddress:
		b, c.Truncated = b[:maxAddress], true
	}
	return c.Bytes("addr", string(b)).Part("sockaddr", string(b))
}

// long is an address of a family, with a beginning and something behind it.
func long(family uint16, head []byte) []byte {
	b := append(binary.NativeEndian.AppendUint16(nil, family), head...)
	return append(b, bytes.Repeat([]byte("behind "), 1000)...)
}

// oddAddresses are addresses of every length. The kernel takes few of them; what it refuses is what the call was given.
func oddAddresses(t *T) {
	loopback := inetAddr(net.IPv4(127, 0, 0, 1).To4(), 9)
	for _, a := range [][]byte{long(unix.AF_INET, loopback[2:]), long(unix.AF_INET6, make([]byte, 26)), long(unix.AF_UNIX, []byte("\x00a\x00\x00b")), long(77, nil), long(unix.AF_UNSPEC, loopback[2:])} {
		fd := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
		link := one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
		at := t.bytes(a)
		for _, n := range lengths() {
			c := t.call("connect", unix.SYS_CONNECT, uintptr(fd), at, uintptr(n)).Result("res").Number("fd", int64(fd)).addressed(a[:n])
			if c.tuple(fd); c.Ret == 0 {
				must(unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9})) // an end that the next call does not change
			}
			if n > 2 { // else it gets a name
				c = t.call("connect", unix.SYS_CONNECT, uintptr(link), at, uintptr(n)).Result("res").Number("fd", int64(link)).addressed(a[:n])
				c.tuple(link).Sock.Path = []byte{}
			}
		}
		// a length that is negative
		c := t.call("bind", unix.SYS_BIND, uintptr(fd), at, 1<<31).fails(unix.EINVAL).Result("res").Number("fd", int64(fd)).addressed(a)
		c.sock(fd)
		must(unix.Close(fd))
		must(unix.Close(link))
	}
	t.abstract()
	t.sendOdd()
}

// abstract binds names with NULs in them, of every length that a name may have.
func (t *T) abstract() {
	name := append([]byte{0}, bytes.Repeat([]byte("a\x00\x00b"), 40)...)
	copy(name[1:], "falconet "+itoa(uint64(unix.Getpid())))
	a := append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), name...)
	at := t.bytes(a)
	for n := 3; n <= 112; n++ {
		fd := one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
		c := t.call("bind", unix.SYS_BIND, uintptr(fd), at, uintptr(n)).Result("res").Number("fd", int64(fd)).addressed(a[:n])
		c.sock(fd).Sock.Path = []byte{}
		if n > 110 {
			c.fails(unix.EINVAL)
		} else {
			c.ok().Sock.Path = a[2:n]
		}
		must(unix.Close(fd))
	}
}

// sendOdd sends to addresses of every length, and of a family that only the kernel knows.
func (t *T) sendOdd() {
	loopback := net.IPv4(127, 0, 0, 1).To4()
	server := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	must(bindTo(server, loopback))
	client := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	to := from(server, loopback)
	for _, family := range []uint16{unix.AF_INET, unix.AF_UNSPEC} {
		a := long(family, to[2:])
		at, text := t.bytes(a), t.str("x")
		for _, n := range lengths() {
			c := t.moves("sendto", unix.SYS_SENDTO, client, text, 1, unix.MSG_DONTWAIT, at, uintptr(n)).size(1).data([]byte("x"))
			if c.tuple(client).NoPart("path", "fspath"); c.Ret < 0 {
				c.NoPart("sockaddr", "changed")
				continue
			}
			if n < len(to) {
				fail("sent to an address of %d bytes", n)
			}
			t.follow(c, client, to)
			c.Part("sockaddr", string(a[:min(n, maxAddress)]))
			must(ignore(unix.Read(server, make([]byte, 10))))
		}
	}
	// a message's may be too long
	a := long(unix.AF_INET, to[2:])[:300]
	c := t.sendmsg(client, t.message(a, nil, []byte("cut")), 0).ok().onPeer(t, client, to)
	c.Part("sockaddr", string(a[:maxAddress]))
	must(ignore(unix.Read(server, make([]byte, 10))))
	// the space for control data may be as large as the caller says it is: what counts is what the kernel has left there
	must(unix.SetsockoptInt(server, unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1))
	t.sendmsg(client, t.message(to, nil, []byte("hello")), 0).ok().onPeer(t, client, to)
	room := t.message(make([]byte, 28), make([]byte, 100), make([]byte, 10))
	room.at = t.words(t.word(room, 0), 1<<31-1, t.word(room, 2), 1, room.control, ^uintptr(0), 0, 0)
	c, name := t.recvmsg(server, room, 0)
	c.ok().onPeer(t, server, name)
	if len(c.Params["msgcontrol"].B) == 0 || len(name) != len(to) {
		fail("control %v, name %x", c.Params["msgcontrol"], name)
	}
}
