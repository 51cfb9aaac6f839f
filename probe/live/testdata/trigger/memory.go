// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["brk"] = brk
	triggers["mmap"] = mmap
	triggers["protect"] = protect
	triggers["lock"] = lock
	triggers["userfault"] = userfault
}

const page = 4096

// memory expects the sizes of this process's image, which other threads may be changing.
func (c *Call) memory() *Call {
	status := one(Status(os.Getpid()))
	return c.Range("vm_size", 1, number(status["VmPeak"])).Range("vm_rss", 0, number(status["VmHWM"])+1024).Number("vm_swap", number(status["VmSwap"]))
}

func brk(t *T) {
	at := func(addr uintptr) *Call {
		return t.call("brk", unix.SYS_BRK, addr).ok().Result("res").Number("addr", int64(addr)).memory()
	}
	end := uintptr(at(0).Ret)
	if got := at(end + 3*page); uintptr(got.Ret) != end+3*page {
		fail("the break is at %x", got.Ret)
	}
	at(end)
	// it says no by leaving the break where it is
	if got := at(1); uintptr(got.Ret) != end {
		fail("the break is at %x", got.Ret)
	}
}

func mmap(t *T) {
	dir := cwd()
	must(os.WriteFile("data", make([]byte, 3*page), 0o600))
	path := filepath.Join(dir, "data")
	fd := one(unix.Open("data", unix.O_RDWR, 0))
	name, nr, offset := "mmap", int(unix.SYS_MMAP), "offset"
	unit := uintptr(1)
	if sysMmap2 >= 0 {
		name, nr, offset, unit = "mmap2", sysMmap2, "pgoffset", page
	}
	mapped := func(c *Call, length uintptr) *Call {
		if c.Ret >= 0 || c.Ret < -4095 {
			// only to look at it: the kernel has it where it says
			_, _, errno := unix.RawSyscall(unix.SYS_MADVISE, uintptr(c.Ret), length, unix.MADV_NORMAL)
			if errno != 0 {
				fail("nothing is mapped at %x: %v", c.Ret, errno)
			}
		}
		return c.memory()
	}
	do := func(addr, length, prot, flags uintptr, fd int, pages uintptr) *Call {
		off := pages * page / unit
		c := t.call(name, nr, addr, length, prot, flags, uptr(fd), off).Result("res").Number("addr", int64(addr)).Number("length", int64(length)).
			Number("fd", int64(fd)).Number(offset, int64(off))
		return mapped(c, length)
	}
	c := do(0, 2*page, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE, fd, 1).file(fd).Part("path", path).Part("fspath", fsPath(path)).
		Flags("prot", "PROT_READ", "PROT_EXEC").Flags("flags", "MAP_PRIVATE")
	c.okAddress()
	do(uintptr(c.Ret), page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED|unix.MAP_POPULATE, fd, 0).okAddress().file(fd).Part("path", path).
		Part("fspath", fsPath(path)).Flags("prot", "PROT_READ", "PROT_WRITE").Flags("flags", "MAP_SHARED", "MAP_FIXED", "MAP_POPULATE")
	do(0, page, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_GROWSDOWN|unix.MAP_LOCKED|unix.MAP_NONBLOCK, -1, 0).okAddress().
		NoPart("file", "path", "fspath").Flags("prot", "PROT_NONE").
		Flags("flags", "MAP_PRIVATE", "MAP_ANONYMOUS", "MAP_NORESERVE", "MAP_GROWSDOWN", "MAP_LOCKED", "MAP_NONBLOCK")
	do(0, page, unix.PROT_WRITE|0x01000000, unix.MAP_PRIVATE|unix.MAP_ANON|0x40|unix.MAP_DENYWRITE|unix.MAP_EXECUTABLE, -1, 0).
		NoPart("file", "path", "fspath").Flags("prot", "PROT_WRITE", "PROT_GROWSDOWN").
		Flags("flags", "MAP_PRIVATE", "MAP_ANONYMOUS", "MAP_32BIT", "MAP_DENYWRITE", "MAP_EXECUTABLE")
	do(0, page, unix.PROT_READ, unix.MAP_PRIVATE, 999, 0).fails(unix.EBADF).NoPart("file", "path", "fspath").Flags("prot", "PROT_READ").Flags("flags", "MAP_PRIVATE")
	do(0, 0, unix.PROT_READ, unix.MAP_PRIVATE, fd, 0).fails(unix.EINVAL).file(fd).Part("path", path).Part("fspath", fsPath(path)).Flags("prot", "PROT_READ").
		Flags("flags", "MAP_PRIVATE")
	unmap := func(addr, length uintptr) *Call {
		return t.call("munmap", unix.SYS_MUNMAP, addr, length).Result("res").Number("addr", int64(addr)).Number("length", int64(length)).memory()
	}
	unmap(uintptr(c.Ret), 2*page).ok()
	unmap(uintptr(c.Ret)+1, page).fails(unix.EINVAL)
	t.oldMmap(fd, path)
}

// okAddress stops the trigger when a call that returns an address has returned an error.
func (c *Call) okAddress() *Call {
	if c.Ret < 0 {
		fail("%s: %v", c.Event, unix.Errno(-c.Ret))
	}
	return c
}

func protect(t *T) {
	area := one(unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE))
	at := uintptr(unsafe.Pointer(&area[0]))
	do := func(addr, length, prot uintptr, names ...string) *Call {
		return t.call("mprotect", unix.SYS_MPROTECT, addr, length, prot).Result("res").Number("addr", int64(addr)).Number("length", int64(length)).Flags("prot", names...)
	}
	do(at, 2*page, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, "PROT_READ", "PROT_WRITE", "PROT_EXEC").ok()
	do(at, page, unix.PROT_NONE, "PROT_NONE").ok()
	do(at+7, page, unix.PROT_READ, "PROT_READ").fails(unix.EINVAL)
	do(at, page, unix.PROT_READ|8, "PROT_READ", "PROT_SEM").ok()
	do(at, page, 0x02000000, "PROT_GROWSUP").fails(unix.EINVAL)
	do(page, page, unix.PROT_EXEC, "PROT_EXEC").fails(unix.ENOMEM)
}

func lock(t *T) {
	area := one(unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE))
	at := uintptr(unsafe.Pointer(&area[0]))
	do := func(name string, nr int, addr, length uintptr, more ...uintptr) *Call {
		return t.call(name, nr, append([]uintptr{addr, length}, more...)...).Result("res").Number("addr", int64(addr)).Number("len", int64(length))
	}
	do("mlock", unix.SYS_MLOCK, at, 2*page).ok()
	do("mlock", unix.SYS_MLOCK, page, page).fails(unix.ENOMEM)
	do("mlock2", unix.SYS_MLOCK2, at, page, 1).ok().Flags("flags", "MLOCK_ONFAULT")
	do("mlock2", unix.SYS_MLOCK2, at, page, 0).ok().Flags("flags")
	do("mlock2", unix.SYS_MLOCK2, at, page, 6).fails(unix.EINVAL).Flags("flags")
	do("munlock", unix.SYS_MUNLOCK, at, 2*page).ok()
	do("munlock", unix.SYS_MUNLOCK, page, page).fails(unix.ENOMEM)
	all := func(flags uintptr, names ...string) *Call {
		return t.call("mlockall", unix.SYS_MLOCKALL, flags).Result("res").Flags("flags", names...)
	}
	all(unix.MCL_CURRENT|unix.MCL_ONFAULT, "MCL_CURRENT", "MCL_ONFAULT").ok()
	t.call("munlockall", unix.SYS_MUNLOCKALL).ok().Result("res")
	all(unix.MCL_FUTURE|unix.MCL_ONFAULT, "MCL_FUTURE", "MCL_ONFAULT").ok()
	t.call("munlockall", unix.SYS_MUNLOCKALL).ok().Result("res")
	all(0).fails(unix.EINVAL)
}

func userfault(t *T) {
	do := func(flags uintptr, names ...string) *Call {
		return t.call("userfaultfd", unix.SYS_USERFAULTFD, flags).Result("res").Flags("flags", names...)
	}
	for _, v := range []struct {
		flags uintptr
		names []string
	}{{0, nil}, {unix.O_CLOEXEC, []string{"O_CLOEXEC"}}, {unix.O_CLOEXEC | unix.O_NONBLOCK, []string{"O_CLOEXEC", "O_NONBLOCK"}}} {
		c := do(v.flags, v.names...)
		if c.Ret == -int64(unix.ENOSYS) { // a kernel without it
			c.NoPart("file", "path", "fspath")
			continue
		}
		c.ok().file(c.fd()).anonymous("[userfaultfd]").close()
	}
	do(0x10).fails(unix.EINVAL, unix.ENOSYS).NoPart("file", "path", "fspath")
}
