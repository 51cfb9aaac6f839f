// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"
	"slices"

	"falconet/engine/event"
)

// The events of the format tell little of the kernel's objects: a path as the call named it, ends of a socket when they changed. What our
// own recordings know beyond that, where it differs from what a reader makes of the events, stands before the event that it is of, in an
// asynchronous event of the same thread with our name. Other readers pass over those.

// toldName is the name of asynchronous events that are ours.
const toldName = "falconet"

// toldVersion is the first byte of their data. Entries follow: a tag, 16 bits of length, and as many bytes.
const toldVersion = 1

// absent is the length of a piece that the record has not.
const absent = 1<<16 - 1

// Tags beside those of pieces.
const (
	tagHeader  = 0x80 + iota // headerSize bytes, see putHeader
	tagCall                  // result, number and registers of the call
	tagProcess               // the task of a process that was there when the recording began, or of which nothing was told
	tagFork                  // the task of a thread that is new
)

// toldParts are the pieces by their tags. It only ever grows at its end.
var toldParts = [...]event.PartKind{
	1: event.PartName, 2: event.PartName2, 3: event.PartPath, 4: event.PartFSPath, 5: event.PartDir, 6: event.PartDir2, 7: event.PartFile,
	8: event.PartSock, 9: event.PartSockAddr, 10: event.PartQueue, 11: event.PartTask, 12: event.PartArgv, 13: event.PartEnv, 14: event.PartCwd,
	15: event.PartExe, 16: event.PartCgroups, 17: event.PartMem, 18: event.PartMem2, 19: event.PartExit, 20: event.PartName3, 21: event.PartMem3,
	22: event.PartMemory, 23: event.PartPoll, 24: event.PartData, 25: event.PartSize, 26: event.PartControl, 27: event.PartChanged,
	28: event.PartNow, 29: event.PartHere, 30: event.PartPath2,
}

// maxFacts bounds what is kept of a structure of a later version.
const maxFacts = 256

// entries calls fn for each entry of what was told; b is nil for a piece that is absent. It stops where the bytes end.
func entries(data []byte, fn func(tag uint8, b []byte)) {
	if len(data) < 1 || data[0] != toldVersion {
		return
	}
	for data = data[1:]; len(data) >= 3; {
		tag, n := data[0], int(binary.LittleEndian.Uint16(data[1:]))
		data = data[3:]
		if n == absent {
			fn(tag, nil)
			continue
		}
		if n > len(data) {
			return
		}
		fn(tag, data[:n:n])
		data = data[n:]
	}
}

// appendEntry appends an entry; what is too long is left out.
func appendEntry(dst []byte, tag uint8, b []byte) []byte {
	if len(b) >= absent {
		return dst
	}
	dst = append(dst, tag)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(b)))
	return append(dst, b...)
}

// who is what the header of a record says of the event's task.
type who struct {
	Start                         uint64
	PID, PPID, UID, GID, LoginUID uint32
	NR                            uint16
	Flags                         uint8
}

const whoSize = 8 + 5*4 + 2 + 1

func whoOf(h *event.Header) who {
	return who{h.Start, h.PID, h.PPID, h.UID, h.GID, h.LoginUID, h.NR, h.Flags}
}

func (w who) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, w.Start)
	for _, v := range [...]uint32{w.PID, w.PPID, w.UID, w.GID, w.LoginUID} {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return append(binary.LittleEndian.AppendUint16(dst, w.NR), w.Flags)
}

func readWho(b []byte) (w who, ok bool) {
	if len(b) < whoSize {
		return w, false
	}
	w.Start = binary.LittleEndian.Uint64(b)
	for i, p := range [...]*uint32{&w.PID, &w.PPID, &w.UID, &w.GID, &w.LoginUID} {
		*p = binary.LittleEndian.Uint32(b[8+4*i:])
	}
	w.NR, w.Flags = binary.LittleEndian.Uint16(b[28:]), b[30]
	return w, true
}

// told takes an asynchronous event of ours: what it tells is kept for the next event of the thread, but for processes and threads that are
// new, which are made at once. ok is false for events of others.
func (s *Source) told(e *raw) (ok bool) {
	data, ok := e.aside(toldName)
	if !ok {
		return false
	}
	s.ours = true
	keep := false
	entries(data, func(tag uint8, b []byte) {
		switch tag {
		case tagProcess, tagFork:
			if f, ok := event.DecodeTask(b); ok {
				s.began(f, e.ts, tag == tagFork)
			}
		default:
			keep = true
		}
	})
	if keep {
		th := s.tables.thread(e.tid)
		s.tables.begun -= cap(th.told)
		if th.told = th.told[:0]; len(data) <= maxBegunBytes-s.tables.begun {
			th.told = append(th.told, data...)
		}
		s.tables.begun += cap(th.told)
	}
	return true
}

// began enters a thread that the recording tells all of.
func (s *Source) began(f event.TaskFacts, ts uint64, fork bool) {
	t := s.tables
	if f.PID != f.TID {
		if th := t.threads[int64(f.TID)]; th == nil || th.proc.PID != f.PID {
			t.add(int64(f.TID), int64(f.PID), f.Start)
		}
		return
	}
	if fork {
		if th := t.threads[int64(f.TID)]; th != nil && th.proc.Start == f.Start {
			return
		}
		parent := t.threads[int64(f.PTID)]
		if parent == nil {
			parent = t.thread(int64(f.PPID))
		}
		child := s.child(parent, int64(f.TID), 0, f.Start)
		child.proc.TaskFacts = f
		s.announce(child.proc, ts)
		return
	}
	th := t.thread(int64(f.TID))
	p := th.proc
	if p.PID != f.PID {
		th = t.move(th, t.add(th.tid, int64(f.PID), f.Start))
		p = th.proc
	}
	p.TaskFacts = f
	if s.running {
		s.learn(p, ts)
	}
}

// entry finds what was told of the thread's next event under a tag.
func (th *thread) entry(tag uint8) (b []byte, ok bool) {
	entries(th.told, func(t uint8, v []byte) {
		if t == tag {
			b, ok = v, true
		}
	})
	return b, ok
}

// passing reports whether what was told of the thread's next event, if anything, is about that event alone.
func (th *thread) passing() bool {
	passing := true
	entries(th.told, func(tag uint8, _ []byte) { passing = passing && tag == tagCall })
	return passing
}

// identify corrects the thread and its process as the event's header has them.
func (s *Source) identify(th *thread, w who) *thread {
	if w.PID != th.proc.PID {
		th = s.tables.move(th, s.tables.add(th.tid, int64(w.PID), w.Start))
	}
	p := th.proc
	p.UID, p.GID, p.LoginUID = w.UID, w.GID, w.LoginUID
	if p.Start != w.Start {
		p.Start = w.Start
		if s.running {
			s.learn(p, 0)
		}
	}
	if s.parentOf(p) != w.PPID {
		p.PTID, p.PPID = w.PPID, w.PPID
	}
	return th
}

// tell puts what was told into the record under way, and keeps what is true of later events too.
func (s *Source) tell(th *thread, e *raw, data []byte) {
	var d *desc
	if fd, ok := s.descriptor(e); ok && e.kind.row.Object != event.ObjNone && e.kind.row.Object != event.ObjInside {
		if d = th.proc.files.byFD[fd]; d == nil && e.kind.does != doesClose {
			d = &desc{}
			s.tables.set(th.proc.files, fd, d)
		}
	}
	entries(data, func(tag uint8, b []byte) {
		switch {
		case tag == tagHeader:
			if w, ok := readWho(b); ok {
				h := s.out.Header()
				h.NR, h.PPID = w.NR, w.PPID
				h.Flags |= w.Flags &^ event.FlagFailed
			}
		case tag == tagCall:
			s.out.SetCall(b)
		case int(tag) < len(toldParts) && toldParts[tag] != event.PartNone:
			k := toldParts[tag]
			if b == nil {
				s.out.Drop(k)
			} else {
				s.out.Put(k, b)
			}
			s.keep(k, b, th, d)
		}
	})
}

// descriptor is the one that the event under way is about.
func (s *Source) descriptor(e *raw) (int64, bool) {
	if e.kind.fd < 0 {
		return 0, false
	}
	fd, ok := s.out.Record().Int(e.kind.fd)
	return fd, ok && fd >= 0
}

// keep takes over a piece that says how things are from now on.
func (s *Source) keep(k event.PartKind, b []byte, th *thread, d *desc) {
	p := th.proc
	switch k {
	case event.PartCwd, event.PartHere:
		if len(b) <= maxText {
			p.cwd = trimSlash(string(b))
		}
	case event.PartCgroups:
		p.cgroups = slices.Clone(b)
		p.cgroup = s.tables.intern(p.cgroups)
		s.out.Header().Cgroup = p.cgroup
	case event.PartNow:
		if _, ok := event.NowOf(b); ok && len(b) <= maxFacts {
			th.now = append(th.now[:0], b...)
		}
	}
	if d == nil {
		return
	}
	switch k {
	case event.PartPath:
		s.tables.rename(d, string(b), d.fspath)
	case event.PartFSPath:
		s.tables.rename(d, d.name, string(b))
	case event.PartFile:
		if _, ok := event.FileOf(b); ok && len(b) <= maxFacts {
			d.facts = append(d.facts[:0], b...)
		}
	case event.PartSock:
		if f, ok := event.SockOf(b); ok {
			if d.sock == nil {
				d.sock = new(event.SockFacts)
			}
			*d.sock = f
		}
	}
}

func trimSlash(s string) string {
	if len(s) > 1 && s[len(s)-1] == '/' {
		return s[:len(s)-1]
	}
	return s
}
