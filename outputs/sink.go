// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"time"

	"falconet/engine/alert"
)

// Line is one rendered alert.
type Line struct {
	Bytes    []byte // with the newline at its end; read only, and good for as long as the sink wants
	Priority alert.Priority
}

// Sink is a place where alerts go. All its methods are called from one goroutine, which belongs to the sink: it may be as slow
// as it likes and costs only its own alerts.
type Sink interface {
	// Name is the word under which the sink is counted and logged.
	Name() string
	// Format says how lines are rendered for the sink. It does not change.
	Format() Format
	// Holds reports whether Write holds lines back until Flush. It does not change.
	Holds() bool
	// Write takes one line. An error means that this line, and all that are held back, did not arrive. Where errors.As finds a
	// Later in it the same lines will be written again; else they are lost, and the sink goes on with the next one.
	Write(l Line) error
	// Flush hands on what Write held back. It is called as soon as nothing waits, or within a second where outputs are buffered.
	Flush() error
	// Reopen closes what the sink writes to and opens it anew, for files that were moved away.
	Reopen() error
	// Close flushes and gives everything back. Nothing is called after it.
	Close() error
}

// tryer is a sink whose receiver may be out of reach, which is better known before there is an alert.
type tryer interface {
	// Try finds out whether the receiver can be reached. It is called from the sink's goroutine, before anything else.
	Try() error
}

// abandoner is a sink that leaves something behind when the program ends in the middle of a call.
type abandoner interface {
	// Abandon ends what the sink is stuck in. It may be called from any goroutine.
	Abandon()
}

// Later is the error of a sink whose receiver takes nothing for now.
type Later struct {
	Err error
	In  time.Duration // when the receiver asked to be tried again, 0 where it did not say
}

func (e *Later) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *Later) Unwrap() error { return e.Err }

// later wraps an error that may pass.
func later(err error) error {
	if err == nil {
		return nil
	}
	return &Later{Err: err}
}

// wait returns how long to wait after an error before the lines are written again; ok is false for errors that do not pass.
func wait(err error, tries int) (d time.Duration, ok bool) {
	var l *Later
	if !errors.As(err, &l) {
		return 0, false
	}
	d = maxPause
	if tries < 16 {
		d = min(firstPause<<tries, maxPause)
	}
	return max(d, min(l.In, 10*maxPause)), true
}

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)
