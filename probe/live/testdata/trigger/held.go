// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// object is something that a call is about to take away or to change, as the kernel describes it before.
type object struct {
	path, fspath string
	file         *File // nil for what is not there yet
	sock         *Sock
}

// onPaths says how calls name paths: the argument of a path and the one that holds the directory it starts from, -1 for the working
// directory.
type onPaths struct {
	dir, path   int
	dir2, path2 int // with path2 < 0 there is no second
	makes       bool
	follows     func(c *Call) bool // a symbolic link at the end; nil is never
}

var heldPaths = func() map[string]onPaths {
	one := func(dir, path int) onPaths { return onPaths{dir, path, -1, -1, false, nil} }
	making := func(dir, path int) onPaths { return onPaths{dir, path, -1, -1, true, nil} }
	following := func(dir, path int, f func(*Call) bool) onPaths { return onPaths{dir, path, -1, -1, false, f} }
	always := func(*Call) bool { return true }
	unless := func(arg int, flag uint64) func(*Call) bool {
		return func(c *Call) bool { return c.Args[arg]&flag == 0 }
	}
	return map[string]onPaths{
		"unlink": one(-1, 0), "unlinkat": one(0, 1), "rmdir": one(-1, 0), "rename": {-1, 0, -1, 1, false, nil},
		"renameat": {0, 1, 2, 3, false, nil}, "renameat2": {0, 1, 2, 3, false, nil}, "link": {-1, 0, -1, 1, false, nil},
		"linkat":  {0, 1, 2, 3, false, func(c *Call) bool { return c.Args[4]&unix.AT_SYMLINK_FOLLOW != 0 }},
		"symlink": making(-1, 1), "symlinkat": making(1, 2), "mkdir": making(-1, 0), "mkdirat": making(0, 1), "mknod": making(-1, 0), "mknodat": making(0, 1),
		"chmod": following(-1, 0, always), "fchmodat": following(0, 1, always), "chown": following(-1, 0, always), "lchown": one(-1, 0),
		"fchownat": following(0, 1, unless(4, unix.AT_SYMLINK_NOFOLLOW)), "umount": following(-1, 0, always), "umount2": following(-1, 0, unless(1, unix.UMOUNT_NOFOLLOW)),
	}
}()

// before looks at what the call is about to change. It returns what is to be expected of its record, given the result.
func (t *T) before(c *Call) func() {
	switch c.Event {
	case "close":
		o := ofDescriptor(int(int32(c.Args[0])))
		return func() { c.expect(o, "file", "sock", "path", "fspath") }
	case "dup2", "dup3":
		o := ofDescriptor(int(int32(c.Args[1])))
		return func() { c.expect(object{path: o.path}, "", "", "path2", "") }
	}
	at, ok := heldPaths[c.Event]
	if !ok {
		return func() {}
	}
	o := t.ofPath(c, at.dir, at.path, at.makes, at.follows)
	var second object
	if at.path2 >= 0 {
		second = t.ofPath(c, at.dir2, at.path2, true, nil)
	}
	return func() {
		c.expect(o, "file", "", "path", "fspath")
		if at.path2 >= 0 {
			c.expect(second, "", "", "path2", "")
		}
	}
}

// expect sets what pieces say of an object. A call that failed may have come to the object, or not.
func (c *Call) expect(o object, file, sock, path, fspath string) {
	set := func(part, s string) {
		switch {
		case part == "":
		case s == "":
			c.NoPart(part)
		default:
			c.Part(part, s)
			if c.Ret < 0 && c.Event != "close" {
				c.Parts[part] = Want{Kind: "maybe", B: []byte(s)}
			}
		}
	}
	set(path, o.path)
	set(fspath, o.fspath)
	for part, known := range map[string]bool{file: o.file != nil, sock: o.sock != nil} {
		switch {
		case part == "":
		case c.Ret < 0 && c.Event != "close" && known:
			c.Parts[part] = Want{Kind: "maybe"}
		case !known:
			c.NoPart(part)
		}
	}
	if file != "" && (c.Ret >= 0 || c.Event == "close") {
		c.File = o.file
	}
	if sock != "" {
		c.Sock = o.sock
	}
}

// ofDescriptor describes what is behind a descriptor.
func ofDescriptor(fd int) (o object) {
	name, err := os.Readlink("/proc/self/fd/" + itoa(uint64(uint32(fd))))
	if err != nil || fd < 0 {
		return o
	}
	c := &Call{Params: make(map[string]Want), Parts: make(map[string]Want)}
	o.file = c.file(fd).File
	anon, isAnon := strings.CutPrefix(name, "anon_inode:")
	switch {
	case isAnon:
		o.path, o.fspath = anon, anon
	case strings.HasPrefix(name, "/"):
		o.path, o.fspath = name, fsPath(name)
	case strings.HasPrefix(name, "socket:"):
		o.sock = c.sock(fd).Sock
	}
	return o
}

// ofPath describes what a path leads to; of one that the call is to make, and of one with nothing behind it, only where that would be.
func (t *T) ofPath(c *Call, dirArg, pathArg int, makes bool, follows func(*Call) bool) (o object) {
	dir := unix.AT_FDCWD
	if dirArg >= 0 {
		dir = int(int32(c.Args[dirArg]))
	}
	path, ok := t.text(uintptr(c.Args[pathArg]))
	if !ok {
		return o
	}
	if path == "" && !makes && dir >= 0 {
		o = ofDescriptor(dir)
		if o.file != nil {
			o.file.Path = true
		}
		return o
	}
	if makes {
		parent, base := filepath.Split(strings.TrimRight(path, "/"))
		if parent == "" {
			parent = "."
		}
		fd, err := unix.Openat(dir, parent, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil || base == "" {
			return o
		}
		defer unix.Close(fd)
		o.path = filepath.Join(one(os.Readlink("/proc/self/fd/"+itoa(uint64(fd)))), base)
		o.fspath = fsPath(o.path)
		return o
	}
	flags := unix.O_PATH | unix.O_CLOEXEC
	if follows == nil || !follows(c) {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat(dir, path, flags, 0)
	if err != nil {
		return o
	}
	defer unix.Close(fd)
	o = ofDescriptor(fd)
	o.file.Path = true
	return o
}

// text reads a string that str has put somewhere.
func (t *T) text(addr uintptr) (string, bool) {
	first := uintptr(unsafe.Pointer(&t.all[0]))
	if addr < first || addr >= first+uintptr(len(t.all)) {
		return "", false
	}
	s, _, ok := bytes.Cut(t.all[addr-first:], []byte{0})
	return string(s), ok
}
