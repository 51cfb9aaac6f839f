// SPDX-License-Identifier: Apache-2.0

package state

import (
	"os"
	"strconv"

	"falconet/engine/event"
)

// Seed fills the table with the tasks that the kernel's iterator found (it passes over those that are no group leaders) and completes them from /proc. Call it once, after
// the hooks are attached and before the first record is applied. It returns the number of processes.
func (t *Table) Seed(tasks []event.TaskFacts) int {
	defer t.fs.patient()()
	n := 0
	for i := range tasks {
		f := &tasks[i]
		if f.PID != f.TID || f.PID == 0 || t.find(f.PID, f.Start) != nil {
			continue
		}
		img := &Image{}
		if t.fs.image(f.PID, f.Start, img) {
			img.FromProc = false
		} else if img.Task.Start == f.Start/tick*tick {
			continue // a zombie
		} else {
			img = &Image{}
		}
		img.setTask(f)
		p := t.insert(f.PID, f.Start, img)
		p.ppid = f.PPID
		n++
	}
	t.link()
	return n
}

// Fill fills the table from the tasks that list calls its argument with, or from /proc when list is nil or has none; an error is that of
// list. When to call it and what it returns are as with Seed.
func (t *Table) Fill(list func(func(*event.TaskFacts)) error) (int, error) {
	var tasks []event.TaskFacts
	var err error
	if list != nil {
		err = list(func(f *event.TaskFacts) { tasks = append(tasks, *f) })
	}
	if len(tasks) > 0 {
		return t.Seed(tasks), err
	}
	return t.SeedProc(), err
}

// SeedProc is Seed where the kernel has no task iterator for us: everything comes from /proc.
func (t *Table) SeedProc() int {
	dir, err := os.Open(t.fs.root)
	if err != nil {
		return 0
	}
	defer func() { _ = dir.Close() }()
	defer t.fs.patient()()
	n := 0
	for {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			pid, err := strconv.ParseUint(name, 10, 32)
			if err != nil {
				continue
			}
			img := &Image{}
			if !t.fs.image(uint32(pid), 0, img) {
				continue
			}
			p := t.insert(uint32(pid), img.Task.Start, img)
			p.ppid, p.coarse = img.Task.PPID, true
			n++
		}
		if err != nil {
			break
		}
	}
	t.link()
	return n
}

// patient lifts the pause after slow reads while no event waits; the function that it returns brings it back.
func (f *procFS) patient() func() {
	f.pause = 0
	return func() { f.pause = slowPause }
}

// link gives every process the parent that its facts name.
func (t *Table) link() {
	for p := t.oldest; p != nil; p = p.next {
		if q := t.current(p.ppid); q != nil && p.parent == nil && p.ppid != p.PID {
			t.adopt(p, q, 0)
		}
	}
}
