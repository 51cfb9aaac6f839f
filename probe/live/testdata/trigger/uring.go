// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Kernel values: include/uapi/linux/io_uring.h.
const (
	sysRingSetup    = 425
	sysRingEnter    = 426
	sysRingRegister = 427

	setupSQPoll = 1 << 1

	enterGetEvents = 1 << 0
	enterWakeup    = 1 << 1
	needWakeup     = 1 << 0

	registerFiles = 2
	registerProbe = 8

	entryFixedFile = 1 << 0
	entryLink      = 1 << 2
	entryAsync     = 1 << 4
	entrySkip      = 1 << 6
)

const (
	opNop       = 0
	opReadv     = 1
	opWritev    = 2
	opSendmsg   = 9
	opRecvmsg   = 10
	opAccept    = 13
	opConnect   = 16
	opOpenat    = 18
	opClose     = 19
	opRead      = 22
	opWrite     = 23
	opSend      = 26
	opRecv      = 27
	opOpenat2   = 28
	opSplice    = 30
	opShutdown  = 34
	opRenameat  = 35
	opUnlinkat  = 36
	opMkdirat   = 37
	opSymlinkat = 38
	opLinkat    = 39
	opSocket    = 45
	opBind      = 56
	opListen    = 57
	opPipe      = 62
)

// ringParams is struct io_uring_params.
type ringParams struct {
	SQEntries, CQEntries, Flags, ThreadCPU, ThreadIdle, Features, WQ uint32
	_                                                                [3]uint32
	SQ, CQ                                                           ringOffsets
}

// ringOffsets is struct io_sqring_offsets; the other's last two differ: the entries, and what is of no use here.
type ringOffsets struct {
	Head, Tail, Mask, Entries, Flags, Dropped, Array, _ uint32
	UserAddr                                            uint64
}

// entry is struct io_uring_sqe.
type entry struct {
	Op, Flags             uint8
	Prio                  uint16
	FD                    int32
	Off, Addr             uint64
	Len, OpFlags          uint32
	Data                  uint64
	BufIndex, Personality uint16
	Place                 uint32 // file_index, splice_fd_in
	Addr3, _              uint64
}

// cqe is struct io_uring_cqe.
type cqe struct {
	Data  uint64
	Res   int32
	Flags uint32
}

// ring is an io_uring made by hand.
type ring struct {
	t       *T
	fd      int
	p       ringParams
	sq, cq  []byte
	entries []byte
	flags   uint8  // of every entry
	thread  int    // the thread that requests are of
	next    uint64 // what the next request is called
	named   uint64 // unless 0: what every request is called
}

func (t *T) ring(size int, flags uint32) *ring {
	r := &ring{t: t, p: ringParams{Flags: flags, ThreadIdle: 1000}, thread: unix.Gettid(), next: 1000}
	fd, _, errno := unix.Syscall(sysRingSetup, uintptr(size), uintptr(unsafe.Pointer(&r.p)), 0)
	if errno != 0 {
		fail("io_uring_setup: %v", errno)
	}
	r.fd = int(fd)
	area := func(off int64, n uint32) []byte {
		return one(unix.Mmap(r.fd, off, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE))
	}
	r.sq = area(0, r.p.SQ.Array+4*r.p.SQEntries)
	r.cq = area(0x8000000, r.p.CQ.Flags+16*r.p.CQEntries+64) // cqes are where the other has flags... see at
	r.entries = area(0x10000000, 64*r.p.SQEntries)
	if flags&setupSQPoll != 0 {
		r.thread = pollThread()
	}
	return r
}

// pollThread is the kernel's thread that submits for a ring of this process.
func pollThread() int {
	for { // it gets its name when it begins to run
		for _, d := range one(os.ReadDir("/proc/self/task")) {
			name, _ := os.ReadFile("/proc/self/task/" + d.Name() + "/comm")
			if strings.HasPrefix(string(name), "iou-sqp") {
				return one(strconv.Atoi(d.Name()))
			}
		}
	}
}

func word(b []byte, off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&b[off])) }

// put queues an entry.
func (r *ring) put(e *entry) {
	tail := word(r.sq, r.p.SQ.Tail)
	at := *tail & (r.p.SQEntries - 1)
	*(*entry)(unsafe.Pointer(&r.entries[64*at])) = *e
	*word(r.sq, r.p.SQ.Array+4*at) = at
	atomic.StoreUint32(tail, *tail+1)
}

// submit hands queued entries to the kernel and waits for completions.
func (r *ring) submit(n, wait int) {
	flags := uintptr(enterGetEvents)
	if r.p.Flags&setupSQPoll != 0 && atomic.LoadUint32(word(r.sq, r.p.SQ.Flags))&needWakeup != 0 {
		flags |= enterWakeup
	}
	for {
		got, _, errno := unix.Syscall6(sysRingEnter, uintptr(r.fd), uintptr(n), uintptr(wait), flags, 0, 0)
		if errno == unix.EINTR {
			n = 0
			continue
		}
		if errno != 0 || int(got) < n && r.p.Flags&setupSQPoll == 0 {
			fail("io_uring_enter: %d, %v", got, errno)
		}
		return
	}
}

// take takes the next completion.
func (r *ring) take() cqe {
	head := word(r.cq, r.p.CQ.Head)
	if *head == atomic.LoadUint32(word(r.cq, r.p.CQ.Tail)) {
		fail("no completion")
	}
	at := *head & (r.p.CQEntries - 1)
	// struct io_cqring_offsets: head, tail, mask, entries, overflow, cqes
	c := *(*cqe)(unsafe.Pointer(&r.cq[r.p.CQ.Dropped+16*at]))
	atomic.StoreUint32(head, *head+1)
	return c
}

func (r *ring) close() { must(unix.Close(r.fd)) }

// can reports whether the kernel knows an operation.
func (r *ring) can(op uint8) bool {
	b := make([]byte, 16+8*256)
	if _, _, errno := unix.Syscall6(sysRingRegister, uintptr(r.fd), registerProbe, uintptr(unsafe.Pointer(&b[0])), 256, 0, 0); errno != 0 {
		return false
	}
	return op <= b[0] && binary.LittleEndian.Uint16(b[16+8*int(op)+2:])&1 != 0
}

// expect begins the record that a request must make: the system call that it stands for, with that call's arguments.
func (r *ring) expect(name string, nr int, args ...uint64) *Call {
	c := &Call{Event: name, NR: nr, TID: r.thread, Ring: true, Params: make(map[string]Want), Parts: make(map[string]Want)}
	copy(c.Args[:], args)
	c.UID, c.GID = unix.Geteuid(), unix.Getegid()
	c.Number("ID", int64(nr)).Number("nativeID", int64(nr))
	r.t.report.Calls = append(r.t.report.Calls, c)
	return c
}

func (r *ring) name(e *entry) {
	e.Flags |= r.flags
	if e.Data = r.named; e.Data == 0 {
		r.next++
		e.Data = r.next
	}
}

// do submits one entry and waits for its completion.
func (r *ring) do(e entry, name string, nr int, args ...uint64) *Call {
	c := r.expect(name, nr, args...)
	r.name(&e)
	n := 1
	if e.Flags&entryLink != 0 { // of a chain of two
		r.put(&entry{Op: opNop, Flags: entryLink, Data: 1})
		e.Flags &^= entryLink
		n++
	}
	r.put(&e)
	wait := n
	if e.Flags&entrySkip != 0 {
		wait--
	}
	c.Before = now()
	r.submit(n, wait)
	c.After = now()
	for range wait {
		got := r.take()
		if got.Data == e.Data {
			c.Ret = int64(got.Res)
		}
	}
	if e.Flags&entrySkip != 0 {
		c.Unknown = true
	}
	return c
}

// intArg is an argument that the kernel keeps as an int.
func intArg(n int) uint64 { return uint64(uint32(n)) }

// rings runs f on every kind of ring and request, with a directory of its own.
func (t *T) rings(f func(r *ring)) {
	for _, k := range []struct {
		name  string
		setup uint32
		flags uint8
	}{{"plain", 0, 0}, {"async", 0, entryAsync}, {"linked", 0, entryLink}, {"polled", setupSQPoll, 0}} {
		top := cwd()
		must(os.Mkdir(k.name, 0o755))
		must(os.Chdir(k.name))
		r := t.ring(8, k.setup)
		r.flags = k.flags
		f(r)
		r.close()
		must(os.Chdir(top))
	}
}

func (r *ring) openat(dirfd int, name uint64, flags, mode uint32) *Call {
	kept := mode
	if flags&unix.O_CREAT == 0 {
		kept = 0 // the kernel does not keep what means nothing
	}
	return r.do(entry{Op: opOpenat, FD: int32(dirfd), Addr: name, OpFlags: flags, Len: mode}, "openat", unix.SYS_OPENAT, intArg(dirfd), name, uint64(flags), uint64(kept)).
		Result("fd").Number("dirfd", int64(dirfd)).Number("mode", int64(kept))
}

// path puts a name where a request finds it.
func (t *T) path(s string) uint64 { return uint64(t.str(s)) }

// ringFiles are the operations on names.
func ringFiles(t *T) {
	t.rings(func(r *ring) {
		dir := cwd()
		must(os.Mkdir("sub", 0o755))
		write("plain")
		must(os.Symlink("plain", "link"))
		sub := one(unix.Open("sub", unix.O_PATH, 0))
		in := filepath.Join(dir, "sub")
		r.openat(unix.AT_FDCWD, t.path("sub/../link"), unix.O_RDONLY, 0).ok().Bytes("name", "sub/../link").Flags("flags", "O_RDONLY").
			opened(filepath.Join(dir, "plain")).Part("dir", dir).close()
		r.openat(sub, t.path("made"), unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o604).ok().Bytes("name", "made").Flags("flags", "O_WRONLY", "O_CREAT", "O_CLOEXEC", "O_F_CREATED").
			opened(filepath.Join(in, "made")).Part("dir", in).close()
		r.openat(sub, t.path("missing"), unix.O_RDWR, 0).fails(unix.ENOENT).Bytes("name", "missing").Flags("flags", "O_RDWR").notOpened().Part("dir", in)
		how := openHow(unix.O_RDWR|unix.O_CREAT, 0o640, unix.RESOLVE_BENEATH)
		at, name := t.bytes(how), t.path("fresh")
		kept := openHow(unix.O_RDWR|unix.O_CREAT|0o100000, 0o640, unix.RESOLVE_BENEATH) // O_LARGEFILE is the kernel's own
		r.do(entry{Op: opOpenat2, FD: int32(sub), Addr: name, Off: uint64(at), Len: 24}, "openat2", unix.SYS_OPENAT2, intArg(sub), name, uint64(at), 24).ok().
			Result("fd").Number("dirfd", int64(sub)).Bytes("name", "fresh").Flags("flags", "O_RDWR", "O_CREAT", "O_F_CREATED").Number("mode", 0o640).
			Flags("resolve", "RESOLVE_BENEATH").opened(filepath.Join(in, "fresh")).Part("dir", in).Part("mem", string(kept)).close()
		if r.can(opRenameat) {
			from, to := t.path("made"), t.path("moved")
			r.do(entry{Op: opRenameat, FD: int32(sub), Addr: from, Len: uint32(sub), Off: to, OpFlags: unix.RENAME_NOREPLACE}, "renameat2", unix.SYS_RENAMEAT2,
				intArg(sub), from, intArg(sub), to, unix.RENAME_NOREPLACE).ok().Result("res").Number("olddirfd", int64(sub)).Bytes("oldpath", "made").
				Number("newdirfd", int64(sub)).Bytes("newpath", "moved").Flags("flags", "RENAME_NOREPLACE").Part("dir", in).Part("dir2", in)
		}
		if r.can(opLinkat) {
			r.links(sub)
		}
		if r.can(opUnlinkat) {
			name := t.path("fresh")
			r.do(entry{Op: opUnlinkat, FD: int32(sub), Addr: name}, "unlinkat", unix.SYS_UNLINKAT, intArg(sub), name, 0).ok().Result("res").
				Number("dirfd", int64(sub)).Bytes("name", "fresh").Flags("flags").Part("dir", in)
			name = t.path("sub/gone")
			r.do(entry{Op: opUnlinkat, FD: unix.AT_FDCWD, Addr: name, OpFlags: unix.AT_REMOVEDIR}, "unlinkat", unix.SYS_UNLINKAT, intArg(unix.AT_FDCWD), name, unix.AT_REMOVEDIR).
				fails(unix.ENOENT).Result("res").Number("dirfd", unix.AT_FDCWD).Bytes("name", "sub/gone").Flags("flags", "AT_REMOVEDIR").Part("dir", dir)
		}
		must(unix.Close(sub))
	})
}

// links: the operations that make names, whose rows may say more than is checked here.
func (r *ring) links(sub int) {
	t := r.t
	name := t.path("directory")
	r.do(entry{Op: opMkdirat, FD: int32(sub), Addr: name, Len: 0o750}, "mkdirat", unix.SYS_MKDIRAT, intArg(sub), name, 0o750).ok().loose().
		Result("res").Number("dirfd", int64(sub)).Bytes("path", "directory").Number("mode", 0o750)
	r.do(entry{Op: opMkdirat, FD: int32(sub), Addr: name, Len: 0o750}, "mkdirat", unix.SYS_MKDIRAT, intArg(sub), name, 0o750).fails(unix.EEXIST).loose().
		Result("res").Bytes("path", "directory")
	target, at := t.path("../plain"), t.path("symbolic")
	r.do(entry{Op: opSymlinkat, FD: int32(sub), Addr: target, Off: at}, "symlinkat", unix.SYS_SYMLINKAT, target, intArg(sub), at).ok().loose().
		Result("res").Bytes("target", "../plain").Number("linkdirfd", int64(sub)).Bytes("linkpath", "symbolic")
	from, to := t.path("plain"), t.path("hard")
	cwdFD := int32(unix.AT_FDCWD)
	r.do(entry{Op: opLinkat, FD: cwdFD, Addr: from, Len: uint32(sub), Off: to}, "linkat", unix.SYS_LINKAT, intArg(unix.AT_FDCWD), from, intArg(sub), to, 0).ok().loose().
		Result("res").Number("olddir", unix.AT_FDCWD).Bytes("oldpath", "plain").Number("newdir", int64(sub)).Bytes("newpath", "hard")
}
