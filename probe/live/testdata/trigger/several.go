// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Few in the environment says that the probe sees the first messages of a call only.
const Few = "FALCONET_FEW"

// each makes a call that moves several messages, and expects a record for each that was moved: its result is the message's length, so
// that no two messages of a call may be of one length.
func (t *T) each(event string, nr, fd int, m []*message, flags uintptr, more ...uintptr) (c *Call, all []*Call) {
	var w []uintptr
	for _, one := range m {
		for i := range 7 {
			w = append(w, t.word(one, uintptr(i)))
		}
		w = append(w, 0)
	}
	size := int(unsafe.Sizeof(uintptr(0)))
	at := t.words(append(w, 0)...)
	c = t.call(event, nr, append([]uintptr{uintptr(fd), at, uintptr(len(m)), flags}, more...)...)
	c.Number("fd", int64(fd))
	n := c.Ret
	for i := range max(n, 0) {
		k := c
		if i > 0 {
			k = new(Call)
			*k = *c
			k.Params, k.Parts = map[string]Want{}, map[string]Want{}
			t.report.Calls = append(t.report.Calls, k)
			k.Number("fd", int64(fd))
		}
		// what the kernel has left goes where word finds it
		m[i].at = at + uintptr(int(i)*8*size)
		k.Ret = int64(uint32(t.word(m[i], 7)))
		k.Result("res")
		all = append(all, k)
	}
	if n <= 0 {
		c.Result("res").size(0).data(nil).Absent("tuple").NoPart("sockaddr", "changed", "path", "fspath")
	}
	return c, all
}

func (m *message) total() (all []byte) {
	for _, b := range m.sizes {
		all = append(all, b...)
	}
	return all
}

// received expects what a message has received.
func (c *Call) received(t *T, m *message) (name []byte) {
	c.size(c.Ret).data(t.gathered(m.buffers, m.sizes, min(int64(len(m.total())), c.Ret)))
	c.Absent("msgcontrol")
	if n := int(t.word(m, 5)); n > 0 {
		c.Bytes("msgcontrol", string(t.at(m.control, n)))
	}
	if at := t.word(m, 0); at != 0 {
		name = t.at(at, int(uint32(t.word(m, 1))))
	}
	return name
}

func several(t *T) {
	loopback := net.IPv4(127, 0, 0, 1).To4()
	server, client := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)), one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	other := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	must(bindTo(server, loopback))
	must(bindTo(other, loopback))
	to, second := from(server, loopback), from(other, loopback)
	must(unix.SetNonblock(server, true))
	send := func(fd int, m ...*message) {
		c, all := t.each("sendmmsg", unix.SYS_SENDMMSG, fd, m, 0)
		if len(all) != len(m) {
			fail("%d of %d were sent: %d", len(all), len(m), c.Ret)
		}
		for i, k := range all {
			b := m[i].total()
			at := t.word(m[i], 0)
			k.size(int64(len(b))).data(b).onPeer(t, fd, t.at(at, int(t.word(m[i], 1))))
		}
	}
	receive := func(fd, n int, room ...int) {
		var m []*message
		for range n {
			var b [][]byte
			for _, r := range room {
				b = append(b, make([]byte, r))
			}
			m = append(m, t.message(make([]byte, 28), make([]byte, 64), b...))
		}
		_, all := t.each("recvmmsg", unix.SYS_RECVMMSG, fd, m, unix.MSG_TRUNC)
		if len(all) != n {
			fail("%d of %d were received", len(all), n)
		}
		for i, k := range all {
			k.onPeer(t, fd, k.received(t, m[i]))
		}
	}
	many := func(n int) (m []*message) {
		for i := range n {
			m = append(m, t.message(to, nil, pattern(i), []byte{byte(i)}))
		}
		return m
	}
	send(client, t.message(to, nil, []byte("one")), t.message(second, nil, []byte("two, "), nil, []byte("elsewhere")), t.message(to, nil, nil), t.message(to, nil, pattern(100)))
	receive(server, 3, 2, 80)
	receive(other, 1, 50)
	send(client, t.message(to, nil, []byte("a single one")))
	receive(server, 1, 50)
	n := 150
	if os.Getenv(Few) != "" || !bpfLoops() {
		n = 9
	}
	send(client, many(n)...)
	receive(server, n, 3, 100)

	// what cannot be
	room := func() *message { return t.message(make([]byte, 28), nil, make([]byte, 50)) }
	c, _ := t.each("recvmmsg", unix.SYS_RECVMMSG, server, []*message{room(), room()}, 0)
	c.fails(unix.EAGAIN).Absent("msgcontrol").sock(server)
	c, _ = t.each("recvmmsg", unix.SYS_RECVMMSG, 1234, []*message{room()}, 0)
	c.fails(unix.EBADF).Absent("msgcontrol").onNothing()
	c, _ = t.each("sendmmsg", unix.SYS_SENDMMSG, 1234, []*message{t.message(to, nil, []byte("nowhere"))}, 0)
	c.fails(unix.EBADF).onNothing()
	c, _ = t.each("sendmmsg", unix.SYS_SENDMMSG, client, nil, 0)
	c.ok().sock(client)
	c = t.call("sendmmsg", unix.SYS_SENDMMSG, uintptr(client), badPtr, 3, 0).fails(unix.EFAULT).Result("res").Number("fd", int64(client))
	c.size(0).data(nil).Absent("tuple").NoPart("sockaddr", "changed", "path", "fspath").sock(client)
	// the second has no address: one was sent
	c, all := t.each("sendmmsg", unix.SYS_SENDMMSG, client, []*message{t.message(to, nil, []byte("sent")), t.message(nil, nil, []byte("not sent"))}, 0)
	if len(all) != 1 {
		fail("%d were sent", len(all))
	}
	c.size(4).data([]byte("sent")).onPeer(t, client, to)
}

// bpfLoops reports whether the kernel has bpf_loop, without which a call's first messages are seen only: since 5.17.
func bpfLoops() bool {
	var u unix.Utsname
	must(unix.Uname(&u))
	return unix.ByteSliceToString(u.Release[:4]) != "5.10"
}

// FloodMessages is how many messages one call of the trigger "flood" sends: as many as the kernel takes.
const FloodMessages = 1024

func flood(t *T) {
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0))
	go func() { // a full queue would block the call
		b := make([]byte, 16)
		for {
			if _, err := unix.Read(pair[1], b); err != nil {
				return
			}
		}
	}()
	iov, _ := t.vector([]byte("x"))
	var w []uintptr
	for range FloodMessages {
		w = append(w, 0, 0, iov, 1, 0, 0, 0, 0)
	}
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(pair[0]), t.words(w...), FloodMessages, 0, 0, 0)
	if n != FloodMessages {
		fail("%d of %d were sent: %v", n, FloodMessages, errno)
	}
}
