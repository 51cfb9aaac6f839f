// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"maps"
	"slices"
	"time"
)

const (
	// watchEvery is how often losses and stuck sinks are looked for, to be logged.
	watchEvery = time.Second
	// repeatEvery is how often a trouble that goes on is logged again, with what it cost since.
	repeatEvery = time.Minute
)

// watch logs what was lost since it looked last, and sinks that are stuck. A trouble is logged when it begins, once a minute while
// it lasts and when it has ended, whatever the number of alerts.
func (q *Queue) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var dropped loss
	seen := make(map[*worker]*watched)
	for {
		select {
		case <-q.stop:
			return
		case now := <-tick.C:
			if d, due := dropped.look(q.dropped.Load(), now); due {
				q.opts.Log.Error().Uint64("alerts", d).Msg("outputs queue is full: alerts were dropped")
			}
			ended := q.sweep(now) // what they lost in the end is still to be said
			q.state.Lock()
			all, opts := slices.Concat(q.workers, q.retired, ended), q.opts
			q.state.Unlock()
			maps.DeleteFunc(seen, func(w *worker, _ *watched) bool { return !slices.Contains(all, w) })
			for _, w := range all {
				if seen[w] == nil {
					seen[w] = &watched{}
				}
				seen[w].look(w, now, opts)
			}
		}
	}
}

// loss is what was said of a counter that grows.
type loss struct {
	said uint64
	at   time.Time
}

// look returns by how much the counter has grown since it was spoken of, and whether it is time to do so again.
func (l *loss) look(n uint64, now time.Time) (grown uint64, due bool) {
	if n == l.said || now.Sub(l.at) < repeatEvery && !l.at.IsZero() {
		return 0, false
	}
	grown = n - l.said
	l.said, l.at = n, now
	return grown, true
}

// watched is what the watcher remembers of a worker.
type watched struct {
	dropped, failed, refused loss
	spool                    uint64 // errors of the spool so far
	spoolErr                 loss
	down, stuck              bool
}

func (s *watched) look(w *worker, now time.Time, opts QueueOptions) {
	name := w.sink.Name()
	if d, due := s.dropped.look(w.dropped.Load(), now); due {
		opts.Log.Error().Str("output", name).Uint64("alerts", d).Msg("output is too slow: alerts were dropped")
	}
	var last error
	if err := w.lastErr.Load(); err != nil {
		last = *err
	}
	if f, due := s.failed.look(w.stats().Failed, now); due {
		opts.Log.Error().Str("output", name).Uint64("alerts", f).Err(last).Msg("output lost alerts")
		s.down = true
	}
	if n, due := s.refused.look(w.retried.Load(), now); due {
		opts.Log.Error().Str("output", name).Uint64("tries", n).Int("waiting", w.from.waiting()).Err(last).Msg("output takes no alerts: they wait")
		s.down = true
	}
	if s.down && !w.down.Load() {
		s.down = false
		opts.Log.Info().Str("output", name).Int("waiting", w.from.waiting()).Msg("output takes alerts again")
	}
	if w.spool != nil {
		err := w.spool.takeErr()
		if err != nil {
			s.spool++
		}
		if _, due := s.spoolErr.look(s.spool, now); due {
			opts.Log.Error().Str("output", name).Err(err).Msg("the spool takes no alerts: they wait in memory")
		}
	}
	since := w.busySince.Load()
	stuck := opts.Timeout > 0 && since != 0 && now.Sub(time.Unix(0, since)) > opts.Timeout
	if stuck != s.stuck {
		s.stuck = stuck
		if stuck {
			opts.Log.Error().Str("output", name).Dur("timeout", opts.Timeout).Msg("output is stuck in a write")
		} else {
			opts.Log.Info().Str("output", name).Msg("output is no longer stuck")
		}
	}
}
