// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"path"
	"strings"

	"falconet/engine/event"
)

// tables are the processes and descriptors of the recorded machine. Both are bounded; what finds no room is counted.
type tables struct {
	threads map[int64]*thread
	last    *thread // that was asked for: a thread has many events in a row
	procs   map[int64]*process
	cgroups map[string]uint64
	fds     int             // weight of all descriptors
	begun   int             // bytes that are kept of the beginnings of calls
	boot    uint64          // of the machine, in Unix time: lists count from the epoch when a pid namespace began, events from here
	serving map[uint16]bool // ports that a program listens on, as far as lists and calls told

	maxThreads, maxFDs int
	full               uint64
}

// thread is one thread with the call that it is in.
type thread struct {
	tid  int64
	proc *process

	call *schema          // the beginning of a call whose end is not yet seen, nil without one
	args [maxBegun][]byte // its parameters, which alias kept
	n    int
	kept []byte

	told []byte // of the next event, by a recording of ours
	now  []byte // NowFacts that were told last
}

// maxBegun is more parameters than the beginning of a call has.
const maxBegun = 8

// begun returns a parameter of the beginning of the call under way.
func (th *thread) begun(name string) (b []byte, p *param) {
	if th.call == nil {
		return nil, nil
	}
	i, ok := th.call.byName[name]
	if !ok || i >= th.n {
		return nil, nil
	}
	return th.args[i], &th.call.params[i]
}

// process is a thread group.
type process struct {
	event.TaskFacts
	argv, env, cgroups []byte
	cwd, exe           string // cwd has no slash at its end
	cgroup             uint64
	threads            int
	files              *files
}

// files is a table of descriptors, which processes may share.
type files struct {
	byFD  map[int64]*desc
	users int
}

// desc is what is behind a descriptor. It is not changed once two descriptors share it, but for a socket's state, which they share too.
type desc struct {
	kind  event.FileKind
	name  string
	ino   uint64
	dev   uint32 // as stat reports it
	flags uint32 // of the open, in the schema's numbers
	sock  *event.SockFacts

	facts  []byte // FileFacts, as far as they were told
	fspath string // path inside the filesystem where it is not name

	size    int // see weight
	holders int // tables' places where it is
}

const (
	kindFile = event.KindFile

	// Kernel values: include/linux/socket.h, include/net/tcp_states.h.
	familyUnix, familyInet, familyInet6, familyNetlink = 1, 2, 10, 16
	sockStream, sockDgram, sockRaw                     = 1, 2, 3
	protoICMP, protoTCP, protoUDP                      = 1, 6, 17
	stateEstablished, stateListen                      = 1, 10
)

// listedKinds are the kinds of descriptors that a list names, but sockets, and the names that the kernel gives to anonymous ones.
var listedKinds = [...]struct {
	kind event.FileKind
	anon string
}{
	1: {kind: kindFile}, 2: {kind: event.KindDirectory}, 7: {kind: event.KindFIFO}, 9: {event.KindAnon, "anon_inode:[eventfd]"},
	10: {}, 11: {event.KindAnon, "anon_inode:[signalfd]"}, 12: {event.KindAnon, "anon_inode:[eventpoll]"}, 13: {event.KindAnon, "anon_inode:inotify"},
	14: {event.KindAnon, "anon_inode:[timerfd]"}, 15: {kind: event.KindNetlink}, 17: {event.KindAnon, "anon_inode:bpf-map"},
	18: {event.KindAnon, "anon_inode:[userfaultfd]"}, 19: {event.KindAnon, "anon_inode:[io_uring]"}, 20: {kind: event.KindMemfd},
	21: {event.KindAnon, "anon_inode:[pidfd]"},
}

func newTables(maxThreads int) *tables {
	if maxThreads <= 0 {
		maxThreads = 262144
	}
	return &tables{
		threads: make(map[int64]*thread), procs: make(map[int64]*process), cgroups: make(map[string]uint64), serving: make(map[uint16]bool),
		maxThreads: maxThreads, maxFDs: 4 * maxThreads,
	}
}

func newFiles() *files { return &files{byFD: make(map[int64]*desc), users: 1} }

// maxCgroups bounds the paths of cgroups that are told apart.
const maxCgroups = 1 << 16

// intern gives a list of cgroups a number, as the kernel has one for each.
func (t *tables) intern(cgroups []byte) uint64 {
	if id, ok := t.cgroups[string(cgroups)]; ok {
		return id
	}
	if len(t.cgroups) >= maxCgroups {
		t.full++
		return 0
	}
	id := uint64(len(t.cgroups) + 1)
	t.cgroups[string(cgroups)] = id
	return id
}

// thread returns a thread, which is made up if nothing has told of it.
func (t *tables) thread(tid int64) *thread {
	if t.last != nil && t.last.tid == tid {
		return t.last
	}
	if th := t.threads[tid]; th != nil {
		t.last = th
		return th
	}
	return t.add(tid, tid, 0)
}

// add enters a thread of the process pid, and the process if it is new. start is when that began, 0 when it is not known.
func (t *tables) add(tid, pid int64, start uint64) *thread {
	if old := t.threads[tid]; old != nil {
		t.leave(old)
	}
	if len(t.threads) >= t.maxThreads {
		t.full++
		for _, th := range t.threads { // any: nothing tells which of them is still alive
			t.leave(th)
			break
		}
	}
	p := t.procs[pid]
	if p == nil {
		p = &process{files: newFiles()}
		p.PID, p.TID, p.Start, p.ThreadStart, p.LoginUID = uint32(pid), uint32(pid), start, start, ^uint32(0)
		t.procs[pid] = p
	}
	p.threads++
	th := &thread{tid: tid, proc: p}
	t.threads[tid] = th
	return th
}

// leave takes a thread away, and reports whether it was the last of its process.
func (t *tables) leave(th *thread) bool {
	if t.threads[th.tid] != th {
		return false
	}
	delete(t.threads, th.tid)
	t.begun -= cap(th.kept) + cap(th.told)
	t.last = nil
	p := th.proc
	if p.threads--; p.threads > 0 {
		return false
	}
	t.release(p.files)
	if t.procs[int64(p.PID)] == p {
		delete(t.procs, int64(p.PID))
	}
	return true
}

// move hands the call that a thread is in, which has left, to the one that takes its place.
func (t *tables) move(from, to *thread) *thread {
	to.call, to.args, to.n, to.kept, to.told, to.now = from.call, from.args, from.n, from.kept, from.told, from.now
	t.begun += cap(to.kept) + cap(to.told)
	from.kept, from.told = nil, nil
	return to
}

func (t *tables) release(f *files) {
	if f.users--; f.users > 0 {
		return
	}
	for fd := range f.byFD {
		t.close(f, fd)
	}
}

// parent returns the process of the thread that is p's parent, nil when it is not known.
func (t *tables) parent(p *process) *process {
	if th := t.threads[int64(p.PTID)]; th != nil {
		return th.proc
	}
	return nil
}

// set puts a descriptor into a table.
func (t *tables) set(f *files, fd int64, d *desc) {
	old, replaces := f.byFD[fd]
	if !replaces && t.fds+d.weight() > t.maxFDs {
		t.full++
		return
	}
	t.fds += d.weight()
	d.holders++
	if replaces {
		t.fds -= old.weight()
		old.holders--
	}
	f.byFD[fd] = d
}

// weight is how much of the room for descriptors d takes in each table: long names count.
func (d *desc) weight() int {
	if d.size == 0 {
		d.size = weightOf(d.name, d.fspath)
	}
	return d.size
}

func weightOf(name, fspath string) int { return 1 + (len(name)+len(fspath))/128 }

// rename gives a descriptor other paths, if there is room for them.
func (t *tables) rename(d *desc, name, fspath string) {
	more := (weightOf(name, fspath) - d.weight()) * d.holders
	if more > 0 && t.fds+more > t.maxFDs {
		t.full++
		return
	}
	t.fds += more
	d.name, d.fspath, d.size = name, fspath, weightOf(name, fspath)
}

func (t *tables) close(f *files, fd int64) {
	if d, ok := f.byFD[fd]; ok {
		t.fds -= d.weight()
		d.holders--
		delete(f.byFD, fd)
	}
}

// fork copies a table.
func (t *tables) fork(f *files) *files {
	c := &files{byFD: make(map[int64]*desc, len(f.byFD)), users: 1}
	for fd, d := range f.byFD {
		t.set(c, fd, d)
	}
	return c
}

// socket makes d one.
func (d *desc) socket(family uint16) *event.SockFacts {
	d.sock = &event.SockFacts{Family: family}
	switch family {
	case familyUnix:
		d.kind = event.KindUnix
	case familyInet:
		d.kind = event.KindIPv4
	case familyInet6:
		d.kind = event.KindIPv6
	case familyNetlink:
		d.kind = event.KindNetlink
	default:
		d.kind = event.KindSocket
	}
	return d.sock
}

func setPath(s *event.SockFacts, name []byte) {
	s.PathLen = uint8(copy(s.Path[:], name))
}

// directory is what a relative path starts from: the working directory, or what the descriptor holds; "" when that is not known.
func (p *process) directory(fd int64) string {
	const atCwd = -100
	if fd == atCwd || int32(fd) == atCwd {
		return p.cwd
	}
	if d := p.files.byFD[fd]; d != nil && strings.HasPrefix(d.name, "/") {
		return d.name
	}
	return ""
}

// absolute makes a path absolute by its text alone, as the recording program did; "" when what it starts from is not known.
func absolute(dir, name string) string {
	if !strings.HasPrefix(name, "/") {
		if dir == "" {
			return ""
		}
		name = dir + "/" + name
	}
	return path.Clean(name)
}

// describe takes over what a list says of a thread.
func (t *tables) describe(l *listed) {
	th := t.add(l.tid, l.pid, 0) // a list does not say when a process began
	if l.tid != l.pid && th.proc.Comm[0] != 0 {
		return // of a process the first thread counts
	}
	p := th.proc
	p.PTID = uint32(l.ptid)
	p.SID, p.VPGID, p.PGID = some(l.sid), some(l.vpgid), some(l.pgid)
	p.VTID, p.VPID = some(l.vtid), some(l.vpid)
	if l.vtid >= 0 && l.vtid != l.tid {
		p.Flags |= event.TaskInPidns
	}
	copy(p.Comm[:15], l.comm)
	p.exe, p.cwd = l.exepath, path.Clean("/"+l.cwd)
	p.argv = argv([]byte(l.exe), l.args)
	p.env, p.cgroups = l.env[:min(len(l.env), maxText)], l.cgroups
	p.cgroup = t.intern(l.cgroups)
	p.FDLimit, p.FaultsMajor, p.FaultsMinor = l.fdlimit, l.major, l.minor
	p.UID, p.GID, p.LoginUID, p.TTY = l.uid, l.gid, l.loginuid, l.tty
	p.VMSize, p.VMRSS, p.VMSwap = l.vmsize, l.vmrss, l.vmswap
	p.CapInh, p.CapPrm, p.CapEff = l.capInh, l.capPrm, l.capEff
	p.ExeFlags, p.ExeIno, p.ExeCtime, p.ExeMtime, p.PidnsStart = l.exeFlags, l.ino, l.ctime, l.mtime, l.pidnsStart
	if p.PidnsStart >= t.boot {
		p.PidnsStart -= t.boot
	}
}

func some(v int64) uint32 {
	if v < 0 {
		return 0
	}
	return uint32(v)
}

// maxText bounds what is kept of arguments and of an environment, as Falco's documentation has it.
const maxText = 4096

// argv joins the name of a program with its arguments.
func argv(exe, args []byte) []byte {
	args = args[:min(len(args), maxText)]
	out := make([]byte, 0, len(exe)+len(args)+2)
	out = append(append(out, exe...), 0)
	if args = trim(args); len(args) > 0 {
		out = append(append(out, args...), 0)
	}
	return out
}
