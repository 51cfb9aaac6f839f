// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringPipe are the operations that have more than one descriptor, of which the request holds one file only.
func ringPipe(t *T) {
	t.rings(func(r *ring) {
		abs := filepath.Join(cwd(), "file")
		must(os.WriteFile("file", make([]byte, 1000), 0o644))
		fd := one(unix.Open("file", unix.O_RDWR, 0))
		var p [2]int
		must(unix.Pipe(p[:]))
		const none = 1<<64 - 1 // the file's own position
		do := func(e entry, from, to, size int, flags uint32, names ...string) *Call {
			e.Op, e.FD, e.Place, e.Len, e.OpFlags = opSplice, int32(to), uint32(from), uint32(size), flags
			return r.do(e, "splice", unix.SYS_SPLICE, intArg(from), e.Addr, intArg(to), e.Off, uint64(size), uint64(flags)).Result("res").
				Number("fd_in", int64(from)).Number("fd_out", int64(to)).Number("size", int64(size)).Flags("flags", names...)
		}
		if c := do(entry{Off: none, Addr: 0}, fd, p[1], 400, unix.SPLICE_F_MOVE, "SPLICE_F_MOVE").ok().onFile(fd, abs); c.Ret != 400 {
			fail("%d bytes", c.Ret)
		}
		do(entry{Off: 8, Addr: none}, p[0], fd, 100, 0).ok().onPipe(p[0])
		r.spliceFixed(do, fd, p[1], abs)
		r.newPipe()
	})
}

// spliceFixed: the descriptor to read from is a place in the ring's table.
func (r *ring) spliceFixed(do func(e entry, from, to, size int, flags uint32, names ...string) *Call, fd, to int, abs string) {
	const fixed = 1 << 31
	table := []int32{-1, int32(fd)}
	_, _, errno := unix.Syscall6(sysRingRegister, uintptr(r.fd), registerFiles, uintptr(unsafe.Pointer(&table[0])), uintptr(len(table)), 0, 0)
	if errno != 0 {
		fail("io_uring_register: %v", errno)
	}
	do(entry{Off: 1<<64 - 1}, 1, to, 50, fixed).ok().onFile(fd, abs)
}

// newPipe makes a pipe.
func (r *ring) newPipe() {
	if !r.can(opPipe) {
		return
	}
	at := r.t.bytes(make([]byte, 8))
	do := func(flags uint32, names ...string) *Call {
		return r.do(entry{Op: opPipe, Addr: uint64(at), OpFlags: flags}, "pipe2", unix.SYS_PIPE2, uint64(at), uint64(flags)).Flags("flags", names...)
	}
	r.t.ends(do(unix.O_CLOEXEC|unix.O_NONBLOCK, "O_CLOEXEC", "O_NONBLOCK"), at)
	do(unix.O_APPEND).fails(unix.EINVAL).noEnds().Refused = true
}
