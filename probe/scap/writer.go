// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"slices"

	"falconet/engine/event"
)

// Lists are what a capture says of the machine before its first event. Times of processes are since the machine's boot.
type Lists struct {
	Machine   Machine
	Addrs     []netip.Addr
	Users     map[uint32]User
	Groups    map[uint32]string
	Processes []event.Listed

	Containers [][]byte // what is known of them, in JSON as Falco's libraries write it
	Time       uint64   // when the capture begins, in Unix time
}

// Writer writes records as a capture. It follows what it has written as a reader would, so that it knows what a reader cannot find out
// from the events alone, and tells it. Its methods belong to one goroutine.
type Writer struct {
	blockWriter
	x       encoder
	shadow  *Source
	live    event.Record // the record at hand, in the time of captures
	raw     []byte
	told    []byte // of it
	header  bool   // told begins with the header
	body    []byte
	aside   []byte // the body of an event before which something is told
	cgroups map[cgroupKey]string
	boot    int64 // what times of processes are added to: the same from beginning to end
	events  uint64
}

type cgroupKey struct{ v2, first uint64 }

// NewWriter begins a capture.
func NewWriter(out io.Writer, l *Lists) (*Writer, error) {
	w := &Writer{
		blockWriter: blockWriter{out: out}, boot: l.Machine.BootTime, cgroups: make(map[cgroupKey]string),
		shadow: newSource(nil, 0),
	}
	w.shadow.ours, w.shadow.running, w.shadow.check = true, true, w.compare
	w.shadow.tables.boot = uint64(w.boot)
	w.section()
	w.machine(&l.Machine)
	w.addrs(l.Addrs)
	w.users(l.Users, l.Groups)
	w.processes(l)
	for _, c := range l.Containers {
		_ = w.Container(c, l.Time) // it is kept in err
	}
	return w, w.err
}

// Events is how many events were written.
func (w *Writer) Events() uint64 { return w.events }

func (w *Writer) processes(l *Lists) {
	var f fields
	list := slices.Clone(l.Processes)
	for i := range list {
		p := &list[i]
		translateTask(&p.Task, w.boot)
		w.cgroups[cgroupKey{p.Task.Cgroup, p.Task.Cgroup1}] = p.Cgroups
		f.thread(p, p.Task.PID, uint64(w.boot))
		for _, tid := range p.Threads {
			if tid != p.Task.PID {
				f.thread(p, tid, uint64(w.boot))
			}
		}
	}
	w.listed(blockProcs9, f)
	for i := range list {
		p := &list[i]
		var f fields
		f.u64(uint64(p.Task.PID))
		for j := range p.FDs {
			f.fd(&p.FDs[j])
		}
		w.listed(blockFDs2, f)
	}
	for i := range list {
		w.process(tagProcess, &list[i].Task, l.Time)
	}
}

// listed writes a list and reads it as a reader does.
func (w *Writer) listed(kind uint32, body []byte) {
	w.block(kind, body)
	l := &list{in: bufio.NewReaderSize(bytes.NewReader(body), window), left: int64(len(body))}
	if kind == blockFDs2 {
		_ = l.fds(true, w.shadow.listedFD)
		return
	}
	_ = l.procs(procVersions[kind], w.shadow.tables.describe)
}

// process tells all of a process.
func (w *Writer) process(tag uint8, f *event.TaskFacts, ts uint64) {
	w.told = appendEntry(append(w.told[:0], toldVersion), tag, event.BytesOf(f))
	w.tell(ts, int64(f.TID))
	w.shadow.began(*f, ts, tag == tagFork)
}

// Container writes what is known of a container, in JSON as Falco's libraries write it.
func (w *Writer) Container(text []byte, ts uint64) error {
	w.x.begin(true)
	w.x.data = append(append(w.x.data, text...), 0)
	w.x.end(0)
	w.block(blockLarge, w.event(0, ts, -1, containerNumber, 1))
	return w.err
}

var asideNumber, containerNumber = numberNamed("asyncevent"), numberNamed("container")

// numberNamed is the number of the type of event with a name that is no call.
func numberNamed(name string) uint16 {
	for i := len(schemas) - 1; i >= 0; i-- {
		if s := &schemas[i]; s.name == name {
			return s.number
		}
	}
	panic("BUG: schema: no " + name)
}

// tell writes what is in told.
func (w *Writer) tell(ts uint64, tid int64) {
	x := &w.x
	x.begin(true)
	x.number(0, 4) // of no plugin
	x.end(0)
	from := len(x.data)
	x.data = append(append(x.data, toldName...), 0)
	x.end(from)
	from = len(x.data)
	x.data = append(x.data, w.told...)
	x.end(from)
	w.block(blockLarge, w.event(0, ts, tid, asideNumber, 3))
}

// event puts the parameters in x behind the header of an event.
func (w *Writer) event(cpu uint16, ts uint64, tid int64, number uint16, params int) []byte {
	b := binary.LittleEndian.AppendUint16(w.body[:0], cpu)
	b = binary.LittleEndian.AppendUint64(b, ts)
	b = binary.LittleEndian.AppendUint64(b, uint64(tid))
	b = binary.LittleEndian.AppendUint32(b, uint32(eventHeader2+len(w.x.lengths)+len(w.x.data)))
	b = binary.LittleEndian.AppendUint16(b, number)
	b = binary.LittleEndian.AppendUint32(b, uint32(params))
	w.body = append(append(b, w.x.lengths...), w.x.data...)
	return w.body
}

// Record writes a record whose times are since boot, which was at a Unix time in nanoseconds. Records must come in the order of their time.
func (w *Writer) Record(r *event.Record, boot int64) error {
	if !w.translate(r, boot) {
		return w.err
	}
	live := &w.live
	if live.Event == forkID {
		if f, ok := live.Task(); ok {
			w.process(tagFork, &f, live.TS)
		}
		return w.err
	}
	kind := newest[live.Event]
	if kind == nil {
		return w.err
	}
	w.told, w.header = append(w.told[:0], toldVersion), false
	w.identify()
	w.x.record(kind, live)
	body := w.event(live.CPU, live.TS, int64(live.TID), kind.number, len(kind.steps))
	blk := block{kind: blockEvent2, body: body}
	if kind.large {
		blk.kind = blockLarge
	}
	err := w.shadow.event(&blk) // calls compare
	if err == nil && len(w.told) > 1 {
		w.aside = append(w.aside[:0], body...)
		w.tell(live.TS, int64(live.TID))
		body = w.aside
	}
	w.events++
	w.block(blk.kind, body)
	return w.err
}

// translate copies the record into live, with times since the epoch.
func (w *Writer) translate(r *event.Record, boot int64) bool {
	w.raw = append(w.raw[:0], r.Raw()...)
	if w.live.Reset(w.raw) != nil {
		return false
	}
	w.live.TS += uint64(boot)
	if w.live.Start != 0 {
		w.live.Start += uint64(w.boot)
	}
	if b, ok := w.live.Part(event.PartTask); ok {
		if f, ok := event.DecodeTask(b); ok {
			translateTask(&f, w.boot)
			copy(b, event.BytesOf(&f))
		}
	}
	return true
}

// translateTask makes the times of a task, which are since boot, those since the epoch, but for when the pid namespace began: events have that
// since boot.
func translateTask(f *event.TaskFacts, boot int64) {
	for _, t := range [...]*uint64{&f.Start, &f.ThreadStart, &f.ParentStart} {
		if *t != 0 {
			*t += uint64(boot)
		}
	}
}
