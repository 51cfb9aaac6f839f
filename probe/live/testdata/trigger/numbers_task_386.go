// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

const (
	sysSemop = -1 // part of ipc
	sysMmap2 = unix.SYS_MMAP2
)

// getrlimits are the numbers of getrlimit: the first one knows no limit above 31 bits.
var getrlimits = []int{unix.SYS_GETRLIMIT, unix.SYS_UGETRLIMIT}

// oldMmap maps through the call whose arguments are in memory.
func (t *T) oldMmap(fd int, path string) {
	do := func(length, prot, flags uintptr, fd int, offset uintptr) *Call {
		args := [6]uintptr{0, length, prot, flags, uptr(fd), offset}
		c := t.call("mmap", unix.SYS_MMAP, t.words(args[:]...)).Result("res").Number("addr", 0).Number("length", int64(length)).Number("fd", int64(fd)).
			Number("offset", int64(offset)).memory()
		for i, v := range args {
			c.Args[i] = uint64(v)
		}
		return c
	}
	do(page, unix.PROT_READ, unix.MAP_SHARED, fd, page).okAddress().file(fd).Part("path", path).Part("fspath", fsPath(path)).Flags("prot", "PROT_READ").
		Flags("flags", "MAP_SHARED")
	do(page, unix.PROT_READ, unix.MAP_SHARED, fd, 5).fails(unix.EINVAL).file(fd).Part("path", path).Part("fspath", fsPath(path)).Flags("prot", "PROT_READ").
		Flags("flags", "MAP_SHARED")
	// what could not be read is 0, and no descriptor
	c := t.call("mmap", unix.SYS_MMAP, badPtr).fails(unix.EFAULT).Result("res").Number("addr", 0).Number("length", 0).Flags("prot", "PROT_NONE").Flags("flags").
		Number("fd", -1).Number("offset", 0).memory().onNone()
	c.Args, c.Fault = [6]uint64{4: 1<<32 - 1}, true
}
