// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"

	"falconet/engine/event"
)

// convert makes the record of an event that ends a call, and lets the tables follow it.
func (s *Source) convert(th *thread, e *raw) {
	switch e.kind.does {
	case doesExec:
		s.exec(th, e)
		return
	case doesClone:
		s.clone(th, e)
		return
	case doesExit:
		s.exit(th, e)
		return
	}
	p := th.proc
	h := s.head(th, e)
	asked := s.asked(h.Event, call{h.NR, h.Flags&event.FlagCompat32 != 0}) || !th.passing()
	if !asked && e.kind.passive() {
		s.out.Begin(h)
		s.hand()
		return
	}
	h.PPID = s.parentOf(p)
	s.out.Begin(h)
	s.fill(th, e)
	ret := s.out.Header().Ret
	if e.kind.does != doesNothing && (ret >= 0 || ret == -inProgress && e.kind.does == doesConnect) {
		s.follow(th, e, ret)
	}
	if asked || e.kind.moves() {
		s.describe(th, e)
		s.deliver(th, e)
	} else {
		s.hand()
	}
	if e.kind.does == doesClose && ret >= 0 {
		if fd, ok := s.value("fd"); ok {
			s.tables.close(p.files, fd)
		}
	}
}

// inProgress is the error of a connect that goes on by itself.
const inProgress = 115

func (s *Source) deliver(th *thread, e *raw) {
	if s.check != nil {
		s.check(th, e)
	} else if len(th.told) > 0 {
		s.tell(th, e, th.told)
	}
	s.hand()
}

func (s *Source) hand() {
	s.stats.Records++
	s.handle(s.out.Record())
}

func (s *Source) asked(id event.ID, c call) bool {
	return s.Asks == nil || s.Asks(id, c.nr, c.compat)
}

// passive reports whether the end of a call is nothing to the tables.
func (k *schema) passive() bool {
	return k.row != nil && (k.does == doesNothing || k.does == doesOption)
}

// moves reports whether the record is more than what rules look at: where a process is the engine learns from it, and the ends of its socket
// are known when they have been described.
func (k *schema) moves() bool {
	switch k.does {
	case doesChdir, doesFchdir, doesSend, doesReceive:
		return true
	}
	return false
}

// header is that of an event of the thread.
func (s *Source) header(th *thread, e *raw) event.Header {
	h := s.head(th, e)
	h.PPID = s.parentOf(th.proc)
	return h
}

// head is a header without the parent.
func (s *Source) head(th *thread, e *raw) event.Header {
	h := th.proc.header(e.kind.row.ID, e.ts)
	h.TID, h.NR, h.CPU = uint32(th.tid), e.kind.nr, e.cpu
	if e.kind.row.ID == event.Generic {
		c := s.called(th, e)
		if h.NR = c.nr; c.compat {
			h.Flags |= event.FlagCompat32
		}
	}
	return h
}

// parentOf is the pid of a process's parent, 0 when it is not known. A recording of ours tells it of a parent too that is none of its processes.
func (s *Source) parentOf(p *process) uint32 {
	if parent := s.tables.parent(p); parent != nil {
		return parent.PID
	}
	if s.ours {
		return p.PPID
	}
	return 0
}

func (p *process) header(id event.ID, ts uint64) event.Header {
	return event.Header{
		Event: id, TS: ts, Start: p.Start, PID: p.PID, TID: p.TID, PPID: p.PTID, UID: p.UID, GID: p.GID, LoginUID: p.LoginUID, Cgroup: p.cgroup,
	}
}

// source finds the bytes of a row's parameter: at the end of the call, else at its beginning.
func (st *step) source(th *thread, e *raw) (b []byte, signed, ok bool) {
	if b, ok = e.param(st.exit); ok {
		return b, e.kind.params[st.exit].signed, true
	}
	if c := th.call; c != nil && c.number+1 == e.kind.number { // the two halves of a version stand together
		if st.enter < 0 || st.enter >= th.n {
			return nil, false, false
		}
		return th.args[st.enter], c.params[st.enter].signed, true
	}
	if b, p := th.begun(st.name); p != nil {
		return b, p.signed, true
	}
	return nil, false, false
}

// fill sets the parameters of the record: those that the meaning of others depends on first.
func (s *Source) fill(th *thread, e *raw) {
	s.fillSome(th, e, false)
	if e.kind.later {
		s.fillSome(th, e, true)
	}
}

func (s *Source) fillSome(th *thread, e *raw, later bool) {
	for i := range e.kind.plan {
		if e.kind.plan[i].later != later {
			continue
		}
		st := &e.kind.plan[i]
		b, signed, ok := st.source(th, e)
		if !ok {
			continue
		}
		switch st.as {
		case formNumber:
			v, ok := number(b, signed)
			if s.ours && v == 0 && st.piece != event.PartNone {
				if _, has := s.out.Record().Part(st.piece); !has {
					continue // the piece was not known, or else it is told
				}
			}
			if ok {
				s.out.SetUint(st.to, v)
			}
		case formText:
			if isText(b) {
				s.out.SetBytes(st.to, text(b))
			}
		case formBytes:
			if len(b) > 0 || !s.ours { // ours tell when there was something to be empty
				s.out.SetBytes(st.to, b)
			}
		case formAddr:
			if len(b) > 0 {
				s.sockbuf = appendSockaddr(s.sockbuf[:0], b)
				s.out.SetBytes(st.to, s.sockbuf)
			}
		case formDynamic:
			s.dynamic(e, st, b)
		case formPoll:
			s.poll(th.proc, b)
		}
	}
}

// isText tells a string from the mark of one that could not be read: that has no NUL, or is empty.
func isText(b []byte) bool { return len(b) > 0 }

// dynamic sets a parameter behind whose first byte one of several forms follows.
func (s *Source) dynamic(e *raw, st *step, b []byte) {
	if len(b) < 1 {
		return
	}
	kind, b := b[0], b[1:]
	if e.kind.does != doesOption {
		if v, ok := number(b, false); ok && (kind == 0 || !e.kind.texts) {
			s.out.SetUint(st.to, v)
		} else {
			s.out.SetBytes(st.to, text(b))
		}
		return
	}
	const isErrno, isNumber, isLong, isTime = 1, 2, 3, 4
	v, ok := number(b, true)
	var as [16]byte
	switch {
	case kind == isErrno && ok: // the kernel has the error's number without its sign
		binary.LittleEndian.PutUint32(as[:], uint32(-int64(v)))
		b = as[:4]
	case kind == isTime && ok:
		binary.LittleEndian.PutUint64(as[:], v/1e9)
		binary.LittleEndian.PutUint64(as[8:], v%1e9/1e3)
		b = as[:]
	}
	s.out.Put(event.PartMem, b)
}

// poll sets the list of descriptors that a call waited for.
func (s *Source) poll(p *process, b []byte) {
	const entry = 10
	if len(b) < 2 {
		return
	}
	n := int(binary.LittleEndian.Uint16(b))
	b = b[2:]
	s.sockbuf = s.sockbuf[:0]
	for ; n > 0 && len(b) >= entry; n, b = n-1, b[entry:] {
		fd := int64(binary.LittleEndian.Uint64(b))
		f := event.PollFacts{FD: int32(fd), Revents: event.PollEvents(binary.LittleEndian.Uint16(b[8:]))}
		if d := p.files.byFD[fd]; d != nil {
			f.Kind, f.Found = d.kind, 1
			copy(f.Name[:], d.name)
		}
		s.sockbuf = append(s.sockbuf, event.BytesOf(&f)...)
	}
	s.out.Put(event.PartPoll, s.sockbuf)
}

// value reads a parameter of the record under way.
func (s *Source) value(name string) (int64, bool) {
	r := s.out.Record()
	i, ok := r.Row().Param(name)
	if !ok {
		return 0, false
	}
	v, ok := r.Uint(i)
	return int64(v), ok
}

// str reads a parameter of the record under way that is a string.
func (s *Source) str(name string) string {
	r := s.out.Record()
	if i, ok := r.Row().Param(name); ok {
		b, _ := r.Bytes(i)
		return string(b)
	}
	return ""
}

// describe adds what a live kernel says of the objects of the event: its file or socket, and the directories that its paths start from.
func (s *Source) describe(th *thread, e *raw) {
	row, r, p := e.kind.row, s.out.Record(), th.proc
	s.directories(p, r)
	if row.Captures(event.PartCwd) && p.cwd != "" {
		s.out.Put(event.PartCwd, []byte(p.cwd))
	}
	if s.ours {
		s.putNow(th, row)
	}
	if e.kind.fd < 0 || !row.Captures(event.PartFile) && !row.Captures(event.PartSock) {
		return
	}
	fd, ok := r.Int(e.kind.fd)
	if !ok || fd < 0 {
		return
	}
	d := p.files.byFD[fd]
	if d == nil {
		return
	}
	s.file(d, r)
	if d.sock != nil {
		s.socketOf(d, th, e)
	}
}

// file adds the facts of a file.
func (s *Source) file(d *desc, r *event.Record) {
	const (
		created      = 1 << 14 // the schema's O_F_CREATED, and its layers of overlayfs
		upper, lower = 1 << 15, 1 << 16
		fmodeCreated = 1 << 20
	)
	f := event.FileFacts{Ino: d.ino, Dev: kernelDevice(d.dev), Kind: uint8(d.kind)}
	if r.Row().Flags&event.CreatesFD != 0 && d.flags&created != 0 {
		f.FMode = fmodeCreated
	}
	switch {
	case d.flags&upper != 0:
		f.Layer = 1
	case d.flags&lower != 0:
		f.Layer = 2
	}
	if d.facts != nil {
		s.out.Put(event.PartFile, d.facts)
	} else {
		s.out.Put(event.PartFile, event.BytesOf(&f))
	}
	if d.name == "" || d.sock != nil {
		return
	}
	s.out.Put(event.PartPath, []byte(d.name))
	if s.ours && r.Row().Captures(event.PartFSPath) {
		name := d.name
		if d.fspath != "" {
			name = d.fspath
		}
		s.out.Put(event.PartFSPath, []byte(name))
	}
}

// putNow adds what a recording of ours, which tells when it changes, knows of the thread.
func (s *Source) putNow(th *thread, row *event.Row) {
	p := th.proc
	if row.Captures(event.PartNow) {
		if th.now != nil {
			s.out.Put(event.PartNow, th.now)
		} else {
			n := event.NowFacts{
				CapInh: p.CapInh, CapPrm: p.CapPrm, CapEff: p.CapEff, FDLimit: p.FDLimit, FaultsMajor: p.FaultsMajor, FaultsMinor: p.FaultsMinor,
				PGID: p.PGID, VPGID: p.VPGID, SID: p.SID, VPID: p.VPID, VTID: p.VTID, TTY: p.TTY,
			}
			if th.tid != int64(p.PID) {
				n.VTID = uint32(th.tid)
			}
			s.out.Put(event.PartNow, event.BytesOf(&n))
		}
	}
	if _, ok := s.out.Record().Part(event.PartMemory); !ok && row.Captures(event.PartMemory) {
		m := event.MemoryFacts{Size: p.VMSize, RSS: p.VMRSS, Swap: p.VMSwap}
		s.out.Put(event.PartMemory, event.BytesOf(&m))
	}
	if row.Captures(event.PartHere) && p.cwd != "" {
		s.out.Put(event.PartHere, []byte(p.cwd))
	}
}

// forget drops what was told of the event that has passed, but for the room if it is little.
func (s *Source) forget(th *thread) {
	th.told = th.told[:0]
	if cap(th.told) > 256 {
		s.tables.begun -= cap(th.told)
		th.told = nil
	}
}

// kernelDevice is the kernel's number of a device that stat reports as dev: new_decode_dev of include/linux/kdev_t.h.
func kernelDevice(dev uint32) uint32 {
	major, minor := dev>>8&0xfff, dev&0xff|dev>>12&0xfff00
	return major<<20 | minor
}

// directories adds what relative paths start from.
func (s *Source) directories(p *process, r *event.Record) {
	row := r.Row()
	for i := range row.Params {
		w := &row.Params[i]
		if w.Type != event.FSPath && w.Type != event.FSRelPath {
			continue
		}
		kind := event.PartDir
		if w.Needs().Has(event.PartName2) {
			kind = event.PartDir2
		}
		name, ok := r.Bytes(i)
		if !ok || len(name) > 0 && name[0] == '/' || !row.Captures(kind) {
			continue
		}
		dir := p.cwd
		if w.Type == event.FSRelPath {
			fd, ok := r.Int(int(w.DirFD))
			if !ok {
				continue
			}
			dir = p.directory(fd)
		}
		if dir != "" {
			s.out.Put(kind, []byte(dir))
		}
	}
}
