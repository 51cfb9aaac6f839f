// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"

	"github.com/rs/zerolog"
)

func changeOptions(t *testing.T, stdout io.Writer, change func(*config.Config)) Options {
	t.Helper()
	c := config.Default()
	c.Outputs.Stdout.Enabled = false
	change(c)
	return Options{Outputs: c.Outputs, Render: c.Render, Stdout: stdout, Local: time.UTC, Log: zerolog.New(io.Discard)}
}

// lineBuffer is a writer that one goroutine at a time writes to, and that another reads.
type lineBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lineBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lineBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

// While outputs change again and again, every alert goes to the file that is an output when it is dispatched, once and in order, and the
// output that stays gets them all.
func TestChangeOfOutputs(t *testing.T) {
	dir, out := t.TempDir(), &lineBuffer{}
	files := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	options := func(i int) Options {
		return changeOptions(t, out, func(c *config.Config) {
			c.Outputs.Stdout.Enabled = true
			c.Outputs.File = config.FileOutput{Enabled: true, KeepAlive: true, Filename: files[i%2], Format: "auto"}
			c.Outputs.Queue.Capacity = 1 << 16
		})
	}
	q, err := Open(options(0))
	if err != nil {
		t.Fatal(err)
	}
	first := q.workers[0]
	const changes, each = 20, 500
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range changes * each {
			q.Send(&alert.Alert{Rule: fmt.Sprintf("rule %06d", i), Message: fmt.Sprintf("%06d", i)})
			if i%each == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for i := range changes {
		c, err := q.Prepare(options(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Make(); err != nil {
			t.Fatal(err)
		}
	}
	<-sent
	if q.workers[0] != first {
		t.Error("an output of which nothing changes is another")
	}
	if !q.Close(time.Minute) {
		t.Fatal("not everything was delivered")
	}
	seen := make(map[string]int)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			seen[line[strings.LastIndex(line, " ")+1:len(line)-1]]++
		}
	}
	lines := out.lines()
	if len(lines) != changes*each {
		t.Errorf("%d lines of %d are on the output that stays", len(lines), changes*each)
	}
	for i := range changes * each {
		text := fmt.Sprintf("%06d", i)
		if seen[text] != 1 || !strings.HasSuffix(lines[min(i, len(lines)-1)], text) {
			t.Fatalf("alert %s is %d times in the files; line %d is %q", text, seen[text], i, lines[min(i, len(lines)-1)])
		}
	}
	for _, s := range q.Stats().Sinks {
		if s.Written != changes*each || s.Waiting != 0 || s.Dropped+s.Failed != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// What waits for a receiver is delivered when its output has left, or has another in its place.
func TestChangeWhileReceiverIsDown(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		t.Run(fmt.Sprintf("spool %t", spooled), func(t *testing.T) {
			var up atomic.Bool
			got := &lineBuffer{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !up.Load() {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				b, _ := io.ReadAll(r.Body)
				_, _ = got.Write(append(bytes.TrimSpace(b), '\n'))
			}))
			defer server.Close()
			dir := t.TempDir()
			options := func(agent string) Options {
				return changeOptions(t, io.Discard, func(c *config.Config) {
					c.Outputs.HTTP.Enabled, c.Outputs.HTTP.URL, c.Outputs.HTTP.UserAgent = true, server.URL, agent
					if spooled {
						c.Outputs.HTTP.Spool = config.Spool{Path: dir, MaxSizeMB: 1}
					}
				})
			}
			q, err := Open(options("one"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				q.Send(&alert.Alert{Rule: "r", Message: fmt.Sprint(i)})
			}
			eventually(t, "the receiver is tried", func() bool { return q.Stats().Sinks[0].Retried > 0 })
			c, err := q.Prepare(options("two"))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Make(); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				q.Send(&alert.Alert{Rule: "r", Message: fmt.Sprint(3 + i)})
			}
			eventually(t, "all alerts wait", func() bool { return q.Stats().Sinks[0].Waiting == 6 })
			up.Store(true)
			eventually(t, "all alerts are delivered", func() bool { return len(got.lines()) == 6 && q.Stats().Sinks[0].Waiting == 0 })
			if s := q.Stats().Sinks; len(s) != 1 || s[0].Written != 6 || s[0].Failed+s[0].Dropped != 0 {
				t.Errorf("%+v", s)
			}
			if !q.Close(time.Minute) {
				t.Error("not everything was delivered")
			}
		})
	}
}

// A change that cannot be made leaves everything as it is.
func TestChangeThatFails(t *testing.T) {
	out := &lineBuffer{}
	q, err := Open(changeOptions(t, out, func(c *config.Config) { c.Outputs.Stdout.Enabled = true }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = q.Prepare(changeOptions(t, out, func(c *config.Config) {
		c.Outputs.File = config.FileOutput{Enabled: true, Filename: "/no/such/directory/file", Format: "auto"}
	}))
	if err == nil || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("the error is %v", err)
	}
	q.Send(&alert.Alert{Rule: "r", Message: "still"})
	if !q.Close(time.Minute) || !strings.HasSuffix(out.lines()[0], "still") {
		t.Errorf("written was %q", out.lines())
	}
}

// An output whose program takes nothing gives its spool to the one that takes its place, and all that the program has not taken with it;
// other outputs go on.
func TestChangeOfStuckProgram(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep alive %t", keep), func(t *testing.T) {
			dir, out := t.TempDir(), &lineBuffer{}
			got := filepath.Join(dir, "got")
			options := func(program string) Options {
				return changeOptions(t, out, func(c *config.Config) {
					c.Outputs.Stdout.Enabled = true
					c.Outputs.Program = config.ProgramOutput{
						Enabled: true, KeepAlive: keep, Program: program, Format: "auto", Spool: config.Spool{Path: filepath.Join(dir, "spool"), MaxSizeMB: 16},
					}
				})
			}
			q, err := Open(options("exec sleep 3600"))
			if err != nil {
				t.Fatal(err)
			}
			const before = 3000 // more than a pipe holds
			for i := range before {
				q.Send(&alert.Alert{Rule: "r", Message: fmt.Sprintf("%s %06d", strings.Repeat("x", 100), i)})
			}
			eventually(t, "the alerts wait", func() bool { return q.Stats().Sinks[1].Spooled > before/2 })
			c, err := q.Prepare(options("cat >> " + got))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Make(); err != nil {
				t.Fatal(err)
			}
			q.Send(&alert.Alert{Rule: "r", Message: "last"})
			eventually(t, "the other output goes on", func() bool { return len(out.lines()) == before+1 })
			if !keep { // a program a line takes its time
				q.Close(0)
				return
			}
			if !q.Close(time.Minute) {
				t.Fatal("not everything was delivered")
			}
			b, err := os.ReadFile(got)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
			first := before + 1 - len(lines) // those before were in the pipe of the program that is gone
			for i, line := range lines {
				want := fmt.Sprintf(" %06d", first+i)
				if first+i == before {
					want = "last"
				}
				if !strings.HasSuffix(line, want) {
					t.Fatalf("line %d of %d is %q, want one that ends with %q", i, len(lines), line, want)
				}
			}
			if s := q.Stats().Sinks[1]; len(lines) < before/2 || s.Failed+s.Dropped+s.Waiting != 0 || s.Written != before+1 {
				t.Errorf("%d lines were taken: %+v", len(lines), s)
			}
		})
	}
}

// An output that had to leave tries its receiver for a while, not for ever: what waits for it then is lost, and counted and said.
func TestRetirementEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	said := &lineBuffer{}
	options := func(on bool) Options {
		o := changeOptions(t, io.Discard, func(c *config.Config) { c.Outputs.HTTP.Enabled, c.Outputs.HTTP.URL = on, server.URL })
		o.Log = zerolog.New(said)
		return o
	}
	q, err := Open(options(true))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		q.Send(numbered(i))
	}
	eventually(t, "the receiver is tried", func() bool { return q.Stats().Sinks[0].Retried > 0 })
	c, err := q.Prepare(options(false))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Make(); err != nil {
		t.Fatal(err)
	}
	q.sweep(time.Now())
	if s := q.Stats().Sinks[0]; s.Waiting != 3 {
		t.Errorf("%+v: nothing is to be lost at once", s)
	}
	q.sweep(time.Now().Add(2 * retireTime))
	eventually(t, "the loss is said", func() bool {
		s := q.Stats().Sinks[0]
		return s.Failed == 3 && s.Waiting == 0 && strings.Contains(strings.Join(said.lines(), "\n"), `"output":"http","alerts":3`)
	})
	if !q.Close(time.Minute) {
		t.Error("the queue does not close")
	}
}

// fingerprint is what outputs and vitals make of a configuration.
func fingerprint(t *testing.T, conf *config.Config) string {
	t.Helper()
	o := Options{Outputs: conf.Outputs, Render: conf.Render, Stdout: io.Discard, Local: time.FixedZone("there", 3600), Log: zerolog.Nop()}
	var b strings.Builder
	for _, s := range o.sinks() {
		fmt.Fprintln(&b, s.same, s.spool)
	}
	q, r := o.queue(), o.renderer()
	fmt.Fprintln(&b, q.Buffered, q.Timeout)
	a := &alert.Alert{Rule: "r", Message: "m", Source: alert.SourceSyscall, Tags: []string{"t"}, Fields: []alert.Field{{Name: "f", Value: "v"}}}
	for _, f := range []Format{FormatText, o.format("auto"), FormatJSON} {
		fmt.Fprintf(&b, "%s\n", r.Append(nil, f, a))
	}
	d := NewDrops(config.EventDrops{}, nil, nil, "", zerolog.Nop())
	d.Use(conf.Drops.Drops)
	fmt.Fprintln(&b, publishes(conf), *d.conf.Load())
	return b.String()
}

// Every key that outputs and vitals are to follow makes a difference to what they are made of, or to what they write.
func TestEveryKeyMakesADifference(t *testing.T) {
	everything := func() *config.Config {
		c := config.Default()
		out := &c.Outputs
		out.Stdout.Enabled, out.Syslog.Enabled, out.File.Enabled, out.Program.Enabled, out.HTTP.Enabled = true, true, true, true, true
		c.Web.Enabled, c.Metrics.Enabled, c.Web.SSL = true, true, true
		return c
	}
	before := fingerprint(t, everything())
	keys := 0
	everything().Each(func(key string, _ reflect.Value) {
		top, _, _ := strings.Cut(key, ".")
		switch top {
		case "json_output", "json_include_output_property", "json_include_message_property", "json_include_tags_property", "json_include_output_fields_property",
			"time_format_iso_8601", "buffered_outputs", "output_timeout", "stdout_output", "syslog_output", "file_output", "program_output", "http_output",
			"webserver", "metrics", "syscall_event_drops":
		default:
			return
		}
		keys++
		next := everything()
		next.Each(func(of string, v reflect.Value) {
			if of != key {
				return
			}
			switch v.Kind() {
			case reflect.Bool:
				v.SetBool(!v.Bool())
			case reflect.Int:
				v.SetInt(v.Int() + 1)
			case reflect.Float64:
				v.SetFloat(v.Float() + 1)
			case reflect.String:
				v.SetString(v.String() + "x")
			case reflect.Slice:
				v.Set(reflect.Append(v, reflect.ValueOf("x")))
			default:
				t.Fatalf("%s is a %s", key, v.Kind())
			}
		})
		if fingerprint(t, next) == before {
			t.Errorf("%s makes no difference", key)
		}
	})
	if keys < 60 {
		t.Errorf("%d keys were looked at", keys)
	}
}
