// SPDX-License-Identifier: Apache-2.0

// Package outputs carries alerts to the world. A bounded queue takes them from the engine, renders each once per format, and
// hands the lines to one worker per sink, each with a bounded buffer of its own. Where there is no room an alert is dropped and
// counted: a slow or dead sink stops neither detection nor the other sinks.
package outputs

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
)

// DefaultCapacity is how many alerts wait where the configuration sets no bound.
const DefaultCapacity = 16384

// QueueOptions say how a queue works.
type QueueOptions struct {
	Capacity int           // alerts that wait for rendering, and lines that wait for each sink in memory; 0 means DefaultCapacity
	Buffered bool          // lines may be held back for up to a second
	Timeout  time.Duration // after this time in one write a sink is reported as stuck; 0 means never
	Log      zerolog.Logger
	// Patient, when set, makes senders wait for room rather than lose alerts, until it is closed: for events that can wait, those of a recording.
	Patient <-chan struct{}
}

// Queue takes alerts and delivers them. Its methods may be called from any goroutine.
type Queue struct {
	renderer *Renderer // of dispatch
	changes  chan *Change

	state   sync.Mutex // guards what follows
	opts    QueueOptions
	workers []*worker
	retired []*worker            // that have nothing new to do, but still to deliver
	past    map[string]SinkStats // of those that have ended
	running sync.WaitGroup

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
	Sent     uint64 // alerts offered to the queue
	Dropped  uint64 // of these, found no room or came after Close
	Capacity int
	Sinks    []SinkStats
}

// SinkStats counts what a sink did with its lines: those offered, and those that an earlier run left in the spool, were written, dropped,
// failed, or wait.
type SinkStats struct {
	Name    string
	Offered uint64
	Written uint64
	Dropped uint64 // found no room: the sink was too slow
	Failed  uint64 // lost to an error
	Retried uint64 // how often the receiver took nothing and was tried again
	Waiting uint64 // are in memory or in the spool
	Spooled uint64 // of these, are in the spool
}

// Spooled is a sink whose lines wait on disk.
type Spooled struct {
	Sink
	disk *spool
}

// Close gives the sink and its spool back, where no queue was started over them.
func (s *Spooled) Close() error {
	s.disk.close()
	return s.Sink.Close()
}

// WithSpool gives a sink a spool in a directory: what its receiver does not take waits there, up to so many bytes, also over the end
// of the program.
func WithSpool(s Sink, dir string, maxBytes int64) (*Spooled, error) {
	disk, err := openSpool(dir, maxBytes)
	if err != nil {
		return nil, err
	}
	return &Spooled{Sink: s, disk: disk}, nil
}

// NewQueue starts a queue over sinks, which belong to it from now on. Close ends it.
func NewQueue(r *Renderer, opts QueueOptions, sinks ...Sink) *Queue {
	var list []opened
	for _, s := range sinks {
		list = append(list, opened{Sink: s})
	}
	return newQueue(r, opts, list)
}

func newQueue(r *Renderer, opts QueueOptions, sinks []opened) *Queue {
	if opts.Capacity <= 0 {
		opts.Capacity = DefaultCapacity
	}
	q := &Queue{
		opts: opts, renderer: r, in: make(chan *alert.Alert, opts.Capacity), changes: make(chan *Change),
		done: make(chan struct{}), stop: make(chan struct{}), past: make(map[string]SinkStats),
	}
	for _, s := range sinks {
		q.workers = append(q.workers, q.start(s))
	}
	go q.dispatch()
	go q.watch()
	return q
}

// start lets a worker deliver to a sink.
func (q *Queue) start(s opened) *worker {
	sink := s.Sink
	var disk *spool
	if spooled, ok := sink.(*Spooled); ok {
		sink, disk = spooled.Sink, spooled.disk
	}
	w := newWorker(sink, disk, q.opts)
	w.same, w.wrong = s.same, s.wrong
	q.running.Go(w.run)
	return w
}

// Send offers an alert to the queue, which keeps it. It does not block, unless the queue is patient: without room the alert is dropped and counted.
func (q *Queue) Send(a *alert.Alert) {
	q.sent.Add(1)
	q.mu.RLock()
	defer q.mu.RUnlock()
	if !q.closed && q.offer(a) {
		return
	}
	q.dropped.Add(1)
}

func (q *Queue) offer(a *alert.Alert) bool {
	select {
	case q.in <- a:
		return true
	default:
	}
	if q.opts.Patient == nil {
		return false
	}
	select {
	case q.in <- a:
		return true
	case <-q.opts.Patient:
		return false
	}
}

// Stats returns the counters as they are now. Those of a sink that took the place of another go on from there.
func (q *Queue) Stats() Stats {
	q.state.Lock()
	defer q.state.Unlock()
	s := Stats{Sent: q.sent.Load(), Dropped: q.dropped.Load(), Capacity: q.opts.Capacity}
	add := func(o SinkStats) {
		for i := range s.Sinks {
			if s.Sinks[i].Name == o.Name {
				s.Sinks[i].add(o)
				return
			}
		}
		s.Sinks = append(s.Sinks, o)
	}
	for _, w := range q.workers {
		s.Sinks = append(s.Sinks, w.stats())
	}
	for _, w := range q.retired {
		add(w.pastStats())
	}
	for _, name := range slices.Sorted(maps.Keys(q.past)) {
		add(q.past[name])
	}
	return s
}

func (s *SinkStats) add(o SinkStats) {
	s.Offered += o.Offered
	s.Written += o.Written
	s.Dropped += o.Dropped
	s.Failed += o.Failed
	s.Retried += o.Retried
	s.Waiting += o.Waiting
	s.Spooled += o.Spooled
}

// Log says which alerts did not arrive.
func (s Stats) Log(log zerolog.Logger) {
	if s.Dropped > 0 {
		log.Warn().Uint64("alerts", s.Sent).Uint64("dropped", s.Dropped).Msg("alerts found no room in the queue")
	}
	for _, o := range s.Sinks {
		if o.Dropped+o.Failed+o.Waiting > 0 {
			log.Warn().Str("output", o.Name).Uint64("written", o.Written).Uint64("dropped", o.Dropped).Uint64("failed", o.Failed).
				Uint64("spooled", o.Spooled).Uint64("waiting", o.Waiting-o.Spooled).Msg("not every alert arrived")
		}
	}
}

// Reopen asks every sink to open anew what it writes to. It does not wait for that.
func (q *Queue) Reopen() {
	q.state.Lock()
	defer q.state.Unlock()
	for _, w := range q.workers {
		wake(w.reopen)
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
		q.state.Lock()
		defer q.state.Unlock()
		for _, w := range slices.Concat(q.workers, q.retired) {
			w.abandon()
		}
		return false
	}
}

// dispatch renders alerts and hands the lines to the workers. It is the only one to change who they are.
func (q *Queue) dispatch() {
	var scratch []byte
	for open := true; open; {
		select {
		case c := <-q.changes:
			c.apply()
		case a, ok := <-q.in:
			if open = ok; ok {
				scratch = q.render(scratch, a)
			}
		}
	}
	q.state.Lock()
	for _, w := range slices.Concat(q.workers, q.retired) {
		w.close()
	}
	q.state.Unlock()
	q.running.Wait()
	close(q.done)
}

func (q *Queue) render(scratch []byte, a *alert.Alert) []byte {
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
	return scratch
}
