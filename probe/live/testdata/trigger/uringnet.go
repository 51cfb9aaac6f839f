// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"net"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (r *ring) socket(family int) int {
	if !r.can(opSocket) {
		return one(unix.Socket(family, unix.SOCK_STREAM, 0))
	}
	const kind = unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	c := r.do(entry{Op: opSocket, FD: int32(family), Off: kind}, "socket", unix.SYS_SOCKET, intArg(family), kind, 0).ok().loose().
		Result("fd").Number("type", kind).Number("proto", 0)
	return c.fd()
}

func (r *ring) address(op uint8, name string, nr, fd int, addr []byte) *Call {
	at := r.t.bytes(addr)
	return r.do(entry{Op: op, FD: int32(fd), Addr: uint64(at), Off: uint64(len(addr))}, name, nr, intArg(fd), uint64(at), uint64(len(addr))).
		Result("res").Number("fd", int64(fd)).Bytes("addr", string(addr)).Part("sockaddr", string(addr))
}

// ringNet are the operations of connections.
func ringNet(t *T) {
	t.rings(func(r *ring) {
		local := net.IPv4(127, 0, 0, 1).To4()
		listener := r.socket(unix.AF_INET)
		if r.can(opBind) {
			r.address(opBind, "bind", unix.SYS_BIND, listener, inetAddr(local, 0)).ok().sock(listener)
			r.do(entry{Op: opListen, FD: int32(listener), Len: 5}, "listen", unix.SYS_LISTEN, intArg(listener), 5).ok().loose().
				Result("res").Number("fd", int64(listener)).Number("backlog", 5)
		} else {
			must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte(local)}))
			must(unix.Listen(listener, 5))
		}
		var ip [16]byte
		port := address(one(unix.Getsockname(listener)), ip[:])
		fd := r.socket(unix.AF_INET)
		r.address(opConnect, "connect", unix.SYS_CONNECT, fd, inetAddr(local, port)).ok().tuple(fd)
		c := r.accept(listener).ok()
		accepted := c.fd()
		c.tuple(accepted).queueOf(listener)
		r.data(fd, accepted)
		for _, fd := range []int{fd, accepted, listener} {
			r.do(entry{Op: opClose, FD: int32(fd)}, "close", unix.SYS_CLOSE, intArg(fd)).ok().loose().Result("res").Number("fd", int64(fd))
		}
		fd = r.socket(unix.AF_INET)
		r.address(opConnect, "connect", unix.SYS_CONNECT, fd, inetAddr(local, port)).fails(unix.ECONNREFUSED).tuple(fd).Sock.LPort = -1
		must(unix.Close(fd))
	})
}

func (r *ring) accept(listener int) *Call {
	return r.do(entry{Op: opAccept, FD: int32(listener), OpFlags: unix.SOCK_CLOEXEC}, "accept4", unix.SYS_ACCEPT4, intArg(listener), 0, 0, unix.SOCK_CLOEXEC).
		Result("fd").Number("flags", unix.SOCK_CLOEXEC)
}

// data sends from one end of a connection to the other in every way.
func (r *ring) data(from, to int) {
	t := r.t
	text, room := uint64(t.str("some text")), uint64(t.bytes(make([]byte, 64)))
	const n = 9
	io := func(op uint8, name string, nr, fd int, addr uint64, size int, more ...uint64) *Call {
		args := append([]uint64{intArg(fd), addr, uint64(size)}, more...)
		return r.do(entry{Op: op, FD: int32(fd), Addr: addr, Len: uint32(size)}, name, nr, args...).ok().loose().Result("res").Number("fd", int64(fd))
	}
	io(opSend, "sendto", unix.SYS_SENDTO, from, text, n)
	io(opRecv, "recvfrom", unix.SYS_RECVFROM, to, room, 64)
	io(opWrite, "write", unix.SYS_WRITE, from, text, n)
	io(opRead, "read", unix.SYS_READ, to, room, 64)
	vector := uint64(t.words(uintptr(text), n, uintptr(text), n))
	io(opWritev, "writev", unix.SYS_WRITEV, from, vector, 2)
	io(opReadv, "readv", unix.SYS_READV, to, uint64(t.words(uintptr(room), 32)), 1)
	// struct user_msghdr: name, its length, vector, its length, control, its length, flags
	at := uint64(t.words(0, 0, uintptr(vector), 2, 0, 0, 0))
	r.do(entry{Op: opSendmsg, FD: int32(from), Addr: at, Len: 1}, "sendmsg", unix.SYS_SENDMSG, intArg(from), at, 0).ok().loose().Result("res").Number("fd", int64(from))
	at = uint64(t.words(0, 0, t.words(uintptr(room), 64), 1, 0, 0, 0))
	r.do(entry{Op: opRecvmsg, FD: int32(to), Addr: at, Len: 1}, "recvmsg", unix.SYS_RECVMSG, intArg(to), at, 0).ok().loose().Result("res").Number("fd", int64(to))
	if r.can(opShutdown) {
		r.do(entry{Op: opShutdown, FD: int32(from), Len: unix.SHUT_WR}, "shutdown", unix.SYS_SHUTDOWN, intArg(from), unix.SHUT_WR).ok().loose().Result("res").Number("how", unix.SHUT_WR)
	}
	// of a file, a position makes it another call; -1 is the file's own
	write("positions")
	file := one(unix.Open("positions", unix.O_RDWR, 0))
	r.do(entry{Op: opRead, FD: int32(file), Addr: room, Len: 8, Off: 1 << 33}, "pread64", unix.SYS_PREAD64, intArg(file), room, 8, 1<<33).ok().loose().Result("res")
	r.do(entry{Op: opWrite, FD: int32(file), Addr: text, Len: 4, Off: 1<<64 - 1}, "write", unix.SYS_WRITE, intArg(file), text, 4, 1<<64-1).ok().loose().Result("res")
	must(unix.Close(file))
}

// ringFixed are requests whose files are in the ring's table, and have no descriptor there.
func ringFixed(t *T) {
	r := t.ring(8, 0)
	local := net.IPv4(127, 0, 0, 1).To4()
	listener, fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)), one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte(local)}))
	must(unix.Listen(listener, 5))
	var ip [16]byte
	port := address(one(unix.Getsockname(listener)), ip[:])
	table := []int32{-1, int32(listener), int32(fd), -1}
	_, _, errno := unix.Syscall6(sysRingRegister, uintptr(r.fd), registerFiles, uintptr(unsafe.Pointer(&table[0])), uintptr(len(table)), 0, 0)
	if errno != 0 {
		fail("io_uring_register: %v", errno)
	}
	r.flags = entryFixedFile
	r.address(opConnect, "connect", unix.SYS_CONNECT, 2, inetAddr(local, port)).ok().tuple(fd)
	c := r.accept(1).ok()
	c.tuple(c.fd()).queueOf(listener).close()
	r.address(opConnect, "connect", unix.SYS_CONNECT, 3, inetAddr(local, port)).fails(unix.EBADF).Absent("tuple").NoPart("sock", "file").Refused = true
	r.flags = 0
	// a new file that goes to the table: its result is 0, and there is no descriptor
	write("plain")
	name := t.path("plain")
	c = r.do(entry{Op: opOpenat, FD: unix.AT_FDCWD, Addr: name, OpFlags: unix.O_RDWR, Place: 4}, "openat", unix.SYS_OPENAT, intArg(unix.AT_FDCWD), name, unix.O_RDWR)
	c.Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "plain").Flags("flags", "O_RDWR").Number("mode", 0).Part("dir", cwd())
	if c.Ret == -int64(unix.EINVAL) {
		c.notOpened() // a kernel that cannot
	} else {
		same := one(unix.Open("plain", unix.O_RDWR, 0))
		path := filepath.Join(cwd(), "plain")
		c.ok().file(same).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino)).Part("path", path).Part("fspath", fsPath(path))
		r.do(entry{Op: opClose, Place: 4}, "close", unix.SYS_CLOSE, intArg(-1)).ok().loose().Result("res").Number("fd", -1)
	}
	r.close()
}
