// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"sync"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"

	"github.com/rs/zerolog"
)

// slow takes a line only when it is let.
type slow struct {
	let  chan struct{}
	took int
}

func (s *slow) Name() string     { return "slow" }
func (s *slow) Format() Format   { return FormatMessage }
func (s *slow) Write(Line) error { <-s.let; s.took++; return nil }
func (s *slow) Flush() error     { return nil }
func (s *slow) Reopen() error    { return nil }
func (s *slow) Close() error     { return nil }
func (s *slow) Holds() bool      { return false }

// A patient queue waits for its sinks and loses nothing; when it is told not to wait any more it drops and counts again.
func TestPatient(t *testing.T) {
	const alerts = 100
	patient := make(chan struct{})
	sink := &slow{let: make(chan struct{})}
	q := NewQueue(NewRenderer(config.Render{}, time.UTC), QueueOptions{Capacity: 1, Patient: patient, Log: zerolog.Nop()}, sink)
	var letting sync.WaitGroup
	letting.Go(func() {
		for range alerts {
			sink.let <- struct{}{}
		}
	})
	for range alerts {
		q.Send(&alert.Alert{Message: "m"})
	}
	if s := q.Stats(); s.Dropped != 0 || s.Sinks[0].Dropped != 0 {
		t.Errorf("dropped %d and %d while there was time", s.Dropped, s.Sinks[0].Dropped)
	}
	letting.Wait()
	close(patient)
	for range 10 { // nobody lets the sink take them
		q.Send(&alert.Alert{Message: "m"})
	}
	close(sink.let)
	q.Close(time.Minute)
	s := q.Stats()
	if s.Dropped+s.Sinks[0].Dropped == 0 || uint64(sink.took)+s.Dropped+s.Sinks[0].Dropped != alerts+10 {
		t.Errorf("took %d, dropped %d and %d of %d", sink.took, s.Dropped, s.Sinks[0].Dropped, alerts+10)
	}
}
