// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sharedCall makes one of the calls that share a number, and expects the record of the plain call with the given arguments.
func (t *T) sharedCall(name string, nr int, number int, raw [6]uintptr, args ...uintptr) *Call {
	c := &Call{Event: name, NR: nr, TID: unix.Gettid(), Loose: true, Params: make(map[string]Want), Parts: make(map[string]Want)}
	for i, v := range args {
		c.Args[i] = uint64(uint32(v))
	}
	c.Before = now()
	c.Ret = t.raw32(number, &raw)
	c.After = now()
	c.UID, c.GID = unix.Geteuid(), unix.Getegid()
	t.report.Calls = append(t.report.Calls, c)
	return c.Number("ID", int64(nr)).Number("nativeID", int64(nr)).Result("res")
}

func (t *T) socketcall(call string, args ...uintptr) *Call {
	c := calls32[call]
	r := t.sharedCall(call, c.nr, sysSocketcall, [6]uintptr{uintptr(c.socket), t.words32(args...)}, args...)
	if c.nr >= 500 {
		r.Number("ID", sysSocketcall).Number("nativeID", sysSocketcall)
	}
	return r
}

// sends makes one of the two calls that have rows and no numbers.
func (t *T) sends(call string, fd int, buf uintptr, n int) *Call {
	c := t.socketcall(call, uintptr(fd), buf, uintptr(n), 0).Number("fd", int64(fd))
	c.Loose = false
	delete(c.Params, "ID")
	delete(c.Params, "nativeID")
	return c
}

func (t *T) talk(from, to int, text, room uintptr) {
	t.sends("send", from, text, 9).ok().data([]byte("some text")).size(9).onPeer(t, from, nil)
	t.sends("send", from, badPtr, 9).fails(unix.EFAULT).data(nil).size(9).onPeer(t, from, nil).Fault = true
	t.sends("send", 999, text, 9).fails(unix.EBADF).data([]byte("some text")).Absent("tuple").size(9).onNothing()
	t.sends("recv", to, room, 64).ok().data([]byte("some text")).size(64).onPeer(t, to, nil)
	t.sends("recv", 999, room, 64).fails(unix.EBADF).data(nil).Absent("tuple").size(64).onNothing()
}

// talks are the two calls of socketcall that are rows of their own.
func talks(t *T) {
	client, server, _ := connection()
	t.talk(client, server, t.str("some text"), t.bytes(make([]byte, 64)))
}

// socketcalls are all calls of socketcall.
func socketcalls(t *T) {
	listener := t.socketcall("socket", unix.AF_INET, unix.SOCK_STREAM, 0).ok().fd()
	t.socketcall("bind", uintptr(listener), t.bytes(inetAddr([]byte{127, 0, 0, 1}, 0)), 16).ok()
	t.socketcall("listen", uintptr(listener), 5).ok()
	addr, size := t.bytes(make([]byte, 16)), t.words32(16)
	t.socketcall("getsockname", uintptr(listener), addr, size).ok()
	from := t.socketcall("socket", unix.AF_INET, unix.SOCK_STREAM, 0).ok().fd()
	t.socketcall("connect", uintptr(from), addr, 16).ok()
	to := t.socketcall("accept", uintptr(listener), 0, 0).ok().fd()
	t.socketcall("getpeername", uintptr(from), addr, size).ok()
	text, room := t.str("some text"), t.bytes(make([]byte, 64))
	t.talk(from, to, text, room)
	t.socketcall("sendto", uintptr(from), text, 9, 0, 0, 0).ok()
	t.socketcall("recvfrom", uintptr(to), room, 64, 0, 0, 0).ok()
	// struct compat_msghdr: name, its length, vector, its length, control, its length, flags
	vector := t.words32(text, 9)
	t.socketcall("sendmsg", uintptr(from), t.words32(0, 0, vector, 1, 0, 0, 0), 0).ok()
	vector = t.words32(room, 64)
	t.socketcall("recvmsg", uintptr(to), t.words32(0, 0, vector, 1, 0, 0, 0), 0).ok()
	one := t.words32(1)
	t.socketcall("setsockopt", uintptr(from), unix.SOL_SOCKET, unix.SO_KEEPALIVE, one, 4).ok()
	t.socketcall("getsockopt", uintptr(from), unix.SOL_SOCKET, unix.SO_KEEPALIVE, one, t.words32(4)).ok()
	t.socketcall("shutdown", uintptr(from), unix.SHUT_WR).ok()
	t.socketcall("socketpair", unix.AF_UNIX, unix.SOCK_STREAM, 0, t.bytes(make([]byte, 8))).ok()
	t.socketcall("accept4", 999, 0, 0, unix.SOCK_CLOEXEC).fails(unix.EBADF)
	// arguments that cannot be read
	c := t.sharedCall("connect", calls32["connect"].nr, sysSocketcall, [6]uintptr{uintptr(calls32["connect"].socket), badPtr}).fails(unix.EFAULT)
	c.Args[0], c.Fault = uint64(1<<32-1), true // no descriptor, instead of number 0
	// no such call: it stays what it is
	t.sharedCall("socketcall", sysSocketcall, sysSocketcall, [6]uintptr{31, badPtr}, 31, badPtr).fails(unix.EINVAL)
}

func (t *T) ipc(call string, nr int, which uintptr, raw [5]uintptr, args ...uintptr) *Call {
	return t.sharedCall(call, nr, sysIPC, [6]uintptr{which, raw[0], raw[1], raw[2], raw[3], raw[4]}, args...)
}

// ipcs are all calls of ipc.
func ipcs(t *T) {
	const create = 0o1000 | 0o600 // IPC_CREAT, of a private key
	sem := uintptr(t.ipc("semget", 393, 2, [5]uintptr{0, 3, create}, 0, 3, create).ok().Ret)
	raise := t.bytes([]byte{1, 0, 1, 0, 0, 0}) // struct sembuf: semaphore, operation, flags
	t.ipc("semop", 503, 1, [5]uintptr{sem, 1, 0, raise}, sem, raise, 1).ok().Number("ID", sysIPC).Number("nativeID", sysIPC)
	t.ipc("semtimedop", 504, 4, [5]uintptr{sem, 1, 0, raise, 0}, sem, raise, 1, 0).ok().Number("ID", sysIPC).Number("nativeID", sysIPC)
	const getval, stat, rmid = 12, 2, 0
	const newer = 0x100 // IPC_64, which is no part of the command
	c := t.ipc("semctl", 394, 3, [5]uintptr{sem, 1, getval, t.words32(7)}, sem, 1, getval, 7).ok()
	if c.Ret != 2 {
		fail("the semaphore is %d", c.Ret)
	}
	t.ipc("semctl", 394, 3, [5]uintptr{sem, 0, rmid | newer, t.words32(0)}, sem, 0, rmid, 0).ok().Flags("cmd", "IPC_RMID")
	queue := uintptr(t.ipc("msgget", 399, 13, [5]uintptr{0, create}, 0, create).ok().Ret)
	msg := t.bytes(append(binary.LittleEndian.AppendUint32(nil, 5), "hello"...))
	const nowait = 0o4000
	t.ipc("msgsnd", 400, 11, [5]uintptr{queue, 5, nowait, msg}, queue, msg, 5, nowait).ok()
	t.ipc("msgsnd", 400, 11, [5]uintptr{queue, 5, nowait, msg}, queue, msg, 5, nowait).ok()
	t.ipc("msgrcv", 401, 12, [5]uintptr{queue, 16, nowait, t.words32(msg, 5)}, queue, msg, 16, 5, nowait).ok()
	t.ipc("msgrcv", 401, 1<<16|12, [5]uintptr{queue, 16, nowait, msg, 5}, queue, msg, 16, 5, nowait).ok()
	room := t.bytes(make([]byte, 256))
	t.ipc("msgctl", 402, 14, [5]uintptr{queue, stat | newer, 0, room}, queue, stat, room).ok()
	t.ipc("msgctl", 402, 14, [5]uintptr{queue, rmid, 0, 0}, queue, rmid, 0).ok()
	shm := uintptr(t.ipc("shmget", 395, 23, [5]uintptr{0, 4096, create}, 0, 4096, create).ok().Ret)
	at := t.words32(0)
	c = t.ipc("shmat", 397, 21, [5]uintptr{shm, 0, at, 0}, shm, 0, 0).ok()
	mapped := uintptr(binary.LittleEndian.Uint32(t.at(at, 4)))
	c.Ret = int64(mapped) // which ipc leaves in memory
	c.Result("res")
	t.ipc("shmdt", 398, 22, [5]uintptr{0, 0, 0, mapped}, mapped).ok()
	t.ipc("shmctl", 396, 24, [5]uintptr{shm, rmid, 0, 0}, shm, rmid, 0).ok()
	t.ipc("shmat", 397, 21, [5]uintptr{9999999, 0, at, 0}, 9999999, 0, 0).fails(unix.EINVAL)
	t.sharedCall("ipc", sysIPC, sysIPC, [6]uintptr{9, 1, 2, 3, 4, 5}, 9, 1, 2, 3, 4, 5).fails(unix.ENOSYS)
}
