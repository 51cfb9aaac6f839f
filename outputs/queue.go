// SPDX-License-Identifier: Apache-2.0

// Package outputs carries alerts to the world. A bounded queue takes them from the engine, renders each once per format, and
// hands the lines to one worker per sink, each with a bounded buffer of its own. Where there is no room an alert is dropped and
// counted: a slow or dead sink stops neither detection nor the other sinks.
package outputs

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
)

// DefaultCapacity is how many alerts wait where the configuration sets no bound.
const DefaultCapacity = 16384

// watchEvery is how often losses and stuck sinks are looked for, to be logged.
const watchEvery = time.Second

// QueueOptions say how a queue works.
type QueueOptions struct {
	Capacity int           // alerts that wait for rendering, and lines that wait for each sink; 0 means DefaultCapacity
	Buffered bool          // lines may be held back for up to a second
	Timeout  time.Duration // after this time in one write a sink is reported as stuck; 0 means never
	Log      zerolog.Logger
	// Patient, when set, makes senders wait for room rather than lose alerts, until it is closed: for events that can wait, those of a recording.
	Patient <-chan struct{}
}

// Queue takes alerts and delivers them. Its methods may be called from any goroutine.
type Queue struct {
	opts     QueueOptions
	renderer *Renderer
	workers  []*worker

	mu     sync.RWMutex // guards closed, and in against being closed while a sender uses it
	closed bool
	in     chan *alert.Alert

	sent    atomic.Uint64
	dropped atomic.Uint64

	done chan struct{} // closed when the last line of every sink was dealt with
	stop chan struct{} // closed to end the watcher
}

// Stats counts what a queue did. Of the alerts sent, those not dropped were rendered for every sink.
type Stats struct {
	Sent    uint64 // alerts offered to the queue
	Dropped uint64 // of these, found no room or came after Close
	Sinks   []SinkStats
}

// SinkStats counts what a sink did with its lines.
type SinkStats struct {
	Name    string
	Written uint64
	Dropped uint64 // found no room: the sink was too slow
	Failed  uint64 // lost to an error
}

// NewQueue starts a queue over sinks, which belong to it from now on. Close ends it.
func NewQueue(r *Renderer, opts QueueOptions, sinks ...Sink) *Queue {
	if opts.Capacity <= 0 {
		opts.Capacity = DefaultCapacity
	}
	q := &Queue{
		opts: opts, renderer: r, in: make(chan *alert.Alert, opts.Capacity),
		done: make(chan struct{}), stop: make(chan struct{}),
	}
	var running sync.WaitGroup
	for _, s := range sinks {
		w := newWorker(s, opts)
		q.workers = append(q.workers, w)
		running.Go(w.run)
	}
	go q.dispatch()
	go func() {
		running.Wait()
		close(q.done)
	}()
	go q.watch()
	return q
}

// offer puts v into a channel that has room, or waits for room until patient is closed; it reports whether it did.
func offer[T any](to chan<- T, v T, patient <-chan struct{}) bool {
	select {
	case to <- v:
		return true
	default:
	}
	if patient == nil {
		return false
	}
	select {
	case to <- v:
		return true
	case <-patient:
		return false
	}
}

// Send offers an alert to the queue, which keeps it. It does not block, unless the queue is patient: without room the alert is dropped and counted.
func (q *Queue) Send(a *alert.Alert) {
	q.sent.Add(1)
	q.mu.RLock()
	defer q.mu.RUnlock()
	if !q.closed {
		if offer(q.in, a, q.opts.Patient) {
			return
		}
	}
	q.dropped.Add(1)
}

// Stats returns the counters as they are now.
func (q *Queue) Stats() Stats {
	s := Stats{Sent: q.sent.Load(), Dropped: q.dropped.Load()}
	for _, w := range q.workers {
		s.Sinks = append(s.Sinks, w.stats())
	}
	return s
}

// Reopen asks every sink to open anew what it writes to. It does not wait for that.
func (q *Queue) Reopen() {
	for _, w := range q.workers {
		select {
		case w.reopen <- struct{}{}:
		default: // it was asked already
		}
	}
}

// Close takes no more alerts, delivers those that wait and closes the sinks. It waits at most limit for that, and reports
// whether everything was delivered or counted by then; a sink that is still stuck after it is left behind with what it holds.
// Further calls only wait.
func (q *Queue) Close(limit time.Duration) bool {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.in)
		close(q.stop)
	}
	q.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-q.done:
		return true
	case <-timer.C:
		return false
	}
}

// dispatch renders alerts and hands the lines to the workers.
func (q *Queue) dispatch() {
	var scratch []byte
	for a := range q.in {
		var lines [formats][]byte
		for _, w := range q.workers {
			f := w.sink.Format()
			if lines[f] == nil {
				scratch = q.renderer.Append(scratch[:0], f, a)
				line := make([]byte, 0, len(scratch)+1)
				lines[f] = append(append(line, scratch...), '\n')
			}
			w.offer(Line{Bytes: lines[f], Priority: a.Priority})
		}
	}
	for _, w := range q.workers {
		close(w.in)
	}
}

// watch logs what was lost since it looked last, and sinks that are stuck.
func (q *Queue) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var dropped uint64
	seen := make([]watched, len(q.workers))
	for {
		select {
		case <-q.stop:
			return
		case now := <-tick.C:
			if d := q.dropped.Load(); d > dropped {
				q.opts.Log.Error().Uint64("alerts", d-dropped).Msg("outputs queue is full: alerts were dropped")
				dropped = d
			}
			for i, w := range q.workers {
				seen[i].look(w, now, q.opts)
			}
		}
	}
}

// watched is what the watcher remembers of a worker.
type watched struct {
	dropped, failed uint64
	stuck           bool
}

func (s *watched) look(w *worker, now time.Time, opts QueueOptions) {
	if d := w.dropped.Load(); d > s.dropped {
		opts.Log.Error().Str("output", w.sink.Name()).Uint64("alerts", d-s.dropped).Msg("output is too slow: alerts were dropped")
		s.dropped = d
	}
	if f := w.failed.Load(); f > s.failed {
		ev := opts.Log.Error().Str("output", w.sink.Name()).Uint64("alerts", f-s.failed)
		if err := w.lastErr.Load(); err != nil {
			ev = ev.Err(*err)
		}
		ev.Msg("output lost alerts")
		s.failed = f
	}
	since := w.busySince.Load()
	stuck := opts.Timeout > 0 && since != 0 && now.Sub(time.Unix(0, since)) > opts.Timeout
	if stuck != s.stuck {
		s.stuck = stuck
		if stuck {
			opts.Log.Error().Str("output", w.sink.Name()).Dur("timeout", opts.Timeout).Msg("output is stuck in a write")
		} else {
			opts.Log.Info().Str("output", w.sink.Name()).Msg("output is no longer stuck")
		}
	}
}
