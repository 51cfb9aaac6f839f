// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/event"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// trapLog writes down what a trap is told.
type trapLog struct {
	got []string
	err error
}

func (l *trapLog) Record(r *event.Record, _ int64) error {
	l.got = append(l.got, fmt.Sprintf("record %d", r.TS))
	return l.err
}

func (l *trapLog) Container([]byte, uint64) error { return nil }

func (l *trapLog) Spring(ts, number uint64, window time.Duration) (string, error) {
	l.got = append(l.got, fmt.Sprintf("spring %d %d %v", ts, number, window))
	return "", nil
}

func tapped(t *testing.T, out Receiver, text string, silent bool, tap Tap) *Engine {
	t.Helper()
	set, results := rules.Load(rules.Options{MinPriority: alert.Debug}, rules.File{Name: "r.yaml", Data: []byte(text)})
	if set == nil {
		t.Fatal(results[0].Text(true))
	}
	return New(Options{Host: NewHost("host", t.TempDir(), 0, 256<<20), Rules: set, Out: out, Tap: tap, Silent: silent})
}

const capturing = `
- rule: Captured
  desc: d
  condition: evt.type = openat and fd.name = /a
  output: "a"
  priority: NOTICE
  capture: true
  capture_duration: 70
- rule: Plain
  desc: d
  condition: evt.type = openat and fd.name = /b
  output: "b"
  priority: NOTICE
`

func handleAll(t *testing.T, e *Engine, paths ...string) {
	t.Helper()
	var r event.Record
	for i, path := range paths {
		if err := r.Reset(openOf(path, uint64(i+1))); err != nil {
			t.Fatal(err)
		}
		e.Handle(&r)
	}
}

// A trap has a record before it is sprung by it: by rules that ask for it, for as long as they say, or by all.
func TestTrap(t *testing.T) {
	for mode, want := range map[string][]string{
		"rules":     {"record 1", "record 2", "spring 2 2 70ms", "record 3"},
		"all_rules": {"record 1", "record 2", "spring 2 2 70ms", "record 3", "spring 3 3 5s"},
	} {
		log, out := &trapLog{}, &received{}
		e := tapped(t, out, capturing, false, SetTrap(log, config.Capture{Mode: mode, DefaultDurationMS: 5000}, zerolog.Nop()))
		handleAll(t, e, "/c", "/a", "/b")
		if !slices.Equal(log.got, want) {
			t.Errorf("%s: %q, want %q", mode, log.got, want)
		}
		if len(*out) != 2 {
			t.Errorf("%s: %d alerts", mode, len(*out))
		}
	}
}

// What is recorded is what a rule matches; nothing comes behind an error, and no alert is made.
func TestRecordTo(t *testing.T) {
	log, out := &trapLog{}, &received{}
	var stopped error
	e := tapped(t, out, capturing, true, RecordTo(log, func(err error) { stopped = err }))
	handleAll(t, e, "/a", "/c", "/b")
	if want := []string{"record 1", "record 3"}; !slices.Equal(log.got, want) || stopped != nil {
		t.Errorf("%q, want %q; %v", log.got, want, stopped)
	}
	log.err = errors.New("disk full")
	handleAll(t, e, "/a", "/a")
	if len(log.got) != 3 || !errors.Is(stopped, log.err) || len(*out) != 0 {
		t.Errorf("%q, stopped by %v, %d alerts", log.got, stopped, len(*out))
	}
}
