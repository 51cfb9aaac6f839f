// SPDX-License-Identifier: Apache-2.0

package state

import "falconet/engine/event"

// tick is a clock tick of /proc in nanoseconds: USER_HZ is 100 on every Linux that this program runs on.
const tick = 10_000_000

func (t *Table) find(pid uint32, start uint64) *Process {
	for p := t.byPID[pid]; p != nil; p = p.older {
		if p.Start == start || start == 0 {
			return p
		}
		if p.coarse && p.Start/tick == start/tick {
			p.Start, p.coarse = start, false
			return p
		}
	}
	return nil
}

// Current returns the living process that has the pid now, nil when none is in the table.
func (t *Table) Current(pid uint32) *Process { return t.current(pid) }

func (t *Table) current(pid uint32) *Process {
	p := t.byPID[pid]
	if p == nil || pid == 0 || p.dead && p.expired {
		return nil
	}
	return p
}

// Lookup returns the process and the image that ran in it at ts, nanoseconds since boot. ok is false when it is not in the
// table; nothing is read then. It allocates nothing.
func (t *Table) Lookup(pid uint32, start, ts uint64) (p *Process, img *Image, ok bool) {
	p = t.find(pid, start)
	if p == nil {
		return nil, nil, false
	}
	p.seen = t.cycle
	return p, p.At(ts), true
}

// Of returns the process of a record and the image that ran in it at the record's time; both are never nil. A process
// that is not in the table is read from /proc; when it is no longer there, what the record's header tells is all that
// is known of it. It allocates nothing for a process that is in the table.
func (t *Table) Of(r *event.Record) (*Process, *Image) {
	if p, img, ok := t.Lookup(r.PID, r.Start, r.TS); ok {
		return p, img
	}
	t.misses.Add(1)
	img := &Image{}
	if t.read(r.PID, r.Start, img) {
		p := t.insert(r.PID, img.Task.Start, img)
		p.ppid, p.coarse = r.PPID, r.Start == 0
		return p, img
	}
	p := t.insert(r.PID, r.Start, &Image{})
	p.ppid, p.stub = r.PPID, true
	t.kill(p) // it is not in /proc: keep it for the events that are still on their way
	return p, p.img
}

// refill reads the process that has the pid now; nil when there is none.
func (t *Table) refill(pid uint32) *Process {
	img := &Image{}
	if pid == 0 || !t.read(pid, 0, img) {
		return nil
	}
	if p := t.find(pid, img.Task.Start); p != nil {
		return p
	}
	p := t.insert(pid, img.Task.Start, img)
	p.ppid, p.coarse = img.Task.PPID, true
	return p
}

// read fills img from /proc and counts.
func (t *Table) read(pid uint32, start uint64, img *Image) bool {
	if !t.fs.image(pid, start, img) {
		t.failures.Add(1)
		return false
	}
	t.refills.Add(1)
	return true
}

// Threads asks /proc how many threads the process has now, its leader included; false when it is no longer there.
func (t *Table) Threads(p *Process) (int, bool) {
	var img Image
	if !t.fs.stat(p.PID, &img) || img.Task.Start/tick != p.Start/tick {
		return 0, false
	}
	return img.threads, true
}

// ParentOf returns p's parent at time ts, nil when it has none or it is not known. ppid is the parent's pid where the
// caller knows it (the header of an event of p), else 0.
func (t *Table) ParentOf(p *Process, ppid uint32, ts uint64) *Process {
	if p == nil || p.gone {
		return nil
	}
	q := p.parent
	if p.exParent != nil && !p.exParent.gone && ts < p.parentSince {
		q = p.exParent
	}
	if q != nil && !q.gone && (ppid == 0 || q.PID == ppid) {
		return q
	}
	if ppid != 0 && p.exParent != nil && !p.exParent.gone && p.exParent.PID == ppid {
		return p.exParent
	}
	if ppid != 0 && ppid != p.ppid {
		p.ppid, p.sought = ppid, false
	}
	if p.ppid == 0 || p.ppid == p.PID {
		return nil
	}
	q = t.current(p.ppid)
	if q == nil && !p.sought {
		p.sought = true
		q = t.refill(p.ppid)
	}
	if q != nil && !p.gone { // a refill may have evicted p
		t.adopt(p, q, ts)
		return p.parent
	}
	return nil
}

// Alive reports whether the pid is still the process with that start time.
func (t *Table) Alive(pid uint32, start uint64) bool {
	var img Image
	return t.fs.stat(pid, &img) && (start == 0 || img.Task.Start == start/tick*tick)
}
