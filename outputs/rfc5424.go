// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"falconet/engine/config"
)

// syslogFacility is "user".
const syslogFacility = 1

// maxDatagram is how long a message sent by UDP may be; longer ones are cut, for a datagram that is too long arrives nowhere.
const maxDatagram = 65507

// RemoteSyslog sends lines to a log server as messages of RFC 5424: one a datagram (RFC 5426), or with their length before them in a
// stream (RFC 6587, and RFC 5425 with TLS).
type RemoteSyslog struct {
	format  Format
	network string // "udp" or "tcp"
	address string
	tls     *tls.Config // nil without TLS
	timeout time.Duration
	host    string
	conn    net.Conn
	buf     []byte
}

// NewRemoteSyslog returns a sink over the server of conf. It reads the certificates, but does not connect.
func NewRemoteSyslog(f Format, conf config.SyslogOutput, host string, timeout time.Duration) (*RemoteSyslog, error) {
	scheme, address, err := config.SyslogAddress(conf.Address)
	if err != nil {
		return nil, &keyError{"syslog_output.address", err}
	}
	s := &RemoteSyslog{format: f, network: scheme, address: address, timeout: timeout, host: host}
	if scheme != "tls" {
		return s, nil
	}
	s.network = "tcp"
	s.tls = &tls.Config{InsecureSkipVerify: conf.Insecure}
	if conf.CACert != "" {
		if s.tls.RootCAs, err = loadPool(conf.CACert); err != nil {
			return nil, &keyError{"syslog_output.ca_cert", err}
		}
	}
	if conf.ClientCert != "" {
		pair, err := loadPair(conf.ClientCert, conf.ClientKey)
		if err != nil {
			return nil, &keyError{"syslog_output.client_cert", err}
		}
		s.tls.Certificates = []tls.Certificate{pair}
	}
	return s, nil
}

// Name returns "syslog".
func (s *RemoteSyslog) Name() string { return "syslog" }

// Format returns the format given at construction.
func (s *RemoteSyslog) Format() Format { return s.format }

// Holds returns false: every line is a message of its own.
func (s *RemoteSyslog) Holds() bool { return false }

// message appends the message of a line.
func (s *RemoteSyslog) message(dst []byte, l Line, now time.Time) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(syslogFacility*8+min(int(l.Priority), 7)), 10)
	dst = append(dst, ">1 "...)
	dst = now.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, ' ')
	dst = append(dst, headerWord(s.host, 255)...)
	dst = append(dst, " falconet "...)
	dst = strconv.AppendInt(dst, int64(os.Getpid()), 10)
	// No message id, no structured data; the mark says that the text is UTF-8.
	dst = append(dst, " - - \xef\xbb\xbf"...)
	return append(dst, bytes.TrimSuffix(l.Bytes, []byte("\n"))...)
}

// headerWord returns what may stand in a header for a text: printable ASCII, "-" for nothing.
func headerWord(s string, limit int) string {
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c <= ' ' || c > '~' {
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

func (s *RemoteSyslog) connect() error {
	if s.conn != nil {
		return nil
	}
	dialer := &net.Dialer{Timeout: s.timeout}
	var err error
	if s.tls != nil {
		var conn *tls.Conn // a nil one must not hide in s.conn
		if conn, err = tls.DialWithDialer(dialer, s.network, s.address, s.tls); err == nil {
			s.conn = conn
		}
	} else if conn, dialErr := dialer.Dial(s.network, s.address); dialErr == nil {
		s.conn = conn
	} else {
		err = dialErr
	}
	if err != nil {
		return fmt.Errorf("connect to syslog: %w", err)
	}
	return nil
}

// Try connects to the server. Of datagrams nobody knows where they arrive.
func (s *RemoteSyslog) Try() error {
	if s.network == "udp" {
		return nil
	}
	return s.connect()
}

// Write sends the line. A stream that the server has closed is noticed before, not after a message was lost in it.
func (s *RemoteSyslog) Write(l Line) error {
	if s.conn != nil && s.network == "tcp" && s.closedByPeer() {
		_ = s.shut() // the next one counts
	}
	if err := s.connect(); err != nil {
		return later(err)
	}
	s.buf = s.message(s.buf[:0], l, time.Now())
	out := s.buf
	if s.network == "udp" {
		out = out[:min(len(out), maxDatagram)]
	} else {
		out = append(strconv.AppendInt(nil, int64(len(out)), 10), ' ')
		out = append(out, s.buf...)
	}
	err := s.conn.SetWriteDeadline(time.Now().Add(s.timeout))
	if err == nil {
		_, err = s.conn.Write(out)
	}
	if err != nil {
		return later(errors.Join(fmt.Errorf("send to syslog: %w", err), s.shut()))
	}
	return nil
}

// closedByPeer looks for the end of the stream: log servers say nothing, so that anything to read is one.
func (s *RemoteSyslog) closedByPeer() bool {
	if err := s.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return true
	}
	var one [1]byte
	_, err := s.conn.Read(one[:])
	var netErr net.Error
	return err != nil && (!errors.As(err, &netErr) || !netErr.Timeout())
}

func (s *RemoteSyslog) shut() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// Flush does nothing: every line is a message of its own.
func (s *RemoteSyslog) Flush() error { return nil }

// Reopen closes the connection; the next line makes a new one.
func (s *RemoteSyslog) Reopen() error { return s.shut() }

// Close closes the connection.
func (s *RemoteSyslog) Close() error {
	if err := s.shut(); err != nil {
		return fmt.Errorf("close syslog: %w", err)
	}
	return nil
}
