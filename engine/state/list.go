// SPDX-License-Identifier: Apache-2.0

package state

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"falconet/engine/event"
)

// List returns the processes as they were at a time, in nanoseconds since boot, the oldest first; with their threads and, if it is asked, the
// descriptors that they have open now. It reads /proc, which takes a while.
func (t *Table) List(at uint64, descriptors bool) (list []event.Listed) {
	for p := t.oldest; p != nil; p = p.next {
		if p.stub || p.Start > at {
			continue
		}
		list = append(list, t.listed(p, p.At(at), descriptors))
	}
	return list
}

func (t *Table) listed(p *Process, img *Image, descriptors bool) event.Listed {
	l := event.Listed{
		Task: img.Task, Exe: img.Exe, ExePath: img.ExePath, Cwd: img.Cwd, Args: ended(img.args), Env: ended(img.Env), Cgroups: ended(img.Cgroups),
	}
	f := &l.Task
	f.PID, f.TID, f.Start = p.PID, p.PID, p.Start
	if p.parent != nil {
		f.PPID, f.ParentStart = p.parent.PID, p.parent.Start
		if f.PTID == 0 || t.current(f.PTID) != p.parent {
			f.PTID = p.parent.PID
		}
	}
	f.Comm = [16]byte{}
	copy(f.Comm[:15], img.Comm)
	if l.Cgroups == "" {
		l.Cgroups = ended(t.CgroupsOf(p))
	}
	if t.fs.other || p.dead || !t.same(p) {
		return l
	}
	numbered(t.fs.path(p.PID, "task"), func(tid int) bool {
		l.Threads = append(l.Threads, uint32(tid))
		return len(l.Threads) < maxOpened
	})
	if !descriptors {
		return l
	}
	fds, _ := t.Opened(p)
	for _, o := range fds {
		l.FDs = append(l.FDs, event.ListedFD{FD: o.FD, Kind: o.Kind, Name: o.Name, Local: o.Local, Remote: o.Remote, Listens: o.Listens})
	}
	return l
}

// ended puts a NUL behind the last of some strings.
func ended(s string) string {
	if s == "" || strings.HasSuffix(s, "\x00") {
		return s
	}
	return s + "\x00"
}

// All returns the users and groups, which the caller must not change.
func (u *Users) All() (users map[uint32]User, groups map[uint32]string) { return u.users, u.groups }

// All returns the addresses.
func (a *Addrs) All() []netip.Addr { return slices.SortedFunc(maps.Keys(a.local), netip.Addr.Compare) }
