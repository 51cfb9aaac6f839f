// SPDX-License-Identifier: Apache-2.0

package state

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Place says where a process's path leads: from its root directory, or from the directory Dir.
type Place struct {
	PID   uint32
	TID   uint32 // threads may have directories of their own
	Start uint64 // the process's start in nanoseconds since boot
	FD    int32  // the directory of a relative path, unix.AT_FDCWD for the working directory
	Dir   string // its path as the kernel has it, seen from the process's root
	Path  string // what the process passed
	// NoFollow leaves a symbolic link at the end alone.
	NoFollow bool
}

// FileID names a file as stat(2) does.
type FileID struct{ Dev, Ino uint64 }

// Resolve follows a path as the process would now, inside its root. It opens nothing but places: no device, no FIFO, no file. ok is false when
// the process has ended, when the path leads nowhere, and when nobody but the process can follow it: through a link of /proc that is not
// text, or from a directory that is no longer, or not below its root.
//
// A filesystem that a hostile process serves may never answer: what the kernel does not know by heart is asked aside, and given up after a while.
func (t *Table) Resolve(p Place) (id FileID, ok bool) {
	if t.fs.other {
		return id, false
	}
	const cached = 0x20 // RESOLVE_CACHED of include/uapi/linux/openat2.h, from 5.12 on
	id, err := t.fs.resolve(&p, cached)
	ok = err == nil
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINVAL) {
		id, ok = aside(t.fs, func() (FileID, bool) {
			id, err := t.fs.resolve(&p, 0)
			return id, err == nil
		})
	}
	// Asked at the end: whatever was found on the way was this process's.
	var img Image
	return id, ok && t.fs.stat(p.PID, &img) && img.Task.Start/tick == p.Start/tick
}

// of is what /proc has of the thread.
func (f *procFS) of(p *Place, name string) string {
	return f.path(p.PID, "task/"+strconv.FormatUint(uint64(p.TID), 10)+"/"+name)
}

// errOtherwhere is for a directory that is not where its path says.
var errOtherwhere = errors.New("not the process's directory")

func (f *procFS) resolve(p *Place, how uint64) (id FileID, err error) {
	root, err := unix.Open(f.of(p, "root"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return id, err
	}
	defer func() { _ = unix.Close(root) }()
	path := p.Path
	if path == "" || path[0] != '/' {
		if err := f.stands(p, root, how); err != nil {
			return id, err
		}
		path = p.Dir + "/" + path
	}
	return fileInRoot(root, path, how, p.NoFollow)
}

// stands makes sure that the path of the directory leads to the directory from which the process starts.
func (f *procFS) stands(p *Place, root int, how uint64) error {
	name := "cwd"
	if p.FD != unix.AT_FDCWD {
		name = "fd/" + strconv.Itoa(int(p.FD))
	}
	fd, err := unix.Open(f.of(p, name), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	id, err := fileInRoot(root, p.Dir, how, false)
	if err == nil && id != (FileID{st.Dev, st.Ino}) {
		return errOtherwhere
	}
	return err
}

// fileInRoot follows a path inside the directory root. What stands in a proc filesystem differs for everybody who looks.
func fileInRoot(root int, path string, how uint64, noFollow bool) (id FileID, err error) {
	open := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | how}
	if noFollow {
		open.Flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat2(root, path, &open)
	if err != nil {
		return id, err
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	var fs unix.Statfs_t
	if err := unix.Fstat(fd, &st); err != nil {
		return id, err
	}
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return id, err
	}
	if fs.Type == unix.PROC_SUPER_MAGIC {
		return id, errOtherwhere
	}
	return FileID{st.Dev, st.Ino}, nil
}
