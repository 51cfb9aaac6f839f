// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"slices"
	"time"
)

// Change is a change of the outputs of a queue that is ready to be made: sinks of which nothing changes stay as they are, with all that
// waits for them.
type Change struct {
	q       *Queue
	opts    Options
	sources []source
	sinks   []Sink // by source: opened; nil for one that stays, or that has to wait for the spool of the one before it
	done    chan error
}

// Prepare opens the sinks that other options ask for and that are not there yet. Make or Drop must follow. On an error nothing is left open.
func (q *Queue) Prepare(o Options) (*Change, error) {
	c := &Change{q: q, opts: o, sources: o.sinks(), done: make(chan error, 1)}
	c.sinks = make([]Sink, len(c.sources))
	q.state.Lock()
	workers := slices.Clone(q.workers)
	q.state.Unlock()
	var errs []error
	for i := range c.sources {
		s := &c.sources[i]
		if slices.ContainsFunc(workers, func(w *worker) bool { return w.same == s.same }) {
			continue
		}
		sink, err := s.open()
		if err == nil && !slices.ContainsFunc(workers, s.waitsFor) {
			sink, err = s.spooling(sink)
		}
		if err != nil {
			errs = append(errs, o.blame(s.key, err))
			continue
		}
		c.sinks[i] = sink
	}
	if len(errs) > 0 {
		c.Drop()
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// waitsFor reports whether a worker has the spool that is to be opened.
func (s *source) waitsFor(w *worker) bool { return w.spool != nil && w.spool.disk.dir == s.spool.Path }

// Drop gives back what Prepare opened.
func (c *Change) Drop() {
	for _, s := range c.sinks {
		if s != nil {
			_ = s.Close()
		}
	}
}

// Make lets the alerts go to the new sinks from now on. Those that wait for a sink that has to leave are still delivered to it, or wait in
// its spool for the one that takes its place. After an error an output is missing.
func (c *Change) Make() error {
	select {
	case c.q.changes <- c:
		return <-c.done
	case <-c.q.stop:
		c.Drop()
		return nil
	}
}

// apply belongs to the goroutine that hands lines to the workers.
func (c *Change) apply() {
	q := c.q
	var errs []error
	var workers []*worker
	leaving := slices.Clone(q.workers)
	for i := range c.sources {
		s := &c.sources[i]
		if at := slices.IndexFunc(leaving, func(w *worker) bool { return w.same == s.same }); at >= 0 {
			workers = append(workers, leaving[at])
			leaving = slices.Delete(leaving, at, at+1)
		}
	}
	q.state.Lock()
	capacity := q.opts.Capacity
	q.opts = c.opts.queue()
	q.opts.Capacity = capacity
	q.state.Unlock()
	q.renderer = c.opts.renderer()
	for _, w := range leaving {
		w.retiredAt = time.Now()
		if slices.ContainsFunc(c.sources, func(s source) bool { return s.waitsFor(w) }) {
			w.yield()
		} else {
			close(w.retiring)
		}
	}
	for i, sink := range c.sinks {
		if sink == nil {
			continue
		}
		s := &c.sources[i]
		if _, has := sink.(*Spooled); !has {
			var err error
			if sink, err = s.spooling(sink); err != nil {
				errs = append(errs, c.opts.blame(s.key, err))
				continue
			}
		}
		workers = append(workers, q.start(c.opts.opened(sink, s)))
	}
	q.state.Lock()
	q.workers, q.retired = workers, append(q.retired, leaving...)
	q.state.Unlock()
	c.done <- errors.Join(errs...)
}

// retireTime is how long a worker that has nothing new to do may try to deliver what waits: its receiver may be the reason why it had to leave.
const retireTime = time.Minute

// sweep keeps the numbers of workers that have ended, which it returns, and forgets the rest of them. It ends those that take too long.
func (q *Queue) sweep(now time.Time) (ended []*worker) {
	q.state.Lock()
	defer q.state.Unlock()
	q.retired = slices.DeleteFunc(q.retired, func(w *worker) bool {
		if !w.hasEnded() {
			if now.Sub(w.retiredAt) > retireTime {
				w.close()
				w.abandon()
			}
			return false
		}
		s := w.pastStats()
		past := q.past[s.Name]
		past.add(s)
		past.Name = s.Name
		q.past[s.Name] = past
		ended = append(ended, w)
		return true
	})
	return ended
}
