// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"errors"
	"fmt"
	"os"
	"time"

	"falconet/engine/config"
	"falconet/engine/event"

	"github.com/rs/zerolog"
)

// Trap keeps the records of the last moments, and writes a file when it is sprung. Its methods belong to one goroutine.
type Trap struct {
	prefix   string
	maxBytes int64 // of a file, about; 0 is no limit
	before   time.Duration
	log      zerolog.Logger
	lists    func(since uint64) *Lists

	recent recent
	file   *captureFile
	until  uint64 // when the file ends, in Unix time
	boot   int64
}

// NewTrap returns a trap that is set, and keeps records in so many bytes. lists gives what stands at the beginning of a file, as it was at a
// time since boot.
func NewTrap(conf config.Capture, room int, log zerolog.Logger, lists func(since uint64) *Lists) *Trap {
	return &Trap{
		prefix: conf.PathPrefix, maxBytes: int64(conf.MaxFileSizeMB) << 20, before: time.Duration(conf.PreTriggerMS) * time.Millisecond,
		log: log, lists: lists, recent: recent{room: room},
	}
}

// Record takes a record whose times are since boot, which was at a Unix time in nanoseconds.
func (t *Trap) Record(r *event.Record, boot int64) error {
	t.boot = boot
	now := r.TS + uint64(boot)
	if t.file != nil {
		full := t.maxBytes > 0 && t.file.size() >= t.maxBytes
		if !full && now <= t.until {
			err := t.file.w.Record(r, boot)
			if err != nil {
				err = errors.Join(err, t.drop())
			}
			return err
		}
		if err := t.end(full); err != nil {
			return err
		}
	}
	t.recent.push(r, t.before)
	return nil
}

// Container takes what has become known of a container. What was known before stands at the beginning of a file.
func (t *Trap) Container(text []byte, ts uint64) error {
	if t.file == nil {
		return nil
	}
	err := t.file.w.Container(text, ts)
	if err != nil {
		err = errors.Join(err, t.drop())
	}
	return err
}

// Spring makes the trap write for a time from the event on, whose record it was given last and which has a number: what is kept, and what comes.
// If it writes already, it does so for longer. name is that of a new file.
func (t *Trap) Spring(ts uint64, number uint64, window time.Duration) (name string, err error) {
	until := ts + uint64(t.boot) + uint64(window)
	if t.file != nil {
		t.until = max(t.until, until)
		return "", nil
	}
	since := ts
	if first, ok := t.recent.first(ts - min(ts, uint64(t.before))); ok {
		since = first
	}
	name = fmt.Sprintf("%s_%017d_%017d.scap", t.prefix, ts+uint64(t.boot), number)
	if t.file, err = createCapture(name, true, os.O_EXCL, t.lists(since)); err != nil {
		return "", err
	}
	t.until = until
	err = t.recent.each(since, func(r *event.Record) error { return t.file.w.Record(r, t.boot) })
	t.recent.clear()
	if err != nil {
		err = errors.Join(err, t.drop())
	}
	return name, err
}

// Close ends the file that is being written.
func (t *Trap) Close() error {
	if t.file == nil {
		return nil
	}
	return t.end(false)
}

func (t *Trap) end(full bool) error {
	name, events := t.file.name, t.file.w.Events()
	err := t.drop()
	if err == nil {
		said := t.log.Info()
		if full {
			said = t.log.Warn()
		}
		said.Str("file", name).Uint64("events", events).Bool("full", full).Msg("recording ended")
	}
	return err
}

func (t *Trap) drop() error {
	err := t.file.close()
	t.file = nil
	return err
}

// recent keeps records in buffers that are used again and again.
type recent struct {
	room   int
	chunks []chunk // the oldest first
	spare  []byte
}

type chunk struct {
	b     []byte
	first uint64 // time of its first record, since boot
	last  uint64
}

// chunks is how many buffers the room is made of: the oldest records leave one buffer at a time.
const chunkCount = 16

func (q *recent) push(r *event.Record, keep time.Duration) {
	b := r.Raw()
	size := max(q.room/chunkCount, 64<<10)
	if len(b) > size {
		return
	}
	n := len(q.chunks)
	if n == 0 || len(q.chunks[n-1].b)+len(b) > size {
		for n > 0 && (n >= chunkCount || q.chunks[0].last+uint64(keep) < r.TS) {
			q.spare = q.chunks[0].b[:0]
			q.chunks = append(q.chunks[:0], q.chunks[1:]...)
			n--
		}
		buf := q.spare
		if q.spare = nil; buf == nil {
			buf = make([]byte, 0, size)
		}
		q.chunks = append(q.chunks, chunk{b: buf, first: r.TS})
		n++
	}
	c := &q.chunks[n-1]
	c.b, c.last = append(c.b, b...), r.TS
}

// each calls fn for the records from a time on.
func (q *recent) each(since uint64, fn func(*event.Record) error) error {
	var r event.Record
	for i := range q.chunks {
		for b := q.chunks[i].b; len(b) > 0; b = b[r.Len:] {
			if err := r.Reset(b); err != nil {
				return fmt.Errorf("read kept record: %w", err)
			}
			if r.TS < since {
				continue
			}
			if err := fn(&r); err != nil {
				return err
			}
		}
	}
	return nil
}

// first is the time of the first record from a time on.
func (q *recent) first(since uint64) (ts uint64, ok bool) {
	_ = q.each(since, func(r *event.Record) error {
		ts, ok = r.TS, true
		return errFound
	})
	return ts, ok
}

var errFound = errors.New("found")

func (q *recent) clear() {
	if len(q.chunks) > 0 {
		q.spare = q.chunks[0].b[:0]
	}
	q.chunks = nil
}
