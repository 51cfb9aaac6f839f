// SPDX-License-Identifier: Apache-2.0

package state

import (
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Guest is the users and groups that a container names in files of its own. What stands there is in the hands of the container: it is
// read in small amounts, seldom, aside, and never from outside of the container's root.
type Guest struct {
	users  map[uint32]User
	groups map[uint32]string
	uids   []idRange
	gids   []idRange

	key           rootKey
	passwd, group stamp
	checked       time.Time
	size          int
	used          uint64
}

// rootKey names what a process sees as its root directory.
type rootKey struct{ ns, dev, ino uint64 }

// idRange is a line of uid_map: length ids from inside, as the namespace numbers them, that are those from outside on.
type idRange struct{ inside, outside, length uint32 }

func inside(ranges []idRange, id uint32) (uint32, bool) {
	for _, r := range ranges {
		if id >= r.outside && id-r.outside < r.length {
			return r.inside + (id - r.outside), true
		}
	}
	return 0, false
}

// User returns the user whose id in the initial user namespace is uid; ok is false when the container names none. A nil Guest names the
// superuser alone.
func (g *Guest) User(uid uint32) (u User, ok bool) {
	if g == nil {
		return root, uid == 0
	}
	if uid, ok = inside(g.uids, uid); !ok {
		return u, false
	}
	if u, ok = g.users[uid]; ok || uid != 0 {
		return u, ok
	}
	return root, true
}

// Group returns the name of the group whose id in the initial user namespace is gid; ok is false when the container names none.
func (g *Guest) Group(gid uint32) (name string, ok bool) {
	if g == nil {
		return "root", gid == 0
	}
	if gid, ok = inside(g.gids, gid); !ok {
		return "", false
	}
	if name, ok = g.groups[gid]; ok || gid != 0 {
		return name, ok
	}
	return "root", true
}

const (
	maxGuestFile = 1 << 20
	maxGuests    = 1024
	guestCheck   = time.Second
	// Reading what containers name takes at most a tenth of the time, but for a burst.
	guestBurst = 300 * time.Millisecond
	guestShare = 10
)

// Guests keeps what containers name. It belongs to the goroutine of its table. A nil Guests knows of none.
type Guests struct {
	table *Table
	byKey map[rootKey]*Guest
	byBox map[string]rootKey // the last root that was seen of a container
	bytes int
	used  uint64
	now   time.Time
	debt  time.Duration // time spent on reading
	burst time.Duration
	room  int // for bytes
	roots atomic.Uint64
	gone  atomic.Uint64
	host  rootKey // of the host itself
}

// NewGuests returns an empty cache over the processes of a table, which keeps so many bytes, about.
func NewGuests(t *Table, room int) *Guests {
	s := &Guests{table: t, byKey: make(map[rootKey]*Guest), byBox: make(map[string]rootKey), now: time.Now(), burst: guestBurst, room: room}
	s.host = t.fs.rootOf(1)
	return s
}

// GuestStats counts what a Guests had to do.
type GuestStats struct {
	Roots     uint64 // of containers, whose users are known now
	Evictions uint64 // of them that left because there was no room
}

// Stats returns the counters. It may be called from any goroutine.
func (s *Guests) Stats() GuestStats {
	if s == nil {
		return GuestStats{}
	}
	return GuestStats{s.roots.Load(), s.gone.Load()}
}

// Knows reports whether a root of the container was seen, so that its names are known of processes too that are gone.
func (s *Guests) Knows(box string) bool {
	if s == nil {
		return true
	}
	_, ok := s.byBox[box]
	return ok
}

// Tick tells what time it is. What is older than a second is then looked at again when it is asked for.
func (s *Guests) Tick(now time.Time) {
	if s == nil {
		return
	}
	s.debt = max(s.debt-now.Sub(s.now)/guestShare, 0)
	s.now = now
}

// Of returns what the container with the id box, in which p runs, names; nil when it cannot be known. It allocates nothing for a process that was
// asked for before.
func (s *Guests) Of(p *Process, box string) *Guest {
	if s == nil {
		return nil
	}
	if p.rootOf != p.img {
		s.identify(p)
	}
	key := p.root
	if key == (rootKey{}) {
		key = s.byBox[box]
	}
	s.used++
	g := s.byKey[key]
	if key != (rootKey{}) && p.root == key && (g == nil || s.now.Sub(g.checked) >= guestCheck) {
		g = s.refresh(p, box, key, g)
	}
	if g == nil { // it has left meanwhile: others of its container may tell
		g = s.byKey[s.byBox[box]]
	}
	if g != nil {
		g.used = s.used
	}
	return g
}

// spend runs what reads, unless too much time has gone into that lately.
func (s *Guests) spend(read func()) {
	if s.debt >= s.burst {
		s.table.skipped.Add(1)
		return
	}
	begun := time.Now()
	read()
	s.debt += time.Since(begun)
}

// identify finds out which root the process has. Of one that has left nothing is found out.
func (s *Guests) identify(p *Process) {
	fs := s.table.fs
	p.root = rootKey{}
	if fs.other {
		return
	}
	s.spend(func() {
		p.rootOf = p.img
		if key := fs.rootOf(p.PID); s.table.same(p) {
			p.root = key
		}
	})
}

// rootOf finds out what a process sees as its root directory; the zero key when it cannot be told.
func (f *procFS) rootOf(pid uint32) (key rootKey) {
	ns, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(f.link(pid, "ns/mnt"), "mnt:["), "]"), 10, 64)
	if err != nil {
		return key
	}
	path := f.path(pid, "root")
	st, ok := aside(f, func() (syscall.Stat_t, bool) {
		var st syscall.Stat_t
		return st, syscall.Stat(path, &st) == nil
	})
	if ok {
		key = rootKey{ns, st.Dev, st.Ino}
	}
	return key
}

// refresh reads the files if they have changed.
func (s *Guests) refresh(p *Process, box string, key rootKey, old *Guest) *Guest {
	g := old
	s.spend(func() {
		path := s.table.fs.path(p.PID, "")
		fresh, ok := aside(s.table.fs, func() (*Guest, bool) { return readGuest(path, old) })
		if !ok || !s.table.same(p) {
			return
		}
		if old != nil {
			s.bytes -= old.size
		}
		fresh.key, fresh.checked = key, s.now
		s.byKey[key] = fresh
		s.bytes += fresh.size
		g = fresh
		g.used = s.used
		s.makeRoom(g)
	})
	// What starts a container is in its cgroup before it is in its root.
	if host := s.host; g != nil && (key.dev != host.dev || key.ino != host.ino) {
		if _, known := s.byBox[box]; !known && len(s.byBox) >= maxGuests {
			clear(s.byBox)
		}
		s.byBox[box] = key
	}
	return g
}

// makeRoom drops what was not asked for longest.
func (s *Guests) makeRoom(keep *Guest) {
	for len(s.byKey) > maxGuests || s.bytes > s.room && len(s.byKey) > 1 {
		var victim *Guest
		for _, g := range s.byKey {
			if g != keep && (victim == nil || g.used < victim.used) {
				victim = g
			}
		}
		delete(s.byKey, victim.key)
		s.bytes -= victim.size
		s.gone.Add(1)
	}
	s.roots.Store(uint64(len(s.byKey)))
}

// readGuest reads what the process whose directory in /proc is proc finds in its /etc. Files that are as they were in old are not read again.
func readGuest(proc string, old *Guest) (*Guest, bool) {
	dir, err := unix.Open(proc+"root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer func() { _ = unix.Close(dir) }()
	g := &Guest{uids: readRanges(proc + "uid_map"), gids: readRanges(proc + "gid_map")}
	passwd, at := inRoot(dir, "etc/passwd")
	defer closeFD(passwd)
	group, at2 := inRoot(dir, "etc/group")
	defer closeFD(group)
	g.passwd, g.group = at, at2
	if old != nil && old.passwd == at {
		g.users = old.users
	} else {
		g.users = make(map[uint32]User)
		accounts(readOpened(proc, passwd, at), 7, func(w []string, id uint32) {
			if _, ok := g.users[id]; !ok {
				g.users[id] = User{strings.Clone(w[0]), strings.Clone(w[5]), strings.Clone(w[6])}
			}
		})
	}
	if old != nil && old.group == at2 {
		g.groups = old.groups
	} else {
		g.groups = make(map[uint32]string)
		accounts(readOpened(proc, group, at2), 4, func(w []string, id uint32) {
			if _, ok := g.groups[id]; !ok {
				g.groups[id] = strings.Clone(w[0])
			}
		})
	}
	const entry = 64 // of a map, about
	for _, u := range g.users {
		g.size += entry + len(u.Name) + len(u.Home) + len(u.Shell)
	}
	for _, name := range g.groups {
		g.size += entry + len(name)
	}
	return g, true
}

// inRoot finds a regular file below a directory as a process sees it that has the directory as its root; -1 when there is none. Nothing is
// opened yet that a device or FIFO could notice.
func inRoot(dir int, path string) (fd int, s stamp) {
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return -1, s
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		_ = unix.Close(fd)
		return -1, s
	}
	return fd, stamp{st.Ino, st.Dev, st.Mtim.Nano(), st.Size}
}

func closeFD(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// readOpened reads the beginning of what inRoot found, "" when it found nothing. proc is the directory of any process in /proc. A line that is cut off there is left out.
func readOpened(proc string, fd int, s stamp) string {
	if fd < 0 {
		return ""
	}
	buf, name := make([]byte, min(max(s.size, 0)+1, maxGuestFile)), "self/fd/"+strconv.Itoa(fd)
	b, ok := readFile("/proc/"+name, buf)
	if !ok { // in an image without a /proc of its own
		b, _ = readFile(proc+"../"+name, buf)
	}
	text := string(b)
	if len(b) == maxGuestFile {
		text = text[:strings.LastIndexByte(text, '\n')+1]
	}
	return text
}

// readRanges reads a uid_map or gid_map. Without one every id is itself.
func readRanges(path string) (list []idRange) {
	b, ok := readFile(path, make([]byte, 16<<10))
	if !ok {
		return []idRange{{0, 0, ^uint32(0)}}
	}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		if len(w) != 3 {
			continue
		}
		var n [3]uint32
		for i := range n {
			v, err := strconv.ParseUint(w[i], 10, 32)
			if err != nil {
				continue
			}
			n[i] = uint32(v)
		}
		list = append(list, idRange{n[0], n[1], n[2]})
	}
	return list
}
