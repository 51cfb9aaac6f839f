// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"falconet/engine/alert"
)

func spoolFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+spoolSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func drain(s *spool, limit int) (got []string) {
	for len(got) < limit {
		l, ok := s.next()
		if !ok {
			break
		}
		got = append(got, string(l.Bytes))
	}
	return got
}

func mustOpen(t *testing.T, dir string, limit int64) *spool {
	t.Helper()
	s, err := openSpool(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func put(t *testing.T, s *spool, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.append(Line{Bytes: fmt.Appendf(nil, "line %d", i), Priority: alert.Priority(i % 8)}); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
	}
}

func wantLines(t *testing.T, got []string, from, to int) {
	t.Helper()
	if len(got) != to-from {
		t.Fatalf("%d lines, want %d", len(got), to-from)
	}
	for i, l := range got {
		if want := fmt.Sprintf("line %d", from+i); l != want {
			t.Fatalf("line %d is %q, want %q", i, l, want)
		}
	}
}

func TestSpoolKeepsOrderOverRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := mustOpen(t, dir, 1<<12) // segments of 512 bytes
	put(t, s, 0, 100)
	wantLines(t, drain(s, 30), 0, 30)
	if err := s.ack(); err != nil {
		t.Fatal(err)
	}
	wantLines(t, drain(s, 10), 30, 40) // given out, never acknowledged
	s.close()

	s = mustOpen(t, dir, 1<<12)
	if s.n.Load() != 70 {
		t.Errorf("%d lines are counted, want 70", s.n.Load())
	}
	put(t, s, 100, 110)
	wantLines(t, drain(s, 1000), 30, 110)
	s.rewind()
	l, ok := s.next()
	if !ok || string(l.Bytes) != "line 30" || l.Priority != alert.Priority(30%8) {
		t.Errorf("%q %v", l.Bytes, l.Priority)
	}
	drain(s, 1000)
	if err := s.ack(); err != nil {
		t.Fatal(err)
	}
	if n := len(spoolFiles(t, dir)); n != 1 || s.n.Load() != 0 {
		t.Errorf("%d files and %d lines are left of what was dealt with", n, s.n.Load())
	}
}

func TestSpoolIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, 4096)
	taken := 0
	for ; ; taken++ {
		if err := s.append(Line{Bytes: fmt.Appendf(nil, "line %d", taken)}); err != nil {
			if !errors.Is(err, errSpoolFull) {
				t.Fatal(err)
			}
			break
		}
	}
	var size int64
	for _, f := range spoolFiles(t, dir) {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 4096 || size < 4000 || s.size != size {
		t.Errorf("%d bytes on disk, %d counted, of 4096", size, s.size)
	}
	wantLines(t, drain(s, taken/2), 0, taken/2)
	if err := s.ack(); err != nil {
		t.Fatal(err)
	}
	put(t, s, taken, taken+10) // there is room again
	wantLines(t, drain(s, 1000), taken/2, taken+10)
}

func TestSpoolSkipsDamage(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, 1<<12)
	put(t, s, 0, 100)
	s.close()
	files := spoolFiles(t, dir)
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[spoolHeader+5] ^= 1 // in the first line
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	last := files[len(files)-1]
	info, _ := os.Stat(last)
	if err := os.Truncate(last, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, 1<<12)
	got := drain(s, 1000)
	if err := s.ack(); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.next(); ok {
		t.Fatal("a line came after the last")
	}
	if last := got[len(got)-1]; last != "line 98" || strings.HasSuffix(got[0], " 0") || s.n.Load() != 0 || int(s.lost.Load())+len(got) != 99 {
		t.Errorf("%s to %s, %d lines, %d lost, %d left", got[0], last, len(got), s.lost.Load(), s.n.Load())
	}
}

func TestSpoolHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, 1<<20)
	if _, err := openSpool(dir, 1<<20); err == nil || !strings.Contains(err.Error(), "is used by another program") {
		t.Errorf("%v", err)
	}
}

// outage is a sink whose receiver is there or not.
type outage struct {
	mu   sync.Mutex
	up   bool
	got  []string
	seen int
}

func (s *outage) Name() string   { return "outage" }
func (s *outage) Format() Format { return FormatText }
func (s *outage) Holds() bool    { return false }
func (s *outage) Flush() error   { return nil }
func (s *outage) Reopen() error  { return nil }
func (s *outage) Close() error   { return nil }
func (s *outage) Write(l Line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if !s.up {
		return later(errors.New("nobody is there"))
	}
	s.got = append(s.got, string(l.Bytes[strings.LastIndexByte(string(l.Bytes), 'm'):len(l.Bytes)-1]))
	return nil
}
func (s *outage) set(up bool) { s.mu.Lock(); s.up = up; s.mu.Unlock() }
func (s *outage) count() int  { s.mu.Lock(); defer s.mu.Unlock(); return len(s.got) }

func (s *outage) inOrder(t *testing.T, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got) != want {
		t.Fatalf("%d lines arrived, want %d", len(s.got), want)
	}
	for i, l := range s.got {
		if l != fmt.Sprint("m", i) {
			t.Fatalf("line %d is %s", i, l)
		}
	}
}

func TestOutageWithoutSpoolIsCountedExactly(t *testing.T) {
	s := &outage{}
	q := startQueue(t, QueueOptions{Capacity: 10}, s)
	for i := range 50 {
		q.Send(numbered(i))
		eventually(t, "the line", func() bool { return q.Stats().Sinks[0].Offered == uint64(i+1) })
	}
	if st := q.Stats().Sinks[0]; st.Waiting != 10 || st.Dropped != 40 || st.Failed != 0 || st.Retried == 0 {
		t.Errorf("%+v", st)
	}
	s.set(true)
	eventually(t, "what waited", func() bool { return s.count() == 10 })
	s.inOrder(t, 10)
	s.set(false)
	q.Send(numbered(50))
	eventually(t, "the line", func() bool { return q.Stats().Sinks[0].Waiting == 1 })
	if !q.Close(5 * time.Second) {
		t.Fatal("not closed")
	}
	if st := q.Stats().Sinks[0]; st.Offered != 51 || st.Written != 10 || st.Dropped != 40 || st.Failed != 1 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}

func TestOutageWithSpoolLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s := &outage{}
	open := func() *Queue {
		t.Helper()
		sink, err := WithSpool(s, dir, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return startQueue(t, QueueOptions{Capacity: 10}, sink)
	}
	q := open()
	send := func(from, to int) {
		t.Helper()
		before := q.Stats().Sinks[0].Offered
		for i := from; i < to; i++ {
			q.Send(numbered(i))
			eventually(t, "the line", func() bool {
				st := q.Stats().Sinks[0]
				return st.Offered == before+uint64(i-from+1) && st.Waiting-st.Spooled < 10
			})
		}
	}
	send(0, 500)
	if !q.Close(5 * time.Second) {
		t.Fatal("not closed")
	}
	if st := q.Stats().Sinks[0]; st.Spooled != 500 || st.Waiting != 500 || st.Dropped+st.Failed+st.Written != 0 {
		t.Errorf("%+v", st)
	}
	q = open() // the program is started again, and the receiver still is not there
	send(500, 600)
	s.set(true)
	eventually(t, "the end of the outage", func() bool { return s.count() == 600 })
	send(600, 650)
	eventually(t, "the lines after it", func() bool { return s.count() == 650 })
	if !q.Close(5 * time.Second) {
		t.Fatal("not closed")
	}
	s.inOrder(t, 650)
	if st := q.Stats().Sinks[0]; st.Offered != 150 || st.Written != 650 || st.Waiting != 0 || st.Dropped+st.Failed != 0 {
		t.Errorf("%+v", st)
	}
}

func TestFullSpoolFallsBackToMemory(t *testing.T) {
	s := &outage{}
	sink, err := WithSpool(s, t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	q := startQueue(t, QueueOptions{Capacity: 10}, sink)
	for i := range 100 {
		q.Send(numbered(i))
		eventually(t, "the line", func() bool { return q.Stats().Sinks[0].Offered == uint64(i+1) })
	}
	eventually(t, "a full spool", func() bool { st := q.Stats().Sinks[0]; return st.Waiting-st.Spooled == 10 })
	st := q.Stats().Sinks[0]
	if st.Dropped == 0 || st.Spooled == 0 || st.Dropped+st.Waiting != 100 {
		t.Errorf("%+v", st)
	}
	s.set(true)
	eventually(t, "what was kept", func() bool { return s.count() == int(st.Waiting) })
	s.mu.Lock()
	defer s.mu.Unlock()
	last := -1
	for _, l := range s.got {
		var n int
		if _, err := fmt.Sscanf(l, "m%d", &n); err != nil || n <= last {
			t.Fatalf("%s after m%d", l, last)
		}
		last = n
	}
}
