// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bytes"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kept is how much of the data of a call is kept.
const kept = 80

// moves makes a call that moves data of a descriptor.
func (t *T) moves(event string, nr, fd int, args ...uintptr) *Call {
	c := t.call(event, nr, append([]uintptr{uintptr(fd)}, args...)...)
	return c.Result("res").Number("fd", int64(fd))
}

// data expects what the call moved, b, as far as it is kept.
func (c *Call) data(b []byte) *Call {
	switch {
	case len(b) == 0:
		return c.Absent("data")
	case len(b) > kept:
		b, c.Truncated = b[:kept], true
	}
	return c.Bytes("data", string(b))
}

// size expects the size of the buffers.
func (c *Call) size(n int64) *Call { return c.Number("size", n) }

// onNothing expects that there is nothing behind the descriptor.
func (c *Call) onNothing() *Call {
	return c.NoPart("file", "sock", "sockaddr", "changed", "path", "fspath")
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}

// split is a position in a file as registers.
func split(pos uint64) []uintptr {
	if unsafe.Sizeof(uintptr(0)) == 8 {
		return []uintptr{uintptr(pos)}
	}
	return []uintptr{uintptr(uint32(pos)), uintptr(pos >> 32)}
}

// edge is the last n bytes of a page with nothing behind it; they hold b.
func edge(b []byte) uintptr {
	page := unix.Getpagesize()
	m := one(unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE))
	must(unix.Mprotect(m[page:], unix.PROT_NONE))
	copy(m[page-len(b):page], b)
	return uintptr(unsafe.Pointer(&m[page-len(b)]))
}

func buffers(t *T) {
	path := filepath.Join(cwd(), "file")
	fd := one(unix.Open(path, unix.O_RDWR|unix.O_CREAT, 0o644))
	var p [2]int
	must(unix.Pipe(p[:]))
	write := func(fd int, b []byte) *Call {
		return t.moves("write", unix.SYS_WRITE, fd, t.bytes(b), uintptr(len(b))).size(int64(len(b)))
	}
	read := func(fd, n int) (*Call, []byte) {
		at := t.bytes(make([]byte, n))
		c := t.moves("read", unix.SYS_READ, fd, at, uintptr(n)).size(int64(n))
		return c, t.at(at, max(int(c.Ret), 0))
	}
	for _, b := range [][]byte{[]byte("hello\x00\xffworld"), pattern(kept), pattern(kept + 1), pattern(5000)} {
		write(fd, b).ok().data(b).onFile(fd, path)
		write(p[1], b).ok().data(b).onPipe(p[1])
		c, got := read(p[0], len(b))
		c.ok().data(got).onPipe(p[0])
	}
	write(fd, nil).ok().data(nil).onFile(fd, path)
	const far = 1<<32 + 5
	pwrite := func(fd int, b []byte, pos uint64) *Call {
		return t.moves("pwrite", unix.SYS_PWRITE64, fd, append([]uintptr{t.bytes(b), uintptr(len(b))}, split(pos)...)...).
			size(int64(len(b))).Number("pos", int64(pos))
	}
	pread := func(fd, n int, pos uint64) (*Call, []byte) {
		at := t.bytes(make([]byte, n))
		c := t.moves("pread", unix.SYS_PREAD64, fd, append([]uintptr{at, uintptr(n)}, split(pos)...)...).size(int64(n)).Number("pos", int64(pos))
		return c, t.at(at, max(int(c.Ret), 0))
	}
	for _, pos := range []uint64{0, 7, far} {
		b := pattern(100)
		pwrite(fd, b, pos).ok().data(b).onFile(fd, path)
		c, got := pread(fd, 3000, pos)
		c.ok().data(got).onFile(fd, path)
		c, _ = pread(fd, 10, far+1000) // behind the end
		c.ok().data(nil).onFile(fd, path)
	}
	must(ignore(unix.Seek(fd, 2, 0)))
	c, got := read(fd, 40) // less than there is, and less than asked for
	c.ok().data(got).onFile(fd, path)
	must(ignore(unix.Seek(fd, far+90, 0)))
	c, got = read(fd, 400)
	if len(got) != 10 {
		fail("read %d bytes", len(got))
	}
	c.data(got).onFile(fd, path)
	// what a call that failed was given
	write(1234, []byte("nowhere")).fails(unix.EBADF).data([]byte("nowhere")).onNothing()
	write(p[0], pattern(300)).fails(unix.EBADF).data(pattern(300)).onPipe(p[0])
	pwrite(1234, []byte("nowhere"), far).fails(unix.EBADF).data([]byte("nowhere")).onNothing()
	pwrite(p[1], []byte("no place"), 3).fails(unix.ESPIPE).data([]byte("no place")).onPipe(p[1])
	t.moves("write", unix.SYS_WRITE, p[1], badPtr, 10).fails(unix.EFAULT).size(10).data(nil).onPipe(p[1]).Fault = true
	t.moves("write", unix.SYS_WRITE, p[1], 0, 10).fails(unix.EFAULT).size(10).data(nil).onPipe(p[1]).Fault = true
	c = t.moves("write", unix.SYS_WRITE, p[1], edge([]byte("the last bytes")), 40).fails(unix.EFAULT).size(40).Bytes("data", "the last bytes").onPipe(p[1])
	c.Fault, c.Truncated = true, true
	c = t.moves("pwrite", unix.SYS_PWRITE64, 1234, edge(pattern(kept)), 1<<20, 0).fails(unix.EBADF).size(1<<20).Number("pos", 0).data(pattern(kept)).onNothing()
	c.Truncated = true
	for _, bad := range []int{1234, p[1]} {
		c, _ := read(bad, 10)
		c.fails(unix.EBADF).data(nil)
		d, _ := pread(bad, 10, 3)
		d.fails(unix.EBADF, unix.ESPIPE).data(nil)
		for _, c := range []*Call{c, d} {
			if bad == 1234 {
				c.onNothing()
			} else {
				c.onPipe(bad)
			}
		}
	}
	t.moves("read", unix.SYS_READ, fd, badPtr, 0).ok().size(0).data(nil).onFile(fd, path)
	must(ignore(unix.Seek(fd, 0, 0)))
	t.moves("read", unix.SYS_READ, fd, badPtr, 10).fails(unix.EFAULT).size(10).data(nil).onFile(fd, path)
}

// vector puts buffers into memory and returns where the vector of them is, and where they are.
func (t *T) vector(b ...[]byte) (iov uintptr, at []uintptr) {
	var w []uintptr
	for _, b := range b {
		p := t.bytes(b)
		w, at = append(w, p, uintptr(len(b))), append(at, p)
	}
	return t.words(append(w, 0)...), at
}

// gathered is what is now in buffers of the given sizes, n bytes together.
func (t *T) gathered(at []uintptr, sizes [][]byte, n int64) (all []byte) {
	for i, b := range sizes {
		all = append(all, t.at(at[i], len(b))...)
	}
	return all[:max(n, 0)]
}

func vectors(t *T) {
	path := filepath.Join(cwd(), "file")
	fd := one(unix.Open(path, unix.O_RDWR|unix.O_CREAT, 0o644))
	var p [2]int
	must(unix.Pipe(p[:]))
	type bufs = [][]byte
	const far = 1<<32 + 5
	many := make(bufs, 700)
	for i := range many {
		many[i] = []byte{byte(i)}
	}
	sparse := make(bufs, 500) // most are empty
	sparse[0], sparse[250], sparse[499] = []byte("one"), []byte("two"), []byte("three")
	for _, b := range []bufs{
		{[]byte("one "), []byte("two "), []byte("three")}, {nil, []byte("x"), nil, nil, []byte("y"), nil}, {pattern(kept), nil, nil}, {pattern(60), pattern(60)},
		{pattern(kept), []byte("z")}, {pattern(3000), pattern(3000)}, {}, {nil}, many, sparse,
	} {
		iov, _ := t.vector(b...)
		all := bytes.Join(b, nil)
		n := uintptr(len(b))
		t.moves("writev", unix.SYS_WRITEV, fd, iov, n).ok().size(int64(len(all))).data(all).onFile(fd, path)
		args := append([]uintptr{iov, n}, split(far)...)
		t.moves("pwritev", unix.SYS_PWRITEV, fd, args...).ok().size(int64(len(all))).data(all).Number("pos", far).onFile(fd, path)
		must(ignore(unix.Seek(fd, 0, 0)))
		empty := make(bufs, len(b))
		for i := range b {
			empty[i] = make([]byte, len(b[i]))
		}
		iov, at := t.vector(empty...)
		c := t.moves("readv", unix.SYS_READV, fd, iov, n).ok()
		c.size(c.Ret).data(t.gathered(at, empty, c.Ret)).onFile(fd, path)
		iov, at = t.vector(empty...)
		c = t.moves("preadv", unix.SYS_PREADV, fd, append([]uintptr{iov, n}, split(far)...)...).ok()
		c.size(c.Ret).data(t.gathered(at, empty, c.Ret)).Number("pos", far).onFile(fd, path)
	}
	// less than there is room for
	must(unix.Ftruncate(fd, 10))
	iov, at := t.vector(make([]byte, 4), make([]byte, 40))
	c := t.moves("preadv", unix.SYS_PREADV, fd, append([]uintptr{iov, 2}, split(0)...)...).ok()
	c.size(10).data(t.gathered(at, bufs{make([]byte, 4), make([]byte, 40)}, c.Ret)).Number("pos", 0).onFile(fd, path)
	// of a socket
	pair := one(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
	iov, _ = t.vector([]byte("over "), []byte("a socket"))
	t.moves("writev", unix.SYS_WRITEV, pair[0], iov, 2).ok().size(13).data([]byte("over a socket")).onSocket(pair[0])

	// what cannot be
	iov, _ = t.vector([]byte("some"), []byte("thing"))
	t.moves("writev", unix.SYS_WRITEV, 1234, iov, 2).fails(unix.EBADF).size(9).data([]byte("something")).onNothing()
	t.moves("pwritev", unix.SYS_PWRITEV, p[1], iov, 2, 1, 0).fails(unix.ESPIPE).size(9).data([]byte("something")).Number("pos", 1).onPipe(p[1])
	t.moves("readv", unix.SYS_READV, 1234, iov, 2).fails(unix.EBADF).size(0).data(nil).onNothing()
	t.moves("preadv", unix.SYS_PREADV, p[0], iov, 2, 1, 0).fails(unix.ESPIPE).size(0).data(nil).Number("pos", 1).onPipe(p[0])
	for _, n := range []uintptr{1025, 1 << 31, ^uintptr(0)} { // more than the kernel takes: it looks at none
		t.moves("writev", unix.SYS_WRITEV, p[1], iov, n).fails(unix.EINVAL).Absent("size").data(nil).onPipe(p[1])
		t.moves("readv", unix.SYS_READV, p[0], iov, n).fails(unix.EINVAL).size(0).data(nil).onPipe(p[0])
	}
	t.moves("writev", unix.SYS_WRITEV, p[1], badPtr, 2).fails(unix.EFAULT).Absent("size").data(nil).onPipe(p[1]).Fault = true
	t.moves("readv", unix.SYS_READV, p[0], badPtr, 2).fails(unix.EFAULT).size(0).data(nil).onPipe(p[0])
	// the vector ends where memory does
	w := []uintptr{t.str("first"), 5, t.str("second"), 6}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*int(unsafe.Sizeof(w[0])))
	c = t.moves("writev", unix.SYS_WRITEV, p[1], edge(raw), 3).fails(unix.EFAULT).Absent("size").Bytes("data", "firstsecond").onPipe(p[1])
	c.Fault, c.Truncated = true, true
	// sizes that no memory has
	huge := ^uintptr(0)>>1 + 1
	bad := t.words(t.str("abcde"), 5, t.bytes(pattern(100)), huge)
	size := int64(1<<32 - 1)
	if unsafe.Sizeof(huge) == 4 {
		size = 5 + 1<<31
	}
	t.moves("writev", unix.SYS_WRITEV, p[1], bad, 2).fails(unix.EINVAL).size(size).data([]byte("abcde" + string(pattern(100)))).onPipe(p[1])
	both := t.words(badPtr, 4, t.str("second"), 6)
	t.moves("writev", unix.SYS_WRITEV, p[1], both, 2).fails(unix.EFAULT).size(10).data(nil).onPipe(p[1]).Fault = true
	crossing := edge([]byte("end"))
	after := t.words(t.str("begin "), 6, crossing, 10, t.str("never"), 5)
	c = t.moves("writev", unix.SYS_WRITEV, 1234, after, 3).fails(unix.EBADF).size(21).Bytes("data", "begin end").onNothing()
	c.Fault, c.Truncated = true, true
}

// otherMemory copies memory between processes; the data are those of the caller's side.
func otherMemory(t *T) {
	src, dst := t.bytes([]byte(strings.Repeat("memory ", 20))), t.bytes(make([]byte, 200))
	local, remote := t.words(dst, 50, dst+50, 50), t.words(src, 100)
	pid := unix.Getpid()
	call := func(event string, nr int, pid int, local, n, remote uintptr, k uintptr) *Call {
		return t.call(event, nr, uintptr(pid), local, n, remote, k, 0).Result("res").Number("pid", int64(pid))
	}
	call("process_vm_readv", unix.SYS_PROCESS_VM_READV, pid, local, 2, remote, 1).ok().data(t.at(dst, 100))
	call("process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, pid, remote, 1, local, 2).ok().data(t.at(src, 100))
	call("process_vm_readv", unix.SYS_PROCESS_VM_READV, 1<<22+1, local, 2, remote, 1).fails(unix.ESRCH).data(nil)
	call("process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, 1<<22+1, local, 2, remote, 1).fails(unix.ESRCH).data(nil)
	call("process_vm_readv", unix.SYS_PROCESS_VM_READV, pid, badPtr, 2, remote, 1).fails(unix.EFAULT).data(nil)
}
