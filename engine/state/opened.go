// SPDX-License-Identifier: Apache-2.0

package state

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"falconet/engine/event"
)

// Opened is a descriptor that a process has open, as /proc tells of it.
type Opened struct {
	FD            int
	Kind          event.FileKind
	Name          string // path of a file, address of a unix socket, the kernel's name of what has no path
	Local, Remote netip.AddrPort
	Server        bool // the process listens on the local port too
	Listens       bool // without a peer
}

// maxOpened bounds how many descriptors of a process are looked at: a process may have a million.
const maxOpened = 4096

// Opened returns what is behind the given descriptors of a process now, and behind all of them, up to a bound, when none are given. What is
// not open is left out. ok is false when the process is no longer there or may not be looked at.
func (t *Table) Opened(p *Process, fds ...int) (list []Opened, ok bool) {
	if t.fs.other || !t.same(p) {
		return nil, false
	}
	dir := t.fs.path(p.PID, "")
	fds = slices.Clone(fds)
	list, ok = aside(t.fs, func() ([]Opened, bool) { return opened(dir, fds) })
	return list, ok && t.same(p)
}

// same reports whether the pid is still the process's.
func (t *Table) same(p *Process) bool {
	var img Image
	return t.fs.stat(p.PID, &img) && img.Task.Start/tick == p.Start/tick
}

// CountOpened returns how many descriptors the process has open now.
func (t *Table) CountOpened(p *Process) (n uint64, ok bool) {
	if t.fs.other || !t.same(p) {
		return 0, false
	}
	dir := t.fs.path(p.PID, "fd")
	var st syscall.Stat_t
	if syscall.Stat(dir, &st) != nil {
		return 0, false
	}
	if st.Size > 0 { // kernels from 6.2 on say the number
		return uint64(st.Size), true
	}
	return aside(t.fs, func() (n uint64, ok bool) {
		ok = numbered(dir, func(int) bool { n++; return true })
		return n, ok
	})
}

// numbered calls fn for every entry of a directory of /proc that is named by a number, until it returns false.
func numbered(dir string, fn func(n int) bool) bool {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = syscall.Close(fd) }()
	buf := make([]byte, 16<<10)
	for {
		n, err := syscall.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return err == nil
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if number, err := strconv.Atoi(name); err == nil && !fn(number) {
				return true
			}
		}
	}
}

func opened(dir string, fds []int) (list []Opened, ok bool) {
	if len(fds) == 0 {
		if !numbered(dir+"fd", func(fd int) bool { fds = append(fds, fd); return len(fds) < maxOpened }) {
			return nil, false
		}
	}
	var sockets []int // places in list
	var inodes []uint64
	buf := make([]byte, 4096)
	for _, fd := range fds {
		path := dir + "fd/" + strconv.Itoa(fd)
		n, err := syscall.Readlink(path, buf)
		if err != nil {
			continue
		}
		o := Opened{FD: fd, Name: strings.TrimSuffix(string(buf[:n]), " (deleted)")}
		var st syscall.Stat_t
		if syscall.Stat(path, &st) == nil {
			o.Kind = kindByMode(st.Mode, o.Name)
		}
		if o.Kind == event.KindSocket {
			sockets, inodes = append(sockets, len(list)), append(inodes, st.Ino)
		}
		list = append(list, o)
	}
	if len(sockets) > 0 {
		found := sockEnds(dir+"net/", inodes)
		for i, at := range sockets {
			if e, ok := found[inodes[i]]; ok {
				e.FD = list[at].FD
				list[at] = e
			}
		}
	}
	return list, true
}

func kindByMode(mode uint32, name string) event.FileKind {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		if strings.HasPrefix(name, "/memfd:") {
			return event.KindMemfd
		}
		return event.KindFile
	case syscall.S_IFDIR:
		return event.KindDirectory
	case syscall.S_IFIFO:
		return event.KindFIFO
	case syscall.S_IFCHR:
		return event.KindChar
	case syscall.S_IFBLK:
		return event.KindBlock
	case syscall.S_IFSOCK:
		return event.KindSocket
	}
	return event.KindAnon
}
