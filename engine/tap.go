// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"falconet/engine/config"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// Tap sees what the engine sees. Like a Receiver it is called between two events.
type Tap interface {
	// Record takes a record, whose times are since boot, after the state has followed it. boot is when that was, in Unix time; matched
	// tells whether a rule matched it.
	Record(r *event.Record, boot int64, matched bool)
	// Container takes what has become known of a container at a time since boot, as recordings tell it.
	Container(text []byte, ts uint64, boot int64)
	// Match takes a rule that matched the event of a time since boot and a number.
	Match(rule *rules.Rule, ts, number uint64)
}

// Recorder writes records.
type Recorder interface {
	Record(r *event.Record, boot int64) error
	Container(text []byte, ts uint64) error // in Unix time
}

// RecordTo returns a tap that writes what a rule matches, until there is an error, which stop is called with.
func RecordTo(rec Recorder, stop func(error)) Tap { return &recordTap{rec: rec, stop: stop} }

type recordTap struct {
	rec     Recorder
	stop    func(error)
	stopped bool
}

func (t *recordTap) Record(r *event.Record, boot int64, matched bool) {
	if t.stopped || !matched && !r.Row().Internal() {
		return
	}
	if err := t.rec.Record(r, boot); err != nil {
		t.stopped = true
		t.stop(err)
	}
}

func (t *recordTap) Container(text []byte, ts uint64, boot int64) {
	if t.stopped {
		return
	}
	if err := t.rec.Container(text, ts+uint64(boot)); err != nil {
		t.stopped = true
		t.stop(err)
	}
}

func (t *recordTap) Match(*rules.Rule, uint64, uint64) {}

// Trap keeps records and writes them when it is sprung.
type Trap interface {
	Recorder
	Spring(ts, number uint64, window time.Duration) (file string, err error)
}

// SetTrap returns a tap that springs a trap when rules match. What cannot be written is logged: no alert is lost to it.
func SetTrap(t Trap, conf config.Capture, log zerolog.Logger) Tap {
	return &trapTap{trap: t, all: conf.Mode == "all_rules", window: time.Duration(conf.DefaultDurationMS) * time.Millisecond, log: log}
}

type trapTap struct {
	trap   Trap
	all    bool          // rules spring it that do not ask for it too
	window time.Duration // for rules that do not say how long
	log    zerolog.Logger
}

func (t *trapTap) Record(r *event.Record, boot int64, _ bool) {
	if err := t.trap.Record(r, boot); err != nil {
		t.log.Error().Err(err).Msg("a recording ends before its time")
	}
}

func (t *trapTap) Container(text []byte, ts uint64, boot int64) {
	if err := t.trap.Container(text, ts+uint64(boot)); err != nil {
		t.log.Error().Err(err).Msg("a recording ends before its time")
	}
}

func (t *trapTap) Match(r *rules.Rule, ts, number uint64) {
	on, window := r.Capture()
	if !on && !t.all {
		return
	}
	if window == 0 {
		window = t.window
	}
	name, err := t.trap.Spring(ts, number, window)
	switch {
	case err != nil:
		t.log.Error().Err(err).Str("rule", r.Name).Msg("the events around an alert are not recorded")
	case name != "":
		t.log.Info().Str("rule", r.Name).Str("file", name).Msg("the events around an alert are recorded")
	}
}

// Now is the time of a host since its boot, in nanoseconds.
func Now(h *field.Host) uint64 { return uint64(time.Now().UnixNano() - h.BootTime) }

// maxSaid bounds how many containers are remembered as told of.
const maxSaid = 4096

// tellContainer tells the tap of the event's container, if that is new or more is known of it than before.
func (e *Engine) tellContainer() {
	info, m := e.ctx.Contained()
	if m == nil || e.said[info] == m {
		return
	}
	if e.said == nil || len(e.said) >= maxSaid {
		e.said = make(map[container.Info]*container.Metadata)
	}
	e.said[info] = m
	e.tap.Container(container.Recorded(info, m), e.ctx.Rec.TS, e.host.BootTime)
}
