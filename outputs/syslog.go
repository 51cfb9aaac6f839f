// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"fmt"
	"log/syslog"
	"strings"

	"falconet/engine/alert"
)

// Syslog sends lines to the system's log, each with its rule's priority.
type Syslog struct {
	format Format
	w      *syslog.Writer
}

// OpenSyslog connects to the system's log. The connection is made anew when it breaks.
func OpenSyslog(f Format) (*Syslog, error) { return dialSyslog(f, "", "") }

// dialSyslog connects to the log at an address; without one it is looked for where it usually is.
func dialSyslog(f Format, network, address string) (*Syslog, error) {
	w, err := syslog.Dial(network, address, syslog.LOG_USER|syslog.LOG_INFO, "falconet")
	if err != nil {
		return nil, fmt.Errorf("connect to syslog: %w", err)
	}
	return &Syslog{format: f, w: w}, nil
}

// Name returns "syslog".
func (s *Syslog) Name() string { return "syslog" }

// Format returns the format given at construction.
func (s *Syslog) Format() Format { return s.format }

// Holds returns false: every line is a message of its own.
func (s *Syslog) Holds() bool { return false }

// Write sends the line.
func (s *Syslog) Write(l Line) error {
	text := strings.TrimSuffix(string(l.Bytes), "\n")
	send := [...]func(string) error{
		alert.Emergency: s.w.Emerg, alert.Alarm: s.w.Alert, alert.Critical: s.w.Crit, alert.Error: s.w.Err,
		alert.Warning: s.w.Warning, alert.Notice: s.w.Notice, alert.Informational: s.w.Info, alert.Debug: s.w.Debug,
	}
	if err := send[min(int(l.Priority), len(send)-1)](text); err != nil {
		return fmt.Errorf("send to syslog: %w", err)
	}
	return nil
}

// Flush does nothing: every line is a message of its own.
func (s *Syslog) Flush() error { return nil }

// Reopen does nothing: a broken connection is noticed when a line is sent.
func (s *Syslog) Reopen() error { return nil }

// Close closes the connection.
func (s *Syslog) Close() error {
	if err := s.w.Close(); err != nil {
		return fmt.Errorf("close syslog: %w", err)
	}
	return nil
}
