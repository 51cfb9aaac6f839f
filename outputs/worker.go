// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"sync"
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
	same     string      // what it was made of
	wrong    func(error) // takes the error of a receiver that cannot be reached at the beginning
	buffered bool
	patient  <-chan struct{} // see QueueOptions
	in       *fifo
	from     backlog  // in, or the spool behind it
	spool    *spooled // nil without one
	wake     chan struct{}
	arrived  chan struct{} // with a spool: there is something to store
	reopen   chan struct{}
	closing  chan struct{}
	closed   sync.Once
	yielding atomic.Bool   // its spool is for another worker: nothing more is taken from it
	retiring chan struct{} // closed when nothing new comes
	ended    chan struct{} // closed when run has returned

	retiredAt time.Time // of a worker that its queue has retired

	held      int // lines that the sink took since it was flushed last
	heldBytes int
	due       time.Time // when what is held must go, where outputs are buffered
	tries     int       // failures in a row
	retryAt   time.Time // nothing is written before

	offered   atomic.Uint64
	written   atomic.Uint64
	dropped   atomic.Uint64
	failed    atomic.Uint64
	retried   atomic.Uint64
	lastErr   atomic.Pointer[error]
	down      atomic.Bool  // the last call failed
	busySince atomic.Int64 // Unix nanoseconds since when the sink is in a call, 0 when it is not
}

func newWorker(s Sink, disk *spool, opts QueueOptions) *worker {
	w := &worker{
		sink: s, buffered: opts.Buffered, patient: opts.Patient, in: newFIFO(opts.Capacity), wake: make(chan struct{}, 1),
		arrived: make(chan struct{}, 1), reopen: make(chan struct{}, 1), closing: make(chan struct{}),
		retiring: make(chan struct{}), ended: make(chan struct{}),
	}
	w.from = w.in
	if disk != nil {
		w.spool = &spooled{mem: w.in, disk: disk}
		w.from = w.spool
	}
	return w
}

func (w *worker) offer(l Line) {
	w.offered.Add(1)
	for !w.in.push(l) {
		if !w.awaitRoom() {
			w.dropped.Add(1)
			return
		}
	}
	if w.spool != nil {
		wake(w.arrived)
	} else {
		wake(w.wake)
	}
}

// awaitRoom waits until there may be room in memory, as long as the queue is patient.
func (w *worker) awaitRoom() bool {
	if w.patient == nil {
		return false
	}
	select {
	case <-w.in.freed:
		return true
	case <-w.patient:
		return false
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was signalled already
	}
}

func (w *worker) stats() SinkStats {
	s := SinkStats{
		Name: w.sink.Name(), Offered: w.offered.Load(), Written: w.written.Load(), Dropped: w.dropped.Load(), Failed: w.failed.Load(),
		Retried: w.retried.Load(), Waiting: uint64(w.from.waiting()),
	}
	if w.spool != nil {
		s.Spooled = uint64(w.spool.onDisk())
		s.Failed += uint64(w.spool.lost())
	}
	return s
}

// pastStats are those of a worker that has retired: what the spool still has when it has ended belongs to another by then, or to the next run.
func (w *worker) pastStats() SinkStats {
	ended := w.hasEnded()
	s := w.stats()
	if ended {
		s.Waiting, s.Spooled = 0, 0
	}
	return s
}

func (w *worker) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// close ends the worker, with what its receiver takes at once.
func (w *worker) close() { w.closed.Do(func() { close(w.closing) }) }

// yieldTime is how long a worker may take to leave what it is in the middle of before that is broken off, where it can be.
const yieldTime = 2 * time.Second

// yield ends the worker, whose spool is for another, and waits for that. What the receiver has not taken yet stays in the spool.
func (w *worker) yield() {
	w.yielding.Store(true)
	w.close()
	timer := time.NewTimer(yieldTime)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
		w.abandon()
		<-w.ended
	}
}

// abandon breaks off what the sink is stuck in, where it can.
func (w *worker) abandon() {
	if a, ok := w.sink.(abandoner); ok {
		a.Abandon()
	}
}

// idle reports whether nothing is left to deliver.
func (w *worker) idle() bool { return w.held == 0 && w.from.waiting() == 0 }

// run delivers lines until the worker is closed and everything was delivered, lost or left to the spool, or until it has retired and
// everything was delivered or lost.
func (w *worker) run() {
	defer close(w.ended)
	if t, ok := w.sink.(tryer); ok && w.wrong != nil {
		if err := w.call(t.Try); err != nil {
			w.wrong(err)
		}
	}
	retiring := w.retiring
	var storing sync.WaitGroup
	if w.spool != nil {
		wake(w.wake) // for what an earlier run left
		storing.Go(w.store)
	}
	for {
		w.deliver()
		if retiring == nil && w.idle() {
			w.close()
		}
		timer, stop := w.timer()
		select {
		case <-retiring:
			retiring = nil
		case <-w.wake:
		case <-timer:
		case <-w.reopen:
			w.flush()
			w.call(w.sink.Reopen)
			w.retryAt = time.Time{}
		case <-w.closing:
			stop()
			storing.Wait()
			w.end()
			return
		}
		stop()
	}
}

// store keeps memory free by moving lines to the disk, also while the sink is in a call.
func (w *worker) store() {
	for {
		select {
		case <-w.arrived:
			_ = w.spool.store() // it is kept for the log
			wake(w.wake)
		case <-w.closing:
			_ = w.spool.store()
			return
		}
	}
}

// timer returns a channel that tells when there is something to do without anything new.
func (w *worker) timer() (<-chan time.Time, func()) {
	at := w.retryAt
	if at.IsZero() && w.held > 0 {
		at = w.due
	}
	if at.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(at))
	return t.C, func() { t.Stop() }
}

// deliver writes what waits, as long as it goes well.
func (w *worker) deliver() {
	if time.Now().Before(w.retryAt) {
		return
	}
	w.retryAt = time.Time{}
	for w.retryAt.IsZero() && len(w.reopen) == 0 && !w.yielding.Load() {
		l, ok := w.from.next()
		switch {
		case ok:
			w.write(l)
		case w.held > 0 && (!w.buffered || !time.Now().Before(w.due)):
			w.flush()
		default:
			return
		}
	}
	wake(w.wake)
}

func (w *worker) write(l Line) {
	if w.held == 0 {
		w.due = time.Now().Add(flushEvery)
	}
	w.held++
	w.heldBytes += len(l.Bytes)
	err := w.call(func() error { return w.sink.Write(l) })
	switch {
	case err != nil:
		w.lose(err)
	case !w.sink.Holds():
		w.delivered()
	case w.heldBytes >= flushBytes:
		w.flush()
	}
}

func (w *worker) flush() {
	if w.held == 0 {
		return
	}
	if err := w.call(w.sink.Flush); err != nil {
		w.lose(err)
		return
	}
	w.delivered()
}

func (w *worker) delivered() {
	w.written.Add(uint64(w.held))
	w.from.ack()
	w.held, w.heldBytes, w.tries = 0, 0, 0
}

// lose deals with the lines that an error concerns: they are written again later, or they are gone.
func (w *worker) lose(err error) {
	if pause, ok := wait(err, w.tries); ok {
		w.tries++
		w.retried.Add(1)
		w.retryAt = time.Now().Add(pause)
		w.from.rewind()
	} else {
		w.failed.Add(uint64(w.held))
		w.from.ack()
	}
	w.held, w.heldBytes = 0, 0
}

// end delivers what is left as long as the receiver takes it, and closes the sink. What it does not take is lost unless it is spooled.
func (w *worker) end() {
	w.buffered = false
	w.retryAt = time.Time{}
	for len(w.reopen) > 0 {
		<-w.reopen
	}
	if w.yielding.Load() {
		w.from.rewind()
		w.held, w.heldBytes = 0, 0
	} else {
		w.deliver()
		w.flush()
	}
	w.call(w.sink.Close)
	w.failed.Add(uint64(w.in.empty()))
	if w.spool != nil {
		w.spool.close()
	}
}

// call runs one of the sink's methods.
func (w *worker) call(method func() error) error {
	w.busySince.Store(time.Now().UnixNano())
	err := method()
	w.busySince.Store(0)
	if err != nil {
		w.lastErr.Store(&err)
	}
	w.down.Store(err != nil)
	return err
}
