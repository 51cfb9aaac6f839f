// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bytes"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["seccomp"] = seccomp
	triggers["bpf"] = bpf
	triggers["modules"] = modules
	triggers["fsconfig"] = fsconfig
	triggers["keys"] = keys
	triggers["quota"] = quota
}

func seccomp(t *T) {
	const getActionAvail, retAllow = 2, 0x7fff0000
	do := func(op, flags, args uintptr) *Call {
		return t.call("seccomp", unix.SYS_SECCOMP, op, flags, args).Result("res").Number("op", int64(op)).Number("flags", int64(flags))
	}
	do(getActionAvail, 0, t.bytes([]byte(le32(retAllow)))).ok()
	do(getActionAvail, 0, t.bytes([]byte(le32(0x12340000)))).fails(unix.EOPNOTSUPP)
	do(1, 2, badPtr).fails(unix.EFAULT)
	do(99, 0xdeadbeef, 0).fails(unix.EINVAL)
}

func bpf(t *T) {
	const mapCreate, lookup, update, progLoad, array = 0, 1, 2, 5, 2
	do := func(cmd uintptr, attr []byte, name string) *Call {
		return t.call("bpf", unix.SYS_BPF, cmd, t.bytes(attr), uintptr(len(attr))).Result("fd").Flags("cmd", name)
	}
	c := do(mapCreate, append([]byte(le32(array, 4, 8, 1)), make([]byte, 56)...), "BPF_MAP_CREATE").ok()
	c.file(c.fd()).anonymous("bpf-map")
	key, value := t.bytes([]byte(le32(0))), t.bytes([]byte(le32(1, 2)))
	// a success that is no descriptor
	elem := append([]byte(le32(uint32(c.fd()), 0)), make([]byte, 24)...)
	copy(elem[8:], le64(uint64(key)))
	copy(elem[16:], le64(uint64(value)))
	if c := do(update, elem, "BPF_MAP_UPDATE_ELEM").ok().NoPart("file", "path", "fspath"); c.Ret != 0 {
		fail("an update returned %d", c.Ret)
	}
	do(lookup, elem, "BPF_MAP_LOOKUP_ELEM").ok().NoPart("file", "path", "fspath")
	do(progLoad, make([]byte, 48), "BPF_PROG_LOAD").fails(unix.EINVAL, unix.EFAULT, unix.E2BIG, unix.EPERM).NoPart("file", "path", "fspath")
	t.call("bpf", unix.SYS_BPF, mapCreate, badPtr, 40).fails(unix.EFAULT).Result("fd").Flags("cmd", "BPF_MAP_CREATE").NoPart("file", "path", "fspath")
	// one that the schema has no name for
	do(999, elem, "BPF_MAP_CREATE").fails(unix.EINVAL).Number("cmd", 999).NoPart("file", "path", "fspath")
}

func le64(n uint64) string { return le32(uint32(n), uint32(n>>32)) }

// Modules cannot be loaded everywhere, and nothing here is one.
func modules(t *T) {
	dir := cwd()
	image := bytes.Repeat([]byte("no module"), 10)
	initModule := func(image []byte, args uintptr) *Call {
		return t.call("init_module", unix.SYS_INIT_MODULE, t.bytes(image), uintptr(len(image)), args).Result("res").Number("length", int64(len(image)))
	}
	initModule(image, t.str("a=1 b=2")).fails(unix.ENOEXEC, unix.ENOSYS, unix.EPERM).Bytes("img", string(image)).Bytes("uargs", "a=1 b=2")
	long := bytes.Repeat([]byte("0123456789"), 1000)
	initModule(long, t.str("")).fails(unix.ENOEXEC, unix.ENOSYS, unix.EPERM).Bytes("img", string(long[:4095])).Bytes("uargs", "").Truncated = true
	c := t.call("init_module", unix.SYS_INIT_MODULE, badPtr, 1000, badPtr).fails(unix.EFAULT, unix.ENOSYS, unix.EPERM).Result("res").Number("length", 1000)
	c.Absent("img", "uargs").Fault = true
	t.call("init_module", unix.SYS_INIT_MODULE, t.str("x"), 0, t.str("x")).fails(unix.ENOEXEC, unix.ENOSYS, unix.EPERM).Result("res").Number("length", 0).Absent("img").Bytes("uargs", "x")

	must(os.WriteFile("file.ko", image, 0o600))
	path := filepath.Join(dir, "file.ko")
	fd := one(unix.Open("file.ko", unix.O_RDONLY, 0))
	finit := func(fd int, args, flags uintptr, names ...string) *Call {
		return t.call("finit_module", unix.SYS_FINIT_MODULE, uptr(fd), args, flags).Result("res").Number("fd", int64(fd)).Flags("flags", names...)
	}
	finit(fd, t.str("x=y"), 3, "MODULE_INIT_IGNORE_MODVERSIONS", "MODULE_INIT_IGNORE_VERMAGIC").fails(unix.ENOEXEC, unix.ENOSYS, unix.EPERM).Bytes("uargs", "x=y").
		file(fd).Part("path", path).Part("fspath", fsPath(path))
	finit(fd, t.str(""), 4|0x100, "MODULE_INIT_COMPRESSED_FILE").fails(unix.EINVAL, unix.ENOSYS, unix.EPERM).Bytes("uargs", "").
		file(fd).Part("path", path).Part("fspath", fsPath(path))
	finit(-1, badPtr, 0).fails(unix.EBADF, unix.ENOSYS, unix.EPERM).Absent("uargs").NoPart("file", "path", "fspath").Fault = true

	remove := func(name, flags uintptr, names ...string) *Call {
		return t.call("delete_module", unix.SYS_DELETE_MODULE, name, flags).Result("res").Flags("flags", names...)
	}
	remove(t.str("no_such_module"), unix.O_NONBLOCK|unix.O_TRUNC, "O_NONBLOCK", "O_TRUNC").fails(unix.ENOENT, unix.ENOSYS, unix.EPERM).Bytes("name", "no_such_module")
	remove(t.str("other"), unix.O_TRUNC, "O_TRUNC").fails(unix.ENOENT, unix.ENOSYS, unix.EPERM).Bytes("name", "other")
	remove(badPtr, 0).fails(unix.EFAULT, unix.ENOSYS, unix.EPERM).Absent("name").Fault = true
}

func fsconfig(t *T) {
	const flag, str, binary, create = 0, 1, 2, 6
	fs := one(unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC))
	do := func(cmd, key, value uintptr, aux int, name string) *Call {
		return t.call("fsconfig", unix.SYS_FSCONFIG, uintptr(fs), cmd, key, value, uptr(aux)).Result("res").Number("fd", int64(fs)).Flags("cmd", name).Number("aux", int64(aux)).
			file(fs).anonymous(nameless(fs)).Absent("value_bytebuf", "value_charbuf")
	}
	do(str, t.str("size"), t.str("1m"), 0, "FSCONFIG_SET_STRING").ok().Bytes("key", "size").Bytes("value_charbuf", "1m")
	do(str, t.str("size"), t.str("nonsense"), 0, "FSCONFIG_SET_STRING").fails(unix.EINVAL).Bytes("key", "size")
	do(str, t.str("size"), badPtr, 0, "FSCONFIG_SET_STRING").fails(unix.EFAULT).Bytes("key", "size").Fault = false
	do(flag, t.str("ro"), 0, 0, "FSCONFIG_SET_FLAG").ok().Bytes("key", "ro")
	do(binary, t.str("blob"), t.str("abc"), 3, "FSCONFIG_SET_BINARY").fails(unix.EINVAL).Bytes("key", "blob")
	do(create, 0, 0, 0, "FSCONFIG_CMD_CREATE").ok().Absent("key")
	do(99, t.str("key"), 0, -4, "FSCONFIG_SET_FLAG").fails(unix.EOPNOTSUPP).Number("cmd", 99).Bytes("key", "key")
	t.call("fsconfig", unix.SYS_FSCONFIG, 999, create).fails(unix.EBADF).Result("res").Number("fd", 999).Flags("cmd", "FSCONFIG_CMD_CREATE").Number("aux", 0).
		Absent("key", "value_bytebuf", "value_charbuf").NoPart("file", "path", "fspath")
}

// keys: a kernel without them refuses all of it, and the record says the same.
func keys(t *T) {
	const process = -2
	name := t.str("falconet test")
	do := func(op string, args ...int) *Call {
		var a [6]uintptr
		for i, v := range args {
			a[i] = uptr(v)
		}
		c := t.call("keyctl", unix.SYS_KEYCTL, a[:5]...).Result("res").Flags("operation", op)
		for i, p := range []string{"arg2", "arg3", "arg4", "arg5"} {
			c.Number(p, int64(int(a[i+1])))
		}
		return c
	}
	inThread(func() {
		do("KEYCTL_GET_KEYRING_ID", 0, process, 1, 55, 66).mayFail(unix.ENOSYS).Number("arg4", 0).Number("arg5", 0)
		do("KEYCTL_JOIN_SESSION_KEYRING", 1, int(name)).mayFail(unix.ENOSYS).Bytes("arg2", "falconet test")
		do("KEYCTL_JOIN_SESSION_KEYRING", 1, badPtr).fails(unix.EFAULT, unix.ENOSYS).Absent("arg2")
		do("KEYCTL_REVOKE", 3, 0x12345678, 9, 9, 9).fails(unix.ENOKEY, unix.ENOSYS).Number("arg3", 0).Number("arg4", 0).Number("arg5", 0)
		do("KEYCTL_SEARCH", 10, process, int(t.str("user")), int(t.str("no such key")), 0).fails(unix.ENOKEY, unix.ENOSYS).Bytes("arg3", "user").Bytes("arg4", "no such key")
		do("KEYCTL_RESTRICT_KEYRING", 29, process, 0, 0, 7).mayFail(unix.ENOSYS, unix.EINVAL, unix.EOPNOTSUPP, unix.EACCES, unix.ENOKEY).Absent("arg3", "arg4").Number("arg5", 0)
		do("KEYCTL_PKEY_QUERY", 24, 0x12345678, 0, int(t.str("enc=pkcs1")), 8).fails(unix.ENOKEY, unix.ENOSYS, unix.EOPNOTSUPP, unix.EFAULT).Bytes("arg4", "enc=pkcs1").Number("arg5", 0)
		do("KEYCTL_PKEY_SIGN", 27, badPtr, int(t.str("hash=sha256")), 3, 4).fails(unix.EFAULT, unix.ENOSYS, unix.EOPNOTSUPP).Bytes("arg3", "hash=sha256")
		do("KEYCTL_MOVE", 30, 0x12345678, process, process, -1).fails(unix.ENOKEY, unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP)
		do("KEYCTL_SESSION_TO_PARENT", 18, 5, 6, 7, 8).mayFail(unix.ENOSYS, unix.EPERM, unix.EOPNOTSUPP).Number("arg2", 0).Number("arg3", 0).Number("arg4", 0).Number("arg5", 0)
		do("KEYCTL_GET_KEYRING_ID", 999, 1, 2, 3, 4).fails(unix.EOPNOTSUPP, unix.ENOSYS).Number("operation", 999).Number("arg2", 0).Number("arg3", 0).Number("arg4", 0).Number("arg5", 0)
	})
}

// mayFail stops the trigger when the call failed in another way than some kernels do.
func (c *Call) mayFail(err ...unix.Errno) *Call {
	if c.Ret < 0 {
		return c.fails(err...)
	}
	return c
}

// quota asks for quotas of what has none: no filesystem of a test has. What the caller passes is in the record all the same.
func quota(t *T) {
	const user, group = 0, 1
	do := func(cmd, kind, special, id, addr uintptr, name, kindName string) *Call {
		c := t.call("quotactl", unix.SYS_QUOTACTL, cmd<<8|kind, special, id, addr).Result("res").Flags("cmd", name).Flags("type", kindName)
		for _, p := range []string{
			"dqb_bhardlimit", "dqb_bsoftlimit", "dqb_curspace", "dqb_ihardlimit", "dqb_isoftlimit", "dqb_btime", "dqb_itime", "dqi_bgrace", "dqi_igrace", "id",
		} {
			c.Number(p, 0)
		}
		return c.Flags("dqi_flags").Flags("quota_fmt_out", "QFMT_NOT_USED").Flags("quota_fmt", "QFMT_NOT_USED").Absent("quotafilepath")
	}
	null := t.str("/dev/null")
	refused := []unix.Errno{unix.ENOTBLK, unix.ENOSYS}
	do(0x800001, user, 0, 7, 0, "Q_SYNC", "USRQUOTA").mayFail(unix.ENOSYS).Absent("special").NoPart("dir")
	do(0x800002, group, null, 2, t.str("/aquota.group"), "Q_QUOTAON", "GRPQUOTA").fails(append(refused, unix.ENOENT)...).Bytes("special", "/dev/null").NoPart("dir").
		Bytes("quotafilepath", "/aquota.group").Flags("quota_fmt", "QFMT_VFS_V0")
	// bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime; then what of it counts
	limits := []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	do(0x800008, user, t.str("null"), 1001, t.words64(append(limits, 1|4|32)...), "Q_SETQUOTA", "USRQUOTA").fails(unix.ENOENT, unix.ENOSYS).Bytes("special", "null").Part("dir", cwd()).
		Number("id", 1001).Number("dqb_bhardlimit", 1).Number("dqb_bsoftlimit", 2).Number("dqb_ihardlimit", 4).Number("dqb_isoftlimit", 5).Number("dqb_itime", 8)
	do(0x800008, group, null, 1002, t.words64(append(limits, 2|16)...), "Q_SETQUOTA", "GRPQUOTA").fails(refused...).Bytes("special", "/dev/null").NoPart("dir").
		Number("id", 1002).Number("dqb_curspace", 3).Number("dqb_btime", 7)
	// what it would have got is not there
	do(0x800007, user, null, 1003, t.words64(append(limits, 0xff)...), "Q_GETQUOTA", "USRQUOTA").fails(refused...).Bytes("special", "/dev/null").NoPart("dir").Number("id", 1003)
	do(0x800006, user, null, 4, t.words64(100, 200, 1|7<<32), "Q_SETINFO", "USRQUOTA").fails(refused...).Bytes("special", "/dev/null").NoPart("dir").
		Number("dqi_bgrace", 100).Number("dqi_igrace", 200).Flags("dqi_flags", "V1_DQF_RSQUASH")
	do(0x800006, user, null, 4, t.words64(100, 200, 0|5<<32), "Q_SETINFO", "USRQUOTA").fails(refused...).Bytes("special", "/dev/null").NoPart("dir").
		Number("dqi_bgrace", 100).Flags("dqi_flags", "DQF_NONE")
	do(0x800004, user, null, 4, badPtr, "Q_GETFMT", "USRQUOTA").fails(refused...).Bytes("special", "/dev/null").NoPart("dir")
	do('X'<<8|4, 5, null, 6, badPtr, "Q_XSETQLIM", "USRQUOTA").fails(unix.EINVAL, unix.ENOSYS).Bytes("special", "/dev/null").NoPart("dir").Number("id", 6).Number("type", 0)
	do(0x800003, user, badPtr, 0, 0, "Q_QUOTAOFF", "USRQUOTA").fails(unix.EFAULT, unix.ENOSYS).Absent("special").NoPart("dir")
}
