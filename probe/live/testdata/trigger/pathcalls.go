// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func init() {
	maps.Copy(triggers, map[string]func(*T){
		"mkdir": mkdir, "mkdirat": mkdirat, "rmdir": rmdir, "link": link, "linkat": linkat, "symlink": symlink, "symlinkat": symlinkat,
		"chown": chown, "fchown": fchown, "fchownat": fchownat, "mknod": mknod, "mknodat": mknodat, "access": access, "stats": stats, "stats64": stats64,
		"newfstatat": newfstatat, "mount": mount, "umount": umount, "chdir": chdir, "fchdir": fchdir, "getcwd": getcwd,
	})
}

// onPath makes a call whose first argument is a path, which is to come out as the parameter of the given name.
func (t *T) onPath(event string, nr int, param, path string, args ...uintptr) *Call {
	c := t.call(event, nr, append([]uintptr{t.str(path)}, args...)...).Result("res").Bytes(param, path)
	if strings.HasPrefix(path, "/") {
		return c.NoPart("dir")
	}
	return c.Part("dir", cwd())
}

// onNothing makes the same call with a path that cannot be read.
func (t *T) onNothing(event string, nr int, param string, args ...uintptr) *Call {
	c := t.call(event, nr, append([]uintptr{badPtr}, args...)...).fails(unix.EFAULT).Result("res").Absent(param).NoPart("name", "dir")
	c.Fault = true
	return c
}

// place is a path with the descriptor that it starts from.
type place struct {
	param string // of the descriptor
	fd    int
	dir   string // of the descriptor, where there is one
	path  string
}

// from makes a call whose first arguments are a descriptor and a path.
func (t *T) from(event string, nr int, at place, param string, args ...uintptr) *Call {
	c := t.call(event, nr, append([]uintptr{uptr(at.fd), t.str(at.path)}, args...)...).Result("res").Number(at.param, int64(at.fd)).Bytes(param, at.path)
	switch {
	case strings.HasPrefix(at.path, "/") || at.dir == "":
		return c.NoPart("dir")
	default:
		return c.Part("dir", at.dir)
	}
}

// places are the ways to name something called name in the directory sub, which is open as fd, and one that is not there.
func places(dirfd, name string) (list []place, wrong place) {
	dir := cwd()
	must(os.MkdirAll("sub", 0o755))
	fd := one(unix.Open("sub", unix.O_PATH, 0))
	list = []place{
		{dirfd, fd, filepath.Join(dir, "sub"), name + "1"},
		{dirfd, unix.AT_FDCWD, dir, "sub/" + name + "2"},
		{dirfd, fd, "", filepath.Join(dir, "sub", name+"3")},
	}
	return list, place{dirfd, 999, "", name + "4"}
}

func statOf(path string) (st unix.Stat_t) {
	must(unix.Lstat(path, &st))
	return st
}

func mkdir(t *T) {
	dir := cwd()
	t.onPath("mkdir", unix.SYS_MKDIR, "path", dir+"/one", 0o1750).ok().Number("mode", 0o1750)
	t.onPath("mkdir", unix.SYS_MKDIR, "path", "one//./two", 0o700).ok().Number("mode", 0o700)
	if m := statOf("one/two").Mode; m != unix.S_IFDIR|0o700 {
		fail("mode %o", m)
	}
	t.onPath("mkdir", unix.SYS_MKDIR, "path", "one", 0).fails(unix.EEXIST).Number("mode", 0)
	t.onPath("mkdir", unix.SYS_MKDIR, "path", "", 0).fails(unix.ENOENT).Number("mode", 0)
	t.onNothing("mkdir", unix.SYS_MKDIR, "path", 0o777).Number("mode", 0o777)
}

func mkdirat(t *T) {
	list, wrong := places("dirfd", "d")
	for i, at := range list {
		t.from("mkdirat", unix.SYS_MKDIRAT, at, "path", 0o711).ok().Number("mode", 0o711)
		if m := statOf("sub/d" + itoa(uint64(i+1))).Mode; m != unix.S_IFDIR|0o711 {
			fail("mode %o", m)
		}
		t.from("mkdirat", unix.SYS_MKDIRAT, at, "path", 0).fails(unix.EEXIST).Number("mode", 0)
	}
	t.from("mkdirat", unix.SYS_MKDIRAT, wrong, "path", 0o7).fails(unix.EBADF).Number("mode", 7)
	c := t.call("mkdirat", unix.SYS_MKDIRAT, uptr(unix.AT_FDCWD), badPtr, 0o7).fails(unix.EFAULT).Result("res").Number("dirfd", unix.AT_FDCWD)
	c.Absent("path").Number("mode", 7).NoPart("name", "dir").Fault = true
}

func rmdir(t *T) {
	dir := cwd()
	must(os.MkdirAll("one/two", 0o755))
	t.onPath("rmdir", unix.SYS_RMDIR, "path", "one").fails(unix.ENOTEMPTY)
	t.onPath("rmdir", unix.SYS_RMDIR, "path", "one/two").ok()
	t.onPath("rmdir", unix.SYS_RMDIR, "path", dir+"/one").ok()
	gone("one")
	t.onPath("rmdir", unix.SYS_RMDIR, "path", "one").fails(unix.ENOENT)
	t.onNothing("rmdir", unix.SYS_RMDIR, "path")
}

func sameFile(a, b string) {
	if x, y := statOf(a), statOf(b); x.Ino != y.Ino || x.Dev != y.Dev {
		fail("%s and %s are not the same file", a, b)
	}
}

func link(t *T) {
	dir := cwd()
	write("one")
	t.call("link", unix.SYS_LINK, t.str("one"), t.str(dir+"/two")).ok().Result("res").Bytes("oldpath", "one").Bytes("newpath", dir+"/two").
		Part("dir", dir).NoPart("dir2")
	t.call("link", unix.SYS_LINK, t.str(dir+"/one"), t.str("three")).ok().Result("res").Bytes("oldpath", dir+"/one").Bytes("newpath", "three").
		Part("dir2", dir).NoPart("dir")
	sameFile("one", "two")
	sameFile("one", "three")
	t.call("link", unix.SYS_LINK, t.str("none"), t.str("four")).fails(unix.ENOENT).Result("res").Bytes("oldpath", "none").Bytes("newpath", "four").
		Part("dir", dir).Part("dir2", dir)
	t.call("link", unix.SYS_LINK, t.str("one"), badPtr).fails(unix.EFAULT).Result("res").Bytes("oldpath", "one").Absent("newpath").
		Part("dir", dir).NoPart("name2", "dir2").Fault = true
	t.call("link", unix.SYS_LINK, badPtr, t.str("/x")).fails(unix.EFAULT).Result("res").Absent("oldpath").Bytes("newpath", "/x").
		NoPart("name", "dir", "dir2").Fault = true
}

func linkat(t *T) {
	dir := cwd()
	a, b, pathA, pathB := twoDirs()
	write("a/x")
	must(os.Symlink("x", "a/s"))
	make := func(oldfd int, old, oldDir string, newfd int, new, newDir string, flags uintptr) *Call {
		c := t.call("linkat", unix.SYS_LINKAT, uptr(oldfd), t.str(old), uptr(newfd), t.str(new), flags).Result("res").Number("olddir", int64(oldfd)).
			Bytes("oldpath", old).Number("newdir", int64(newfd)).Bytes("newpath", new)
		for part, path := range map[string]string{"dir": oldDir, "dir2": newDir} {
			if path == "" {
				c.NoPart(part)
			} else {
				c.Part(part, path)
			}
		}
		return c
	}
	make(a, "x", pathA, b, "y", pathB, 0).ok().Flags("flags")
	sameFile("a/x", "b/y")
	make(unix.AT_FDCWD, "a/s", dir, b, "followed", pathB, unix.AT_SYMLINK_FOLLOW).ok().Flags("flags", "AT_SYMLINK_FOLLOW")
	sameFile("a/x", "b/followed")
	make(a, "s", pathA, b, dir+"/b/itself", "", 0).ok().Flags("flags")
	sameFile("a/s", "b/itself")
	// an empty path is the descriptor's own, and the next one says nothing of it
	fd := one(unix.Open("a/x", unix.O_PATH, 0))
	make(fd, "", pathA+"/x", unix.AT_FDCWD, dir+"/b/named", "", unix.AT_EMPTY_PATH).ok().Flags("flags", "AT_EMPTY_PATH")
	sameFile("a/x", "b/named")
	make(999, "x", "", b, "z", pathB, 0x8000).fails(unix.EINVAL, unix.EBADF).Flags("flags")
	make(999, "x", "", b, "z", pathB, 0).fails(unix.EBADF).Flags("flags")
	c := t.call("linkat", unix.SYS_LINKAT, uptr(a), badPtr, uptr(b), badPtr, 0).fails(unix.EFAULT).Result("res").Number("olddir", int64(a)).Number("newdir", int64(b))
	c.Absent("oldpath", "newpath").Flags("flags").NoPart("name", "name2", "dir", "dir2").Fault = true
}

func symlink(t *T) {
	dir := cwd()
	make := func(target, path string) *Call {
		c := t.call("symlink", unix.SYS_SYMLINK, t.str(target), t.str(path)).Result("res").Bytes("target", target).Bytes("linkpath", path)
		for part, path := range map[string]string{"dir": path, "dir2": target} {
			if strings.HasPrefix(path, "/") {
				c.NoPart(part)
			} else {
				c.Part(part, dir)
			}
		}
		return c
	}
	make("/etc/shadow", "one").ok()
	make("../any text", dir+"/two").ok()
	if got := one(os.Readlink("two")); got != "../any text" {
		fail("link to %q", got)
	}
	make("x", "two").fails(unix.EEXIST)
	make("", "three").fails(unix.ENOENT)
	t.call("symlink", unix.SYS_SYMLINK, badPtr, t.str("/four")).fails(unix.EFAULT).Result("res").Absent("target").Bytes("linkpath", "/four").
		NoPart("name2", "dir", "dir2").Fault = true
}

func symlinkat(t *T) {
	dir := cwd()
	list, wrong := places("linkdirfd", "l")
	make := func(at place) *Call {
		c := t.call("symlinkat", unix.SYS_SYMLINKAT, t.str("to"), uptr(at.fd), t.str(at.path)).Result("res").Bytes("target", "to").
			Number(at.param, int64(at.fd)).Bytes("linkpath", at.path).Part("dir2", dir)
		if at.dir == "" {
			return c.NoPart("dir")
		}
		return c.Part("dir", at.dir)
	}
	for _, at := range list {
		make(at).ok()
		make(at).fails(unix.EEXIST)
	}
	for _, name := range []string{"l1", "l2", "l3"} {
		if got := one(os.Readlink("sub/" + name)); got != "to" {
			fail("link to %q", got)
		}
	}
	make(wrong).fails(unix.EBADF)
	t.call("symlinkat", unix.SYS_SYMLINKAT, t.str("to"), uptr(list[0].fd), badPtr).fails(unix.EFAULT).Result("res").Bytes("target", "to").
		Number("linkdirfd", int64(list[0].fd)).Absent("linkpath").Part("dir2", dir).NoPart("name", "dir").Fault = true
}

// belongs stops the trigger when the call left another owner.
func belongs(path string, uid, gid uint32) {
	if st := statOf(path); st.Uid != uid || st.Gid != gid {
		fail("%s belongs to %d:%d", path, st.Uid, st.Gid)
	}
}

const keep = 1<<32 - 1 // the owner stays

func (c *Call) owner(uid, gid int64) *Call { return c.Number("uid", uid).Number("gid", gid) }

func chown(t *T) {
	dir := cwd()
	write("file")
	must(os.Symlink("file", "link"))
	for _, v := range []struct {
		event    string
		nr, nr32 int
		path     string // whose owner changes
	}{{"chown", unix.SYS_CHOWN, sysChown32, "file"}, {"lchown", unix.SYS_LCHOWN, sysLchown32, "link"}} {
		numbers, wide := []int{v.nr}, v.nr
		if v.nr32 >= 0 {
			numbers, wide = append(numbers, v.nr32), v.nr32
			// all that the older calls have room for
			t.onPath(v.event, v.nr, "path", "link", 70000, 0xfffe).ok().owner(70000-0x10000, 0xfffe)
			belongs(v.path, 70000-0x10000, 0xfffe)
		}
		for _, nr := range numbers {
			t.onPath(v.event, nr, "path", "link", 1234, 2345).ok().owner(1234, 2345)
			belongs(v.path, 1234, 2345)
			t.onPath(v.event, nr, "path", dir+"/link", uptr(-1), 77).ok().owner(keep, 77)
			belongs(v.path, 1234, 77)
			t.onPath(v.event, nr, "path", "none", 1, 2).fails(unix.ENOENT).owner(1, 2)
			t.onNothing(v.event, nr, "path", 0, uptr(-1)).owner(0, keep)
		}
		t.onPath(v.event, wide, "path", "link", 1_000_000, 2_000_000).ok().owner(1_000_000, 2_000_000)
		belongs(v.path, 1_000_000, 2_000_000)
	}
}

func fchown(t *T) {
	abs := filepath.Join(cwd(), "file")
	write("file")
	fd := one(unix.Open("file", unix.O_RDONLY, 0))
	for _, nr := range []int{unix.SYS_FCHOWN, sysFchown32} {
		if nr < 0 {
			continue
		}
		t.call("fchown", nr, uptr(fd), 1234, uptr(-1)).ok().Result("res").Number("fd", int64(fd)).owner(1234, keep).
			file(fd).Part("path", abs).Part("fspath", fsPath(abs))
		belongs("file", 1234, 0)
		t.call("fchown", nr, 999, 1, 2).fails(unix.EBADF).Result("res").Number("fd", 999).owner(1, 2).NoPart("file", "path", "fspath")
	}
}

func fchownat(t *T) {
	list, wrong := places("dirfd", "f")
	for i, at := range list {
		path := "sub/f" + itoa(uint64(i+1))
		write(path)
		t.from("fchownat", unix.SYS_FCHOWNAT, at, "pathname", 100_000, 5, 0).ok().owner(100_000, 5).Flags("flags")
		belongs(path, 100_000, 5)
	}
	must(os.Symlink("f1", "sub/s"))
	dir, sub := cwd(), list[0].fd
	t.from("fchownat", unix.SYS_FCHOWNAT, place{"dirfd", sub, dir + "/sub", "s"}, "pathname", 6, uptr(-1), unix.AT_SYMLINK_NOFOLLOW).ok().owner(6, keep).
		Flags("flags", "AT_SYMLINK_NOFOLLOW")
	belongs("sub/s", 6, 0)
	t.from("fchownat", unix.SYS_FCHOWNAT, place{"dirfd", sub, dir + "/sub", ""}, "pathname", 7, 8, unix.AT_EMPTY_PATH).ok().owner(7, 8).
		Flags("flags", "AT_EMPTY_PATH")
	belongs("sub", 7, 8)
	t.from("fchownat", unix.SYS_FCHOWNAT, wrong, "pathname", 1, 2, 0).fails(unix.EBADF).owner(1, 2).Flags("flags")
	c := t.call("fchownat", unix.SYS_FCHOWNAT, uptr(sub), badPtr, 1, 2, 0).fails(unix.EFAULT).Result("res").Number("dirfd", int64(sub)).owner(1, 2)
	c.Flags("flags").Absent("pathname").NoPart("name", "dir").Fault = true
}

// nodes are what mknod can make, with the names of their types.
var nodes = []struct {
	mode uint32
	dev  uint64
	kind string
}{
	{unix.S_IFIFO | 0o640, 0, "S_IFIFO"}, {unix.S_IFREG | 0o600, 0, "S_IFREG"}, {0o604, 0, "S_IFREG"}, {unix.S_IFSOCK | 0o777, 0, "S_IFSOCK"},
	{unix.S_IFCHR | 0o666, unix.Mkdev(1, 3), "S_IFCHR"}, {unix.S_IFBLK | 0o660, unix.Mkdev(8, 300), "S_IFBLK"},
}

// made checks a node that was made; not every place allows devices.
func (c *Call) made(path string, i int) *Call {
	n := nodes[i]
	c.Flags("mode", append(modes(n.mode), n.kind)...).Number("dev", int64(n.dev))
	if n.dev != 0 && c.Ret < 0 {
		return c.fails(unix.EPERM)
	}
	kind := n.mode & unix.S_IFMT
	if kind == 0 {
		kind = unix.S_IFREG
	}
	if st := statOf(path); st.Mode != kind|n.mode&0o7777 || uint64(st.Rdev) != n.dev {
		fail("%s has mode %o and device %d", path, st.Mode, st.Rdev)
	}
	return c.ok()
}

func mknod(t *T) {
	unix.Umask(0)
	for i, n := range nodes {
		name := itoa(uint64(i))
		t.onPath("mknod", unix.SYS_MKNOD, "path", name, uintptr(n.mode), uintptr(n.dev)).made(name, i)
	}
	t.onPath("mknod", unix.SYS_MKNOD, "path", "/0/1", unix.S_IFIFO|0o4700, 0).fails(unix.ENOENT).Flags("mode", append(modes(0o4700), "S_IFIFO")...).Number("dev", 0)
	t.onPath("mknod", unix.SYS_MKNOD, "path", "d", unix.S_IFDIR|0o700, 7).fails(unix.EPERM).Number("mode", unix.S_IFDIR|0o700).Number("dev", 7)
	t.onNothing("mknod", unix.SYS_MKNOD, "path", 0, 0).Flags("mode", "S_IFREG").Number("dev", 0)
}

func mknodat(t *T) {
	unix.Umask(0)
	list, wrong := places("dirfd", "n")
	for _, at := range list {
		path := filepath.Join("sub", filepath.Base(at.path))
		for i, n := range nodes {
			t.from("mknodat", unix.SYS_MKNODAT, at, "path", uintptr(n.mode), uintptr(n.dev)).made(path, i)
			_ = os.Remove(path)
		}
	}
	t.from("mknodat", unix.SYS_MKNODAT, wrong, "path", unix.S_IFIFO, 0).fails(unix.EBADF).Flags("mode", "S_IFIFO").Number("dev", 0)
	c := t.call("mknodat", unix.SYS_MKNODAT, uptr(list[0].fd), badPtr, unix.S_IFIFO, 0).fails(unix.EFAULT).Result("res").Number("dirfd", int64(list[0].fd))
	c.Absent("path").Flags("mode", "S_IFIFO").Number("dev", 0).NoPart("name", "dir").Fault = true
}

func access(t *T) {
	write("file")
	t.onPath("access", unix.SYS_ACCESS, "name", "file", 0).ok().Flags("mode", "F_OK")
	t.onPath("access", unix.SYS_ACCESS, "name", cwd()+"/file", unix.R_OK|unix.W_OK).ok().Flags("mode", "R_OK", "W_OK")
	t.onPath("access", unix.SYS_ACCESS, "name", "file", unix.X_OK|unix.R_OK).fails(unix.EACCES).Flags("mode", "X_OK", "R_OK")
	t.onPath("access", unix.SYS_ACCESS, "name", "none", 0).fails(unix.ENOENT).Flags("mode", "F_OK")
	t.onPath("access", unix.SYS_ACCESS, "name", "file", 0x78).fails(unix.EINVAL).Flags("mode")
	t.onNothing("access", unix.SYS_ACCESS, "name", unix.W_OK).Flags("mode", "W_OK")
}

func (t *T) stats(event string, nr int) {
	write("file")
	to := t.bytes(make([]byte, 256))
	t.onPath(event, nr, "path", "file", to).ok()
	if slices.Max(t.at(to, 144)) == 0 {
		fail("%s says nothing", event)
	}
	t.onPath(event, nr, "path", cwd()+"/../none", to).fails(unix.ENOENT)
	t.onPath(event, nr, "path", "file", badPtr).fails(unix.EFAULT)
	t.onNothing(event, nr, "path", to)
}

func stats(t *T) {
	t.stats("stat", unix.SYS_STAT)
	t.stats("lstat", unix.SYS_LSTAT)
}

func stats64(t *T) {
	t.stats("stat64", sysStat64)
	t.stats("lstat64", sysLstat64)
}

func newfstatat(t *T) {
	list, wrong := places("dirfd", "f")
	to := t.bytes(make([]byte, 256))
	for _, at := range list {
		t.from("newfstatat", sysFstatat, at, "path", to, 0).fails(unix.ENOENT).Flags("flags")
		write("sub/" + filepath.Base(at.path))
		t.from("newfstatat", sysFstatat, at, "path", to, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT).ok().Flags("flags", "AT_SYMLINK_NOFOLLOW", "AT_NO_AUTOMOUNT")
	}
	t.from("newfstatat", sysFstatat, place{"dirfd", list[0].fd, cwd() + "/sub", ""}, "path", to, unix.AT_EMPTY_PATH).ok().Flags("flags", "AT_EMPTY_PATH")
	t.from("newfstatat", sysFstatat, wrong, "path", to, 0).fails(unix.EBADF).Flags("flags")
	c := t.call("newfstatat", sysFstatat, uptr(list[0].fd), badPtr, to, 0).fails(unix.EFAULT).Result("res").Number("dirfd", int64(list[0].fd))
	c.Absent("path").Flags("flags").NoPart("name", "dir").Fault = true
}

func mount(t *T) {
	privateMounts()
	dir := cwd()
	for _, d := range []string{"a", "b"} {
		must(os.Mkdir(d, 0o755))
	}
	// a string that is not given is a pointer that is not one
	make := func(dev, to, fstype string, flags uintptr) *Call {
		pointer := func(s string) uintptr {
			if s == "" {
				return 0
			}
			return t.str(s)
		}
		c := t.call("mount", unix.SYS_MOUNT, pointer(dev), t.str(to), pointer(fstype), flags, 0).Result("res").Bytes("dir", to)
		for param, s := range map[string]string{"dev": dev, "type": fstype} {
			if s == "" {
				c.Absent(param)
			} else {
				c.Bytes(param, s)
			}
		}
		for part, s := range map[string]string{"dir": dev, "dir2": to} {
			if s == "" || strings.HasPrefix(s, "/") {
				c.NoPart(part)
			} else {
				c.Part(part, dir)
			}
		}
		return c
	}
	mounted := func(path string) bool {
		for line := range strings.Lines(string(one(os.ReadFile("/proc/thread-self/mountinfo")))) {
			if strings.Fields(line)[4] == path {
				return true
			}
		}
		return false
	}
	make("none", "a", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOATIME).ok().Flags("flags", "NOSUID", "NODEV", "NOATIME")
	make(dir+"/a", dir+"/b", "", unix.MS_BIND|unix.MS_REC).ok().Flags("flags", "BIND", "REC")
	for _, path := range []string{dir + "/a", dir + "/b"} {
		if !mounted(path) {
			fail("%s is no mount", path)
		}
	}
	make("", "b", "", unix.MS_PRIVATE).ok().Flags("flags", "PRIVATE")
	make("", "b", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_MGC_VAL).ok().Flags("flags", "REMOUNT", "BIND", "RDONLY")
	make("none", "c", "tmpfs", 0).fails(unix.ENOENT).Flags("flags")
	make("none", "a", "no such type", unix.MS_LAZYTIME).fails(unix.ENODEV).Flags("flags", "LAZYTIME")
	c := t.call("mount", unix.SYS_MOUNT, t.str("none"), badPtr, t.str("tmpfs"), 0, 0).fails(unix.EFAULT).Result("res").Bytes("dev", "none").Bytes("type", "tmpfs")
	c.Absent("dir").Flags("flags").Part("dir", dir).NoPart("name2", "dir2").Fault = true
}

// umount takes mounts away, by the call that both tables have and, where there is one, by the older call.
func umount(t *T) {
	privateMounts()
	dir := cwd()
	must(os.Mkdir("a", 0o755))
	again := func() { must(unix.Mount("none", "a", "tmpfs", 0, "")) }
	again()
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", "a", 0).ok().Flags("flags")
	again()
	one(unix.Open("a", unix.O_RDONLY, 0))
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", "a", unix.MNT_EXPIRE).fails(unix.EBUSY).Flags("flags", "EXPIRE")
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", dir+"/a", unix.MNT_DETACH|unix.MNT_FORCE|unix.UMOUNT_NOFOLLOW).ok().Flags("flags", "DETACH", "FORCE", "NOFOLLOW")
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", "a", 0).fails(unix.EINVAL).Flags("flags")
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", "none", 0x70).fails(unix.EINVAL).Flags("flags")
	t.onPath("umount2", unix.SYS_UMOUNT2, "name", "none", 0).fails(unix.ENOENT).Flags("flags")
	t.onNothing("umount2", unix.SYS_UMOUNT2, "name", 0).Flags("flags")
	if sysUmount < 0 {
		return
	}
	again()
	t.onPath("umount", sysUmount, "name", "a").ok()
	t.onPath("umount", sysUmount, "name", dir+"/a").fails(unix.EINVAL)
	t.onNothing("umount", sysUmount, "name")
}

func chdir(t *T) {
	dir := cwd()
	must(os.MkdirAll("one/two", 0o755))
	must(os.Symlink("one/two", "link"))
	enter := func(path, now string) *Call {
		c := t.call("chdir", unix.SYS_CHDIR, t.str(path)).Result("res").Bytes("path", path).Part("cwd", now)
		if got := cwd(); got != now {
			fail("the working directory is %s", got)
		}
		return c
	}
	enter("one", dir+"/one").ok()
	enter("..", dir).ok()
	enter("link", dir+"/one/two").ok()
	enter("none", dir+"/one/two").fails(unix.ENOENT)
	enter(dir, dir).ok()
	enter("/", "/").ok()
	t.call("chdir", unix.SYS_CHDIR, badPtr).fails(unix.EFAULT).Result("res").Absent("path").Part("cwd", "/").NoPart("name").Fault = true
}

func fchdir(t *T) {
	dir := cwd()
	must(os.MkdirAll("one", 0o755))
	write("file")
	there := one(unix.Open("one", unix.O_PATH, 0))
	t.call("fchdir", unix.SYS_FCHDIR, uptr(there)).ok().Result("res").Number("fd", int64(there)).
		file(there).Part("path", dir+"/one").Part("fspath", fsPath(dir+"/one")).Part("cwd", cwd())
	if cwd() != dir+"/one" {
		fail("the working directory is %s", cwd())
	}
	must(os.Chdir(dir))
	file := one(unix.Open("file", unix.O_RDONLY, 0))
	t.call("fchdir", unix.SYS_FCHDIR, uptr(file)).fails(unix.ENOTDIR).Result("res").Number("fd", int64(file)).
		file(file).Part("path", dir+"/file").Part("fspath", fsPath(dir+"/file")).Part("cwd", dir)
	t.call("fchdir", unix.SYS_FCHDIR, uptr(-1)).fails(unix.EBADF).Result("res").Number("fd", -1).NoPart("file", "path", "fspath").Part("cwd", dir)
}

func getcwd(t *T) {
	dir := cwd()
	to := t.bytes(make([]byte, 4096))
	t.call("getcwd", unix.SYS_GETCWD, to, 4096).ok().Result("res").Bytes("path", dir)
	t.call("getcwd", unix.SYS_GETCWD, to, 2).fails(unix.ERANGE).Result("res").Absent("path")
	t.call("getcwd", unix.SYS_GETCWD, badPtr, 4096).fails(unix.EFAULT).Result("res").Absent("path").NoPart("name").Fault = true
}
