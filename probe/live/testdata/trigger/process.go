// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["namespaces"] = namespaces
	triggers["jail"] = jail
	triggers["session"] = session
	triggers["capset"] = capset
	triggers["prctl"] = prctl
	triggers["limits"] = limits
	triggers["pidfd"] = pidfd
}

func namespaces(t *T) {
	link := func(name string) string { return one(os.Readlink("/proc/thread-self/ns/" + name)) }
	inThread(func() {
		before := link("uts")
		own := one(unix.Open("/proc/thread-self/ns/uts", unix.O_RDONLY|unix.O_CLOEXEC, 0))
		unshare := func(flags uintptr, names ...string) *Call {
			return t.call("unshare", unix.SYS_UNSHARE, flags).Result("res").Flags("flags", names...)
		}
		unshare(unix.CLONE_NEWUTS|unix.CLONE_NEWIPC, "CLONE_NEWUTS", "CLONE_NEWIPC").ok()
		if link("uts") == before {
			fail("unshare left the namespace as it was")
		}
		unshare(unix.CLONE_NEWNS|unix.CLONE_FS, "CLONE_NEWNS", "CLONE_FS").ok()
		unshare(unix.CLONE_FILES, "CLONE_FILES").ok()
		unshare(0).ok()
		unshare(unix.CLONE_NEWPID|unix.CLONE_PTRACE, "CLONE_NEWPID", "CLONE_PTRACE").fails(unix.EINVAL)

		setns := func(fd int, flags uintptr, names ...string) *Call {
			return t.call("setns", unix.SYS_SETNS, uptr(fd), flags).Result("res").Number("fd", int64(fd)).Flags("nstype", names...)
		}
		setns(own, 0).ok().file(own).anonymous(nameless(own))
		if link("uts") != before {
			fail("setns left the namespace as it was")
		}
		setns(own, unix.CLONE_NEWUTS, "CLONE_NEWUTS").ok().file(own).anonymous(nameless(own))
		setns(own, unix.CLONE_NEWNET, "CLONE_NEWNET").fails(unix.EINVAL).file(own).anonymous(nameless(own))
		setns(-1, unix.CLONE_NEWNS, "CLONE_NEWNS").fails(unix.EBADF).NoPart("file", "path", "fspath")
		null := one(unix.Open("/dev/null", unix.O_RDONLY, 0))
		setns(null, 0).fails(unix.EINVAL).file(null).Part("path", "/dev/null").Part("fspath", fsPath("/dev/null"))
	})
}

func jail(t *T) {
	dir := cwd()
	must(os.MkdirAll("sub/inner", 0o755))
	write("file")
	to := func(path string) *Call {
		return t.call("chroot", unix.SYS_CHROOT, t.str(path)).Result("res").Bytes("path", path)
	}
	to("missing").fails(unix.ENOENT).Part("dir", dir)
	to("file").fails(unix.ENOTDIR).Part("dir", dir)
	t.call("chroot", unix.SYS_CHROOT, badPtr).fails(unix.EFAULT).Result("res").Absent("path").NoPart("dir").Fault = true
	to(filepath.Join(dir, "sub")).ok().NoPart("dir")
	if _, err := os.Stat("/inner"); err != nil {
		fail("chroot left the root as it was")
	}
	// the working directory is outside now, and seen from the top
	to("inner").fails(unix.ENOENT).Part("dir", dir)
	to("sub/inner").ok().Part("dir", dir)
}

func session(t *T) {
	pid := int64(os.Getpid())
	group := one(unix.Getpgid(0))
	setpgid := func(of, to int) *Call {
		return t.call("setpgid", unix.SYS_SETPGID, uptr(of), uptr(to)).Result("res").Number("pid", int64(of)).Number("pgid", int64(to))
	}
	setpgid(0, 0).ok()
	if unix.Getpgrp() != int(pid) {
		fail("setpgid left the group as it was")
	}
	t.call("setsid", unix.SYS_SETSID).fails(unix.EPERM).Result("res")
	setpgid(int(pid), group).ok()
	setpgid(0, -5).fails(unix.EINVAL)
	setpgid(1<<30, 0).fails(unix.ESRCH)
	if c := t.call("setsid", unix.SYS_SETSID).ok().Number("res", pid); one(unix.Getsid(0)) != int(c.Ret) {
		fail("setsid left the session as it was")
	}
	setpgid(0, 0).fails(unix.EPERM)
}

func capset(t *T) {
	inThread(func() {
		caps := func() (sets [3]uint64) {
			status := one(Status(unix.Gettid()))
			for i, line := range []string{"CapInh", "CapPrm", "CapEff"} {
				sets[i] = one(strconv.ParseUint(status[line], 16, 64))
			}
			return sets
		}
		set := func(inheritable, permitted, effective uint64) *Call {
			var data []byte
			for _, shift := range []int{0, 32} { // __user_cap_data_struct of linux/capability.h
				for _, v := range []uint64{effective, permitted, inheritable} {
					data = binary.LittleEndian.AppendUint32(data, uint32(v>>shift))
				}
			}
			c := t.call("capset", unix.SYS_CAPSET, t.bytes([]byte(le32(unix.LINUX_CAPABILITY_VERSION_3, 0))), t.bytes(data)).Result("res")
			now := caps()
			return c.Number("cap_inheritable", int64(now[0])).Number("cap_permitted", int64(now[1])).Number("cap_effective", int64(now[2])).Present("task")
		}
		before := caps()
		// the last capability that a thread of root has need not be the same everywhere
		without := before[1] &^ (1<<unix.CAP_SYS_TIME | 1<<unix.CAP_SYS_RESOURCE)
		set(1<<unix.CAP_CHOWN, before[1], without).ok()
		if now := caps(); now[0] != 1<<unix.CAP_CHOWN || now[1] != before[1] || now[2] != without {
			fail("capabilities are %x", now)
		}
		set(0, without, without).ok()
		set(0, before[1], before[1]).fails(unix.EPERM)
		now := caps()
		t.call("capset", unix.SYS_CAPSET, badPtr, badPtr).fails(unix.EFAULT).Result("res").Number("cap_inheritable", int64(now[0])).
			Number("cap_permitted", int64(now[1])).Number("cap_effective", int64(now[2]))
	})
}

func prctl(t *T) {
	const getTimerslack = 30
	inThread(func() {
		named := func(option, addr uintptr, name string) *Call {
			return t.call("prctl", unix.SYS_PRCTL, option, addr).Result("res").Flags("option", name).Number("arg2_int", 0)
		}
		named(unix.PR_SET_NAME, t.str("a new name"), "PR_SET_NAME").ok().Bytes("arg2_str", "a new name")
		if comm := one(os.ReadFile("/proc/thread-self/comm")); string(comm) != "a new name\n" {
			fail("the name is %q", comm)
		}
		named(unix.PR_SET_NAME, t.str("longer than any name"), "PR_SET_NAME").ok().Bytes("arg2_str", "longer than any name")
		named(unix.PR_GET_NAME, t.bytes(make([]byte, 16)), "PR_GET_NAME").ok().Bytes("arg2_str", "longer than any")
		named(unix.PR_SET_NAME, badPtr, "PR_SET_NAME").fails(unix.EFAULT).Absent("arg2_str")

		number := func(option uintptr, arg int, name string) *Call {
			return t.call("prctl", unix.SYS_PRCTL, option, uptr(arg)).Result("res").Flags("option", name).Absent("arg2_str").Number("arg2_int", int64(arg))
		}
		number(unix.PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER").ok()
		number(unix.PR_GET_CHILD_SUBREAPER, 0, "PR_GET_CHILD_SUBREAPER").fails(unix.EFAULT)
		at := t.bytes(make([]byte, 4))
		c := t.call("prctl", unix.SYS_PRCTL, unix.PR_GET_CHILD_SUBREAPER, at).ok().Result("res").Flags("option", "PR_GET_CHILD_SUBREAPER").Number("arg2_int", 1)
		// what is at the address is a string too, if not one that anybody wants
		c.Absent("arg2_str")
		number(unix.PR_SET_KEEPCAPS, 1, "PR_SET_KEEPCAPS").ok()
		number(unix.PR_SET_KEEPCAPS, -7, "PR_SET_KEEPCAPS").fails(unix.EINVAL)
		number(unix.PR_CAPBSET_READ, unix.CAP_CHOWN, "PR_CAPBSET_READ").ok()
		number(unix.PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS").ok()
		// operations that the schema has no name for
		number(getTimerslack, 0, "PR_GET_DUMPABLE").ok().Number("option", getTimerslack)
		number(0x7777, 3, "PR_GET_DUMPABLE").fails(unix.EINVAL).Number("option", 0x7777)
	})
}

// words64 is a structure of 64-bit numbers.
func (t *T) words64(w ...uint64) uintptr {
	var b []byte
	for _, v := range w {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return t.bytes(b)
}

const unlimited = -1

func limits(t *T) {
	long := func(v int64) uintptr { return uintptr(v) } // unlimited is the largest of either size
	set := func(cur, hard int64) *Call {
		return t.call("setrlimit", unix.SYS_SETRLIMIT, unix.RLIMIT_CORE, t.words(long(cur), long(hard))).Result("res").Number("cur", cur).Number("max", hard).
			Flags("resource", "RLIMIT_CORE")
	}
	is := func(want ...string) {
		for line := range strings.Lines(string(one(os.ReadFile("/proc/self/limits")))) {
			if f := strings.Fields(line); f[1] == "core" && (f[4] != want[0] || f[5] != want[1]) {
				fail("limits are %v instead of %v", f, want)
			}
		}
	}
	set(4096, unlimited).ok()
	is("4096", "unlimited")
	for _, nr := range getrlimits {
		hard := int64(unlimited)
		if len(getrlimits) > 1 && nr == getrlimits[0] {
			hard = 0x7fffffff
		}
		get := func(resource, to uintptr) *Call { return t.call("getrlimit", nr, resource, to).Result("res") }
		get(unix.RLIMIT_CORE, t.words(0, 0)).ok().Number("cur", 4096).Number("max", hard).Flags("resource", "RLIMIT_CORE")
		get(99, t.words(1, 2)).fails(unix.EINVAL).Number("cur", -1).Number("max", -1).Flags("resource", "RLIMIT_UNKNOWN")
		get(unix.RLIMIT_STACK, badPtr).fails(unix.EFAULT).Number("cur", -1).Number("max", -1).Flags("resource", "RLIMIT_STACK")
	}
	set(8192, 4096).fails(unix.EINVAL)
	t.call("setrlimit", unix.SYS_SETRLIMIT, unix.RLIMIT_FSIZE, badPtr).fails(unix.EFAULT).Result("res").Absent("cur", "max").Flags("resource", "RLIMIT_FSIZE")

	prlimit := func(pid int, resource, to, from uintptr) *Call {
		return t.call("prlimit", unix.SYS_PRLIMIT64, uptr(pid), resource, to, from).Result("res").Number("pid", int64(pid)).Flags("resource", "RLIMIT_CORE")
	}
	pid := os.Getpid()
	prlimit(0, unix.RLIMIT_CORE, t.words64(1000, 1<<40), t.words64(7, 7)).ok().Number("newcur", 1000).Number("newmax", 1<<40).Number("oldcur", 4096).Number("oldmax", -1)
	is("1000", itoa(1<<40))
	prlimit(pid, unix.RLIMIT_CORE, 0, t.words64(7, 7)).ok().Number("newcur", 0).Number("newmax", 0).Number("oldcur", 1000).Number("oldmax", 1<<40)
	prlimit(pid, unix.RLIMIT_CORE, t.words64(10, 20), 0).ok().Number("newcur", 10).Number("newmax", 20).Number("oldcur", 0).Number("oldmax", 0)
	prlimit(1<<30, unix.RLIMIT_CORE, t.words64(1, 2), t.words64(7, 7)).fails(unix.ESRCH).Number("newcur", 1).Number("newmax", 2).Number("oldcur", -1).Number("oldmax", -1)
	prlimit(0, unix.RLIMIT_CORE, badPtr, 0).fails(unix.EFAULT).Absent("newcur", "newmax").Number("oldcur", -1).Number("oldmax", -1)
	prlimit(0, 77, 0, 0).fails(unix.EINVAL).Number("newcur", 0).Number("newmax", 0).Number("oldcur", -1).Number("oldmax", -1).Flags("resource", "RLIMIT_UNKNOWN")
}

// anonymous expects a file that only the kernel has a name for, or none.
func (c *Call) anonymous(name string) *Call {
	if name == "" {
		return c.NoPart("path", "fspath")
	}
	return c.Part("path", name).Part("fspath", name)
}

// nameless is the name of the object behind a descriptor that belongs to no mounted filesystem: what /proc shows, without anon_inode: in
// front; pipes and sockets have no name.
func nameless(fd int) string {
	link := one(os.Readlink("/proc/self/fd/" + itoa(uint64(fd))))
	if name, ok := strings.CutPrefix(link, "anon_inode:"); ok {
		return name
	}
	if strings.HasPrefix(link, "socket:") || strings.HasPrefix(link, "pipe:") {
		return ""
	}
	return link
}

func pidfd(t *T) {
	dir := cwd()
	write("target")
	pid := os.Getpid()
	open := func(pid int, flags uintptr, names ...string) *Call {
		return t.call("pidfd_open", unix.SYS_PIDFD_OPEN, uptr(pid), flags).Result("fd").Number("pid", int64(pid)).Flags("flags", names...)
	}
	c := open(pid, 0).ok()
	c.file(c.fd()).anonymous(nameless(c.fd()))
	self := c.fd()
	open(pid, unix.O_NONBLOCK, "PIDFD_NONBLOCK").ok().close()
	last := t.report.Calls[len(t.report.Calls)-1]
	last.Parts = c.Parts
	open(1<<30, 0).fails(unix.ESRCH, unix.EINVAL).NoPart("file", "path", "fspath")
	open(-3, 0).fails(unix.EINVAL).NoPart("file", "path", "fspath")

	get := func(of, fd int, flags uintptr) *Call {
		return t.call("pidfd_getfd", unix.SYS_PIDFD_GETFD, uptr(of), uptr(fd), flags).Result("fd").Number("pid_fd", int64(of)).Number("target_fd", int64(fd)).
			Number("flags", int64(flags))
	}
	target := one(unix.Open("target", unix.O_RDWR, 0))
	path := filepath.Join(dir, "target")
	c = get(self, target, 0).ok().NoPart("sock").Part("path", path).Part("fspath", fsPath(path))
	c.file(c.fd())
	sock := one(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	c = get(self, sock, 0).ok()
	c.file(c.fd()).sock(c.fd()).NoPart("path", "fspath")
	get(self, 999, 0).fails(unix.EBADF).NoPart("file", "path", "fspath", "sock")
	get(self, target, 8).fails(unix.EINVAL).NoPart("file", "path", "fspath", "sock")
	get(target, target, 0).fails(unix.EBADF).NoPart("file", "path", "fspath", "sock")
}
