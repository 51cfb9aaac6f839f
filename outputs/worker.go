// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"sync/atomic"
	"time"
)

const (
	flushBytes = 64 << 10    // a sink is flushed at the latest when it holds this much
	flushEvery = time.Second // or, where outputs are buffered, this long
)

// worker owns a sink: it is the only one to call it.
type worker struct {
	sink     Sink
	buffered bool
	patient  <-chan struct{}
	in       chan Line
	reopen   chan struct{}

	held      int // lines that the sink took since it was flushed last
	heldBytes int

	written   atomic.Uint64
	dropped   atomic.Uint64
	failed    atomic.Uint64
	lastErr   atomic.Pointer[error]
	busySince atomic.Int64 // Unix nanoseconds since when the sink is in a call, 0 when it is not
}

func newWorker(s Sink, opts QueueOptions) *worker {
	return &worker{sink: s, buffered: opts.Buffered, patient: opts.Patient, in: make(chan Line, opts.Capacity), reopen: make(chan struct{}, 1)}
}

func (w *worker) offer(l Line) {
	if !offer(w.in, l, w.patient) {
		w.dropped.Add(1)
	}
}

func (w *worker) stats() SinkStats {
	return SinkStats{Name: w.sink.Name(), Written: w.written.Load(), Dropped: w.dropped.Load(), Failed: w.failed.Load()}
}

// run delivers lines until the worker's buffer is closed and empty.
func (w *worker) run() {
	var due <-chan time.Time // when what is held must go, where outputs are buffered
	for {
		if w.held > 0 && len(w.in) == 0 && !w.buffered {
			w.flush()
		}
		select {
		case l, ok := <-w.in:
			if !ok {
				w.end()
				return
			}
			if w.buffered && w.held == 0 {
				due = time.After(flushEvery)
			}
			w.write(l)
		case <-due:
			w.flush()
			due = nil
		case <-w.reopen:
			w.flush()
			w.call(0, w.sink.Reopen)
		}
	}
}

func (w *worker) write(l Line) {
	w.held++
	w.heldBytes += len(l.Bytes)
	if !w.call(w.held, func() error { return w.sink.Write(l) }) {
		w.held, w.heldBytes = 0, 0
		return
	}
	if w.heldBytes >= flushBytes {
		w.flush()
	}
}

func (w *worker) flush() {
	if w.held > 0 && w.call(w.held, w.sink.Flush) {
		w.written.Add(uint64(w.held))
	}
	w.held, w.heldBytes = 0, 0
}

func (w *worker) end() {
	w.flush()
	w.call(0, w.sink.Close)
}

// call runs one of the sink's methods and counts the lines that an error costs.
func (w *worker) call(atStake int, method func() error) bool {
	w.busySince.Store(time.Now().UnixNano())
	err := method()
	w.busySince.Store(0)
	if err != nil {
		w.lastErr.Store(&err)
		w.failed.Add(uint64(atStake))
	}
	return err == nil
}
