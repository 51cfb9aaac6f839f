// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
	"falconet/engine/config"
)

// shortWriter takes so many bytes in all, then fails until it gets more room.
type shortWriter struct {
	room int
	got  strings.Builder
}

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.got.Write(p[:n])
	w.room -= n
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func TestTornLineIsEnded(t *testing.T) {
	w := &shortWriter{room: 4}
	s := NewStdout(FormatText, w)
	_ = s.Write(Line{Bytes: []byte("first\n")})
	if err := s.Flush(); !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("%v", err)
	}
	w.room = 100
	_ = s.Write(Line{Bytes: []byte("second\n")})
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := w.got.String(); got != "firs\nsecond\n" {
		t.Errorf("%q", got)
	}
}

func TestFile(t *testing.T) {
	for _, keep := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "events.txt")
		s, err := OpenFile(FormatText, path, keep)
		if err != nil {
			t.Fatal(err)
		}
		put := func(text string) {
			t.Helper()
			_ = s.Write(Line{Bytes: []byte(text + "\n")})
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		put("one")
		if err := os.Rename(path, path+".old"); err != nil {
			t.Fatal(err)
		}
		put("two")
		if err := s.Reopen(); err != nil {
			t.Fatal(err)
		}
		put("three")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		old, now := read(t, path+".old"), read(t, path)
		if keep && (old != "one\ntwo\n" || now != "three\n") || !keep && (old != "one\n" || now != "two\nthree\n") {
			t.Errorf("keep=%v: %q then %q", keep, old, now)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%v %v", info.Mode(), err)
		}
	}
	if _, err := OpenFile(FormatText, filepath.Join(t.TempDir(), "no", "where"), true); err == nil {
		t.Error("a file in a missing directory was opened")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProgramPerLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, err := NewProgram(FormatText, "cat >> "+path+"; echo end >> "+path, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one\n", "two\n"} {
		if err := s.Write(Line{Bytes: []byte(line)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "one\nend\ntwo\nend\n" {
		t.Errorf("%q", got)
	}
	bad, _ := NewProgram(FormatText, "exit 3", false)
	if err := bad.Write(Line{Bytes: []byte("x\n")}); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestProgramKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, err := NewProgram(FormatText, "cat >> "+path+"; echo end >> "+path, true)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		t.Helper()
		_ = s.Write(Line{Bytes: []byte(text)})
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	put("one\n")
	put("two\n")
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	put("three\n")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "one\ntwo\nend\nthree\nend\n" {
		t.Errorf("%q", got)
	}
}

func TestProgramThatEndsIsStartedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, err := NewProgram(FormatText, "read x; echo $x >> "+path, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one\n", "two\n"} {
		// It is not started again at once: until then the sink asks for patience.
		eventually(t, "the start", func() bool {
			_ = s.Write(Line{Bytes: []byte(line)})
			err := s.Flush()
			if _, ok := wait(err, 0); err != nil && !ok {
				t.Fatal(err)
			}
			return err == nil
		})
		eventually(t, "the program", func() bool {
			b, _ := os.ReadFile(path)
			return strings.HasSuffix(string(b), line)
		})
		// It is gone once its result is there to be taken.
		eventually(t, "the end of the program", func() bool { return len(s.run.ended) == 1 })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestProgramThatDoesNotEndIsKilled(t *testing.T) {
	s, err := NewProgram(FormatText, "sleep 60", true)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Write(Line{Bytes: []byte("x\n")})
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestOpen(t *testing.T) {
	conf := config.Default()
	conf.Outputs.File = config.FileOutput{Enabled: true, Filename: filepath.Join(t.TempDir(), "a")}
	conf.Render.JSON = true
	var out lockedBuffer
	opts := Options{Outputs: conf.Outputs, Render: conf.Render, Stdout: &out, Local: time.UTC, Log: zerolog.Nop()}
	q, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	q.Send(sample())
	if !q.Close(5 * time.Second) {
		t.Fatal("not closed")
	}
	if file := read(t, conf.Outputs.File.Filename); file != out.String() || !strings.HasPrefix(file, `{"hostname":`) || !strings.HasSuffix(file, "}\n") {
		t.Errorf("stdout %q, file %q", out.String(), file)
	}
	opts.Outputs.File.Filename = "/nonexistent/dir/file"
	if _, err := Open(opts); err == nil || !strings.Contains(err.Error(), "open file output: open /nonexistent/dir/file") {
		t.Errorf("%v", err)
	}
}

// A program that takes nothing is not left behind, and none is started in its place.
func TestProgramIsAbandoned(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	s, err := NewProgram(FormatText, "echo $$ >> "+pid+"; exec sleep 3600", true)
	if err != nil {
		t.Fatal(err)
	}
	q := NewQueue(NewRenderer(config.Render{}, time.UTC), QueueOptions{}, s)
	for i := range 2000 {
		q.Send(&alert.Alert{Rule: "r", Message: strings.Repeat("x", 100) + strconv.Itoa(i)})
	}
	eventually(t, "the program to be stuck", func() bool { return q.workers[0].busySince.Load() != 0 && s.group.Load() != 0 })
	if q.Close(10 * time.Millisecond) {
		t.Fatal("everything is said to be delivered")
	}
	select {
	case <-q.done:
	case <-time.After(time.Minute):
		t.Fatal("the output is still stuck")
	}
	b, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(b)) {
		n, err := strconv.Atoi(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(n, 0); err != syscall.ESRCH {
			t.Errorf("process %d is left behind: %v", n, err)
		}
	}
	if n := len(strings.Fields(string(b))); n != 1 {
		t.Errorf("the program was started %d times", n)
	}
}
