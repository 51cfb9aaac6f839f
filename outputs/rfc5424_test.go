// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
)

var message5424 = regexp.MustCompile("^<10>1 [0-9-]{10}T[0-9:]{8}\\.[0-9]{6}Z my_host falconet [0-9]+ - - \xef\xbb\xbfline [0-9]+$")

// readFrame reads one message of a stream, with its length before it.
func readFrame(in *bufio.Reader) (string, error) {
	var n int
	if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(in, b)
	return string(b), err
}

func TestRemoteSyslogStream(t *testing.T) {
	p := newPKI(t)
	p.make("server", nil)
	pair, err := tls.LoadX509KeyPair(p.path("server.crt"), p.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		if scheme == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
		}
		got := make(chan string, 10)
		serve := func(l net.Listener, conns, each int) {
			defer l.Close()
			for range conns {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				in := bufio.NewReader(conn)
				for range each {
					m, err := readFrame(in)
					if err != nil {
						t.Error(err)
					}
					got <- m
				}
				_ = conn.Close()
			}
		}
		go serve(l, 2, 2)
		s, err := NewRemoteSyslog(FormatText, config.SyslogOutput{Address: scheme + "://" + addr, CACert: p.path("ca.crt")}, "my host", 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 { // the server closes the connection after two
			if i == 2 {
				eventually(t, "the end of the connection", func() bool { return s.closedByPeer() })
			}
			if err := s.Write(Line{Bytes: fmt.Appendf(nil, "line %d\n", i), Priority: alert.Critical}); err != nil {
				t.Fatal(err)
			}
			if m := <-got; !message5424.MatchString(m) || !strings.HasSuffix(m, fmt.Sprint("line ", i)) {
				t.Errorf("%s: %q", scheme, m)
			}
		}
		eventually(t, "the end of the server", func() bool { // now nobody is there
			return errors.As(s.Write(Line{Bytes: []byte("x\n")}), new(*Later))
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoteSyslogDatagrams(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := NewRemoteSyslog(FormatText, config.SyslogOutput{Address: "udp://" + l.LocalAddr().String()}, "my host", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(Line{Bytes: []byte("line 1\n"), Priority: alert.Critical}); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(Line{Bytes: []byte(strings.Repeat("x", 100000))}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100000)
	if err := l.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := l.ReadFrom(buf); err != nil || !message5424.Match(buf[:n]) {
		t.Errorf("%q %v", buf[:n], err)
	}
	if n, _, err := l.ReadFrom(buf); err != nil || n != maxDatagram {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestRemoteSyslogBadFiles(t *testing.T) {
	_, err := NewRemoteSyslog(FormatText, config.SyslogOutput{Address: "tls://h:1", CACert: "/none"}, "h", time.Second)
	if err == nil || err.Error() != "syslog_output.ca_cert: stat /none: no such file or directory" {
		t.Errorf("%v", err)
	}
}
