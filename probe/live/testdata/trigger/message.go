// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// from is the address of a socket as another sees it that talks to it over the loopback.
func from(fd int, loopback net.IP) []byte {
	var ip [16]byte
	return inetAddr(loopback, address(one(unix.Getsockname(fd)), ip[:]))
}

func (t *T) sendto(fd int, b []byte, flags uintptr, addr []byte) *Call {
	at, n := uintptr(0), uintptr(len(addr))
	if n > 0 {
		at = t.bytes(addr)
	}
	return t.moves("sendto", unix.SYS_SENDTO, fd, t.bytes(b), uintptr(len(b)), flags, at, n).size(int64(len(b))).data(b)
}

// recvfrom asks for n bytes, and for the address when room is positive.
func (t *T) recvfrom(fd, n int, flags uintptr, room int) (c *Call, data, addr []byte) {
	buf, at, size := t.bytes(make([]byte, n)), uintptr(0), uintptr(0)
	if room > 0 {
		at, size = t.bytes(make([]byte, room)), t.bytes(binary.NativeEndian.AppendUint32(nil, uint32(room)))
	}
	c = t.moves("recvfrom", unix.SYS_RECVFROM, fd, buf, uintptr(n), flags, at, size).size(int64(n))
	if c.Ret < 0 {
		return c, nil, nil
	}
	data = t.at(buf, min(int(c.Ret), n))
	if room > 0 {
		addr = t.at(at, int(binary.NativeEndian.Uint32(t.at(size, 4))))
	}
	return c.data(data), data, addr
}

// onPeer expects a socket that talks to another at addr.
func (c *Call) onPeer(t *T, fd int, addr []byte) *Call {
	c.tuple(fd).NoPart("path", "fspath")
	t.follow(c, fd, addr)
	if len(addr) == 0 {
		return c.NoPart("sockaddr")
	}
	return c.Part("sockaddr", string(addr))
}

// follow expects what the call says of whom the socket talks to: somebody else than before, or nothing where that is not known.
func (t *T) follow(c *Call, fd int, addr []byte) {
	to := ""
	if sa, err := unix.Getpeername(fd); err == nil {
		to = text(sa)
	}
	before, known := t.peers[fd]
	if !known {
		before = to
	}
	now := to
	if len(addr) > 0 {
		now = string(canonical(addr))
	}
	if c.Ret < 0 || c.Sock.Type == unix.SOCK_STREAM || now == "" {
		c.NoPart("changed")
		return
	}
	t.peers[fd] = now
	c.Part("changed", map[bool]string{false: "\x00", true: "\x01"}[now != before])
}

// canonical is an address without what says nothing: padding, flow and scope.
func canonical(addr []byte) []byte {
	switch binary.NativeEndian.Uint16(addr) {
	case unix.AF_INET:
		return addr[:8]
	case unix.AF_INET6:
		return append(append([]byte{}, addr[:4]...), addr[8:24]...)
	}
	return addr
}

// text is the address of an internet socket as canonical has it, "" for any other.
func text(sa unix.Sockaddr) string {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return string(canonical(inetAddr(net.IP(a.Addr[:]), a.Port)))
	case *unix.SockaddrInet6:
		return string(canonical(inetAddr(net.IP(a.Addr[:]), a.Port)))
	}
	return ""
}

func same(got, want []byte) {
	if string(got) != string(want) {
		fail("%q instead of %q", got, want)
	}
}

func datagrams(t *T) {
	t.datagrams(unix.AF_INET, net.IPv4(127, 0, 0, 1).To4())
	if fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0); err == nil && unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte(net.IPv6loopback)}) == nil {
		t.datagrams(unix.AF_INET6, net.IPv6loopback)
	}
	t.named()
	file := one(unix.Open(filepath.Join(cwd(), "file"), unix.O_RDWR|unix.O_CREAT, 0o644))
	addr := inetAddr(net.IPv4(127, 0, 0, 1).To4(), 9)
	onFile := func(c *Call) { c.onFile(file, filepath.Join(cwd(), "file")).Absent("tuple") }
	onFile(t.sendto(file, []byte("to a file"), 0, addr).fails(unix.ENOTSOCK))
	t.sendto(1234, []byte("nowhere"), 0, addr).fails(unix.EBADF).onNothing().Absent("tuple")
	c, _, _ := t.recvfrom(file, 10, 0, 16)
	onFile(c.fails(unix.ENOTSOCK).data(nil))
	c, _, _ = t.recvfrom(1234, 10, 0, 16)
	c.fails(unix.EBADF).data(nil).onNothing().Absent("tuple")
}

func bindTo(fd int, ip net.IP) error {
	if v4 := ip.To4(); v4 != nil {
		return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte(v4)})
	}
	return unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte(ip)})
}

func (t *T) datagrams(family int, loopback net.IP) {
	server := one(unix.Socket(family, unix.SOCK_DGRAM, 0))
	t.socketCall("bind", unix.SYS_BIND, server, inetAddr(loopback, 0)).ok().sock(server)
	client := one(unix.Socket(family, unix.SOCK_DGRAM, 0))
	to := from(server, loopback)
	for _, b := range [][]byte{[]byte("question"), pattern(kept), pattern(1000), nil} {
		t.sendto(client, b, 0, to).ok().onPeer(t, client, to).bound(0)
		c, data, addr := t.recvfrom(server, 1000, 0, 28)
		same(data, b)
		same(addr, from(client, loopback))
		c.ok().onPeer(t, server, addr).bound(1)
	}
	// more than there is room for; the result is what there was
	t.sendto(client, pattern(50), 0, to).ok().onPeer(t, client, to).bound(0)
	c, _, addr := t.recvfrom(server, 7, unix.MSG_TRUNC, 128)
	if c.Ret != 50 {
		fail("received %d", c.Ret)
	}
	c.onPeer(t, server, addr).bound(1)
	// whoever it is
	t.sendto(client, []byte("anybody"), 0, to).ok().onPeer(t, client, to).bound(0)
	c, _, _ = t.recvfrom(server, 100, 0, 0)
	c.ok().onPeer(t, server, nil).bound(1)
	must(unix.SetNonblock(server, true))
	c, _, _ = t.recvfrom(server, 100, 0, 28)
	c.fails(unix.EAGAIN).data(nil).onPeer(t, server, nil).bound(1)
	// another, and back
	other := one(unix.Socket(family, unix.SOCK_DGRAM, 0))
	must(bindTo(other, loopback))
	second := from(other, loopback)
	for _, at := range [][]byte{second, second, to, second} {
		t.sendto(client, []byte("by turns"), 0, at).ok().onPeer(t, client, at).bound(0)
	}
	c, _, addr = t.recvfrom(server, 100, 0, 28)
	c.ok().onPeer(t, server, addr).bound(1)
	t.sendto(server, []byte("to another"), 0, second).ok().onPeer(t, server, second).bound(1)
	must(unix.Close(other))
	// connected
	t.connect(client, to).ok().tuple(client)
	t.sendto(client, []byte("as before"), 0, nil).ok().onPeer(t, client, nil).bound(0)
	c, _, addr = t.recvfrom(server, 100, 0, 28)
	c.ok().onPeer(t, server, addr).bound(1)
	t.sendto(server, []byte("answer"), 0, addr).ok().onPeer(t, server, addr).bound(1)
	c, data, addr := t.recvfrom(client, 100, 0, 28)
	same(data, []byte("answer"))
	c.ok().onPeer(t, client, addr).bound(0)
	// what cannot be
	long := append(to, make([]byte, 200)...)
	t.sendto(client, []byte("too long"), 0, long).fails(unix.EINVAL).onPeer(t, client, nil).bound(0)
	t.moves("sendto", unix.SYS_SENDTO, client, t.str("lost"), 4, 0, badPtr, 16).fails(unix.EFAULT).size(4).data([]byte("lost")).onPeer(t, client, nil).bound(0)
	t.moves("sendto", unix.SYS_SENDTO, client, badPtr, 40, 0, 0, 0).fails(unix.EFAULT).size(40).data(nil).onPeer(t, client, nil).bound(0).Fault = true
	t.sendto(client, []byte("short"), 0, to[:3]).fails(unix.EINVAL).onPeer(t, client, nil).bound(0)
	must(unix.Close(client))
	must(unix.Close(server))
	delete(t.peers, client)
	delete(t.peers, server)
}

// named are datagrams between sockets that have names in the filesystem, or none.
func (t *T) named() {
	dir := cwd()
	server, client := one(unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)), one(unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0))
	at, other := filepath.Join(dir, "server"), filepath.Join(dir, "client")
	must(unix.Bind(server, &unix.SockaddrUnix{Name: at}))
	t.sendto(client, []byte("from nobody"), 0, unixAddr(at)).ok().onPeer(t, client, unixAddr(at))
	c, _, _ := t.recvfrom(server, 100, 0, 110)
	c.ok().onPeer(t, server, nil).Sock.Path = []byte(at + "\x00")
	must(unix.Bind(client, &unix.SockaddrUnix{Name: other}))
	t.sendto(client, []byte("from a name"), 0, unixAddr(at)).ok().onPeer(t, client, unixAddr(at)).Sock.Path = []byte(other + "\x00")
	c, _, addr := t.recvfrom(server, 100, 0, 110)
	same(addr, unixAddr(other+"\x00"))
	c.ok().onPeer(t, server, addr).Sock.Path = []byte(at + "\x00")
	t.sendto(client, []byte("x"), 0, unixAddr("missing")).fails(unix.ENOENT).onPeer(t, client, nil).Sock.Path = []byte(other + "\x00")
}

// role expects that a socket is the client's end of its connection, 1, or the server's, 2.
func (c *Call) role(role int) *Call {
	c.Sock.Role = role
	return c
}

// bound expects a socket that has no role and was bound, 1, or was not, 0.
func (c *Call) bound(bound int) *Call {
	c.Sock.Role, c.Sock.Bound = 0, bound
	return c
}

// elder has a connection before the probe is there that watches it.
func elder(t *T) {
	client, server, _ := connection()
	must(os.WriteFile("ready", nil, 0o644))
	for {
		if _, err := os.Stat("go"); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	t.sendto(client, []byte("still here"), 0, nil).ok().onPeer(t, client, nil).role(1)
	c, _, _ := t.recvfrom(server, 100, 0, 0)
	c.ok().onPeer(t, server, nil).role(2)
	must(unix.Close(client))
	must(unix.Close(server))
}

// connection is a pair of connected TCP sockets, and the one that listens.
func connection() (client, server, listener int) {
	listener = one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(unix.Listen(listener, 1))
	client = one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.Connect(client, one(unix.Getsockname(listener))))
	server, _, err := unix.Accept(listener)
	must(err)
	return client, server, listener
}

func streams(t *T) {
	client, server, listener := connection()
	must(unix.Close(listener))
	t.sendto(client, []byte("hello, server"), 0, nil).ok().onPeer(t, client, nil).role(1)
	c, _, _ := t.recvfrom(server, 5, unix.MSG_PEEK, 0)
	c.ok().onPeer(t, server, nil).role(2)
	c, _, _ = t.recvfrom(server, 7, 0, 28)
	c.ok().onPeer(t, server, nil).role(2)
	// thrown away: what is in the buffer is something else
	buf := t.str("something else")
	c = t.moves("recvfrom", unix.SYS_RECVFROM, server, buf, 6, unix.MSG_TRUNC, 0, 0).size(6).data(nil).ok().onPeer(t, server, nil).role(2)
	c.Part("data", "someth")
	t.sendto(server, pattern(500), 0, nil).ok().onPeer(t, server, nil).role(2)
	c, _, _ = t.recvfrom(client, 500, unix.MSG_WAITALL, 0)
	c.ok().onPeer(t, client, nil).role(1)
	must(unix.Close(server))
	c, _, _ = t.recvfrom(client, 10, 0, 0)
	c.ok().onPeer(t, client, nil).role(1)
	must(unix.Shutdown(client, unix.SHUT_WR))
	t.sendto(client, []byte("too late"), unix.MSG_NOSIGNAL, nil).fails(unix.EPIPE).onPeer(t, client, nil).role(1).Sock.LPort = -1 // neither open nor gone
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	t.sendto(pair[0], []byte("to myself"), 0, nil).ok().onPeer(t, pair[0], nil)
	c, _, addr := t.recvfrom(pair[1], 100, 0, 110)
	same(addr, nil)
	c.ok().onPeer(t, pair[1], nil)
}

// message is a msghdr in memory.
type message struct {
	at, control uintptr
	buffers     []uintptr
	sizes       [][]byte
}

// message puts one together: an address, buffers, and control data.
func (t *T) message(name []byte, control []byte, b ...[]byte) *message {
	m := &message{sizes: b}
	iov, at := t.vector(b...)
	m.buffers = at
	var nameAt uintptr
	if len(name) > 0 {
		nameAt = t.bytes(name)
	}
	if len(control) > 0 {
		m.control = t.bytes(control)
	}
	m.at = t.words(nameAt, uintptr(len(name)), iov, uintptr(len(b)), m.control, uintptr(len(control)), 0, 0)
	return m
}

// word is the n-th member of the message as it is now.
func (t *T) word(m *message, n uintptr) uintptr {
	size := unsafe.Sizeof(n)
	return *(*uintptr)(unsafe.Pointer(&t.at(m.at+n*size, int(size))[0]))
}

func (t *T) sendmsg(fd int, m *message, flags uintptr) *Call {
	var all []byte
	for _, b := range m.sizes {
		all = append(all, b...)
	}
	return t.moves("sendmsg", unix.SYS_SENDMSG, fd, m.at, flags).size(int64(len(all))).data(all)
}

func (t *T) recvmsg(fd int, m *message, flags uintptr) (c *Call, name []byte) {
	c = t.moves("recvmsg", unix.SYS_RECVMSG, fd, m.at, flags)
	if c.Ret < 0 {
		return c.size(0).data(nil).Absent("msgcontrol"), nil
	}
	total := 0
	for _, b := range m.sizes {
		total += len(b)
	}
	c.size(c.Ret).data(t.gathered(m.buffers, m.sizes, int64(min(total, int(c.Ret)))))
	if n := int(t.word(m, 5)); n > 0 {
		c.Bytes("msgcontrol", string(t.at(m.control, n)))
	} else {
		c.Absent("msgcontrol")
	}
	if at := t.word(m, 0); at != 0 {
		name = t.at(at, int(uint32(t.word(m, 1))))
	}
	return c, name
}

func messages(t *T) {
	loopback := net.IPv4(127, 0, 0, 1).To4()
	server, client := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)), one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	must(unix.Bind(server, &unix.SockaddrInet4{Addr: [4]byte(loopback)}))
	to, room := from(server, loopback), make([]byte, 128)
	type bufs = [][]byte
	for _, b := range []bufs{{[]byte("one "), nil, []byte("two")}, {pattern(60), pattern(60)}, {}, {nil}} {
		t.sendmsg(client, t.message(to, nil, b...), 0).ok().onPeer(t, client, to)
		c, name := t.recvmsg(server, t.message(room, nil, make([]byte, 5), make([]byte, 200)), 0)
		same(name, from(client, loopback))
		c.ok().onPeer(t, server, name)
	}
	must(unix.SetsockoptInt(server, unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1))
	t.sendmsg(client, t.message(to, nil, pattern(50)), 0).ok().onPeer(t, client, to)
	c, name := t.recvmsg(server, t.message(room, make([]byte, 200), make([]byte, 5), make([]byte, 6)), unix.MSG_TRUNC)
	if c.Ret != 50 || c.Params["msgcontrol"].Kind != "bytes" {
		fail("%d bytes, control %v", c.Ret, c.Params["msgcontrol"])
	}
	c.onPeer(t, server, name)
	t.connect(client, to).ok().tuple(client)
	t.sendmsg(client, t.message(nil, nil, []byte("connected")), 0).ok().onPeer(t, client, nil)
	c, _ = t.recvmsg(server, t.message(nil, nil, make([]byte, 50)), 0)
	c.ok().onPeer(t, server, nil)
	t.rights()

	// what cannot be
	must(unix.SetNonblock(server, true))
	c, _ = t.recvmsg(server, t.message(room, make([]byte, 100), make([]byte, 50)), 0)
	c.fails(unix.EAGAIN).onPeer(t, server, nil)
	t.sendmsg(1234, t.message(to, nil, []byte("nowhere")), 0).fails(unix.EBADF).onNothing().Absent("tuple")
	c, _ = t.recvmsg(1234, t.message(room, nil, make([]byte, 50)), 0)
	c.fails(unix.EBADF).onNothing().Absent("tuple")
	t.moves("sendmsg", unix.SYS_SENDMSG, client, badPtr, 0).fails(unix.EFAULT).Absent("size").data(nil).onPeer(t, client, nil).Fault = true
	t.moves("recvmsg", unix.SYS_RECVMSG, client, badPtr, 0).fails(unix.EFAULT).size(0).data(nil).Absent("msgcontrol").onPeer(t, client, nil).Fault = true
	iov, _ := t.vector([]byte("never sent"))
	for _, n := range []uintptr{1025, 1 << 31} {
		t.moves("sendmsg", unix.SYS_SENDMSG, client, t.words(0, 0, iov, n, 0, 0, 0), 0).fails(unix.EMSGSIZE).Absent("size").data(nil).onPeer(t, client, nil)
	}
	t.moves("sendmsg", unix.SYS_SENDMSG, client, t.words(0, 0, badPtr, 1, 0, 0, 0), 0).fails(unix.EFAULT).Absent("size").data(nil).onPeer(t, client, nil).Fault = true
	bad := t.message(to, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte("hostile"))
	t.sendmsg(client, bad, 0).fails(unix.EINVAL).onPeer(t, client, nil)
	t.sendmsg(client, t.message(to[:5], nil, []byte("short")), 0).fails(unix.EINVAL).onPeer(t, client, nil)
}

// rights passes descriptors: what the receiver finds in its control data are their numbers there.
func (t *T) rights() {
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	t.sendmsg(pair[0], t.message(nil, unix.UnixRights(0, 1, 2), []byte("here")), 0).ok().onPeer(t, pair[0], nil)
	c, _ := t.recvmsg(pair[1], t.message(nil, make([]byte, 100), make([]byte, 50)), 0)
	if len(c.ok().Params["msgcontrol"].B) < 12 {
		fail("control data %x", c.Params["msgcontrol"].B)
	}
	c.onPeer(t, pair[1], nil)
	all := make([]int, 253) // as many as there may be
	t.sendmsg(pair[0], t.message(nil, unix.UnixRights(all...), []byte("many")), 0).ok().onPeer(t, pair[0], nil)
	c, _ = t.recvmsg(pair[1], t.message(nil, make([]byte, 8000), make([]byte, 50)), 0)
	c.ok().onPeer(t, pair[1], nil)
	// no room for all
	t.sendmsg(pair[0], t.message(nil, unix.UnixRights(0, 1, 2), []byte("some")), 0).ok().onPeer(t, pair[0], nil)
	c, _ = t.recvmsg(pair[1], t.message(nil, make([]byte, 24), make([]byte, 50)), 0)
	c.ok().onPeer(t, pair[1], nil)
}
