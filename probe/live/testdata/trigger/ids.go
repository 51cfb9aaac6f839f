// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"strings"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["ids"] = ids
}

type idNumbers struct {
	setuid, setgid, setreuid, setregid, setresuid, setresgid, getuid, getgid, geteuid, getegid, getresuid, getresgid int
	short                                                                                                            bool // ids of 16 bits
}

// owned are the real, effective and saved ids of this thread, as /proc has them: "Uid" or "Gid".
func owned(line string) (ids [3]int64) {
	for i, s := range strings.Fields(one(Status(unix.Gettid()))[line])[:3] {
		ids[i] = number(s)
	}
	return ids
}

// is stops the trigger when the thread's ids are not what the calls should have made of them.
func is(line string, want ...int64) {
	for i, id := range owned(line) {
		if id != want[i] {
			fail("%s are %v instead of %v", line, owned(line), want)
		}
	}
}

func ids(t *T) {
	for _, n := range idCalls {
		inThread(func() { t.groups(n) })
		inThread(func() { t.users(n) })
		inThread(func() { t.setuid(n) })
	}
}

// big is an id that has more than 16 bits where the calls take one.
func (n *idNumbers) big(id int64) int64 {
	if n.short {
		return id
	}
	return id + 1<<16
}

// none is the argument that leaves an id as it is.
func (n *idNumbers) none() uintptr {
	if n.short {
		return 0xffff
	}
	return 0xffffffff
}

const noID = 0xffffffff

func (t *T) groups(n idNumbers) {
	a, b, c := n.big(4321), n.big(4322), n.big(4323)
	t.call("setgid", n.setgid, uintptr(a)).ok().Result("res").Number("gid", a)
	is("Gid", a, a, a)
	if n.short { // the kernel looks at 16 bits only
		t.call("setgid", n.setgid, 7<<16|99).ok().Result("res").Number("gid", 99)
		is("Gid", 99, 99, 99)
	}
	t.call("setregid", n.setregid, uintptr(b), n.none()).ok().Result("res").Number("rgid", b).Number("egid", noID)
	t.call("setregid", n.setregid, n.none(), uintptr(c)).ok().Result("res").Number("rgid", noID).Number("egid", c)
	is("Gid", b, c, c)
	t.call("setresgid", n.setresgid, uintptr(a), uintptr(b), uintptr(c)).ok().Result("res").Number("rgid", a).Number("egid", b).Number("sgid", c)
	is("Gid", a, b, c)
	t.call("getgid", n.getgid).ok().Number("gid", a)
	t.call("getegid", n.getegid).ok().Number("egid", b)
	r, e, s := t.words(0), t.words(0), t.words(0)
	t.call("getresgid", n.getresgid, r, e, s).ok().Result("res").Number("rgid", a).Number("egid", b).Number("sgid", c)
	call := t.call("getresgid", n.getresgid, r, badPtr, s).fails(unix.EFAULT).Result("res").Absent("rgid", "egid", "sgid")
	call.Fault = true
	// without the capability
	t.call("setresuid", n.setresuid, 12345, 12345, 12345).ok().Result("res").Number("ruid", 12345).Number("euid", 12345).Number("suid", 12345)
	t.call("setgid", n.setgid, 1).fails(unix.EPERM).Result("res").Number("gid", 1)
	t.call("setregid", n.setregid, 1, 2).fails(unix.EPERM).Result("res").Number("rgid", 1).Number("egid", 2)
	t.call("setresgid", n.setresgid, 1, n.none(), 2).fails(unix.EPERM).Result("res").Number("rgid", 1).Number("egid", noID).Number("sgid", 2)
	is("Gid", a, b, c)
}

func (t *T) users(n idNumbers) {
	a, b, c := n.big(4321), n.big(4322), n.big(4323)
	t.call("setreuid", n.setreuid, uintptr(a), n.none()).ok().Result("res").Number("ruid", a).Number("euid", noID)
	is("Uid", a, 0, 0)
	t.call("setresuid", n.setresuid, uintptr(a), uintptr(b), uintptr(c)).ok().Result("res").Number("ruid", a).Number("euid", b).Number("suid", c)
	is("Uid", a, b, c)
	t.call("getuid", n.getuid).ok().Number("uid", a)
	t.call("geteuid", n.geteuid).ok().Number("euid", b)
	r, e, s := t.words(0), t.words(0), t.words(0)
	t.call("getresuid", n.getresuid, r, e, s).ok().Result("res").Number("ruid", a).Number("euid", b).Number("suid", c)
	t.call("getresuid", n.getresuid, r, e, badPtr).fails(unix.EFAULT).Result("res").Absent("ruid", "euid", "suid").Fault = true
	t.call("setreuid", n.setreuid, 1, 2).fails(unix.EPERM).Result("res").Number("ruid", 1).Number("euid", 2)
	t.call("setresuid", n.setresuid, n.none(), 0, n.none()).fails(unix.EPERM).Result("res").Number("ruid", noID).Number("euid", 0).Number("suid", noID)
	is("Uid", a, b, c)
}

func (t *T) setuid(n idNumbers) {
	a := n.big(12345)
	t.call("setuid", n.setuid, 0).ok().Result("res").Number("uid", 0)
	t.call("setuid", n.setuid, uintptr(a)).ok().Result("res").Number("uid", a)
	is("Uid", a, a, a)
	t.call("setuid", n.setuid, 0).fails(unix.EPERM).Result("res").Number("uid", 0)
	t.call("getppid", unix.SYS_GETPPID).ok().Number("ID", unix.SYS_GETPPID).Number("nativeID", unix.SYS_GETPPID)
}
