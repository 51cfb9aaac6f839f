// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
	"falconet/engine/config"
)

// fakeSink records lines and does as it is told.
type fakeSink struct {
	mu      sync.Mutex
	held    []string
	got     []string
	flushes int
	reopens int
	closed  bool
	block   chan struct{} // when set, Write waits for it
	fail    func(line string) error
	format  Format
}

func (s *fakeSink) Name() string   { return "fake" }
func (s *fakeSink) Format() Format { return s.format }
func (s *fakeSink) Holds() bool    { return true }
func (s *fakeSink) Write(l Line) error {
	if s.block != nil {
		<-s.block
	}
	line := strings.TrimSuffix(string(l.Bytes), "\n")
	if s.fail != nil {
		if err := s.fail(line); err != nil {
			s.held = nil
			return err
		}
	}
	s.held = append(s.held, line)
	return nil
}
func (s *fakeSink) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.held = append(s.got, s.held...), nil
	s.flushes++
	return nil
}
func (s *fakeSink) Reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reopens++
	return nil
}
func (s *fakeSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
func (s *fakeSink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func startQueue(t *testing.T, opts QueueOptions, sinks ...Sink) *Queue {
	t.Helper()
	q := NewQueue(NewRenderer(config.Render{JSONMessage: true}, time.UTC), opts, sinks...)
	t.Cleanup(func() { q.Close(5 * time.Second) })
	return q
}

func numbered(i int) *alert.Alert {
	return &alert.Alert{Message: fmt.Sprint("m", i), Rule: "r", Source: alert.SourceSyscall, Priority: alert.Notice}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("%s: not within five seconds", what)
}

func TestQueueDeliversInOrder(t *testing.T) {
	text, js := &fakeSink{}, &fakeSink{format: FormatJSON}
	q := startQueue(t, QueueOptions{}, text, js)
	for i := range 1000 {
		q.Send(numbered(i))
	}
	if !q.Close(5 * time.Second) {
		t.Fatal("the queue did not close")
	}
	for i, line := range text.lines() {
		if want := fmt.Sprintf("00:00:00.000000000: Notice m%d", i); line != want {
			t.Fatalf("line %d is %q, want %q", i, line, want)
		}
	}
	if n, m := len(text.lines()), len(js.lines()); n != 1000 || m != 1000 {
		t.Errorf("%d and %d lines, want 1000", n, m)
	}
	if !strings.Contains(js.lines()[7], `"message":"m7"`) {
		t.Errorf("%s", js.lines()[7])
	}
	if !text.closed || !js.closed {
		t.Error("a sink was not closed")
	}
	s := q.Stats()
	if s.Sent != 1000 || s.Dropped != 0 || s.Sinks[0].Written != 1000 || s.Sinks[1].Written != 1000 {
		t.Errorf("%+v", s)
	}
}

func TestLineIsThereWithoutWaiting(t *testing.T) {
	s := &fakeSink{}
	q := startQueue(t, QueueOptions{}, s)
	q.Send(numbered(1))
	eventually(t, "an unbuffered line", func() bool { return len(s.lines()) == 1 })
}

func TestBufferedLinesLeaveWithinASecond(t *testing.T) {
	s := &fakeSink{}
	q := startQueue(t, QueueOptions{Buffered: true}, s)
	start := time.Now()
	for i := range 10 {
		q.Send(numbered(i))
	}
	eventually(t, "buffered lines", func() bool { return len(s.lines()) == 10 })
	if took := time.Since(start); took < flushEvery/2 {
		t.Errorf("lines were not held back: %v", took)
	}
	if s.flushes != 1 {
		t.Errorf("%d flushes, want 1", s.flushes)
	}
}

func TestSlowSinkCostsOnlyItself(t *testing.T) {
	slow, fast := &fakeSink{block: make(chan struct{})}, &fakeSink{}
	q := startQueue(t, QueueOptions{Capacity: 8}, slow, fast)
	for i := range 100 {
		q.Send(numbered(i))
		eventually(t, "the fast sink", func() bool { return len(fast.lines()) == i+1 })
	}
	s := q.Stats()
	// There is room for eight lines, the one in the slow sink's hands included.
	if s.Dropped != 0 || s.Sinks[0].Dropped != 92 || s.Sinks[0].Waiting != 8 || s.Sinks[1].Written != 100 {
		t.Errorf("%+v", s)
	}
	if q.Close(20 * time.Millisecond) {
		t.Error("Close did not notice that a sink is stuck")
	}
	close(slow.block)
	if !q.Close(5 * time.Second) {
		t.Error("Close did not notice that the sink went on")
	}
	if got := len(slow.lines()); got != 8 {
		t.Errorf("the slow sink has %d lines, want 8", got)
	}
}

func TestSendNeverBlocksAndCounts(t *testing.T) {
	q := &Queue{in: make(chan *alert.Alert, 2)} // nobody takes anything
	for i := range 5 {
		q.Send(numbered(i))
	}
	if s := q.Stats(); s.Sent != 5 || s.Dropped != 3 {
		t.Errorf("%+v", s)
	}
}

func TestSendAfterCloseIsCounted(t *testing.T) {
	s := &fakeSink{}
	q := startQueue(t, QueueOptions{}, s)
	q.Close(time.Second)
	q.Send(numbered(1))
	if st := q.Stats(); st.Dropped != 1 || len(s.lines()) != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSendersRaceWithClose(t *testing.T) {
	s := &fakeSink{}
	q := startQueue(t, QueueOptions{}, s)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := range 500 {
				q.Send(numbered(i))
			}
		})
	}
	q.Close(5 * time.Second)
	senders.Wait()
	st := q.Stats()
	if st.Sent != 2000 || st.Sinks[0].Written+st.Dropped != 2000 || uint64(len(s.lines())) != st.Sinks[0].Written {
		t.Errorf("%+v, %d lines", st, len(s.lines()))
	}
}

func TestFailuresAreCountedAndLogged(t *testing.T) {
	s := &fakeSink{fail: func(line string) error {
		if strings.HasSuffix(line, "m1") {
			return errors.New("disk on fire")
		}
		return nil
	}}
	var log lockedBuffer
	q := startQueue(t, QueueOptions{Log: zerolog.New(&log)}, s)
	for i := range 3 {
		q.Send(numbered(i))
		eventually(t, "the line", func() bool {
			st := q.Stats().Sinks[0]
			return st.Written+st.Failed == uint64(i+1)
		})
	}
	if st := q.Stats().Sinks[0]; st.Written != 2 || st.Failed != 1 {
		t.Errorf("%+v", st)
	}
	eventually(t, "the log", func() bool { return strings.Contains(log.String(), "disk on fire") })
}

func TestStuckSinkIsLogged(t *testing.T) {
	s := &fakeSink{block: make(chan struct{})}
	var log lockedBuffer
	q := startQueue(t, QueueOptions{Log: zerolog.New(&log), Timeout: time.Millisecond}, s)
	q.Send(numbered(1))
	eventually(t, "the report", func() bool { return strings.Contains(log.String(), "output is stuck") })
	close(s.block)
	eventually(t, "the all-clear", func() bool { return strings.Contains(log.String(), "no longer stuck") })
}

func TestReopen(t *testing.T) {
	s := &fakeSink{}
	q := startQueue(t, QueueOptions{}, s)
	q.Reopen()
	eventually(t, "reopening", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.reopens == 1 })
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
