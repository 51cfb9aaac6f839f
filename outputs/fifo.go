// SPDX-License-Identifier: Apache-2.0

package outputs

import "sync"

// backlog is what waits for a sink, oldest first. A line that was given out stays in it until it is acknowledged, so that it can
// be given out again.
type backlog interface {
	// next gives out the oldest line that is not out yet.
	next() (l Line, ok bool)
	// ack forgets every line that is out.
	ack()
	// rewind takes back every line that is out: they come first again.
	rewind()
	// waiting is the number of lines, those that are out included.
	waiting() int
}

// fifo is a backlog in memory.
type fifo struct {
	mu    sync.Mutex
	room  int
	lines []Line // lines[head:] wait
	head  int
	out   int // of these, the first so many are out

	freed chan struct{} // has an element when room was made since it was looked at
}

func newFIFO(room int) *fifo { return &fifo{room: room, freed: make(chan struct{}, 1)} }

// push adds a line at the end. It reports false when there is no room.
func (f *fifo) push(l Line) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines)-f.head >= f.room {
		return false
	}
	if f.head > len(f.lines)/2 && len(f.lines) == cap(f.lines) {
		n := copy(f.lines, f.lines[f.head:])
		clear(f.lines[n:])
		f.lines, f.head = f.lines[:n], 0
	}
	f.lines = append(f.lines, l)
	return true
}

func (f *fifo) next() (Line, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head+f.out >= len(f.lines) {
		return Line{}, false
	}
	f.out++
	return f.lines[f.head+f.out-1], true
}

func (f *fifo) ack() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.lines[f.head : f.head+f.out])
	f.head += f.out
	f.out = 0
	f.freedRoom()
}

// freedRoom is called with mu held.
func (f *fifo) freedRoom() {
	if f.head == len(f.lines) {
		f.lines, f.head = f.lines[:0], 0
	}
	wake(f.freed)
}

func (f *fifo) rewind() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out = 0
}

func (f *fifo) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.lines) - f.head
}

// empty forgets all lines and returns how many there were.
func (f *fifo) empty() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.lines) - f.head
	f.lines, f.head, f.out = nil, 0, 0
	return n
}

// first returns the oldest line without giving it out; ok is false where there is none, or where lines are out.
func (f *fifo) first() (l Line, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out > 0 || f.head == len(f.lines) {
		return Line{}, false
	}
	return f.lines[f.head], true
}

// drop forgets the oldest line, which must not be out.
func (f *fifo) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines[f.head] = Line{}
	f.head++
	f.freedRoom()
}
