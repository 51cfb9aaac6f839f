// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"net"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	registerPersonality = 9
	featSkip            = 1 << 11 // IORING_FEAT_CQE_SKIP
	acceptMultishot     = 1 << 0
	cqeMore             = 1 << 1
)

// ringOdd are requests whose completion says little, or does not come.
func ringOdd(t *T) {
	dir := cwd()
	r := t.ring(8, 0)
	write("plain")
	// one that has no completion is reported before it is done
	if r.p.Features&featSkip != 0 {
		r.flags = entrySkip
		r.openat(unix.AT_FDCWD, t.path("plain"), unix.O_RDONLY, 0).Bytes("name", "plain").Flags("flags", "O_RDONLY").Absent("dev", "ino").
			Part("dir", dir).NoPart("file", "path", "fspath")
		r.flags = 0
	}
	// a name that is too long to be kept: the file tells what it was
	long := strings.Repeat("./", 300) + "plain"
	c := r.openat(unix.AT_FDCWD, t.path(long), unix.O_RDONLY, 0).ok().Bytes("name", long[:511]).Flags("flags", "O_RDONLY").opened(filepath.Join(dir, "plain")).Part("dir", dir)
	c.Truncated = true
	c.close()
	if r.can(opUnlinkat) { // here nothing else would
		name := t.path(long)
		c := r.do(entry{Op: opUnlinkat, FD: unix.AT_FDCWD, Addr: name}, "unlinkat", unix.SYS_UNLINKAT, intArg(unix.AT_FDCWD), name, 0).ok().
			Number("res", 0).Number("dirfd", unix.AT_FDCWD).Bytes("name", long).Flags("flags").Part("dir", dir)
		c.Unknown = true
	}
	r.personality()
	r.close()
	t.ringFull(dir)
	t.ringNamesakes(dir)
}

// personality: a request may have other rights than its task.
func (r *ring) personality() {
	id, _, errno := unix.Syscall6(sysRingRegister, uintptr(r.fd), registerPersonality, 0, 0, 0, 0)
	if errno != 0 {
		fail("register credentials: %v", errno)
	}
	was := unix.Geteuid()
	must(unix.Setresuid(-1, 1234, -1))
	name := r.t.path("/dev/null")
	open := func(e entry) *Call {
		e.Op, e.FD, e.Addr, e.OpFlags = opOpenat, unix.AT_FDCWD, name, unix.O_WRONLY
		c := r.do(e, "openat", unix.SYS_OPENAT, intArg(unix.AT_FDCWD), name, unix.O_WRONLY).ok().Result("fd").Number("dirfd", unix.AT_FDCWD).
			Bytes("name", "/dev/null").Flags("flags", "O_WRONLY").Number("mode", 0).opened("/dev/null").NoPart("dir")
		c.close()
		return c
	}
	open(entry{})
	open(entry{Personality: uint16(id)}).UID = was
	must(unix.Setresuid(-1, was, -1))
}

// ringFull: completions that find no room in the shared queue.
func (t *T) ringFull(dir string) {
	r := t.ring(1, 0)
	for range r.p.CQEntries {
		r.put(&entry{Op: opNop})
		r.submit(1, 0)
	}
	write("late")
	e := entry{Op: opOpenat, FD: unix.AT_FDCWD, Addr: t.path("late")}
	c := r.expect("openat", unix.SYS_OPENAT, intArg(unix.AT_FDCWD), e.Addr)
	r.name(&e)
	r.put(&e)
	c.Before = now()
	r.submit(1, 0)
	c.After = now()
	for range r.p.CQEntries {
		r.take()
	}
	r.submit(0, 1) // brings what had no room
	c.Ret = int64(r.take().Res)
	c.ok().Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "late").Flags("flags", "O_RDONLY").Number("mode", 0).
		opened(filepath.Join(dir, "late")).Part("dir", dir).close()
	r.close()
}

// ringNamesakes: requests that are under way at one time under one name.
func (t *T) ringNamesakes(dir string) {
	r := t.ring(4, 0)
	r.named = 7
	var calls []*Call
	files := []string{"first", "second", "third"}
	for _, f := range files {
		write(f)
		e := entry{Op: opOpenat, FD: unix.AT_FDCWD, Addr: t.path(f)}
		r.name(&e)
		r.put(&e)
		calls = append(calls, r.expect("openat", unix.SYS_OPENAT, intArg(unix.AT_FDCWD), e.Addr))
	}
	before := now()
	r.submit(len(files), len(files))
	for i, c := range calls {
		c.Before, c.After, c.Ret = before, now(), int64(r.take().Res)
		c.ok().Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", files[i]).Flags("flags", "O_RDONLY").Number("mode", 0).
			opened(filepath.Join(dir, files[i])).Part("dir", dir)
	}
	r.close()
}

// ringBad are requests that the kernel refuses to make.
func ringBad(t *T) {
	r := t.ring(8, 0)
	r.openat(unix.AT_FDCWD, t.path("missing"), unix.O_WRONLY, 0).fails(unix.ENOENT).Bytes("name", "missing").Flags("flags", "O_WRONLY").notOpened().Part("dir", cwd())
	c := r.openat(unix.AT_FDCWD, badPtr, unix.O_WRONLY, 0).fails(unix.EFAULT).Absent("name").Flags("flags", "O_WRONLY").notOpened().NoPart("name", "dir")
	c.Fault, c.Refused = true, true
	name := t.path("plain")
	// a field that has to be 0
	c = r.do(entry{Op: opOpenat, FD: unix.AT_FDCWD, Addr: name, BufIndex: 3}, "openat", unix.SYS_OPENAT, intArg(unix.AT_FDCWD), name).fails(unix.EINVAL).
		Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "plain").Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().Part("dir", cwd())
	c.Refused = true
	r.close()
}

// ringRepeated is a request that accepts connection after connection.
func ringRepeated(t *T) {
	r := t.ring(8, 0)
	if !r.can(opSocket) { // as old
		t.report.Notes["skip"] = "this kernel's io_uring completes a request once"
		return
	}
	local := net.IPv4(127, 0, 0, 1).To4()
	listener := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte(local)}))
	must(unix.Listen(listener, 5))
	addr := one(unix.Getsockname(listener))
	e := entry{Op: opAccept, Prio: acceptMultishot, FD: int32(listener), OpFlags: unix.SOCK_CLOEXEC}
	r.name(&e)
	r.put(&e)
	r.submit(1, 0)
	for range 3 {
		c := r.expect("accept4", unix.SYS_ACCEPT4, intArg(listener), 0, 0, unix.SOCK_CLOEXEC)
		fd := one(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
		c.Before = now()
		must(unix.Connect(fd, addr))
		r.submit(0, 1)
		c.After = now()
		got := r.take()
		if got.Flags&cqeMore == 0 {
			fail("the request is over: %d", got.Res)
		}
		c.Ret = int64(got.Res)
		c.ok().Result("fd").Number("flags", unix.SOCK_CLOEXEC).tuple(c.fd()).queueOf(listener)
	}
	r.close()
}

// ringCrowd are more requests of one name than there is room for: a chain that waits for its first.
func ringCrowd(t *T) {
	r := t.ring(16, 0)
	r.named = 7
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	room := t.bytes(make([]byte, 8))
	r.put(&entry{Op: opRecv, Flags: entryLink, FD: int32(pair[0]), Addr: uint64(room), Len: 8, Data: 7})
	const n = 10
	for i := range n {
		name := "crowd" + itoa(uint64(i))
		write(name)
		e := entry{Op: opOpenat, FD: unix.AT_FDCWD, Addr: t.path(name), Flags: entryLink}
		if i == n-1 {
			e.Flags = 0
		}
		r.name(&e)
		r.put(&e)
	}
	r.submit(n+1, 0)
	_ = one(unix.Write(pair[1], []byte("go")))
	r.submit(0, n+1)
	for range n + 1 {
		if c := r.take(); c.Res < 0 {
			fail("a request of the chain: %d", c.Res)
		}
	}
	r.close()
}

// ringTaken are requests that another one takes along: it fails, and had asked for no completion, so that they have none either.
func ringTaken(t *T) {
	r := t.ring(16, 0)
	if r.p.Features&featSkip == 0 {
		t.report.Notes["skip"] = "this kernel completes every request"
		return
	}
	missing := t.path("missing")
	r.put(&entry{Op: opOpenat, Flags: entryLink | entrySkip, FD: unix.AT_FDCWD, Addr: missing, Data: 1})
	for range 5 {
		r.next++
		r.put(&entry{Op: opOpenat, Flags: entryLink, FD: unix.AT_FDCWD, Addr: missing, Data: r.next})
	}
	r.put(&entry{Op: opNop, Data: 2})
	r.submit(7, 1)
	if c := r.take(); c.Data != 1 || c.Res != -int32(unix.ENOENT) {
		fail("the first completion is %+v", c)
	}
	r.close()
}
