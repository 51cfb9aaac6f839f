// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func init() {
	maps.Copy(triggers, map[string]func(*T){
		"close": closes, "closerange": closeRange, "dup": dup, "dup2": dup2, "dup3": dup3, "fcntl": fcntl, "ioctl": ioctl, "flock": flock, "lseek": lseek,
		"llseek": llseek, "fstat": fstat, "fstat64": fstat64, "getdents": getdents, "handle": handle, "splice": splice, "sendfile": sendfile,
		"copyrange": copyRange, "pipe": pipe, "eventfd": eventfd, "timerfd": timerfd, "signalfd": signalfd, "inotify": inotify,
	})
}

// onFile and its like expect what a call on a descriptor of each kind captures.

func (c *Call) onFile(fd int, abs string) *Call {
	return c.file(fd).Part("path", abs).Part("fspath", fsPath(abs)).NoPart("sock", "sockaddr", "changed")
}

func (c *Call) onPipe(fd int) *Call {
	return c.file(fd).NoPart("path", "fspath", "sock", "sockaddr", "changed")
}

func (c *Call) onSocket(fd int) *Call { return c.sock(fd).NoPart("path", "fspath", "sockaddr") }

// onAnon is for an object of the kernel's own, whose name /proc tells.
func (c *Call) onAnon(fd int) *Call {
	name := anonName(fd)
	return c.file(fd).Part("path", name).Part("fspath", name).NoPart("sock")
}

func anonName(fd int) string {
	return strings.TrimPrefix(one(os.Readlink("/proc/self/fd/"+itoa(uint64(fd)))), "anon_inode:")
}

func (c *Call) onNone() *Call { return c.NoPart("file", "path", "fspath", "sock") }

// A thing is a descriptor of one kind and what is to be said of it.
type thing struct {
	fd int
	on func(*Call) *Call
}

// things are descriptors of every kind.
func things() []thing {
	var list []thing
	add := func(fd int, on func(*Call, int) *Call) {
		list = append(list, thing{fd, func(c *Call) *Call { return on(c, fd) }})
	}
	write("file")
	file := filepath.Join(cwd(), "file")
	add(one(unix.Open("file", unix.O_RDWR, 0)), func(c *Call, fd int) *Call { return c.onFile(fd, file) })
	var p [2]int
	must(unix.Pipe(p[:]))
	add(p[0], (*Call).onPipe)
	add(p[1], (*Call).onPipe)
	add(one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)), (*Call).onSocket)
	add(one(unix.Eventfd(0, 0)), (*Call).onAnon)
	return list
}

func closes(t *T) {
	for _, it := range things() {
		t.call("close", unix.SYS_CLOSE, uptr(it.fd)).ok().Result("res").Number("fd", int64(it.fd))
		t.call("close", unix.SYS_CLOSE, uptr(it.fd)).fails(unix.EBADF).Result("res").Number("fd", int64(it.fd))
	}
	t.call("close", unix.SYS_CLOSE, uptr(-1)).fails(unix.EBADF).Result("res").Number("fd", -1)
}

func closeRange(t *T) {
	const first, last = 500, 510
	must(unix.Dup2(1, first+1))
	t.call("close_range", unix.SYS_CLOSE_RANGE, first, last, 0).ok().Result("res").Number("first", first).Number("last", last).Flags("flags")
	if _, err := unix.FcntlInt(first+1, unix.F_GETFD, 0); err != unix.EBADF {
		fail("the descriptor is still there")
	}
	// 5.11 knows it
	t.call("close_range", unix.SYS_CLOSE_RANGE, first, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC).Result("res").Number("first", first).
		Number("last", math.MaxUint32).Flags("flags", "CLOSE_RANGE_CLOEXEC")
	t.call("close_range", unix.SYS_CLOSE_RANGE, last, first, unix.CLOSE_RANGE_UNSHARE).fails(unix.EINVAL).Result("res").Number("first", last).Number("last", first).
		Flags("flags", "CLOSE_RANGE_UNSHARE")
	t.call("close_range", unix.SYS_CLOSE_RANGE, first, last, 0x700).fails(unix.EINVAL).Result("res").Number("first", first).Number("last", last).Flags("flags")
}

func dup(t *T) {
	for _, it := range things() {
		c := t.call("dup", unix.SYS_DUP, uptr(it.fd)).ok().Result("res").Number("oldfd", int64(it.fd))
		it.on(c)
		c.close()
	}
	t.call("dup", unix.SYS_DUP, 999).fails(unix.EBADF).Result("res").Number("oldfd", 999).onNone()
}

func dup2(t *T) {
	const to = 700
	for _, it := range things() {
		for _, fd := range []int{to, it.fd} { // replaces what the round before left there
			c := t.call("dup2", unix.SYS_DUP2, uptr(it.fd), uptr(fd)).ok().Result("res").Number("oldfd", int64(it.fd)).Number("newfd", int64(fd))
			it.on(c)
		}
	}
	t.call("dup2", unix.SYS_DUP2, 999, to).fails(unix.EBADF).Result("res").Number("oldfd", 999).Number("newfd", to).onNone()
	t.call("dup2", unix.SYS_DUP2, to, uptr(-1)).fails(unix.EBADF).Result("res").Number("oldfd", to).Number("newfd", -1).onNone()
}

func dup3(t *T) {
	const to = 700
	for i, it := range things() {
		flags, names := uintptr(0), []string(nil)
		if i%2 == 1 {
			flags, names = unix.O_CLOEXEC, []string{"O_CLOEXEC"}
		}
		c := t.call("dup3", unix.SYS_DUP3, uptr(it.fd), to, flags).ok().Result("res").Number("oldfd", int64(it.fd)).Number("newfd", to).Flags("flags", names...)
		it.on(c)
	}
	t.call("dup3", unix.SYS_DUP3, to, to, 0).fails(unix.EINVAL).Result("res").Number("oldfd", to).Number("newfd", to).Flags("flags").onNone()
	t.call("dup3", unix.SYS_DUP3, 999, to, unix.O_CLOEXEC|unix.O_APPEND).fails(unix.EINVAL).Result("res").Number("oldfd", 999).Number("newfd", to).
		Flags("flags", "O_CLOEXEC").onNone()
}

// fcntlCommands are the commands of fcntl(2) with their numbers in the kernel's headers.
var fcntlCommands = map[uintptr]string{
	0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 8: "F_SETOWN", 9: "F_GETOWN",
	10: "F_SETSIG", 11: "F_GETSIG", 12: "F_GETLK64", 13: "F_SETLK64", 14: "F_SETLKW64", 15: "F_SETOWN_EX", 16: "F_GETOWN_EX", 36: "F_OFD_GETLK",
	37: "F_OFD_SETLK", 38: "F_OFD_SETLKW", 1024: "F_SETLEASE", 1025: "F_GETLEASE", 1026: "F_NOTIFY", 1029: "F_CANCELLK", 1030: "F_DUPFD_CLOEXEC",
	1031: "F_SETPIPE_SZ", 1032: "F_GETPIPE_SZ", 17: "UNKNOWN", 9999: "UNKNOWN",
}

func fcntl(t *T) {
	for _, nr := range []int{unix.SYS_FCNTL, sysFcntl64} {
		if nr < 0 {
			continue
		}
		do := func(fd int, cmd, arg uintptr) *Call {
			return t.call("fcntl", nr, uptr(fd), cmd, arg).Result("res").Number("fd", int64(fd)).Flags("cmd", fcntlCommands[cmd]).Number("arg", int64(uint64(arg)))
		}
		list := things()
		for _, it := range list {
			it.on(do(it.fd, unix.F_GETFL, 0).ok())
			c := do(it.fd, unix.F_DUPFD, 800).ok()
			it.on(c)
			if c.fd() < 800 {
				fail("descriptor %d", c.fd())
			}
			c.close()
		}
		file, pipe := list[0], list[1]
		file.on(do(file.fd, unix.F_SETFD, unix.FD_CLOEXEC).ok())
		c := do(file.fd, unix.F_SETFL, unix.O_APPEND).ok()
		file.on(c)
		pipe.on(do(pipe.fd, unix.F_GETPIPE_SZ, 0).ok())
		pipe.on(do(pipe.fd, unix.F_SETPIPE_SZ, 1<<16).ok())
		pipe.on(do(pipe.fd, 9999, uptr(-1)).fails(unix.EINVAL))
		for cmd := range fcntlCommands {
			do(999, cmd, 5).fails(unix.EBADF).onNone()
		}
	}
}

func ioctl(t *T) {
	list := things()
	file, pipe := list[0], list[1]
	to := t.bytes(make([]byte, 64))
	do := func(fd int, request, arg uintptr) *Call {
		return t.call("ioctl", unix.SYS_IOCTL, uptr(fd), request, arg).Result("res").Number("fd", int64(fd)).Number("request", int64(uint32(request))).
			Number("argument", int64(uint64(arg)))
	}
	one(unix.Write(list[2].fd, []byte("four")))
	pipe.on(do(pipe.fd, unix.TIOCINQ, to).ok())
	if n := binary.LittleEndian.Uint32(t.at(to, 4)); n != 4 {
		fail("%d bytes in the pipe", n)
	}
	file.on(do(file.fd, unix.TIOCGWINSZ, to).fails(unix.ENOTTY))
	list[3].on(do(list[3].fd, unix.SIOCGIFCONF, badPtr).fails(unix.EFAULT))
	// the number as a program passes it that has it in a signed one
	file.on(do(file.fd, uptr(int(int32(-0x7ffbabd0))), 7).fails(unix.ENOTTY))
	do(999, unix.TIOCSTI, badPtr).fails(unix.EBADF).onNone()
}

func flock(t *T) {
	abs := filepath.Join(cwd(), "file")
	write("file")
	a, b := one(unix.Open("file", unix.O_RDONLY, 0)), one(unix.Open("file", unix.O_WRONLY, 0))
	do := func(fd int, operation uintptr, names ...string) *Call {
		return t.call("flock", unix.SYS_FLOCK, uptr(fd), operation).Result("res").Number("fd", int64(fd)).Flags("operation", names...)
	}
	do(a, unix.LOCK_EX, "LOCK_EX").ok().onFile(a, abs)
	do(b, unix.LOCK_SH|unix.LOCK_NB, "LOCK_SH", "LOCK_NB").fails(unix.EWOULDBLOCK).onFile(b, abs)
	do(a, unix.LOCK_UN, "LOCK_UN").ok().onFile(a, abs)
	do(b, unix.LOCK_SH|unix.LOCK_NB, "LOCK_SH", "LOCK_NB").ok().onFile(b, abs)
	do(b, 0x100, "LOCK_NONE").fails(unix.EINVAL).onFile(b, abs)
	do(999, unix.LOCK_EX, "LOCK_EX").fails(unix.EBADF).onNone()
}

func lseek(t *T) {
	abs := filepath.Join(cwd(), "file")
	must(os.WriteFile("file", make([]byte, 1000), 0o644))
	fd := one(unix.Open("file", unix.O_RDONLY, 0))
	do := func(fd, offset int, whence uintptr) *Call {
		return t.call("lseek", unix.SYS_LSEEK, uptr(fd), uptr(offset), whence).Result("res").Number("fd", int64(fd)).Number("offset", int64(offset))
	}
	if c := do(fd, 0, unix.SEEK_END).ok().Flags("whence", "SEEK_END").onFile(fd, abs); c.Ret != 1000 {
		fail("at %d", c.Ret)
	}
	if c := do(fd, -300, unix.SEEK_CUR).ok().Flags("whence", "SEEK_CUR").onFile(fd, abs); c.Ret != 700 {
		fail("at %d", c.Ret)
	}
	do(fd, 5, unix.SEEK_SET).ok().Flags("whence", "SEEK_SET").onFile(fd, abs)
	do(fd, 5, unix.SEEK_HOLE).Number("whence", unix.SEEK_HOLE).onFile(fd, abs)
	do(fd, -1, unix.SEEK_SET).fails(unix.EINVAL).Flags("whence", "SEEK_SET").onFile(fd, abs)
	do(fd, 0, 77).fails(unix.EINVAL).Number("whence", 77).onFile(fd, abs)
	pipe := things()[1]
	pipe.on(do(pipe.fd, 0, unix.SEEK_CUR).fails(unix.ESPIPE).Flags("whence", "SEEK_CUR"))
	do(999, 0, unix.SEEK_END).fails(unix.EBADF).Flags("whence", "SEEK_END").onNone()
}

func llseek(t *T) {
	abs := filepath.Join(cwd(), "file")
	write("file")
	fd := one(unix.Open("file", unix.O_RDONLY, 0))
	to := t.bytes(make([]byte, 8))
	do := func(fd int, offset int64, whence uintptr) *Call {
		return t.call("llseek", sysLlseek, uptr(fd), uintptr(offset>>32)&0xffffffff, uintptr(offset)&0xffffffff, to, whence).Result("res").Number("fd", int64(fd)).
			Number("offset", offset)
	}
	const far = 5<<32 + 6
	do(fd, far, unix.SEEK_SET).ok().Flags("whence", "SEEK_SET").onFile(fd, abs)
	do(fd, -7, unix.SEEK_CUR).ok().Flags("whence", "SEEK_CUR").onFile(fd, abs)
	if got := binary.LittleEndian.Uint64(t.at(to, 8)); got != far-7 {
		fail("at %d", got)
	}
	do(fd, -1, unix.SEEK_SET).fails(unix.EINVAL).Flags("whence", "SEEK_SET").onFile(fd, abs)
	do(999, 1<<40, unix.SEEK_END).fails(unix.EBADF).Flags("whence", "SEEK_END").onNone()
}

func fstat(t *T) {
	to := t.bytes(make([]byte, 256))
	do := func(fd int, to uintptr) *Call {
		return t.call("fstat", unix.SYS_FSTAT, uptr(fd), to).Result("res").Number("fd", int64(fd))
	}
	for _, it := range things() {
		it.on(do(it.fd, to).ok())
		it.on(do(it.fd, badPtr).fails(unix.EFAULT))
	}
	do(999, to).fails(unix.EBADF).onNone()
}

func fstat64(t *T) {
	to := t.bytes(make([]byte, 256))
	for _, it := range things() {
		t.call("fstat64", sysFstat64, uptr(it.fd), to).ok().Result("res")
	}
	t.call("fstat64", sysFstat64, 999, to).fails(unix.EBADF).Result("res")
}

func getdents(t *T) {
	dir := cwd()
	write("file")
	to := t.bytes(make([]byte, 4096))
	here, file := one(unix.Open(".", unix.O_RDONLY, 0)), one(unix.Open("file", unix.O_RDONLY, 0))
	for event, nr := range map[string]int{"getdents": unix.SYS_GETDENTS, "getdents64": unix.SYS_GETDENTS64} {
		do := func(fd int) *Call {
			return t.call(event, nr, uptr(fd), to, 4096).Result("res").Number("fd", int64(fd))
		}
		one(unix.Seek(here, 0, 0))
		if c := do(here).ok().onFile(here, dir); c.Ret == 0 {
			fail("no entries")
		}
		do(here).ok().onFile(here, dir) // the end
		do(file).fails(unix.ENOTDIR).onFile(file, dir+"/file")
		do(999).fails(unix.EBADF).onNone()
	}
}

// handle opens a file by what the filesystem calls it; not every filesystem has such names.
func handle(t *T) {
	privateMounts()
	must(os.Mkdir("fs", 0o755))
	must(unix.Mount("none", "fs", "tmpfs", 0, ""))
	must(os.MkdirAll("fs/a/b", 0o755))
	abs := filepath.Join(cwd(), "fs/a/b/file")
	write(abs)
	mount := one(unix.Open("fs", unix.O_RDONLY, 0))
	of := func(path string) uintptr {
		h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, path, 0)
		must(err)
		b := binary.LittleEndian.AppendUint32(nil, uint32(h.Size()))
		return t.bytes(append(binary.LittleEndian.AppendUint32(b, uint32(h.Type())), h.Bytes()...))
	}
	do := func(mount int, handle, flags uintptr, names ...string) *Call {
		return t.call("open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, uptr(mount), handle, flags).Result("fd").Number("mountfd", int64(mount)).Flags("flags", names...)
	}
	opened := func(c *Call, abs, inFS string) {
		c.file(c.fd()).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino)).Bytes("path", abs).Part("path", abs).Part("fspath", inFS).close()
	}
	file := of("fs/a/b/file")
	opened(do(mount, file, unix.O_RDWR|unix.O_CLOEXEC, "O_RDWR", "O_CLOEXEC").ok(), abs, "/a/b/file")
	opened(do(mount, of("fs/a"), unix.O_RDONLY|unix.O_DIRECTORY, "O_RDONLY", "O_DIRECTORY").ok(), filepath.Join(cwd(), "fs/a"), "/a")
	none := func(c *Call) { c.Absent("path").Number("dev", 0).Number("ino", 0).NoPart("file", "path", "fspath") }
	none(do(999, file, unix.O_RDONLY, "O_RDONLY").fails(unix.EBADF))
	none(do(mount, badPtr, unix.O_WRONLY, "O_WRONLY").fails(unix.EFAULT))
	must(os.Remove(abs))
	none(do(mount, file, unix.O_RDONLY, "O_RDONLY").fails(unix.ESTALE))
}

func splice(t *T) {
	abs := filepath.Join(cwd(), "file")
	must(os.WriteFile("file", make([]byte, 1000), 0o644))
	fd := one(unix.Open("file", unix.O_RDWR, 0))
	var p [2]int
	must(unix.Pipe(p[:]))
	do := func(from, to int, size, flags uintptr, names ...string) *Call {
		return t.call("splice", unix.SYS_SPLICE, uptr(from), 0, uptr(to), 0, size, flags).Result("res").Number("fd_in", int64(from)).Number("fd_out", int64(to)).
			Number("size", int64(size)).Flags("flags", names...)
	}
	if c := do(fd, p[1], 400, unix.SPLICE_F_MOVE, "SPLICE_F_MOVE").ok().onFile(fd, abs); c.Ret != 400 {
		fail("%d bytes", c.Ret)
	}
	do(p[0], fd, 100, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MORE|unix.SPLICE_F_GIFT, "SPLICE_F_NONBLOCK", "SPLICE_F_MORE", "SPLICE_F_GIFT").ok().onPipe(p[0])
	do(fd, fd, 100, 0).fails(unix.EINVAL).onFile(fd, abs)
	do(999, p[1], 100, 0).fails(unix.EBADF).onNone()
	do(999, p[1], 100, 0x100).fails(unix.EINVAL).onNone()
}

func sendfile(t *T) {
	abs := filepath.Join(cwd(), "to")
	must(os.WriteFile("from", make([]byte, 1000), 0o644))
	from, to := one(unix.Open("from", unix.O_RDONLY, 0)), one(unix.Open("to", unix.O_RDWR|unix.O_CREAT, 0o600))
	for _, nr := range []int{unix.SYS_SENDFILE, sysSendfile64} {
		if nr < 0 {
			continue
		}
		do := func(out, in int, offset, size uintptr) *Call {
			return t.call("sendfile", nr, uptr(out), uptr(in), offset, size).Result("res").Number("out_fd", int64(out)).Number("in_fd", int64(in)).
				Number("size", int64(size))
		}
		// bytes behind an offset of four bytes are not its own
		tail := byte(0)
		if nr == unix.SYS_SENDFILE && sysSendfile64 >= 0 {
			tail = 0xff
		}
		offset := t.bytes([]byte{100, 0, 0, 0, tail, tail, tail, tail})
		if c := do(to, from, offset, 50).ok().Number("offset", 150).onFile(to, abs); c.Ret != 50 || t.at(offset, 1)[0] != 150 {
			fail("%d bytes up to %d", c.Ret, t.at(offset, 1)[0])
		}
		do(to, from, 0, 10).ok().Number("offset", 0).onFile(to, abs)
		do(999, from, offset, 10).fails(unix.EBADF).Number("offset", 150).onNone()
		do(to, from, badPtr, 10).fails(unix.EFAULT).Absent("offset").onFile(to, abs)
	}
	two := t.bytes(binary.LittleEndian.AppendUint64(nil, 3<<32))
	if sysSendfile64 < 0 {
		t.call("sendfile", unix.SYS_SENDFILE, uptr(to), uptr(from), two, 7).ok().Result("res").Number("offset", 3<<32).Number("out_fd", int64(to)).
			Number("in_fd", int64(from)).Number("size", 7).onFile(to, abs)
	}
}

func copyRange(t *T) {
	abs := filepath.Join(cwd(), "to")
	must(os.WriteFile("from", make([]byte, 1000), 0o644))
	from, to := one(unix.Open("from", unix.O_RDONLY, 0)), one(unix.Open("to", unix.O_RDWR|unix.O_CREAT, 0o600))
	do := func(in int, offin uintptr, out int, offout, size uintptr) *Call {
		return t.call("copy_file_range", unix.SYS_COPY_FILE_RANGE, uptr(in), offin, uptr(out), offout, size, 0).Result("res").Number("fdin", int64(in)).
			Number("offin", int64(offin)).Number("fdout", int64(out)).Number("offout", int64(offout)).Number("len", int64(size))
	}
	at := t.bytes(make([]byte, 8))
	do(from, 0, to, 0, 400).ok().onFile(to, abs)
	do(from, at, to, at, 40).ok().onFile(to, abs)
	do(from, 0, to, badPtr, 40).fails(unix.EFAULT).onFile(to, abs)
	do(999, 0, to, 0, 40).fails(unix.EBADF).onFile(to, abs)
	do(from, 0, 999, 0, 40).fails(unix.EBADF).onNone()
}

// ends checks the descriptors of a pipe that was made against what the call wrote to memory.
func (t *T) ends(c *Call, at uintptr) *Call {
	c.ok().Result("res")
	b := t.at(at, 8)
	r, w := int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))
	c.Number("fd1", int64(r)).Number("fd2", int64(w)).onPipe(r).Number("ino", int64(c.File.Ino))
	must(unix.Close(r))
	must(unix.Close(w))
	return c
}

func (c *Call) noEnds() *Call {
	return c.Result("res").Number("fd1", -1).Number("fd2", -1).Number("ino", 0).onNone()
}

func pipe(t *T) {
	at := t.bytes(make([]byte, 8))
	t.ends(t.call("pipe", unix.SYS_PIPE, at), at)
	t.call("pipe", unix.SYS_PIPE, badPtr).fails(unix.EFAULT).noEnds().NoPart("mem").Fault = true
	t.ends(t.call("pipe2", unix.SYS_PIPE2, at, 0).Flags("flags"), at)
	t.ends(t.call("pipe2", unix.SYS_PIPE2, at, unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_DIRECT).Flags("flags", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECT"), at)
	t.call("pipe2", unix.SYS_PIPE2, at, unix.O_APPEND).fails(unix.EINVAL).noEnds().Flags("flags")
	t.call("pipe2", unix.SYS_PIPE2, badPtr, unix.O_CLOEXEC).fails(unix.EFAULT).noEnds().Flags("flags", "O_CLOEXEC").NoPart("mem").Fault = true
}

// makes expects the object that the call made, or none.
func (c *Call) makes() *Call {
	c.Result("res")
	if c.Ret < 0 {
		return c.onNone()
	}
	c.onAnon(c.fd()).close()
	return c
}

func eventfd(t *T) {
	t.call("eventfd", unix.SYS_EVENTFD, 5).ok().makes().Number("initval", 5).Number("flags", 0)
	t.call("eventfd2", unix.SYS_EVENTFD2, math.MaxUint32, 0).ok().makes().Number("initval", math.MaxUint32).Flags("flags")
	t.call("eventfd2", unix.SYS_EVENTFD2, 7, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE).ok().makes().Number("initval", 7).
		Flags("flags", "O_CLOEXEC", "O_NONBLOCK")
	t.call("eventfd2", unix.SYS_EVENTFD2, 7, 0x100).fails(unix.EINVAL).makes().Number("initval", 7).Flags("flags")
	limited(func() {
		t.call("eventfd", unix.SYS_EVENTFD, 5).fails(unix.EMFILE).makes().Number("initval", 5).Number("flags", 0)
		t.call("inotify_init", unix.SYS_INOTIFY_INIT).fails(unix.EMFILE).makes().Number("flags", 0)
	})
}

// limited runs f in a process that may have no more descriptors.
func limited(f func()) {
	var old unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}))
	f()
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
}

func timerfd(t *T) {
	t.call("timerfd_create", unix.SYS_TIMERFD_CREATE, unix.CLOCK_REALTIME, 0).ok().makes().Number("clockid", unix.CLOCK_REALTIME).Number("flags", 0)
	// the schema's flags have eight bits, one of which is O_NONBLOCK
	t.call("timerfd_create", unix.SYS_TIMERFD_CREATE, unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC).ok().makes().
		Number("clockid", unix.CLOCK_BOOTTIME).Number("flags", 0x40)
	t.call("timerfd_create", unix.SYS_TIMERFD_CREATE, 77, unix.TFD_NONBLOCK).fails(unix.EINVAL).makes().Number("clockid", 77).Number("flags", 0x40)
}

func signalfd(t *T) {
	set := uint32(1<<(unix.SIGUSR1-1) | 1<<(unix.SIGTERM-1))
	at := t.bytes(binary.LittleEndian.AppendUint64(nil, uint64(set)|7<<40))
	old := func(fd int, mask, size uintptr) *Call {
		return t.call("signalfd", unix.SYS_SIGNALFD, uptr(fd), mask, size).Number("fd", int64(fd)).Number("mask", int64(set)).Number("flags", 0)
	}
	old(-1, at, 8).ok().makes()
	four := func(fd int, mask, flags uintptr, names ...string) *Call {
		return t.call("signalfd4", unix.SYS_SIGNALFD4, uptr(fd), mask, 8, flags).Number("fd", int64(fd)).Number("mask", int64(set)).Flags("flags", names...)
	}
	c := four(-1, at, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK, "O_CLOEXEC", "O_NONBLOCK").ok().Result("res")
	c.onAnon(c.fd())
	again := four(c.fd(), at, 0).ok().Result("res")
	again.onAnon(again.fd())
	if again.Ret != c.Ret {
		fail("descriptor %d instead of %d", again.Ret, c.Ret)
	}
	old(-1, at, 7).fails(unix.EINVAL).makes()
	old(999, at, 8).fails(unix.EBADF).makes()
	old(-1, badPtr, 8).fails(unix.EFAULT).makes().Number("mask", 0).NoPart("mem").Fault = true
	four(-1, at, 0x10).fails(unix.EINVAL).makes()
	four(-1, badPtr, 0).fails(unix.EFAULT).makes().Number("mask", 0).NoPart("mem").Fault = true
}

func inotify(t *T) {
	t.call("inotify_init", unix.SYS_INOTIFY_INIT).ok().makes().Number("flags", 0)
	t.call("inotify_init1", unix.SYS_INOTIFY_INIT1, 0).ok().makes().Flags("flags")
	t.call("inotify_init1", unix.SYS_INOTIFY_INIT1, unix.IN_CLOEXEC|unix.IN_NONBLOCK).ok().makes().Flags("flags", "O_CLOEXEC", "O_NONBLOCK")
	t.call("inotify_init1", unix.SYS_INOTIFY_INIT1, unix.O_APPEND).fails(unix.EINVAL).makes().Flags("flags")
}
