// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

const (
	// beatEvery is how often it is tried whether the probe delivers.
	beatEvery = time.Second
	// deadAfter is how long nothing may come back: longer than a burst of events keeps the one before it.
	deadAfter = 10 * time.Second
)

// ErrNoPulse is what Healthy returns when nothing comes through the probe.
var ErrNoPulse = errors.New("the probe does not deliver")

// Pulse finds out whether the probe delivers: it makes calls that the probe reports, and looks whether they come back.
type Pulse struct {
	beat  func()
	beats func() uint64
	log   zerolog.Logger
	last  atomic.Int64 // when one came back, in Unix nanoseconds
	down  bool
}

// NewPulse returns a pulse over a call that the probe reports and the number of those that came back.
func NewPulse(beat func(), beats func() uint64, log zerolog.Logger) *Pulse {
	return &Pulse{beat: beat, beats: beats, log: log}
}

// Run beats until ctx ends. Healthy holds no longer then.
func (p *Pulse) Run(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	defer p.last.Store(0)
	seen := p.beats()
	start := time.Now()
	p.beat()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n := p.beats(); n != seen {
				seen = n
				p.last.Store(now.UnixNano())
			}
			p.report(now.Sub(start) > deadAfter)
			p.beat()
		}
	}
}

// report logs when the pulse stops and when it is there again.
func (p *Pulse) report(started bool) {
	down := p.Healthy() != nil
	if !started || down == p.down {
		return
	}
	p.down = down
	if down {
		p.log.Error().Dur("since", deadAfter).Msg("the probe does not deliver: nothing of what happens is seen")
	} else {
		p.log.Info().Msg("the probe delivers again")
	}
}

// Healthy returns nil while calls come back. It may be called from any goroutine.
func (p *Pulse) Healthy() error {
	if time.Since(time.Unix(0, p.last.Load())) > deadAfter {
		return ErrNoPulse
	}
	return nil
}
