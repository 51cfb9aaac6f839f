// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/sys/unix"
)

func init() {
	maps.Copy(triggers, map[string]func(*T){
		"poll": poll, "ppoll": ppoll, "selects": selects, "epoll": epoll, "epollwait": epollWait,
	})
}

// Polled expects the descriptors of a poll: each as its number, what the call found, the kind of object and, of an object of the kernel's
// own, its name.
func (c *Call) Polled(param string, list ...string) *Call {
	c.Params[param] = Want{Kind: "polled", Flags: list}
	return c
}

// of include/uapi/asm-generic/poll.h
const (
	pollRdNorm = 0x40
	pollWrNorm = 0x100
)

var pollNames = []struct {
	bit  uint16
	name string
}{
	{unix.POLLIN, "POLLIN"}, {unix.POLLPRI, "POLLPRI"}, {unix.POLLOUT, "POLLOUT"}, {unix.POLLRDHUP, "POLLRDHUP"}, {unix.POLLERR, "POLLERR"},
	{unix.POLLHUP, "POLLHUP"}, {unix.POLLNVAL, "POLLNVAL"}, {pollRdNorm, "POLLRDNORM"}, {pollWrNorm, "POLLWRNORM"},
}

// entries makes the vector of a poll that asks everything of the descriptors.
func (t *T) entries(fds []int) uintptr {
	var b []byte
	for _, fd := range fds {
		b = binary.LittleEndian.AppendUint32(b, uint32(fd))
		b = binary.LittleEndian.AppendUint32(b, unix.POLLIN|unix.POLLOUT|unix.POLLRDHUP|pollRdNorm)
	}
	return t.bytes(b)
}

// answers is what a poll has left in its vector, as Polled takes it.
func (t *T) answers(at uintptr, fds []int) (list []string) {
	b := t.at(at, 8*len(fds))
	for i, fd := range fds {
		revents := binary.LittleEndian.Uint16(b[8*i+6:])
		var names []string
		for _, n := range pollNames {
			if revents&n.bit != 0 {
				names = append(names, n.name)
			}
		}
		list = append(list, fmt.Sprintf("%d %s %s", fd, strings.Join(names, "|"), what(fd)))
	}
	return list
}

// what is behind a descriptor.
func what(fd int) string {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return "none"
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return map[int]string{unix.AF_INET: "ipv4", unix.AF_UNIX: "unix"}[one(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN))]
	}
	return "anon " + anonName(fd)
}

func poll(t *T) {
	fds := pollable()
	do := func(at, n, timeout uintptr, wait int64) *Call {
		return t.call("poll", unix.SYS_POLL, at, n, timeout).Result("res").Number("timeout", wait)
	}
	at := t.entries(fds)
	c := do(at, uintptr(len(fds)), 100, 100).ok()
	c.Polled("fds", t.answers(at, fds)...)
	c = do(at, 1, uptr(-1), -1).ok()
	c.Polled("fds", t.answers(at, fds[:1])...)
	do(0, 0, 0, 0).ok().Polled("fds")
	c = do(badPtr, 2, 0, 0).fails(unix.EFAULT).Polled("fds")
	c.Fault, c.Truncated = true, true
	var many []int
	for range 260 {
		many = append(many, fds[0])
	}
	at = t.entries(many)
	c = do(at, uintptr(len(many)), 0, 0).ok()
	c.Polled("fds", t.answers(at, many)[:250]...).Truncated = true
}

// pollable are descriptors of many kinds, with something to be said of each.
func pollable() []int {
	list := things()
	one(unix.Write(list[2].fd, []byte("x")))
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	must(unix.Close(pair[1]))
	timer := one(unix.TimerfdCreate(unix.CLOCK_MONOTONIC, 0))
	watch := one(unix.InotifyInit())
	fds := []int{pair[0], timer, watch, -1, 999}
	for _, it := range list {
		fds = append(fds, it.fd)
	}
	return fds
}

func ppoll(t *T) {
	fds := pollable()
	set := uint32(1<<(unix.SIGINT-1) | 1<<(unix.SIGUSR2-1))
	mask := t.bytes(binary.LittleEndian.AppendUint64(nil, uint64(set)))
	for _, nr := range []int{unix.SYS_PPOLL, sysPpollTime} {
		if nr < 0 {
			continue
		}
		// the older call of the 32-bit table has half as much
		half := nr == unix.SYS_PPOLL && sysPpollTime >= 0
		timespec := func(sec, nsec uint64) uintptr {
			if half {
				return t.bytes(append(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(sec)), uint32(nsec)), 0xff, 0xff, 0xff, 0xff))
			}
			return t.bytes(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, sec), nsec))
		}
		left := func(at uintptr) int64 {
			if b := t.at(at, 16); half {
				return int64(binary.LittleEndian.Uint32(b))*1e9 + int64(binary.LittleEndian.Uint32(b[4:]))
			} else {
				return int64(binary.LittleEndian.Uint64(b))*1e9 + int64(binary.LittleEndian.Uint64(b[8:]))
			}
		}
		do := func(at uintptr, n int, timeout, mask uintptr) *Call {
			return t.call("ppoll", nr, at, uintptr(n), timeout, mask, 8).Result("res")
		}
		at, limit := t.entries(fds), timespec(2, 500_000_000)
		c := do(at, len(fds), limit, mask).ok().Number("timeout", left(limit)).Number("sigmask", int64(set))
		if c.Polled("fds", t.answers(at, fds)...); left(limit) > 2_500_000_000 || left(limit) < 1_000_000_000 {
			fail("%d nanoseconds are left", left(limit))
		}
		limit = timespec(0, 1_000_000)
		do(0, 0, limit, 0).ok().Number("timeout", 0).Number("sigmask", 0).Polled("fds")
		c = do(at, 1, 0, 0).ok().Number("timeout", 0).Number("sigmask", 0)
		c.Polled("fds", t.answers(at, fds[:1])...)
		c = do(badPtr, 1, 0, 0).fails(unix.EFAULT).Number("timeout", 0).Number("sigmask", 0).Polled("fds")
		c.Fault, c.Truncated = true, true
		c = do(at, 1, badPtr, badPtr).fails(unix.EFAULT).Absent("timeout", "sigmask")
		c.Polled("fds", t.answers(at, fds[:1])...)
	}
}

func selects(t *T) {
	var p [2]int
	must(unix.Pipe(p[:]))
	one(unix.Write(p[1], []byte("x")))
	set := make([]byte, 128)
	set[p[0]/8] |= 1 << (p[0] % 8)
	n, at, now := uintptr(p[0]+1), t.bytes(set), t.bytes(make([]byte, 16))
	wrong := make([]byte, 128) // names a descriptor that is no more
	wrong[p[1]/8] |= 1 << (p[1] % 8)
	must(unix.Close(p[1]))
	for _, nr := range []int{unix.SYS_SELECT, sysNewselect} {
		do := func(n, at uintptr) *Call {
			args := []uintptr{n, at, 0, 0, now}
			if nr == unix.SYS_SELECT && sysNewselect >= 0 { // the oldest call of the 32-bit table has them in memory
				at := t.words(args...)
				c := t.call("select", nr, at).Result("res")
				for i, v := range args {
					c.Args[i] = uint64(v)
				}
				return c
			}
			return t.call("select", nr, args...).Result("res")
		}
		if nr < 0 {
			continue
		}
		if c := do(n, at).ok(); c.Ret != 1 {
			fail("%d descriptors are ready", c.Ret)
		}
		do(uintptr(p[1]+1), t.bytes(wrong)).fails(unix.EBADF)
		do(n, badPtr).fails(unix.EFAULT)
		do(uptr(-1), at).fails(unix.EINVAL)
	}
}

func epoll(t *T) {
	t.call("epoll_create", unix.SYS_EPOLL_CREATE, 8).ok().makes().Number("size", 8)
	t.call("epoll_create", unix.SYS_EPOLL_CREATE, uptr(-3)).fails(unix.EINVAL).makes().Number("size", -3)
	t.call("epoll_create1", unix.SYS_EPOLL_CREATE1, 0).ok().makes().Flags("flags")
	t.call("epoll_create1", unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC).ok().makes().Flags("flags", "EPOLL_CLOEXEC")
	t.call("epoll_create1", unix.SYS_EPOLL_CREATE1, 1).fails(unix.EINVAL).makes().Flags("flags")
}

func epollWait(t *T) {
	fd := one(unix.EpollCreate1(0))
	ready := one(unix.Eventfd(1, 0))
	must(unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, ready, &unix.EpollEvent{Events: unix.EPOLLIN}))
	to := t.bytes(make([]byte, 256))
	do := func(fd int, n int) *Call {
		return t.call("epoll_wait", unix.SYS_EPOLL_WAIT, uptr(fd), to, uptr(n), 0).Result("res").Number("maxevents", int64(n))
	}
	if c := do(fd, 9).ok(); c.Ret != 1 {
		fail("%d events", c.Ret)
	}
	do(fd, -9).fails(unix.EINVAL)
	do(999, 1).fails(unix.EBADF)
	do(ready, 1).fails(unix.EINVAL)
}
