// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"fmt"
	"io"
)

// lineWriter gathers lines and writes them at once. After a write that ended in the middle of a line it ends that line first, so
// that what is read later is never glued to it.
type lineWriter struct {
	buf  []byte
	torn bool
}

func (b *lineWriter) add(l Line) { b.buf = append(b.buf, l.Bytes...) }

func (b *lineWriter) writeTo(w io.Writer) error {
	if len(b.buf) == 0 {
		return nil
	}
	if b.torn {
		if _, err := w.Write([]byte{'\n'}); err != nil {
			b.buf = b.buf[:0]
			return err
		}
		b.torn = false
	}
	n, err := w.Write(b.buf)
	if err != nil && n > 0 {
		b.torn = b.buf[n-1] != '\n'
	}
	b.buf = b.buf[:0]
	return err
}

// Stdout writes lines to a stream that is open already and stays open.
type Stdout struct {
	format Format
	w      io.Writer
	lines  lineWriter
}

// NewStdout returns a sink over w.
func NewStdout(f Format, w io.Writer) *Stdout { return &Stdout{format: f, w: w} }

// Name returns "stdout".
func (s *Stdout) Name() string { return "stdout" }

// Format returns the format given at construction.
func (s *Stdout) Format() Format { return s.format }

// Holds returns true: lines are written together.
func (s *Stdout) Holds() bool { return true }

// Write gathers the line.
func (s *Stdout) Write(l Line) error {
	s.lines.add(l)
	return nil
}

// Flush writes the gathered lines with one call.
func (s *Stdout) Flush() error {
	if err := s.lines.writeTo(s.w); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

// Reopen does nothing: the stream is not ours.
func (s *Stdout) Reopen() error { return nil }

// Close flushes. The stream stays open.
func (s *Stdout) Close() error { return s.Flush() }
