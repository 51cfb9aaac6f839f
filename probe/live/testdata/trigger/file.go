// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// overlaid: each of the two layers has a device number of its own for stat, the file object has the overlay's.
func (c *Call) overlaid() *Call {
	var st unix.Stat_t
	must(unix.Stat("merged", &st))
	c.File.Dev, c.File.Ctime = uint64(st.Dev), 0 // what the layer below knows better is not the overlay's
	return c.Number("dev", int64(st.Dev))
}

func gone(path string) {
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		fail("%s is still there", path)
	}
}

func unlink(t *T) {
	dir := cwd()
	abs := filepath.Join(dir, "one")
	write("one")
	write("two")
	t.call("unlink", unix.SYS_UNLINK, t.str(abs)).ok().Result("res").Bytes("path", abs).Part("name", abs).NoPart("dir")
	t.call("unlink", unix.SYS_UNLINK, t.str("./two")).ok().Result("res").Bytes("path", "./two").Part("dir", dir)
	gone("one")
	gone("two")
	t.call("unlink", unix.SYS_UNLINK, t.str("two")).fails(unix.ENOENT).Result("res").Bytes("path", "two").Part("dir", dir)
	t.call("unlink", unix.SYS_UNLINK, badPtr).fails(unix.EFAULT).Result("res").Absent("path").NoPart("name", "dir").Fault = true
}

func unlinkat(t *T) {
	dir := cwd()
	must(os.MkdirAll("sub/empty", 0o755))
	write("sub/file")
	write("here")
	sub := one(unix.Open("sub", unix.O_RDONLY|unix.O_DIRECTORY, 0))
	in := filepath.Join(dir, "sub")
	t.call("unlinkat", unix.SYS_UNLINKAT, uintptr(sub), t.str("file"), 0).ok().Result("res").Number("dirfd", int64(sub)).Bytes("name", "file").
		Flags("flags").Part("dir", in)
	t.call("unlinkat", unix.SYS_UNLINKAT, uintptr(sub), t.str("empty"), unix.AT_REMOVEDIR).ok().Result("res").Number("dirfd", int64(sub)).Bytes("name", "empty").
		Flags("flags", "AT_REMOVEDIR").Part("dir", in)
	t.call("unlinkat", unix.SYS_UNLINKAT, uptr(unix.AT_FDCWD), t.str("here"), 0).ok().Result("res").Number("dirfd", unix.AT_FDCWD).Bytes("name", "here").
		Flags("flags").Part("dir", dir)
	gone("sub/file")
	gone("sub/empty")
	gone("here")
	abs := filepath.Join(dir, "missing")
	t.call("unlinkat", unix.SYS_UNLINKAT, uintptr(sub), t.str(abs), 0).fails(unix.ENOENT).Result("res").Number("dirfd", int64(sub)).Bytes("name", abs).
		Flags("flags").NoPart("dir")
	t.call("unlinkat", unix.SYS_UNLINKAT, uintptr(sub), badPtr, 0).fails(unix.EFAULT).Result("res").Number("dirfd", int64(sub)).Absent("name").
		Flags("flags").NoPart("name", "dir").Fault = true
}

func rename(t *T) {
	dir := cwd()
	abs := filepath.Join(dir, "two")
	write("one")
	t.call("rename", unix.SYS_RENAME, t.str("one"), t.str(abs)).ok().Result("res").Bytes("oldpath", "one").Bytes("newpath", abs).
		Part("name", "one").Part("name2", abs).Part("dir", dir).NoPart("dir2")
	t.call("rename", unix.SYS_RENAME, t.str(abs), t.str("one")).ok().Result("res").Bytes("oldpath", abs).Bytes("newpath", "one").
		Part("dir2", dir).NoPart("dir")
	gone("two")
	t.call("rename", unix.SYS_RENAME, t.str("no"), t.str("one")).fails(unix.ENOENT).Result("res").Bytes("oldpath", "no").Bytes("newpath", "one").
		Part("dir", dir).Part("dir2", dir)
	t.call("rename", unix.SYS_RENAME, t.str("one"), badPtr).fails(unix.EFAULT).Result("res").Bytes("oldpath", "one").Absent("newpath").
		Part("dir", dir).NoPart("name2", "dir2").Fault = true
	t.call("rename", unix.SYS_RENAME, badPtr, t.str("one")).fails(unix.EFAULT).Result("res").Absent("oldpath").Bytes("newpath", "one").
		Part("dir2", dir).NoPart("name", "dir").Fault = true
}

func twoDirs() (a, b int, pathA, pathB string) {
	dir := cwd()
	must(os.Mkdir("a", 0o755))
	must(os.Mkdir("b", 0o755))
	a = one(unix.Open("a", unix.O_RDONLY|unix.O_DIRECTORY, 0))
	b = one(unix.Open("b", unix.O_PATH, 0))
	return a, b, filepath.Join(dir, "a"), filepath.Join(dir, "b")
}

func renameat(t *T) {
	dir := cwd()
	a, b, pathA, pathB := twoDirs()
	write("a/x")
	t.call("renameat", unix.SYS_RENAMEAT, uintptr(a), t.str("x"), uintptr(b), t.str("y")).ok().Result("res").Number("olddirfd", int64(a)).Bytes("oldpath", "x").
		Number("newdirfd", int64(b)).Bytes("newpath", "y").Part("dir", pathA).Part("dir2", pathB)
	t.call("renameat", unix.SYS_RENAMEAT, uintptr(b), t.str("y"), uptr(unix.AT_FDCWD), t.str("z")).ok().Result("res").Number("olddirfd", int64(b)).Bytes("oldpath", "y").
		Number("newdirfd", unix.AT_FDCWD).Bytes("newpath", "z").Part("dir", pathB).Part("dir2", dir)
	must(unix.Access("z", 0))
	t.call("renameat", unix.SYS_RENAMEAT, 1000, t.str("y"), uintptr(a), t.str("z")).fails(unix.EBADF).Result("res").Number("olddirfd", 1000).Bytes("oldpath", "y").
		Number("newdirfd", int64(a)).Bytes("newpath", "z").NoPart("dir").Part("dir2", pathA)
	t.call("renameat", unix.SYS_RENAMEAT, uintptr(a), badPtr, uintptr(b), t.str("y")).fails(unix.EFAULT).Result("res").Number("olddirfd", int64(a)).Absent("oldpath").
		Number("newdirfd", int64(b)).Bytes("newpath", "y").NoPart("name", "dir").Part("dir2", pathB).Fault = true
}

func renameat2(t *T) {
	a, b, pathA, pathB := twoDirs()
	write("a/x")
	write("b/y")
	t.call("renameat2", unix.SYS_RENAMEAT2, uintptr(a), t.str("x"), uintptr(b), t.str("y"), unix.RENAME_EXCHANGE).ok().Result("res").Number("olddirfd", int64(a)).
		Bytes("oldpath", "x").Number("newdirfd", int64(b)).Bytes("newpath", "y").Flags("flags", "RENAME_EXCHANGE").Part("dir", pathA).Part("dir2", pathB)
	t.call("renameat2", unix.SYS_RENAMEAT2, uintptr(a), t.str("x"), uintptr(b), t.str("y"), unix.RENAME_NOREPLACE).fails(unix.EEXIST).Result("res").Number("olddirfd", int64(a)).
		Bytes("oldpath", "x").Number("newdirfd", int64(b)).Bytes("newpath", "y").Flags("flags", "RENAME_NOREPLACE").Part("dir", pathA).Part("dir2", pathB)
	t.call("renameat2", unix.SYS_RENAMEAT2, uintptr(a), t.str("x"), uintptr(b), t.str("z"), 0).ok().Result("res").Number("olddirfd", int64(a)).
		Bytes("oldpath", "x").Number("newdirfd", int64(b)).Bytes("newpath", "z").Flags("flags").Part("dir", pathA).Part("dir2", pathB)
	must(unix.Access("b/z", 0))
	t.call("renameat2", unix.SYS_RENAMEAT2, uintptr(a), badPtr, uintptr(b), badPtr, 0).fails(unix.EFAULT).Result("res").Number("olddirfd", int64(a)).
		Absent("oldpath", "newpath").Number("newdirfd", int64(b)).Flags("flags").NoPart("name", "name2", "dir", "dir2").Fault = true
}

// hasMode stops the trigger when the call left another mode than the record is to say.
func hasMode(path string, mode uint32) {
	var st unix.Stat_t
	must(unix.Stat(path, &st))
	if st.Mode&0o7777 != mode {
		fail("mode of %s is %o instead of %o", path, st.Mode, mode)
	}
}

func chmod(t *T) {
	dir := cwd()
	abs := filepath.Join(dir, "file")
	write("file")
	t.call("chmod", unix.SYS_CHMOD, t.str(abs), 0o4755).ok().Result("res").Bytes("filename", abs).Flags("mode", modes(0o4755)...).NoPart("dir")
	hasMode("file", 0o4755)
	// the bits of the file type, which programs pass along from stat, are no part of the mode
	t.call("chmod", unix.SYS_CHMOD, t.str("file"), 0o100000|0o2060).ok().Result("res").Bytes("filename", "file").Flags("mode", modes(0o2060)...).Part("dir", dir)
	hasMode("file", 0o2060)
	t.call("chmod", unix.SYS_CHMOD, t.str("none"), 0o1007).fails(unix.ENOENT).Result("res").Bytes("filename", "none").Flags("mode", modes(0o1007)...).Part("dir", dir)
	t.call("chmod", unix.SYS_CHMOD, badPtr, 0).fails(unix.EFAULT).Result("res").Absent("filename").Flags("mode").NoPart("name", "dir").Fault = true
}

func fchmod(t *T) {
	abs := filepath.Join(cwd(), "file")
	write("file")
	fd := one(unix.Open("file", unix.O_RDONLY, 0))
	t.call("fchmod", unix.SYS_FCHMOD, uintptr(fd), 0o6711).ok().Result("res").Number("fd", int64(fd)).Flags("mode", modes(0o6711)...).
		file(fd).Part("path", abs).Part("fspath", fsPath(abs))
	hasMode("file", 0o6711)
	t.call("fchmod", unix.SYS_FCHMOD, 777, 0o600).fails(unix.EBADF).Result("res").Number("fd", 777).Flags("mode", modes(0o600)...).NoPart("file", "path", "fspath")
	t.call("fchmod", unix.SYS_FCHMOD, uptr(-1), 0o600).fails(unix.EBADF).Result("res").Number("fd", -1).Flags("mode", modes(0o600)...).NoPart("file", "path", "fspath")
}

func fchmodat(t *T) {
	dir := cwd()
	a, _, pathA, _ := twoDirs()
	write("a/f")
	t.call("fchmodat", unix.SYS_FCHMODAT, uintptr(a), t.str("f"), 0o4500).ok().Result("res").Number("dirfd", int64(a)).Bytes("filename", "f").
		Flags("mode", modes(0o4500)...).Part("dir", pathA)
	hasMode("a/f", 0o4500)
	t.call("fchmodat", unix.SYS_FCHMODAT, uptr(unix.AT_FDCWD), t.str("a/f"), 0o777).ok().Result("res").Number("dirfd", unix.AT_FDCWD).Bytes("filename", "a/f").
		Flags("mode", modes(0o777)...).Part("dir", dir)
	hasMode("a/f", 0o777)
	t.call("fchmodat", unix.SYS_FCHMODAT, uintptr(a), t.str("g"), 0o1).fails(unix.ENOENT).Result("res").Number("dirfd", int64(a)).Bytes("filename", "g").
		Flags("mode", modes(1)...).Part("dir", pathA)
	t.call("fchmodat", unix.SYS_FCHMODAT, uintptr(a), badPtr, 0o1).fails(unix.EFAULT).Result("res").Number("dirfd", int64(a)).Absent("filename").
		Flags("mode", modes(1)...).NoPart("name", "dir").Fault = true
}
