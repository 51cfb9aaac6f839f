// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// clockSlack is how far the kernel's lock-free clock, which programs read, may be from the one that clock_gettime reads.
const clockSlack = 1_000_000

// find returns the one record of a call that a trigger made.
func (s *session) find(self trigger.Self, c *trigger.Call, compat bool) *event.Record {
	s.t.Helper()
	var found []*event.Record
	for _, slack := range []uint64{0, clockSlack} {
		for _, r := range s.records {
			if int(r.PID) == self.PID && int(r.TID) == c.TID && int(r.NR) == c.NR && r.Ret == c.Ret && r.Args == c.Args &&
				r.Compat32() == compat && r.TS+slack >= c.Before && r.TS <= c.After+slack {
				found = append(found, r)
			}
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	near := ""
	for _, r := range s.records {
		if int(r.PID) == self.PID && int(r.NR) == c.NR {
			near += fmt.Sprintf("\n\ttid %d args %x ret %d flags %x at %d", r.TID, r.Args, r.Ret, r.Flags, r.TS)
		}
	}
	s.t.Errorf("%d records of %s(%x) = %d of thread %d between %d and %d; of that number there are:%s", len(found), c.Event, c.Args, c.Ret, c.TID, c.Before, c.After, near)
	return nil
}

// check compares the records of all calls of a report, in everything that they say.
func (s *session) check(rep *trigger.Report, compat bool) {
	s.t.Helper()
	for _, c := range rep.Calls {
		if r := s.find(rep.Self, c, compat); r != nil {
			s.p.withoutHeld(r, c)
			compare(s.t, r, rep.Self, c)
		}
	}
}

type checker struct {
	t testing.TB
	r *event.Record
	c *trigger.Call
}

func (k *checker) errorf(format string, args ...any) {
	k.t.Helper()
	k.t.Errorf("%s(%x) = %d: %s", k.c.Event, k.c.Args, k.c.Ret, fmt.Sprintf(format, args...))
}

func compare(t testing.TB, r *event.Record, self trigger.Self, c *trigger.Call) {
	t.Helper()
	k := &checker{t, r, c}
	if r.EventName() != c.Event {
		k.errorf("event %s", r.EventName())
		return
	}
	k.header(self)
	k.params()
	k.parts()
	k.file()
	k.sock()
}

func (k *checker) header(self trigger.Self) {
	k.t.Helper()
	r, c := k.r, k.c
	for _, v := range []struct {
		what      string
		got, want uint64
	}{
		{"parent", uint64(r.PPID), uint64(self.PPID)}, {"uid", uint64(r.UID), uint64(c.UID)}, {"gid", uint64(r.GID), uint64(c.GID)},
		{"login uid", uint64(r.LoginUID), uint64(self.LoginUID)}, {"start in ticks", r.Start / trigger.Ticks, self.StartTicks},
		{"lost", uint64(r.Lost), 0}, {"cgroup", r.Cgroup, ownCgroup(k.t, "cgroup2", "")}, {"v1 cgroup", r.Cgroup1, ownCgroup1(k.t)},
	} {
		if v.got != v.want {
			k.errorf("%s is %d instead of %d", v.what, v.got, v.want)
		}
	}
	var want uint8
	if c.Fault {
		want |= event.FlagFault
	}
	if c.Truncated {
		want |= event.FlagTruncated
	}
	if r.Row().Failed != nil && r.Ret < 0 {
		want |= event.FlagFailed
	}
	if c.Ring {
		want |= event.FlagIOUring
	}
	if c.Unknown {
		want |= event.FlagUnknown
	}
	if got := r.Flags &^ (event.FlagCompat32 | event.FlagChild | event.FlagGroupDead); got != want {
		k.errorf("flags are %#x instead of %#x", got, want)
	}
}

// ownCgroup is the id of the cgroup that this process, and every trigger, is in: the inode of its directory.
func ownCgroup(t testing.TB, fstype, controller string) uint64 {
	t.Helper()
	mount := trigger.CgroupMount(fstype, controller)
	if mount == "" {
		return 0
	}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if f[1] == controller {
			return inode(t, mount+f[2])
		}
	}
	t.Fatalf("no %s cgroup in %s", controller, b)
	return 0
}

func ownCgroup1(t testing.TB) uint64 {
	t.Helper()
	if shared.controller < 0 {
		return 0
	}
	return ownCgroup(t, "cgroup", event.Controllers[shared.controller])
}

func inode(t testing.TB, path string) uint64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// params compares every parameter of the row: one without an expectation is a fault of the trigger.
func (k *checker) params() {
	k.t.Helper()
	row := k.r.Row()
	for i := range row.Params {
		p := &row.Params[i]
		w, ok := k.c.Params[p.Name]
		if !ok && k.c.Loose {
			continue
		}
		if !ok {
			k.errorf("nothing says what parameter %s must be", p.Name)
			continue
		}
		if p.Name == "ptid" && w.N == int64(os.Getpid()) {
			w.N = int64(syscall.Gettid()) // the thread of ours that started the process
		}
		if k.r.Numeric(i) {
			v, ok := k.r.Uint(i)
			k.number(p, w, v, ok)
			continue
		}
		b, ok := k.r.Bytes(i)
		k.bytes("parameter "+p.Name, w, b, ok)
	}
}

func (k *checker) number(p *event.Param, w trigger.Want, v uint64, ok bool) {
	k.t.Helper()
	switch {
	case w.Kind == "absent":
		if ok {
			k.errorf("parameter %s is %d instead of absent", p.Name, v)
		}
	case !ok:
		k.errorf("parameter %s is absent", p.Name)
	case w.Kind == "number" && v != uint64(w.N):
		k.errorf("parameter %s is %d (%#x) instead of %d (%#x)", p.Name, int64(v), v, w.N, uint64(w.N))
	case w.Kind == "range" && (int64(v) < w.N || int64(v) > w.Max):
		k.errorf("parameter %s is %d, not from %d to %d", p.Name, v, w.N, w.Max)
	case w.Kind == "flags":
		if want := named(k.t, p, w.Flags); v != want {
			k.errorf("parameter %s is %#x instead of %#x (%v)", p.Name, v, want, w.Flags)
		}
	case w.Kind == "bytes" || w.Kind == "gap":
		k.errorf("parameter %s is a number", p.Name)
	}
}

// named is the value that the schema gives to flags.
func named(t testing.TB, p *event.Param, flags []string) (v uint64) {
	t.Helper()
	for _, name := range flags {
		found := false
		for _, f := range p.Flags.Flags {
			if f.Name == name {
				v, found = v|uint64(f.Value), true
			}
		}
		if !found {
			t.Errorf("flag set %s has no %s", p.Flags.Name, name)
		}
	}
	return v
}

func (k *checker) bytes(what string, w trigger.Want, b []byte, ok bool) {
	k.t.Helper()
	switch {
	case w.Kind == "maybe" && !ok:
	case w.Kind == "absent":
		if ok {
			k.errorf("%s is %q instead of absent", what, b)
		}
	case w.Kind == "gap":
		front, tail, ok := bytes.Cut(b, []byte("<UNKNOWN>"))
		if !ok || len(front) < 1500 || len(tail) != 256 || !bytes.HasPrefix(w.B, front) || !bytes.HasSuffix(w.B, tail) {
			k.errorf("%s is not the beginning and the end of %q: %q", what, w.B, b)
		}
	case !ok:
		k.errorf("%s is absent", what)
	case (w.Kind == "bytes" || w.Kind == "maybe") && !bytes.Equal(b, w.B):
		k.errorf("%s is %q instead of %q", what, b, w.B)
	case w.Kind == "head" && (len(b) != 4095 || !bytes.HasPrefix(w.B, b)):
		k.errorf("%s is %d bytes, not the first 4095 of %q: %q", what, len(b), w.B, b)
	case w.Kind == "polled":
		k.polled(what, w.Flags, b)
	case w.Kind == "number" || w.Kind == "flags" || w.Kind == "range":
		k.errorf("%s is not a number", what)
	}
}

// structures are compared member by member.
var structures = event.PartsOf(event.PartFile, event.PartSock, event.PartTask, event.PartExit)

// shown are pieces whose every use a parameter shows.
var shown = event.PartsOf(
	event.PartName, event.PartName2, event.PartName3, event.PartMem, event.PartMem2, event.PartMem3, event.PartMemory, event.PartPoll,
	event.PartData, event.PartSize, event.PartControl,
) | structures

// ofTask are pieces that every task has, and that some rows about tasks do without.
var ofTask = map[string]bool{"exe": true, "env": true, "argv": true, "cwd": true, "cgroups": true}

// parts compares the captured pieces, those that no parameter shows included.
func (k *checker) parts() {
	k.t.Helper()
	list := k.r.Row().Parts
	if k.r.Flags&event.FlagFailed != 0 {
		list = k.r.Row().Failed
	}
	wanted := make(map[string]bool)
	for _, p := range list {
		b, ok := k.r.Part(p.Kind)
		w, said := k.c.Parts[p.Kind.String()]
		wanted[p.Kind.String()] = true
		switch {
		case p.Kind == event.PartNow:
			k.now()
		case p.Kind == event.PartHere:
			// TestHere
		case said && w.Kind == "maybe" && structures.Has(p.Kind):
		case said && w.Kind != "absent" && structures.Has(p.Kind):
			if !ok {
				k.errorf("piece %s is absent", p.Kind)
			}
		case said:
			k.bytes("piece "+p.Kind.String(), w, b, ok)
		case shown.Has(p.Kind):
			// parameters show these
		case k.c.Loose:
		default:
			k.errorf("nothing says what piece %s must be", p.Kind)
		}
	}
	for kind, w := range k.c.Parts {
		if !wanted[kind] && w.Kind != "absent" && !ofTask[kind] {
			k.errorf("the row has no piece %s", kind)
		}
	}
}

// statDevice turns the kernel's dev_t into the encoding of stat(2), as makedev(3) documents it.
func statDevice(dev uint32) uint64 {
	major, minor := uint64(dev>>20), uint64(dev&0xfffff)
	return major&0xfff<<8 | major&^0xfff<<32 | minor&0xff | minor&^0xff<<12
}

// pidfs hides the type of its files from stat(2), and has one for itself. From include/uapi/linux/magic.h.
const pidfs = 0x50494446

func (k *checker) file() {
	k.t.Helper()
	f, ok := k.r.File()
	want := k.c.File
	if want == nil {
		return
	}
	if !ok {
		k.errorf("no file facts")
		return
	}
	if want.Magic == pidfs {
		f.Mode &= 0o7777
	}
	for _, v := range []struct {
		what      string
		got, want uint64
	}{
		{"device", statDevice(f.Dev), want.Dev}, {"inode", f.Ino, want.Ino}, {"links", uint64(f.Nlink), want.Nlink}, {"ctime", f.Ctime, want.Ctime},
		{"mode", uint64(f.Mode), uint64(want.Mode)}, {"magic", uint64(f.Magic), uint64(want.Magic)}, {"flags", uint64(f.FFlag), uint64(want.Flags)},
		{"kind", uint64(f.Kind), uint64(kindOf(k))},
	} {
		if want.Path && v.what == "flags" {
			v.want = 0
		}
		if v.got != v.want && !(v.what == "ctime" && v.want == 0) {
			k.errorf("file %s is %#x instead of %#x", v.what, v.got, v.want)
		}
	}
	const fmodeRead, fmodeWrite, path = 1, 2, syscall.O_ACCMODE // of include/linux/fs.h, the same since the beginning
	if k.c.File.Flags&0o10000000 == 0 && !want.Path {
		if read := want.Flags&path != syscall.O_WRONLY; (f.FMode&fmodeRead != 0) != read {
			k.errorf("file mode %#x with flags %#x", f.FMode, want.Flags)
		}
		if write := want.Flags&path != syscall.O_RDONLY; (f.FMode&fmodeWrite != 0) != write {
			k.errorf("file mode %#x with flags %#x", f.FMode, want.Flags)
		}
	}
}

// kindOf is what kind of object fstat and the socket's options describe.
func kindOf(k *checker) event.FileKind {
	if k.c.File.Magic == pidfs {
		return event.KindAnon
	}
	switch k.c.File.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		if w := k.c.Parts["path"]; bytes.HasPrefix(w.B, []byte("memfd:")) {
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
		switch k.c.Sock.Family {
		case syscall.AF_INET:
			return event.KindIPv4
		case syscall.AF_INET6:
			return event.KindIPv6
		case syscall.AF_UNIX:
			return event.KindUnix
		case syscall.AF_NETLINK:
			return event.KindNetlink
		case syscall.AF_PACKET:
			return event.KindPacket
		}
		return event.KindSocket
	case 0:
		return event.KindAnon
	}
	return event.KindUnknown
}

func (k *checker) sock() {
	k.t.Helper()
	want := k.c.Sock
	if want == nil {
		return
	}
	s, ok := k.r.Sock()
	if !ok {
		k.errorf("no socket facts")
		return
	}
	for _, v := range []struct {
		what      string
		got, want int
	}{
		{"family", int(s.Family), want.Family}, {"type", int(s.Type), want.Type}, {"protocol", int(s.Proto), want.Proto},
		{"state", int(s.State), want.State}, {"role", int(s.Role), want.Role}, {"bound", int(s.Bound), want.Bound}, {"queue", int(s.Queue), want.Queue}, {"queue limit", int(s.MaxQ), want.MaxQueue},
	} {
		if v.want >= 0 && v.got != v.want {
			k.errorf("socket %s is %d instead of %d", v.what, v.got, v.want)
		}
	}
	switch want.Family {
	case syscall.AF_INET, syscall.AF_INET6:
		if want.LPort < 0 { // what a socket keeps of an attempt that failed is not its address
			return
		}
		if int(s.LPort) != want.LPort || int(s.RPort) != want.RPort {
			k.errorf("ports are %d and %d instead of %d and %d", s.LPort, s.RPort, want.LPort, want.RPort)
		}
		if !bytes.Equal(s.LAddr[:], want.LAddr) || !bytes.Equal(s.RAddr[:], want.RAddr) {
			k.errorf("addresses are %x and %x instead of %x and %x", s.LAddr, s.RAddr, want.LAddr, want.RAddr)
		}
	case syscall.AF_UNIX:
		if got := s.Path[:s.PathLen]; !bytes.Equal(got, want.Path) {
			k.errorf("socket path is %q instead of %q", got, want.Path)
		}
	}
}
