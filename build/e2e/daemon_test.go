// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// canaryRule is the name of the rule that tells when everything before it has been reported.
const canaryRule = "E2E canary"

// launch says how a falconet is started.
type launch struct {
	rules  string   // text of a rule file
	files  []string // rule files, before that text
	text   bool     // lines of text, not JSON
	args   []string // further arguments
	by     []string // the command that starts it; none: the test itself
	config string   // more lines for the configuration file
}

// daemon is a falconet that runs. All alerts on its standard output are kept.
type daemon struct {
	t      testing.TB
	cmd    *exec.Cmd
	text   bool
	canary string // directory whose files the canary rule watches
	sung   int
	closed chan struct{} // standard output has ended
	diag   *safeBuffer   // standard error
	waited bool

	mu    sync.Mutex
	lines []string
	times []time.Time // when the lines came
}

// safeBuffer is a bytes.Buffer for a writer and a reader at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// quietConfig is a configuration that has no effect on the machine: alerts go to the standard output alone.
func quietConfig(t testing.TB, dir, more string) string {
	t.Helper()
	return write(t, filepath.Join(dir, "falconet.yaml"), `rules_files: []
config_files: []
watch_config_files: false
priority: debug
rule_matching: all
stdout_output:
  enabled: true
syslog_output:
  enabled: false
webserver:
  enabled: false
`+more)
}

// start starts a falconet and returns when it reports events.
func start(t testing.TB, l launch) *daemon {
	t.Helper()
	d := prepare(t, l)
	d.sync()
	return d
}

// prepare starts a falconet without waiting for it. It ends with the test, and by itself when the test is killed.
func prepare(t testing.TB, l launch) *daemon {
	t.Helper()
	dir := tempDir(t)
	d := &daemon{t: t, text: l.text, canary: filepath.Join(dir, "canary"), closed: make(chan struct{}), diag: new(safeBuffer)}
	if err := os.Mkdir(d.canary, 0o755); err != nil {
		t.Fatal(err)
	}
	rules := fmt.Sprintf(`- rule: %s
  desc: Tells the tests that what happened before has been reported.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/
  output: canary file=%%fd.name
  priority: DEBUG
`, canaryRule, d.canary) + l.rules
	args := []string{"-c", quietConfig(t, dir, l.config), "-M", "600"}
	for _, f := range l.files {
		args = append(args, "-r", f)
	}
	args = append(args, "-r", write(t, filepath.Join(dir, "rules.yaml"), rules))
	if !l.text {
		args = append(args, "-o", "json_output=true")
	}
	args = append(args, l.args...)

	all := slices.Concat(l.by, []string{binary(t)}, args)
	d.cmd = exec.Command(all[0], all[1:]...)
	d.cmd.Dir = dir
	d.cmd.Stderr = d.diag
	out, err := d.cmd.StdoutPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatalf("start falconet: %v", err)
	}
	t.Cleanup(d.kill)
	go d.read(out)
	return d
}

func (d *daemon) read(out io.Reader) {
	defer close(d.closed)
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			d.mu.Lock()
			d.lines = append(d.lines, strings.TrimSuffix(line, "\n"))
			d.times = append(d.times, time.Now())
			d.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// sync returns when everything that happened before the call has been reported, as far as it will ever be. Alerts come in the
// order of the events, so that of a file opened now comes last.
func (d *daemon) sync() {
	d.t.Helper()
	from := d.mark()
	first := d.sung + 1
	end := time.Now().Add(deadline)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		// Until the probe is attached a canary is not heard: there have to be several.
		d.sung++
		write(d.t, d.song(d.sung), "")
		next := time.Now().Add(pause)
		for {
			for _, line := range d.since(from) {
				for n := first; n <= d.sung; n++ {
					if strings.Contains(line, d.song(n)) {
						return
					}
				}
			}
			select {
			case <-d.closed:
				d.t.Fatalf("falconet ended before it reported an event:\n%s", indent(d.diag.String()))
			default:
			}
			if time.Now().After(next) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if time.Now().After(end) {
			d.t.Fatalf("falconet reported no event in %v:\n%s", deadline, indent(d.diag.String()))
		}
	}
}

func (d *daemon) song(n int) string { return filepath.Join(d.canary, fmt.Sprintf("song-%d.", n)) }

// mark returns a place in the output for since.
func (d *daemon) mark() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.lines)
}

// since returns the lines after a mark.
func (d *daemon) since(mark int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines[mark:len(d.lines):len(d.lines)]
}

// came returns when the line at a place came.
func (d *daemon) came(at int) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times[at]
}

// alerts returns the alerts after a mark, without canaries and closing statistics.
func (d *daemon) alerts(mark int) []alert {
	d.t.Helper()
	var out []alert
	for i, line := range d.since(mark) {
		a, ok := d.parse(line)
		a.Came = d.came(mark + i)
		if ok && a.Rule != canaryRule {
			out = append(out, a)
		}
	}
	return out
}

func (d *daemon) parse(line string) (alert, bool) {
	d.t.Helper()
	if d.text {
		a, ok := parseText(line)
		if ok && strings.HasPrefix(a.Message, "canary file=") {
			a.Rule = canaryRule
		}
		return a, ok
	}
	if !strings.HasPrefix(line, "{") {
		return alert{}, false
	}
	a, err := parseJSON(line)
	if err != nil {
		d.t.Fatalf("line of output is no alert: %v\n%q", err, line)
	}
	return a, true
}

// stop ends falconet as a service manager does and returns what it wrote to the standard output after the last alert.
func (d *daemon) stop() (code int, closing []string) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatalf("signal falconet: %v", err)
	}
	code = d.wait()
	for _, line := range d.since(0) {
		if _, ok := d.parse(line); !ok {
			closing = append(closing, line)
		}
	}
	return code, closing
}

// wait returns falconet's exit code once it has ended.
func (d *daemon) wait() int {
	d.t.Helper()
	select {
	case <-d.closed:
	case <-time.After(deadline):
		d.t.Fatalf("falconet has not ended in %v", deadline)
	}
	d.waited = true
	err := d.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("wait for falconet: %v", err)
	}
	return d.cmd.ProcessState.ExitCode()
}

// kill ends falconet at the end of a test, and shows what it said when the test has failed.
func (d *daemon) kill() {
	if !d.waited {
		d.cmd.Process.Kill() // an error means that it has ended already
		<-d.closed
		d.cmd.Wait() // killed: its state tells nothing
	}
	if d.t.Failed() {
		d.t.Logf("standard error of falconet:\n%s", indent(d.diag.String()))
	}
}

// alert is one line of falconet's output.
type alert struct {
	Line     string         `json:"-"`
	Keys     []string       `json:"-"` // of the object, in the order in which they stand
	Message  string         `json:"-"` // text lines only
	Came     time.Time      `json:"-"`
	Hostname string         `json:"hostname"`
	Output   string         `json:"output"`
	Fields   map[string]any `json:"output_fields"`
	Priority string         `json:"priority"`
	Rule     string         `json:"rule"`
	Source   string         `json:"source"`
	Tags     []string       `json:"tags"`
	Time     string         `json:"time"`
}

// parseJSON reads an alert and refuses keys that Falco does not write.
func parseJSON(line string) (alert, error) {
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	a := alert{Line: line}
	if err := dec.Decode(&a); err != nil {
		return a, err
	}
	dec = json.NewDecoder(strings.NewReader(line))
	depth := 0
	for key := true; ; {
		tok, err := dec.Token()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
			} else {
				depth--
			}
			key = true
		case string:
			if depth == 1 && key {
				a.Keys = append(a.Keys, tok)
				key = false
				continue
			}
			key = true
		default:
			key = true
		}
	}
}

// str returns a field as text, "<NA>" when it is absent.
func (a alert) str(field string) string {
	v, ok := a.Fields[field]
	if !ok || v == nil {
		return "<NA>"
	}
	return fmt.Sprint(v)
}
