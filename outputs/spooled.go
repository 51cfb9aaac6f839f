// SPDX-License-Identifier: Apache-2.0

package outputs

import "sync"

// spooled is a backlog on disk. Lines reach it through memory, where they wait for store to move them; when the disk does not take
// them they stay there, and are given out from there once the disk holds nothing older.
type spooled struct {
	mem *fifo

	mu      sync.Mutex // guards what follows, and mem against being moved while lines of it are out
	disk    *spool
	fromMem bool // what is out is mem's
	err     error
}

// store moves what waits in memory to the disk. An error means that some of it is still in memory.
func (b *spooled) store() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.move()
}

func (b *spooled) move() error {
	for !b.fromMem {
		l, ok := b.mem.first()
		if !ok {
			break
		}
		if err := b.disk.append(l); err != nil {
			b.err = err
			return err
		}
		b.mem.drop()
	}
	return nil
}

func (b *spooled) next() (Line, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fromMem {
		refused := b.move() != nil
		if l, ok := b.disk.next(); ok {
			return l, true
		}
		if b.disk.out > 0 || !refused {
			return Line{}, false // what is out is to be acknowledged first
		}
	}
	l, ok := b.mem.next()
	b.fromMem = b.fromMem || ok
	return l, ok
}

func (b *spooled) ack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fromMem {
		b.mem.ack()
		b.fromMem = false
		return
	}
	if err := b.disk.ack(); err != nil {
		b.err = err
	}
}

func (b *spooled) rewind() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fromMem {
		b.mem.rewind()
		b.fromMem = false
		return
	}
	b.disk.rewind()
}

// waiting is too high by one for the moment in which a line moves. Like the other counters it does not wait for a disk that hangs.
func (b *spooled) waiting() int { return b.mem.waiting() + b.onDisk() }

// onDisk is the number of lines that the disk holds.
func (b *spooled) onDisk() int { return int(b.disk.n.Load()) }

// lost is the number of lines that the disk took and could not give back.
func (b *spooled) lost() int { return int(b.disk.lost.Load()) }

// takeErr returns what the disk refused since it was asked last.
func (b *spooled) takeErr() error {
	if !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	err := b.err
	b.err = nil
	return err
}

func (b *spooled) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disk.close()
}
