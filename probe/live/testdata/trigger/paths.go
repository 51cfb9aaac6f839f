// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// read opens name for reading; the file behind it has the given path and lies at inFS in its filesystem.
func (t *T) read(name, path, inFS string) *Call {
	c := t.call("open", unix.SYS_OPEN, t.str(name), unix.O_RDONLY).ok().Result("fd").Bytes("name", name).Flags("flags", "O_RDONLY").Number("mode", 0)
	c.file(c.fd()).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino)).Part("path", path).Part("fspath", inFS)
	if strings.HasPrefix(name, "/") {
		return c.NoPart("dir")
	}
	return c.Part("dir", cwd())
}

// mode changes the mode of an open file, which has the given paths now.
func (t *T) mode(fd int, path, inFS string) *Call {
	return t.call("fchmod", unix.SYS_FCHMOD, uintptr(fd), 0o600).ok().Result("res").Number("fd", int64(fd)).Flags("mode", modes(0o600)...).
		file(fd).Part("path", path).Part("fspath", inFS)
}

func paths(t *T) {
	dir := cwd()
	inFS := fsPath(dir)
	must(os.MkdirAll("a/b", 0o755))
	write("a/b/file")
	must(os.Symlink("a/b/file", "link"))
	must(os.Symlink("link", "link2"))
	must(os.Symlink(dir+"/a", "dirlink"))
	real, realFS := dir+"/a/b/file", inFS+"/a/b/file"
	for _, name := range []string{"link", "link2", dir + "/link", "dirlink/b/file", "a/../a/./b//file", "dirlink/../a/b/file", dir + "/dirlink/b/../b/file"} {
		t.read(name, real, realFS).close()
	}
	fd := one(unix.Open("a/b/file", unix.O_RDONLY, 0))
	t.read(fmt.Sprintf("/proc/self/fd/%d", fd), real, realFS).close()
	t.read("/proc/self/root"+real, real, realFS).close()
	t.read("/", "/", fsPath("/")).close()

	long := strings.Repeat("n", 255)
	write(long)
	t.read(long, dir+"/"+long, inFS+"/"+long).close()
	odd := "line\nesc\x1b[31m\xff\xfe"
	write(odd)
	t.read(odd, dir+"/"+odd, inFS+"/"+odd).close()

	must(os.Link("a/b/file", "hard"))
	t.read("hard", dir+"/hard", inFS+"/hard").close()

	// what becomes of a name after the open
	write("before")
	fd = one(unix.Open("before", unix.O_RDWR, 0))
	must(os.Rename("before", "after"))
	t.mode(fd, dir+"/after", inFS+"/after")
	must(os.Rename("after", "a/b/moved"))
	t.mode(fd, dir+"/a/b/moved", inFS+"/a/b/moved")
	must(os.Rename("a/b", "a/c"))
	t.mode(fd, dir+"/a/c/moved", inFS+"/a/c/moved")
	must(os.Remove("a/c/moved"))
	t.mode(fd, dir+"/a/c/moved", inFS+"/a/c/moved")

	fd = one(unix.MemfdCreate("hidden", 0))
	t.mode(fd, "memfd:hidden", "memfd:hidden")
	t.read(fmt.Sprintf("/proc/self/fd/%d", fd), "memfd:hidden", "memfd:hidden").close()
	var pipe [2]int
	must(unix.Pipe(pipe[:]))
	t.call("fchmod", unix.SYS_FCHMOD, uintptr(pipe[0]), 0o600).ok().Result("res").Number("fd", int64(pipe[0])).Flags("mode", modes(0o600)...).
		file(pipe[0]).NoPart("path", "fspath")

	// a working directory that is gone
	must(os.Mkdir("gone", 0o755))
	must(os.Chdir("gone"))
	must(os.Remove(dir + "/gone"))
	t.call("open", unix.SYS_OPEN, t.str("x"), unix.O_RDONLY).fails(unix.ENOENT).Result("fd").Bytes("name", "x").Flags("flags", "O_RDONLY").Number("mode", 0).
		notOpened().Part("dir", dir+"/gone")
}

// deep opens files far down. A process gets there step by step; the kernel has no limit but the length of one argument.
func deep(t *T) {
	dir := cwd()
	inFS := fsPath(dir)
	path := dir
	chain := func(name string, until int) {
		for len(path)+1+len(name) <= until {
			must(unix.Mkdir(name, 0o755))
			must(unix.Chdir(name))
			path += "/" + name
		}
	}
	at := func(named bool) {
		inFS := inFS + path[len(dir):]
		fd := one(unix.Open("f", unix.O_RDONLY|unix.O_CREAT, 0o600))
		if named {
			t.read(path+"/f", path+"/f", inFS+"/f").close()
		}
		t.mode(fd, path+"/f", inFS+"/f")
		must(unix.Close(fd))
		here := one(unix.Open(".", unix.O_PATH, 0))
		t.call("openat", unix.SYS_OPENAT, uintptr(here), t.str("f"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", int64(here)).Bytes("name", "f").
			Flags("flags", "O_RDONLY").Number("mode", 0).opened(path+"/f").Part("fspath", inFS+"/f").Part("dir", path).close()
		must(unix.Close(here))
		// a directory that is deep hides nothing of a file that is not
		must(os.Symlink("/dev/null", "s"))
		t.call("openat", unix.SYS_OPENAT, uptr(unix.AT_FDCWD), t.str("s"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "s").
			Flags("flags", "O_RDONLY").Number("mode", 0).opened("/dev/null").Part("dir", path).close()
	}
	// of what is longer the beginning and the end are kept
	beyond := func() {
		fd := one(unix.Open("f", unix.O_RDONLY|unix.O_CREAT, 0o600))
		c := t.mode(fd, path+"/f", inFS+path[len(dir):]+"/f")
		c.Gap("path", string(c.Parts["path"].B)).Gap("fspath", string(c.Parts["fspath"].B))
		must(unix.Close(fd))
		must(os.Symlink("/dev/null", "s"))
		t.call("openat", unix.SYS_OPENAT, uptr(unix.AT_FDCWD), t.str("s"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", unix.AT_FDCWD).Bytes("name", "s").
			Flags("flags", "O_RDONLY").Number("mode", 0).opened("/dev/null").Gap("dir", path).close()
	}
	chain("d", len(dir)+200)
	at(true)
	chain("d", len(dir)+2000)
	at(true)
	chain("d", unix.PathMax-3)
	at(false)
	for _, longer := range []int{1000, 2000, 5000} {
		chain(strings.Repeat("x", 200), unix.PathMax+longer)
		beyond()
	}
	must(unix.Chdir(dir))
	must(os.RemoveAll("d"))
}

func privateMounts() {
	must(unix.Unshare(unix.CLONE_NEWNS))
	must(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

func mounts(t *T) {
	privateMounts()
	dir := cwd()
	inFS := fsPath(dir)
	for _, d := range []string{"src/in", "bound", "tmp", "tree/in"} {
		must(os.MkdirAll(d, 0o755))
	}
	write("src/in/file")
	write("single")
	write("over")
	must(unix.Mount("src", "bound", "", unix.MS_BIND, ""))
	t.read("bound/in/file", dir+"/bound/in/file", inFS+"/src/in/file").close()
	t.read("bound", dir+"/bound", inFS+"/src").close()
	must(unix.Mount("single", "over", "", unix.MS_BIND, ""))
	t.read("over", dir+"/over", inFS+"/single").close()
	must(unix.Mount("tmpfs", "tmp", "tmpfs", 0, ""))
	must(os.MkdirAll("tmp/x/y", 0o755))
	write("tmp/x/y/file")
	t.read("tmp/x/y/file", dir+"/tmp/x/y/file", "/x/y/file").close()
	t.read("tmp", dir+"/tmp", "/").close()
	must(os.Mkdir("tmp/again", 0o755))
	must(unix.Mount("tmp/x", "tmp/again", "", unix.MS_BIND, ""))
	t.read("tmp/again/y/file", dir+"/tmp/again/y/file", "/x/y/file").close()
	// mounts upon mounts on one directory
	must(unix.Mount("tmpfs", "tmp", "tmpfs", 0, ""))
	write("tmp/top")
	t.read("tmp/top", dir+"/tmp/top", "/top").close()

	// a mount that hangs nowhere: its root is all there is above
	tree := one(unix.OpenTree(unix.AT_FDCWD, "src", unix.OPEN_TREE_CLONE))
	c := t.call("openat", unix.SYS_OPENAT, uintptr(tree), t.str("in/file"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", int64(tree)).Bytes("name", "in/file").
		Flags("flags", "O_RDONLY").Number("mode", 0).Part("dir", "/")
	c.file(c.fd()).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino)).Part("path", "/in/file").Part("fspath", inFS+"/src/in/file")
	c.close()
	fd := one(unix.Open("bound/in/file", unix.O_RDWR, 0))
	must(unix.Unmount("bound", unix.MNT_DETACH))
	t.mode(fd, "/in/file", inFS+"/src/in/file")
}

func chroot(t *T) {
	privateMounts()
	dir := cwd()
	inFS := fsPath(dir)
	for _, d := range []string{"jail/etc", "jail/sub", "bind"} {
		must(os.MkdirAll(d, 0o755))
	}
	write("jail/etc/shadow")
	write("outside")
	must(os.Symlink("/etc/shadow", "jail/link"))
	must(unix.Mount("jail", "bind", "", unix.MS_BIND, ""))
	out := one(unix.Open("outside", unix.O_RDONLY, 0))
	outDir := one(unix.Open(".", unix.O_PATH, 0))
	in := func(root string) {
		must(unix.Chroot(root))
		must(os.Chdir("/sub"))
		shadow := inFS + "/jail/etc/shadow"
		t.read("/etc/shadow", "/etc/shadow", shadow).close()
		t.read("../etc/../../../etc/shadow", "/etc/shadow", shadow).close()
		t.read("/link", "/etc/shadow", shadow).close()
		t.read("/", "/", inFS+"/jail").close()
		// what lies outside is seen from the top
		t.mode(out, dir+"/outside", inFS+"/outside")
		c := t.call("openat", unix.SYS_OPENAT, uintptr(outDir), t.str("outside"), unix.O_RDONLY).ok().Result("fd").Number("dirfd", int64(outDir)).
			Bytes("name", "outside").Flags("flags", "O_RDONLY").Number("mode", 0).Part("dir", dir)
		c.file(c.fd()).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino)).Part("path", dir+"/outside").Part("fspath", inFS+"/outside").close()
	}
	top := one(unix.Open("/", unix.O_PATH, 0))
	in(filepath.Join(dir, "jail"))
	must(unix.Fchdir(top))
	must(unix.Chroot("."))
	// the root of a mount as the root of a process
	in(filepath.Join(dir, "bind"))
}
