// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"path"

	"falconet/engine/event"
)

var (
	execveID = event.ByName("execve")[0]
	forkID   = event.ByName("procfork")[0]
)

// reader reads parameters of one event by their names.
type reader struct{ e *raw }

func (r reader) uint(name string, to *uint32) {
	if b, ok := r.e.named(name); ok {
		if v, ok := number(b, true); ok {
			*to = uint32(v)
		}
	}
}

func (r reader) long(name string, to *uint64) {
	if b, ok := r.e.named(name); ok {
		if v, ok := number(b, false); ok {
			*to = v
		}
	}
}

func (r reader) int(name string) (int64, bool) {
	b, ok := r.e.named(name)
	if !ok {
		return 0, false
	}
	v, ok := number(b, true)
	return int64(v), ok
}

// task takes over what an event says of the thread that it is of.
func (r reader) task(p *process) {
	r.long("fdlimit", &p.FDLimit)
	r.long("pgft_maj", &p.FaultsMajor)
	r.long("pgft_min", &p.FaultsMinor)
	r.uint("vm_size", &p.VMSize)
	r.uint("vm_rss", &p.VMRSS)
	r.uint("vm_swap", &p.VMSwap)
	r.uint("uid", &p.UID)
	r.uint("gid", &p.GID)
	r.uint("loginuid", &p.LoginUID)
	r.uint("tty", &p.TTY)
	r.uint("vpgid", &p.VPGID)
	r.uint("pgid", &p.PGID)
	r.long("cap_inheritable", &p.CapInh)
	r.long("cap_permitted", &p.CapPrm)
	r.long("cap_effective", &p.CapEff)
	r.long("exe_ino", &p.ExeIno)
	r.long("exe_ino_ctime", &p.ExeCtime)
	r.long("exe_ino_mtime", &p.ExeMtime)
	r.uint("vtid", &p.VTID)
	r.uint("vpid", &p.VPID)
	r.long("pidns_init_start_ts", &p.PidnsStart)
	if b, ok := r.e.named("comm"); ok && len(text(b)) > 0 {
		p.Comm = [16]byte{}
		copy(p.Comm[:15], text(b))
	}
	exe, ok := r.e.named("exe")
	if ok {
		args, _ := r.e.named("args")
		p.argv = argv(text(exe), args)
		if _, has := r.e.named("comm"); !has { // older versions do not tell it
			p.Comm = [16]byte{}
			copy(p.Comm[:15], path.Base(string(text(exe))))
		}
	}
	if b, ok := r.e.named("cwd"); ok && len(text(b)) > 0 && text(b)[0] == '/' {
		p.cwd = path.Clean(string(text(b)))
	}
}

func (s *Source) cgroups(r reader, p *process) {
	if b, ok := r.e.named("cgroups"); ok && len(b) > 0 && !bytes.Equal(b, p.cgroups) {
		p.cgroups = bytes.Clone(b)
		p.cgroup = s.tables.intern(p.cgroups)
	}
}

// belongs corrects the process of a thread that nothing had told of before an event that says it.
func (s *Source) belongs(th *thread, r reader) *thread {
	pid, ok := r.int("pid")
	if !ok || pid <= 0 || pid == int64(th.proc.PID) {
		return th
	}
	return s.tables.move(th, s.tables.add(th.tid, pid, 0))
}

// exec follows an image that takes the place of another.
func (s *Source) exec(th *thread, e *raw) {
	r := reader{e}
	res, _ := r.int("res")
	th = s.belongs(th, r)
	if ptid, ok := r.int("ptid"); ok && th.proc.Comm[0] == 0 && th.tid == int64(th.proc.PID) { // its beginning was not recorded
		if parent := s.tables.threads[ptid]; parent != nil && parent.proc.Comm[0] != 0 {
			th = s.inherit(th, parent, e.ts)
		}
	}
	p := th.proc
	failed := res < 0
	if failed { // what it says of the new image never came to be
		before := *p
		defer func() { *p = before }()
	}
	r.task(p)
	s.cgroups(r, p)
	r.uint("ptid", &p.PTID)
	r.uint("flags", &p.ExeFlags)
	if b, ok := e.named("env"); ok {
		p.env = bytes.Clone(b[:min(len(b), maxText)])
	}
	name, _ := e.named("filename")
	if name == nil {
		if name, _ = th.begun("filename"); name == nil {
			name, _ = th.begun("pathname")
		}
	}
	name = text(name)
	if b, ok := e.named("trusted_exepath"); ok && len(text(b)) > 0 {
		p.exe = string(text(b))
	} else if !failed {
		p.exe = s.program(th, p, string(name))
	}
	if !failed {
		p.TID = p.PID
		if p.files.users > 1 { // an image has a table of its own
			p.files.users--
			p.files = s.tables.fork(p.files)
		}
		for fd, d := range p.files.byFD {
			const cloexec = 1 << 12 // the schema's O_CLOEXEC
			if d.flags&cloexec != 0 {
				s.tables.close(p.files, fd)
			}
		}
	}
	h := s.header(th, e)
	h.Ret = res
	if failed {
		h.Flags |= event.FlagFailed
	}
	s.compose(p, h, name)
	s.deliver(th, e)
}

// program is the path of a program that a call names.
func (s *Source) program(th *thread, p *process, name string) string {
	dir := p.cwd
	if b, at := th.begun("dirfd"); at != nil {
		fd, _ := number(b, true)
		dir = p.directory(int64(fd))
		if name == "" { // the descriptor itself
			return dir
		}
	}
	if name == "" {
		return p.exe
	}
	return absolute(dir, name)
}

// compose makes a record of a process's image.
func (s *Source) compose(p *process, h event.Header, name []byte) {
	s.out.Begin(h)
	p.ParentStart = 0
	if parent := s.tables.parent(p); parent != nil {
		p.ParentStart, p.PPID = parent.Start, parent.PID
	}
	s.out.Put(event.PartTask, event.BytesOf(&p.TaskFacts))
	s.out.Put(event.PartArgv, p.argv)
	s.out.Put(event.PartEnv, p.env)
	if p.exe != "" {
		s.out.Put(event.PartExe, []byte(p.exe))
	}
	s.out.Put(event.PartCgroups, p.cgroups)
	if p.cwd != "" {
		s.out.Put(event.PartCwd, []byte(p.cwd))
	}
	if name != nil {
		s.out.Put(event.PartName, name)
	}
}

// image composes the record by which the state learns of a process.
func (s *Source) image(p *process, ts uint64) {
	h := p.header(execveID, ts)
	if parent := s.tables.parent(p); parent != nil {
		h.PPID = parent.PID
	}
	s.compose(p, h, nil)
}

// learn tells the state of a process that was there before, but in no list.
func (s *Source) learn(p *process, ts uint64) {
	s.image(p, ts)
	s.apply(s.out.Record())
}

// Bits of the schema's clone_flags.
const (
	cloneFiles  = 1 << 0
	cloneThread = 1 << 13
	inContainer = 1 << 29 // the child is in a pid namespace of its own
)

// clone follows a process or thread that begins: both sides tell of it, and whichever comes first makes it.
func (s *Source) clone(th *thread, e *raw) {
	r := reader{e}
	res, _ := r.int("res")
	var flags uint32
	r.uint("flags", &flags)
	child := res == 0
	fresh := th.proc.Comm[0] == 0
	if child {
		th = s.born(th, r, flags, e)
	} else {
		th = s.belongs(th, r)
		r.task(th.proc)
		s.cgroups(r, th.proc)
		r.uint("ptid", &th.proc.PTID)
		if fresh {
			s.learn(th.proc, e.ts)
		}
		// in a namespace of its own the child has another number than the one that was returned
		virtual := th.proc.VTID != 0 && th.proc.VTID != th.proc.TID
		if res > 0 && flags&inContainer == 0 && !virtual && s.tables.threads[res] == nil {
			s.fork(th, res, flags, e.ts)
		}
	}
	p := th.proc
	h := s.header(th, e)
	if child {
		h.Flags |= event.FlagChild
	}
	h.Ret = res
	facts := p.TaskFacts
	facts.TID = uint32(th.tid)
	own := p.TaskFacts
	p.TaskFacts = facts
	s.compose(p, h, nil)
	p.TaskFacts = own
	if i, ok := e.kind.row.Param("flags"); ok {
		s.out.SetUint(i, uint64(flags))
	}
	s.deliver(th, e)
}

// fork makes the thread tid, a child of th, and tells the state if it is a process.
func (s *Source) fork(th *thread, tid int64, flags uint32, ts uint64) *thread {
	t, parent := s.tables, th.proc
	if flags&cloneThread != 0 {
		return t.add(tid, int64(parent.PID), ts)
	}
	child := s.child(th, tid, flags, ts)
	s.announce(child.proc, ts)
	return child
}

// child makes the process tid of what its parent is.
func (s *Source) child(th *thread, tid int64, flags uint32, ts uint64) *thread {
	t, parent := s.tables, th.proc
	delete(t.procs, tid) // one that had the number before
	child := t.add(tid, tid, ts)
	p := child.proc
	*p = *parent
	p.threads = 1
	if flags&cloneFiles != 0 {
		p.files.users++
	} else {
		p.files = t.fork(parent.files)
	}
	p.PID, p.TID, p.PTID, p.PPID = uint32(tid), uint32(tid), uint32(th.tid), parent.PID
	p.Start, p.ThreadStart, p.ParentStart = ts, ts, parent.Start
	p.VPID, p.VTID = uint32(tid), uint32(tid)
	return child
}

// inherit makes a process that nothing had told of a child of its parent.
func (s *Source) inherit(th, parent *thread, ts uint64) *thread {
	s.tables.leave(th)
	return s.tables.move(th, s.fork(parent, th.tid, 0, ts))
}

func (s *Source) announce(p *process, ts uint64) {
	h := p.header(forkID, ts)
	h.PPID = p.PPID
	s.out.Begin(h)
	s.out.Put(event.PartTask, event.BytesOf(&p.TaskFacts))
	s.handle(s.out.Record())
}

// born follows the child's own side of its beginning.
func (s *Source) born(th *thread, r reader, flags uint32, e *raw) *thread {
	t := s.tables
	ptid, _ := r.int("ptid")
	pid, ok := r.int("pid")
	if !ok {
		pid = th.tid
	}
	unknown := false
	if th.proc.Comm[0] == 0 { // nothing has told of it yet
		if parent := t.threads[ptid]; parent != nil && parent.proc.Comm[0] != 0 && pid == th.tid {
			th = s.inherit(th, parent, e.ts)
			if flags&cloneFiles != 0 {
				t.release(th.proc.files)
				th.proc.files = parent.proc.files
				th.proc.files.users++
			}
		} else {
			th = s.belongs(th, r)
			unknown = th.proc.Comm[0] == 0
		}
	}
	p := th.proc
	if pid == th.tid {
		r.task(p)
		s.cgroups(r, p)
		p.PTID = uint32(ptid)
		if p.VTID != p.TID {
			p.Flags |= event.TaskInPidns
		}
	}
	if unknown {
		s.learn(p, e.ts)
	}
	return th
}

// exit follows a thread that leaves.
func (s *Source) exit(th *thread, e *raw) {
	r := reader{e}
	h := s.header(th, e)
	if s.tables.leave(th) {
		h.Flags |= event.FlagGroupDead
	}
	var facts event.ExitFacts
	status, _ := r.int("status")
	facts.Code = uint32(status)
	r.uint("reaper_tid", &facts.Reaper)
	s.out.Begin(h)
	s.out.Put(event.PartExit, event.BytesOf(&facts))
	s.deliver(th, e)
}
