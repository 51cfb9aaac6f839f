// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bytes"
	"encoding/binary"
	"net"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// sockaddr is an address as the kernel takes it.
func inetAddr(ip net.IP, port int) []byte {
	if v4 := ip.To4(); v4 != nil && len(ip) != net.IPv6len {
		b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
		return append(append(binary.BigEndian.AppendUint16(b, uint16(port)), v4...), make([]byte, 8)...)
	}
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET6)
	b = append(binary.BigEndian.AppendUint16(b, uint16(port)), 0, 0, 0, 0)
	return append(append(b, ip...), 0, 0, 0, 0)
}

func unixAddr(path string) []byte {
	return append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), path...)
}

// sock takes the facts of a socket.
func (c *Call) sock(fd int) *Call {
	s := &Sock{State: -1, Queue: -1, MaxQueue: -1, LAddr: make([]byte, 16), RAddr: make([]byte, 16)}
	s.Family = one(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN))
	s.Type = one(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE))
	s.Proto = one(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL))
	s.LPort = address(one(unix.Getsockname(fd)), s.LAddr)
	if sa, err := unix.Getpeername(fd); err == nil {
		s.RPort = address(sa, s.RAddr)
	}
	if s.Proto == unix.IPPROTO_TCP {
		info := one(unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO))
		s.State = int(info.State)
		if s.State == 10 { // a listener's numbers mean its queue
			s.Queue, s.MaxQueue = int(info.Unacked), int(info.Sacked)
		}
	}
	c.Sock = s
	return c.Part("sock", "").file(fd)
}

func address(sa unix.Sockaddr, ip []byte) int {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		copy(ip, a.Addr[:])
		return a.Port
	case *unix.SockaddrInet6:
		copy(ip, a.Addr[:])
		return a.Port
	}
	return 0
}

func (t *T) socketCall(event string, nr, fd int, addr []byte) *Call {
	return t.call(event, nr, uintptr(fd), t.bytes(addr), uintptr(len(addr))).Result("res").Number("fd", int64(fd)).
		Bytes("addr", string(addr)).Part("sockaddr", string(addr))
}

func (t *T) connect(fd int, addr []byte) *Call {
	return t.socketCall("connect", unix.SYS_CONNECT, fd, addr)
}

func (c *Call) tuple(fd int) *Call { return c.sock(fd).Present("tuple") }

// accept takes a connection by both calls; the queue is what the listener says of itself.
func (t *T) accept(listener int, flags uintptr, four bool) *Call {
	name, nr := "accept", sysAccept
	if four {
		name, nr = "accept4", unix.SYS_ACCEPT4
	}
	c := t.call(name, nr, uintptr(listener), 0, 0, flags).Result("fd")
	if four {
		c.Number("flags", int64(flags))
	}
	if c.Ret >= 0 {
		c.tuple(c.fd())
	} else {
		c.Absent("tuple").NoPart("sock", "file")
	}
	return c
}

// queue expects the length and the limit of an accept queue.
func (c *Call) queue(n, limit int) *Call {
	return c.Number("queuelen", int64(n)).Number("queuemax", int64(limit)).Number("queuepct", int64(n*100/limit)).
		Part("queue", le32(uint32(n), uint32(limit)))
}

func (c *Call) queueOf(listener int) *Call {
	info := one(unix.GetsockoptTCPInfo(listener, unix.IPPROTO_TCP, unix.TCP_INFO))
	return c.queue(int(info.Unacked), int(info.Sacked))
}

func inet(t *T) { t.overIP(unix.AF_INET, net.IPv4(127, 0, 0, 1).To4(), net.IPv4(127, 0, 0, 1).To4()) }

func inet6(t *T) {
	if fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0); err != nil || unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte(net.IPv6loopback)}) != nil {
		t.report.Notes["skip"] = "no IPv6 loopback"
		return
	}
	t.overIP(unix.AF_INET6, net.IPv6loopback, net.IPv6loopback)
	// an IPv4 peer of an IPv6 socket
	t.overIP(unix.AF_INET6, net.IPv6zero, net.IPv4(127, 0, 0, 1))
}

func (t *T) overIP(family int, at, to net.IP) {
	listener := one(unix.Socket(family, unix.SOCK_STREAM, 0))
	t.socketCall("bind", unix.SYS_BIND, listener, inetAddr(at, 0)).ok().sock(listener)
	must(unix.Listen(listener, 5))
	var ip [16]byte
	port := address(one(unix.Getsockname(listener)), ip[:])
	var clients []int
	for range 3 {
		fd := one(unix.Socket(family, unix.SOCK_STREAM, 0))
		t.connect(fd, inetAddr(to, port)).ok().tuple(fd)
		clients = append(clients, fd)
	}
	if t.canAccept() {
		t.accept(listener, 0, false).ok().queueOf(listener).close()
	}
	t.accept(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, true).ok().queueOf(listener).close()
	if !t.canAccept() {
		t.accept(listener, 0, true).ok().queueOf(listener).close()
	}
	t.accept(listener, 0, true).ok().queueOf(listener).close()
	must(unix.SetNonblock(listener, true))
	t.accept(listener, 0, true).fails(unix.EAGAIN).queueOf(listener)
	if t.canAccept() {
		t.accept(listener, 0, false).fails(unix.EAGAIN).queueOf(listener)
	}
	// a connection that is still being made when the call returns
	fd := one(unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0))
	c := t.connect(fd, inetAddr(to, port)).fails(unix.EINPROGRESS)
	must(ignore(unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)))
	c.tuple(fd).Sock.State = -1
	datagram := one(unix.Socket(family, unix.SOCK_DGRAM, 0))
	t.connect(datagram, inetAddr(to, port)).ok().tuple(datagram)
	for _, fd := range append(clients, listener, fd, datagram) {
		must(unix.Close(fd))
	}
	fd = one(unix.Socket(family, unix.SOCK_STREAM, 0))
	t.connect(fd, inetAddr(to, port)).fails(unix.ECONNREFUSED).tuple(fd).Sock.LPort = -1
	must(unix.Close(fd))
}

func ignore[V any](_ V, err error) error { return err }

func bind(t *T) {
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	t.socketCall("bind", unix.SYS_BIND, fd, inetAddr(net.IPv4(127, 0, 0, 1).To4(), 0)).ok().sock(fd)
	t.socketCall("bind", unix.SYS_BIND, fd, inetAddr(net.IPv4(127, 0, 0, 1).To4(), 0)).fails(unix.EINVAL).sock(fd)
	other := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	t.socketCall("bind", unix.SYS_BIND, other, inetAddr(net.IPv4(192, 0, 2, 1).To4(), 80)).fails(unix.EADDRNOTAVAIL).sock(other)
	link := one(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0))
	t.socketCall("bind", unix.SYS_BIND, link, append(binary.NativeEndian.AppendUint16(nil, unix.AF_NETLINK), make([]byte, 10)...)).ok().sock(link)
}

func unixSockets(t *T) {
	path := filepath.Join(cwd(), "socket")
	t.overUnix(path, append([]byte(path), 0))
	t.overUnix("\x00falconet test "+itoa(uint64(unix.Getpid())), nil)
	fd := one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	t.connect(fd, unixAddr("missing")).fails(unix.ENOENT).tuple(fd).Sock.Path = []byte{}
}

// overUnix: the kernel keeps a bound path with its NUL, and does not count the queue of a unix socket where it counts others.
func (t *T) overUnix(path string, kept []byte) {
	if kept == nil {
		kept = []byte(path)
	}
	listener := one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	t.socketCall("bind", unix.SYS_BIND, listener, unixAddr(path)).ok().sock(listener).Sock.Path = kept
	must(unix.Listen(listener, 7))
	a, b := one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)), one(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	for _, fd := range []int{a, b} {
		s := t.connect(fd, unixAddr(path)).ok().tuple(fd).Sock
		s.Path, s.State = kept, 1
	}
	if t.canAccept() {
		c := t.accept(listener, 0, false).ok()
		c.Sock.Path, c.Sock.State = kept, 1
		c.queue(0, 7)
	}
	c := t.accept(listener, unix.SOCK_CLOEXEC, true).ok()
	c.Sock.Path, c.Sock.State = kept, 1
	c.queue(0, 7)
}

func netfail(t *T) {
	file := one(unix.Open("/dev/null", unix.O_RDONLY, 0))
	addr := inetAddr(net.IPv4(127, 0, 0, 1).To4(), 9)
	t.connect(file, addr).fails(unix.ENOTSOCK).file(file).Absent("tuple").NoPart("sock")
	t.connect(1234, addr).fails(unix.EBADF).Absent("tuple").NoPart("sock", "file")
	t.socketCall("bind", unix.SYS_BIND, file, addr).fails(unix.ENOTSOCK).file(file).NoPart("sock")
	fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	t.call("connect", unix.SYS_CONNECT, uintptr(fd), badPtr, 16).fails(unix.EFAULT).Result("res").Number("fd", int64(fd)).Absent("addr").NoPart("sockaddr").
		tuple(fd).Fault = true
	t.call("connect", unix.SYS_CONNECT, uintptr(fd), 0, 0).fails(unix.EINVAL).Result("res").Number("fd", int64(fd)).Absent("addr").NoPart("sockaddr").tuple(fd)
	// longer than any address: only what an address can have is copied
	long := bytes.Repeat([]byte{2, 0, 0, 9}, 64)
	t.call("connect", unix.SYS_CONNECT, uintptr(fd), t.bytes(long), uintptr(len(long))).fails(unix.EINVAL).Result("res").Number("fd", int64(fd)).
		Bytes("addr", string(long[:128])).Part("sockaddr", string(long[:128])).tuple(fd)
	t.call("bind", unix.SYS_BIND, uintptr(fd), badPtr, 16).fails(unix.EFAULT).Result("res").Number("fd", int64(fd)).Absent("addr").NoPart("sockaddr").
		sock(fd).Fault = true
	t.accept(file, 0, true).fails(unix.ENOTSOCK).Number("queuelen", 0).Number("queuemax", 0).Number("queuepct", 0).NoPart("queue")
	t.accept(4321, 0, true).fails(unix.EBADF).Number("queuelen", 0).Number("queuemax", 0).Number("queuepct", 0).NoPart("queue")
	if t.canAccept() {
		t.accept(4321, 0, false).fails(unix.EBADF).Number("queuelen", 0).Number("queuemax", 0).Number("queuepct", 0).NoPart("queue")
	}
}
