// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/syslog"
	"sync"
	"time"

	"falconet/engine"
	"falconet/engine/config"

	"github.com/rs/zerolog"
)

// levels maps the words of log_level.
var levels = map[string]zerolog.Level{
	"emergency": zerolog.PanicLevel, "alert": zerolog.FatalLevel, "critical": zerolog.FatalLevel, "error": zerolog.ErrorLevel,
	"warning": zerolog.WarnLevel, "notice": zerolog.InfoLevel, "info": zerolog.InfoLevel, "debug": zerolog.DebugLevel,
}

// newLog returns the logger that the configuration asks for. Nothing is written to syslog where there is none.
func newLog(stderr io.Writer, conf config.Log, iso bool) zerolog.Logger {
	shape := func(out io.Writer) io.Writer {
		if conf.Format == "json" {
			return out
		}
		return textLog(out, iso)
	}
	var outs []io.Writer
	if conf.Stderr {
		outs = append(outs, shape(stderr))
	}
	var missing error
	if conf.Syslog {
		w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "falconet")
		if err == nil {
			outs = append(outs, &sysLog{w: w, json: conf.Format == "json"})
		}
		missing = err
	}
	log := zerolog.New(zerolog.MultiLevelWriter(outs...)).Level(levels[conf.Level]).Hook(newThrottle(time.Now)).With().Timestamp().Logger()
	if missing != nil {
		log.Warn().Err(missing).Msg("there is no syslog to write messages to")
	}
	return log
}

// textLog writes messages in Falco's shape: the time, a colon, the message; then what belongs to it.
func textLog(out io.Writer, iso bool) io.Writer {
	w := zerolog.ConsoleWriter{Out: out, NoColor: true, FormatLevel: levelWord}
	w.FormatTimestamp = func(v any) string {
		t, err := time.Parse(zerolog.TimeFieldFormat, fmt.Sprint(v))
		if err != nil {
			t = time.Now()
		}
		if iso {
			return t.UTC().Format("2006-01-02T15:04:05-0700") + ":"
		}
		return t.Local().Format(time.ANSIC) + ":"
	}
	return w
}

// levelWord says how bad it is, where it is bad.
func levelWord(v any) string {
	switch v {
	case "warn":
		return "Warning:"
	case "error", "fatal", "panic":
		return "Error:"
	}
	return ""
}

// sysLog writes messages to syslog, each with its level and without the time, which syslog adds.
type sysLog struct {
	w    *syslog.Writer
	json bool
}

func (s *sysLog) Write(p []byte) (int, error) { return s.WriteLevel(zerolog.InfoLevel, p) }

// WriteLevel writes one message.
func (s *sysLog) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	text := p
	if !s.json {
		var b bytes.Buffer
		w := zerolog.ConsoleWriter{Out: &b, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName, zerolog.LevelFieldName}}
		if _, err := w.Write(p); err != nil {
			return 0, err
		}
		text = b.Bytes()
	}
	send := s.w.Info
	switch {
	case level >= zerolog.FatalLevel && level != zerolog.NoLevel:
		send = s.w.Crit
	case level == zerolog.ErrorLevel:
		send = s.w.Err
	case level == zerolog.WarnLevel:
		send = s.w.Warning
	case level <= zerolog.DebugLevel:
		send = s.w.Debug
	}
	if err := send(string(bytes.TrimSpace(text))); err != nil {
		return 0, err
	}
	return len(p), nil
}

const (
	throttleLines = 20          // the same message may be written so often
	throttleTime  = time.Minute // in this time
	throttleTexts = 1024        // different messages that are remembered
)

// throttle hides messages that come too often and says how many were hidden with the next one that is written.
type throttle struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]*repeated
}

// repeated is what is known of one message.
type repeated struct {
	since  time.Time
	n      int
	hidden uint64
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, seen: map[string]*repeated{}}
}

// Run is zerolog's hook. Who asked for a reload waits for the answer.
func (t *throttle) Run(e *zerolog.Event, _ zerolog.Level, text string) {
	if text == engine.Reloaded || text == engine.NotReloaded {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	r := t.seen[text]
	if r == nil {
		if len(t.seen) >= throttleTexts {
			clear(t.seen)
		}
		r = &repeated{since: now}
		t.seen[text] = r
	}
	if now.Sub(r.since) >= throttleTime {
		if r.hidden > 0 {
			e.Uint64("hidden", r.hidden)
		}
		*r = repeated{since: now}
	}
	if r.n++; r.n > throttleLines {
		r.hidden++
		e.Discard()
	}
}
