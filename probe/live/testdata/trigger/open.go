// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// badPtr is an address that no process has mapped.
const badPtr = 0x10

func generic(t *T) {
	t.call("getppid", unix.SYS_GETPPID).ok().Number("ID", unix.SYS_GETPPID).Number("nativeID", unix.SYS_GETPPID)
	t.call("sync", unix.SYS_SYNC).ok().Number("ID", unix.SYS_SYNC).Number("nativeID", unix.SYS_SYNC)
	t.call("umask", unix.SYS_UMASK, 0o27).ok().Number("ID", unix.SYS_UMASK).Number("nativeID", unix.SYS_UMASK)
}

func write(path string) {
	must(os.WriteFile(path, []byte("x"), 0o644))
}

func open(t *T) {
	dir := cwd()
	file := filepath.Join(dir, "plain")
	write(file)
	c := t.call("open", unix.SYS_OPEN, t.str(file), unix.O_RDONLY|unix.O_CLOEXEC, 0o777).ok().Result("fd").Bytes("name", file).
		Flags("flags", "O_RDONLY", "O_CLOEXEC").Number("mode", 0).opened(file).NoPart("dir")
	c.close()
	t.call("open", unix.SYS_OPEN, t.str("new"), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_TRUNC|unix.O_APPEND, 0o2640).ok().Result("fd").Bytes("name", "new").
		Flags("flags", "O_RDWR", "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_F_CREATED").Number("mode", 0o2640).
		opened(filepath.Join(dir, "new")).Part("dir", dir).close()
	t.call("open", unix.SYS_OPEN, t.str("new"), unix.O_WRONLY|unix.O_CREAT|unix.O_SYNC|unix.O_NONBLOCK, 0o600).ok().Result("fd").Bytes("name", "new").
		Flags("flags", "O_WRONLY", "O_CREAT", "O_SYNC", "O_DSYNC", "O_NONBLOCK").Number("mode", 0o600).
		opened(filepath.Join(dir, "new")).Part("dir", dir).close()
	// not every filesystem can
	if c = t.call("open", unix.SYS_OPEN, t.str("new"), unix.O_RDONLY|unix.O_DIRECT, 0o600); c.Ret < 0 {
		c.fails(unix.EINVAL).notOpened()
	} else {
		c.opened(filepath.Join(dir, "new")).close()
	}
	c.Result("fd").Bytes("name", "new").Flags("flags", "O_RDONLY", "O_DIRECT").Number("mode", 0).Part("dir", dir)
	t.call("open", unix.SYS_OPEN, t.str("."), unix.O_RDONLY|unix.O_DIRECTORY|0o100000).ok().Result("fd").Bytes("name", ".").
		Flags("flags", "O_RDONLY", "O_DIRECTORY", "O_LARGEFILE").Number("mode", 0).opened(dir).Part("dir", dir).close()
	c = t.call("open", unix.SYS_OPEN, t.str(dir), unix.O_RDWR|unix.O_TMPFILE, 0o600).ok().Result("fd").Bytes("name", dir).
		Flags("flags", "O_RDWR", "O_TMPFILE", "O_DIRECTORY").Number("mode", 0o600).opened(dir).NoPart("dir")
	// the kernel names a file without a name by its inode
	name := "#" + itoa(c.File.Ino)
	c.Part("path", filepath.Join(dir, name)).Part("fspath", filepath.Join(fsPath(dir), name)).close()
	t.call("open", unix.SYS_OPEN, t.str("/dev/null"), unix.O_WRONLY).ok().Result("fd").Bytes("name", "/dev/null").
		Flags("flags", "O_WRONLY").Number("mode", 0).opened("/dev/null").NoPart("dir").close()
	t.call("open", unix.SYS_OPEN, t.str("../missing"), unix.O_RDONLY).fails(unix.ENOENT).Result("fd").Bytes("name", "../missing").
		Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().Part("dir", dir)
	t.call("open", unix.SYS_OPEN, t.str(""), unix.O_RDONLY).fails(unix.ENOENT).Result("fd").Bytes("name", "").
		Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().Part("dir", dir)
	t.call("open", unix.SYS_OPEN, badPtr, unix.O_RDONLY).fails(unix.EFAULT).Result("fd").Absent("name").
		Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().NoPart("name", "dir").Fault = true
}

func openat(t *T) {
	dir := cwd()
	must(os.Mkdir("sub", 0o755))
	write("plain")
	write("sub/inner")
	sub := one(unix.Open("sub", unix.O_PATH, 0))
	t.call("openat", unix.SYS_OPENAT, uptr(unix.AT_FDCWD), t.str("sub/../plain"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", unix.AT_FDCWD).
		Bytes("name", "sub/../plain").Flags("flags", "O_RDONLY").Number("mode", 0).opened(filepath.Join(dir, "plain")).Part("dir", dir).close()
	t.call("openat", unix.SYS_OPENAT, uintptr(sub), t.str("inner"), unix.O_RDWR).ok().Result("fd").Number("dirfd", int64(sub)).
		Bytes("name", "inner").Flags("flags", "O_RDWR").Number("mode", 0).opened(filepath.Join(dir, "sub/inner")).
		Part("dir", filepath.Join(dir, "sub")).close()
	t.call("openat", unix.SYS_OPENAT, uintptr(sub), t.str("made"), unix.O_WRONLY|unix.O_CREAT, 0o604).ok().Result("fd").Number("dirfd", int64(sub)).
		Bytes("name", "made").Flags("flags", "O_WRONLY", "O_CREAT", "O_F_CREATED").Number("mode", 0o604).opened(filepath.Join(dir, "sub/made")).
		Part("dir", filepath.Join(dir, "sub")).close()
	abs := filepath.Join(dir, "plain")
	t.call("openat", unix.SYS_OPENAT, uptr(-7), t.str(abs), unix.O_RDONLY).ok().Result("fd").Number("dirfd", -7).
		Bytes("name", abs).Flags("flags", "O_RDONLY").Number("mode", 0).opened(abs).NoPart("dir").close()
	t.call("openat", unix.SYS_OPENAT, uintptr(sub), t.str("missing"), unix.O_RDONLY).fails(unix.ENOENT).Result("fd").Number("dirfd", int64(sub)).
		Bytes("name", "missing").Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().Part("dir", filepath.Join(dir, "sub"))
	t.call("openat", unix.SYS_OPENAT, 999, t.str("missing"), unix.O_RDONLY).fails(unix.EBADF).Result("fd").Number("dirfd", 999).
		Bytes("name", "missing").Flags("flags", "O_RDONLY").Number("mode", 0).notOpened().NoPart("dir")
	t.call("openat", unix.SYS_OPENAT, uptr(unix.AT_FDCWD), badPtr, unix.O_WRONLY).fails(unix.EFAULT).Result("fd").Number("dirfd", unix.AT_FDCWD).
		Absent("name").Flags("flags", "O_WRONLY").Number("mode", 0).notOpened().NoPart("name", "dir").Fault = true
}

func openHow(flags, mode, resolve uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, flags)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, mode), resolve)
}

func openat2(t *T) {
	dir := cwd()
	must(os.Mkdir("sub", 0o755))
	write("sub/inner")
	sub := one(unix.Open("sub", unix.O_PATH, 0))
	how := openHow(unix.O_RDWR|unix.O_CREAT, 0o640, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS|unix.RESOLVE_NO_MAGICLINKS)
	t.call("openat2", unix.SYS_OPENAT2, uintptr(sub), t.str("fresh"), t.bytes(how), 24).ok().Result("fd").Number("dirfd", int64(sub)).Bytes("name", "fresh").
		Flags("flags", "O_RDWR", "O_CREAT", "O_F_CREATED").Number("mode", 0o640).
		Flags("resolve", "RESOLVE_BENEATH", "RESOLVE_NO_SYMLINKS", "RESOLVE_NO_MAGICLINKS").
		opened(filepath.Join(dir, "sub/fresh")).Part("dir", filepath.Join(dir, "sub")).Part("mem", string(how)).close()
	how = openHow(unix.O_RDONLY|unix.O_CLOEXEC, 0, unix.RESOLVE_NO_XDEV)
	t.call("openat2", unix.SYS_OPENAT2, uptr(unix.AT_FDCWD), t.str("sub/inner"), t.bytes(how), 24).ok().Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "sub/inner").
		Flags("flags", "O_RDONLY", "O_CLOEXEC").Number("mode", 0).Flags("resolve", "RESOLVE_NO_XDEV").
		opened(filepath.Join(dir, "sub/inner")).Part("dir", dir).Part("mem", string(how)).close()
	how = openHow(unix.O_RDONLY, 0, unix.RESOLVE_IN_ROOT)
	t.call("openat2", unix.SYS_OPENAT2, uintptr(sub), t.str("../../../inner"), t.bytes(how), 24).ok().Result("fd").Number("dirfd", int64(sub)).Bytes("name", "../../../inner").
		Flags("flags", "O_RDONLY").Number("mode", 0).Flags("resolve", "RESOLVE_IN_ROOT").
		opened(filepath.Join(dir, "sub/inner")).Part("dir", filepath.Join(dir, "sub")).Part("mem", string(how)).close()
	how = openHow(unix.O_RDONLY, 0o600, 0)
	t.call("openat2", unix.SYS_OPENAT2, uptr(unix.AT_FDCWD), t.str("sub/inner"), t.bytes(how), 24).fails(unix.EINVAL).Result("fd").Number("dirfd", unix.AT_FDCWD).
		Bytes("name", "sub/inner").Flags("flags", "O_RDONLY").Number("mode", 0).Flags("resolve").notOpened().Part("dir", dir).Part("mem", string(how))
	t.call("openat2", unix.SYS_OPENAT2, uptr(unix.AT_FDCWD), t.str("sub/inner"), badPtr, 24).fails(unix.EFAULT).Result("fd").Number("dirfd", unix.AT_FDCWD).
		Bytes("name", "sub/inner").Flags("flags", "O_RDONLY").Number("mode", 0).Flags("resolve").notOpened().Part("dir", dir).NoPart("mem").Fault = true
}

func creat(t *T) {
	dir := cwd()
	file := filepath.Join(dir, "made")
	t.call("creat", unix.SYS_CREAT, t.str(file), 0o640).ok().Result("fd").Bytes("name", file).Number("mode", 0o640).Flags("creat_flags").
		opened(file).NoPart("dir").close()
	t.call("creat", unix.SYS_CREAT, t.str("made"), 0o4777).ok().Result("fd").Bytes("name", "made").Number("mode", 0o4777).Flags("creat_flags").
		opened(file).Part("dir", dir).close()
	t.call("creat", unix.SYS_CREAT, t.str("no/where"), 0o600).fails(unix.ENOENT).Result("fd").Bytes("name", "no/where").Number("mode", 0o600).Flags("creat_flags").
		notOpened().Part("dir", dir)
	t.call("creat", unix.SYS_CREAT, badPtr, 0o600).fails(unix.EFAULT).Result("fd").Absent("name").Number("mode", 0o600).Flags("creat_flags").
		notOpened().NoPart("name", "dir").Fault = true
}

// overlay opens a file of each layer of an overlay filesystem, in a mount namespace of its own.
func overlay(t *T) {
	must(unix.Unshare(unix.CLONE_NEWNS))
	must(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	dir := cwd()
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		must(os.Mkdir(d, 0o755))
	}
	// the upper layer may not be an overlay itself, as the working directory is inside a container
	write("lower/below")
	err := unix.Mount("overlay", "merged", "overlay", 0, "lowerdir="+dir+"/lower,upperdir="+dir+"/upper,workdir="+dir+"/work")
	if err != nil {
		t.report.Notes["skip"] = "mount overlay: " + err.Error()
		return
	}
	below, above := filepath.Join(dir, "merged/below"), filepath.Join(dir, "merged/above")
	t.call("open", unix.SYS_OPEN, t.str(below), unix.O_RDONLY).ok().Result("fd").Bytes("name", below).
		Flags("flags", "O_RDONLY", "FD_LOWER_LAYER").Number("mode", 0).opened(below).NoPart("dir").overlaid().close()
	t.call("creat", unix.SYS_CREAT, t.str(above), 0o600).ok().Result("fd").Bytes("name", above).Number("mode", 0o600).
		Flags("creat_flags", "FD_UPPER_LAYER_CREAT").opened(above).NoPart("dir").overlaid().close()
	t.call("open", unix.SYS_OPEN, t.str(below), unix.O_RDWR).ok().Result("fd").Bytes("name", below).
		Flags("flags", "O_RDWR", "FD_UPPER_LAYER").Number("mode", 0).opened(below).NoPart("dir").overlaid().close()
}
