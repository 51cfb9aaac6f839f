// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"falconet/engine/alert"
)

func TestSyslogPriorities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := dialSyslog(FormatText, "unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1024)
	for _, p := range alert.Priorities() {
		if err := s.Write(Line{Bytes: []byte("the line\n"), Priority: p}); err != nil {
			t.Fatal(err)
		}
		if err := l.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := l.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got := string(buf[:n])
		// Facility 1 is "user".
		if !strings.HasPrefix(got, fmt.Sprintf("<%d>", 8+int(p))) || !strings.HasSuffix(got, ": the line\n") || !strings.Contains(got, "falconet[") {
			t.Errorf("%v: %q", p, got)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := dialSyslog(FormatText, "unixgram", path+".none"); err == nil || !strings.Contains(err.Error(), "connect to syslog") {
		t.Errorf("%v", err)
	}
}
