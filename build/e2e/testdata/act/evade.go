// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ways are the ways to a file that hide what is opened from who looks at names alone. Each opens the file that it is given, which
// is absolute, and ends.
var ways = map[string]func(file string, more []string) error{
	"dirfd":    relative,
	"devfd":    func(file string, _ []string) error { return reopen(file, unix.O_RDONLY, "/dev/fd/%d") },
	"o-path":   func(file string, _ []string) error { return reopen(file, unix.O_PATH, "/proc/self/fd/%d") },
	"handle":   byHandle,
	"detached": detached,
	"chroot":   fromOutside,
	"jail":     jailed,
	"rename":   renamed,
	"unmap":    func(file string, _ []string) error { return unseen(file, munmap) },
	"protect":  func(file string, _ []string) error { return unseen(file, noAccess) },
	"forget":   func(file string, _ []string) error { return unseen(file, forget) },
	"fifo":     func(file string, _ []string) error { return unseenFIFO(file) },
	"rewrite":  rewritten,
	"x32":      x32,
	"far":      far,
}

// evade is `act evade WAY FILE ...`.
func evade(args []string) error {
	if len(args) < 2 || ways[args[0]] == nil {
		return fmt.Errorf("no such way: %q", args)
	}
	if err := ways[args[0]](args[1], args[2:]); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}

// openClose opens a file for reading, by a descriptor and a name, and closes it.
func openClose(dir int, name string) error {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", name, err)
	}
	return unix.Close(fd)
}

func relative(file string, _ []string) error {
	dir, err := unix.Open(filepath.Dir(file), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return openClose(dir, "./"+filepath.Base(file))
}

// reopen opens a file a second time, through a descriptor of it.
func reopen(file string, flags int, name string) error {
	fd, err := unix.Open(file, flags, 0)
	if err != nil {
		return err
	}
	return openClose(unix.AT_FDCWD, fmt.Sprintf(name, fd))
}

func byHandle(file string, _ []string) error {
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, file, 0)
	if err != nil {
		return fmt.Errorf("name_to_handle_at: %w", err)
	}
	dir, err := unix.Open(filepath.Dir(file), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(dir, handle, unix.O_RDONLY)
	if err != nil {
		return fmt.Errorf("open_by_handle_at: %w", err)
	}
	return unix.Close(fd)
}

// detached opens a file below a mount that hangs nowhere.
func detached(file string, _ []string) error {
	tree, err := unix.OpenTree(unix.AT_FDCWD, filepath.Dir(file), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open_tree: %w", err)
	}
	return openClose(tree, filepath.Base(file))
}

// fromOutside opens a file by a descriptor of its directory, from a root directory that does not hold it.
func fromOutside(file string, more []string) error {
	dir, err := unix.Open(filepath.Dir(file), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	if err := unix.Chroot(more[0]); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return openClose(dir, filepath.Base(file))
}

// jailed makes the file's directory the root.
func jailed(file string, _ []string) error {
	if err := unix.Chroot(filepath.Dir(file)); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return openClose(unix.AT_FDCWD, "/"+filepath.Base(file))
}

// renamed changes an open file whose name has changed meanwhile, and gives it its name back.
func renamed(file string, more []string) error {
	fd, err := unix.Open(file, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	if err := unix.Rename(file, more[0]); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	if err := unix.Fchmod(fd, 0o644); err != nil {
		return fmt.Errorf("fchmod: %w", err)
	}
	return unix.Rename(more[0], file)
}

// x32 opens a file by a number of the x32 table, which most kernels do not have, and says how that went.
func x32(file string, _ []string) error {
	const bit = 0x40000000
	name, err := unix.BytePtrFromString(file)
	if err != nil {
		return err
	}
	dir := unix.AT_FDCWD
	_, _, errno := unix.Syscall6(bit|unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(name)), unix.O_RDONLY, 0, 0, 0)
	fmt.Printf("errno=%d\n", errno)
	return nil
}

// far opens files of a directory that is farther down than a path may be long: file is where to begin, more are how far down in bytes,
// the length of each step, and what to open there.
func far(file string, more []string) error {
	length, err := strconv.Atoi(more[0])
	if err != nil {
		return err
	}
	step, err := strconv.Atoi(more[1])
	if err != nil {
		return err
	}
	name := strings.Repeat("d", step)
	if err := unix.Chdir(file); err != nil {
		return err
	}
	for at := len(file); at+1+step <= length; at += 1 + step {
		if err := unix.Mkdir(name, 0o755); err != nil && err != unix.EEXIST {
			return fmt.Errorf("mkdir: %w", err)
		}
		if err := unix.Chdir(name); err != nil {
			return err
		}
	}
	for _, name := range more[2:] {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CREAT, 0o600)
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		if err := unix.Close(fd); err != nil {
			return err
		}
	}
	return nil
}

// argument is a string in a page of its own.
func argument(s string) (unsafe.Pointer, error) {
	size := uintptr(unix.Getpagesize())
	at, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("map a page: %w", err)
	}
	copy(unsafe.Slice((*byte)(at), size), s+"\x00")
	return at, nil
}

func munmap(page unsafe.Pointer) error {
	return call(unix.SYS_MUNMAP, uintptr(page), uintptr(os.Getpagesize()), 0)
}

func noAccess(page unsafe.Pointer) error {
	return call(unix.SYS_MPROTECT, uintptr(page), uintptr(os.Getpagesize()), unix.PROT_NONE)
}

// forget leaves the page where it is with nothing in it: whoever reads it next makes the kernel bring zeros.
func forget(page unsafe.Pointer) error {
	return call(unix.SYS_MADVISE, uintptr(page), uintptr(os.Getpagesize()), unix.MADV_DONTNEED)
}

func call(nr, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(nr, a, b, c); errno != 0 {
		return errno
	}
	return nil
}
