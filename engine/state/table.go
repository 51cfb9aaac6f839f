// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"sync/atomic"

	"falconet/engine/event"
)

// Options configure a Table.
type Options struct {
	// Root is where the host's root directory is seen, "" or "/" without a container around this program (HOST_ROOT).
	Root string
	// MaxProcesses bounds the table; 0 means 65536.
	MaxProcesses int
	// Recorded means that the processes are of another machine or time: nothing is looked up in /proc.
	Recorded bool
}

// Stats counts what a Table had to do beyond following events. Every count only grows but Processes.
type Stats struct {
	Processes      uint64 // entries now
	Evictions      uint64 // entries that left because the table was full
	Misses         uint64 // events of a process that was not in the table
	Refills        uint64 // processes read from /proc
	RefillFailures uint64 // processes that /proc no longer told of
	SlowReads      uint64 // reads of a process's memory through /proc that were given up
	SkippedReads   uint64 // reads of what a container names its users that were left out for a while
}

// Table is the process table. Apply, Of, ParentOf and Tick belong to one goroutine; Stats may be called from any.
type Table struct {
	max    int
	fs     *procFS
	byPID  map[uint32]*Process
	oldest *Process
	newest *Process
	cycle  uint64

	retired []retired
	dying   []dying

	count, evictions, misses, refills, failures, skipped atomic.Uint64
}

// retired is an image that has been replaced: next is the one that took its place.
type retired struct {
	of    *Process
	next  *Image
	cycle uint64
}

type dying struct {
	p     *Process
	cycle uint64
}

// grace is how many whole cycles a former image and a dead process stay after the one in which they were replaced.
const grace = 2

// maxFormer bounds the former images of one process.
const maxFormer = 256

var rowIDs = struct{ execve, execveat, fork, exit event.ID }{
	id("execve"), id("execveat"), id("procfork"), id("procexit"),
}

func id(name string) event.ID {
	ids := event.ByName(name)
	if len(ids) == 0 {
		panic("BUG: the event table has no " + name)
	}
	return ids[0]
}

// NewTable returns an empty table.
func NewTable(o Options) *Table {
	if o.MaxProcesses <= 0 {
		o.MaxProcesses = 65536
	}
	t := &Table{max: o.MaxProcesses, fs: newProcFS(o.Root), byPID: make(map[uint32]*Process)}
	t.fs.other = t.fs.other || o.Recorded
	return t
}

// HasProc reports whether /proc shows processes under the numbers that records have. It does not in a pid namespace other than the
// initial one; what is known of processes then comes from the probe alone.
func (t *Table) HasProc() bool { return !t.fs.other }

// Stats returns the counters.
func (t *Table) Stats() Stats {
	return Stats{
		Processes: t.count.Load(), Evictions: t.evictions.Load(), Misses: t.misses.Load(), Refills: t.refills.Load(),
		RefillFailures: t.failures.Load(), SlowReads: t.fs.slow.Load(), SkippedReads: t.skipped.Load(),
	}
}

// Apply follows what a record tells of its process; most tell nothing new. Records must come in the order of their time.
func (t *Table) Apply(r *event.Record) {
	switch r.Event {
	case rowIDs.execve, rowIDs.execveat:
		if r.Flags&event.FlagFailed == 0 && r.Ret >= 0 {
			t.exec(r)
		}
	case rowIDs.fork:
		t.fork(r)
	case rowIDs.exit:
		t.exit(r)
	default:
		t.moved(r)
	}
}

// moved takes the working directory from other records that carry it: shells change theirs between two calls of clone.
func (t *Table) moved(r *event.Record) {
	kind := event.PartHere
	dir, _ := r.Part(kind)
	if len(dir) == 0 {
		kind = event.PartCwd
		dir, _ = r.Part(kind)
	}
	if len(dir) == 0 {
		return
	}
	p := t.find(r.PID, r.Start)
	if p == nil || p.stub || r.TS < p.img.Since || sameDirectory(p.img.Cwd, dir) {
		return
	}
	img := new(Image)
	*img = *p.img
	img.Since, img.Cwd, img.CwdGap = r.TS, directory(string(dir)), r.Truncated(kind)
	t.replace(p, img)
}

// sameDirectory reports whether cwd, which ends with a slash, is dir.
func sameDirectory(cwd string, dir []byte) bool {
	return cwd == string(dir) || len(cwd) == len(dir)+1 && cwd[:len(dir)] == string(dir)
}

func (t *Table) exec(r *event.Record) {
	img := &Image{Since: r.TS}
	facts, ok := r.Task()
	if ok {
		img.Task, img.HasTask, img.Comm = facts, true, commOf(&facts)
	}
	p := t.find(r.PID, r.Start)
	if p == nil {
		p = t.insert(r.PID, r.Start, img)
		p.ppid = r.PPID
	} else {
		t.replace(p, img)
	}
	p.revive()
	if b, ok := r.Part(event.PartEnv); ok {
		img.Env = shared(img.prev, (*Image).env, b[:min(len(b), envLimit)])
	}
	if b, ok := r.Part(event.PartCwd); ok {
		img.Cwd, img.CwdGap = directory(string(b)), r.Truncated(event.PartCwd)
	}
	if b, ok := r.Part(event.PartExe); ok {
		img.ExePath, img.ExeGap = string(b), r.Truncated(event.PartExe)
	}
	if b, ok := r.Part(event.PartCgroups); ok {
		img.Cgroups = shared(img.prev, (*Image).cgroups, b)
	}
	argv, _ := r.Part(event.PartArgv)
	img.setArgv(argv)
	t.complete(img, r)
}

// complete asks /proc for what the probe could not read, as long as the image is still the one that runs there.
func (t *Table) complete(img *Image, r *event.Record) {
	_, argv := r.Part(event.PartArgv)
	_, exe := r.Part(event.PartExe)
	if argv && exe && img.HasTask {
		return
	}
	var seen Image
	if !t.read(r.PID, r.Start, &seen) {
		return
	}
	if !img.HasTask {
		img.Task, img.HasTask, img.FromProc, img.Comm = seen.Task, true, true, seen.Comm
	}
	if !exe {
		img.ExePath = seen.ExePath
	}
	if !argv {
		img.Exe, img.args, img.NArgs, img.LenArgs = seen.Exe, seen.args, seen.NArgs, seen.LenArgs
	}
	img.setCmdLine()
}

// replace makes img the present image of p.
func (t *Table) replace(p *Process, img *Image) {
	img.prev = p.img
	p.img = img
	t.retired = append(t.retired, retired{p, img, t.cycle})
	if p.former++; p.former < maxFormer {
		return
	}
	last := img
	for range maxFormer / 2 {
		last = last.prev
	}
	last.prev = nil
	p.former = maxFormer / 2
}

// fork follows sched_process_fork: header and facts are the child's. Until it executes something it is what its parent was.
func (t *Table) fork(r *event.Record) {
	facts, ok := r.Task()
	if !ok || facts.PID == 0 || facts.PID != facts.TID {
		return
	}
	p := t.find(facts.PID, facts.Start)
	if p != nil && !p.stub {
		return // it was already there when the table was filled
	}
	img := &Image{}
	parent := t.find(facts.PPID, facts.ParentStart)
	if parent == nil {
		t.misses.Add(1)
		parent = t.refill(facts.PPID)
	}
	if parent != nil {
		*img = *parent.At(r.TS)
	}
	if parent == nil || img.HasTask && (img.Task.ExeIno != facts.ExeIno || img.Task.ExeDev != facts.ExeDev) {
		// With CLONE_PARENT the process was made by a sibling, which may run something else.
		img = &Image{}
		t.read(facts.PID, facts.Start, img)
	}
	img.Since, img.prev, img.FromProc = r.TS, nil, false
	img.setTask(&facts)
	if p == nil || p.gone { // making room for the parent may have cost the stub
		p = t.insert(facts.PID, facts.Start, img)
	} else {
		p.img = img
		p.revive()
	}
	p.ppid = facts.PPID
	t.adopt(p, parent, 0)
}

// revive takes back that p is dead, or that nothing is known of it: a record shows otherwise.
func (p *Process) revive() { p.stub, p.dead, p.expired = false, false, false }

func (t *Table) exit(r *event.Record) {
	p := t.find(r.PID, r.Start)
	if p == nil || r.Flags&event.FlagGroupDead == 0 {
		return
	}
	t.kill(p)
	var reaper uint32
	if b, ok := r.Part(event.PartExit); ok && len(b) >= 8 {
		reaper = binary.LittleEndian.Uint32(b[4:])
	}
	heir := t.current(reaper)
	if heir == nil || heir == p {
		return // the children keep it until their events name another parent
	}
	for p.child != nil {
		c := p.child
		c.ppid = heir.PID
		t.adopt(c, heir, r.TS)
	}
}

// kill marks p dead; it leaves once older events have passed.
func (t *Table) kill(p *Process) {
	if !p.dead {
		p.dead = true
		t.dying = append(t.dying, dying{p, t.cycle})
	}
}

// adopt makes parent the parent of p from ts on; before, p had the parent that it has now.
func (t *Table) adopt(p, parent *Process, ts uint64) {
	for q, n := parent, 0; q != nil; q, n = q.parent, n+1 {
		if q == p || q.gone || n > 1024 { // ids that went round: a circle would never end
			parent = nil
			break
		}
	}
	t.orphan(p)
	p.parent, p.parentSince = parent, ts
	if parent == nil {
		return
	}
	p.prevSib, p.nextSib = nil, parent.child
	if parent.child != nil {
		parent.child.prevSib = p
	}
	parent.child = p
}

// orphan takes p from its parent, which stays known as the former one.
func (t *Table) orphan(p *Process) {
	q := p.parent
	if q == nil {
		return
	}
	if p.prevSib != nil {
		p.prevSib.nextSib = p.nextSib
	} else {
		q.child = p.nextSib
	}
	if p.nextSib != nil {
		p.nextSib.prevSib = p.prevSib
	}
	p.nextSib, p.prevSib, p.parent, p.exParent = nil, nil, nil, q
	if q.expired && q.child == nil {
		t.remove(q)
	}
}

// Tick ends a cycle: call it when every event of a batch has been handled. What older events no longer need leaves here.
func (t *Table) Tick() {
	t.cycle++
	n := 0
	for ; n < len(t.retired) && t.retired[n].cycle+grace < t.cycle; n++ {
		e := &t.retired[n]
		if e.next.prev != nil {
			e.next.prev = nil
			e.of.former = max(e.of.former-1, 0)
		}
	}
	t.retired = shift(t.retired, n)
	for n = 0; n < len(t.dying) && t.dying[n].cycle+grace < t.cycle; n++ {
		p := t.dying[n].p
		if !p.dead { // an exec showed that it lives
			continue
		}
		if p.child != nil {
			p.expired = true
			continue
		}
		t.remove(p)
	}
	t.dying = shift(t.dying, n)
}

// shift drops the first n entries and keeps the slice's memory.
func shift[T any](s []T, n int) []T {
	if n == 0 {
		return s
	}
	m := copy(s, s[n:])
	clear(s[m:])
	return s[:m]
}

func (t *Table) insert(pid uint32, start uint64, img *Image) *Process {
	for int(t.count.Load()) >= t.max {
		t.evict()
	}
	p := &Process{PID: pid, Start: start, img: img, seen: t.cycle}
	if q := t.byPID[pid]; q == nil || q.Start <= start {
		p.older = q
		t.byPID[pid] = p
		if q != nil { // its exit was missed, or is still to come
			t.kill(q)
		}
	} else {
		for q.older != nil && q.older.Start > start {
			q = q.older
		}
		p.older, q.older = q.older, p
		t.kill(p)
	}
	p.prev = t.newest
	if t.newest != nil {
		t.newest.next = p
	} else {
		t.oldest = p
	}
	t.newest = p
	t.count.Add(1)
	return p
}

// remove takes p out of the table for good.
func (t *Table) remove(p *Process) {
	if p.gone {
		return
	}
	p.gone, p.dead = true, true
	t.unlist(p)
	t.count.Add(^uint64(0))
	if q := t.byPID[p.PID]; q == p {
		if p.older != nil {
			t.byPID[p.PID] = p.older
		} else {
			delete(t.byPID, p.PID)
		}
	} else {
		for q != nil && q.older != p {
			q = q.older
		}
		if q != nil {
			q.older = p.older
		}
	}
	for p.child != nil {
		t.orphan(p.child)
	}
	t.orphan(p)
	// Former children may still point here: they must not keep the rest of the lineage.
	p.exParent, p.older, p.img, p.rootOf = nil, nil, &Image{}, nil
}

func (t *Table) unlist(p *Process) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		t.oldest = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		t.newest = p.prev
	}
	p.next, p.prev = nil, nil
}

// evict makes room: the process that has been dead longest, else one that has not been looked up for long.
func (t *Table) evict() {
	t.evictions.Add(1)
	for i := range t.dying {
		if p := t.dying[i].p; !p.gone {
			t.dying = shift(t.dying, i+1)
			t.remove(p)
			return
		}
	}
	// Of a few from the front of the list the one that was looked up longest ago; the others go to its end.
	victim := t.oldest
	for range evictChoice {
		p := t.oldest
		if p.expired || p.seen < victim.seen {
			victim = p
		}
		if p.next == nil {
			break
		}
		t.unlist(p)
		p.prev = t.newest
		t.newest.next = p
		t.newest = p
	}
	t.remove(victim)
}

// evictChoice is how many processes one eviction looks at.
const evictChoice = 16
