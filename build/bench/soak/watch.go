// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// limits are what falconet is told to keep to.
type limits struct{ table, budget int }

// alert is what is read of a line of output.
type alert struct {
	Rule   string         `json:"rule"`
	Fields map[string]any `json:"output_fields"`
}

// watcher is a falconet that runs.
type watcher struct {
	limits
	cmd    *exec.Cmd
	url    string
	canary string
	closed chan struct{} // its output has ended

	mu    sync.Mutex
	heard int // how many canaries
	got   []alert
	err   error
}

const canaryRule, sampleRule = "Soak canary", "Soak sample"

// sampleFields are what alerts say of a sample or container.
var sampleFields = []string{
	"proc.args", "proc.pid", "proc.name", "proc.exepath", "proc.cmdline", "proc.ppid", "proc.pname", "proc.pexepath", "proc.env[SOAK]", "proc.apid[2]", "proc.aname[2]",
	"proc.aexepath[2]", "proc.apid[3]", "proc.aname[3]", "container.id", "container.name", "container.type", "container.label[soak]", "container.image.repository",
	"container.image.tag", "container.metadata",
}

// watch starts a falconet for the host whose root is dir, and returns when it has reported an event.
func watch(bin, dir string, lim limits) (*watcher, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return nil, err
	}
	w := &watcher{
		limits: lim, url: "http://127.0.0.1:" + strconv.Itoa(port) + "/metrics", canary: filepath.Join(dir, "canary"), closed: make(chan struct{}),
	}
	own, conf := filepath.Join(dir, "soak.yaml"), filepath.Join(dir, "falconet.yaml")
	rules := fmt.Sprintf("- rule: %s\n  desc: d\n  condition: evt.type in (open, openat) and fd.name = %s\n  output: canary\n  priority: DEBUG\n", canaryRule, w.canary) +
		fmt.Sprintf("- rule: %s\n  desc: d\n  condition: evt.type in (execve, execveat) and (proc.args startswith soak-sample- or proc.args startswith soak-box-)\n"+
			"  output: '%%%s'\n  priority: DEBUG\n", sampleRule, strings.Join(sampleFields, " %"))
	text := fmt.Sprintf("rules_files: [embedded, %s]\nconfig_files: []\nwatch_config_files: false\nrule_matching: all\njson_output: true\nsyslog_output: {enabled: false}\n"+
		"webserver: {enabled: true, listen_port: %d, prometheus_metrics_enabled: true}\nmetrics: {enabled: true, interval: 1h, output_rule: false, state_counters_enabled: true}\n", own, port)
	if lim.table > 0 {
		text += fmt.Sprintf("falco_libs: {thread_table_size: %d}\n", lim.table)
	}
	if lim.budget > 0 {
		text += fmt.Sprintf("memory: {budget_mb: %d}\n", lim.budget)
	}
	if err := errors.Join(os.WriteFile(own, []byte(rules), 0o644), os.WriteFile(conf, []byte(text), 0o644)); err != nil {
		return nil, err
	}
	w.cmd = exec.Command(bin, "-c", conf)
	w.cmd.Dir, w.cmd.Stderr, w.cmd.Env = dir, os.Stderr, append(os.Environ(), "HOST_ROOT="+dir)
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start falconet: %w", err)
	}
	go w.read(out)
	if err := w.sync(); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

// read takes the output to its end.
func (w *watcher) read(out io.Reader) {
	defer close(w.closed)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if !strings.HasPrefix(line, "{") {
			continue // the statistics at the end
		}
		dec := json.NewDecoder(strings.NewReader(line))
		dec.UseNumber()
		var a alert
		err = dec.Decode(&a)
		w.mu.Lock()
		switch {
		case err != nil:
			w.err = fmt.Errorf("line of output: %w", err)
		case a.Rule == canaryRule:
			w.heard++
		case a.Rule == sampleRule:
			w.got = append(w.got, a)
		}
		w.mu.Unlock()
	}
}

// sync returns when falconet has reported a file that was opened after the call, and with it everything before.
func (w *watcher) sync() error {
	w.mu.Lock()
	from := w.heard
	w.mu.Unlock()
	// One that was heard may have been sung before; until the probe is attached none is.
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		w.mu.Lock()
		heard, err := w.heard, w.err
		w.mu.Unlock()
		if err != nil || heard > from {
			return err
		}
		select {
		case <-w.closed:
			return errors.New("falconet has ended")
		default:
		}
		if time.Now().After(end) {
			return errors.New("falconet reports no event")
		}
		if err := os.WriteFile(w.canary, nil, 0o644); err != nil {
			return err
		}
	}
}

// alerts returns what falconet has said of samples and containers.
func (w *watcher) alerts() []alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// metrics asks falconet for its numbers.
func (w *watcher) metrics() (map[string]float64, error) {
	resp, err := http.Get(w.url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	out := make(map[string]float64)
	for lines := bufio.NewScanner(resp.Body); ; {
		if !lines.Scan() {
			return out, lines.Err()
		}
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] = v
		}
	}
}

// stop ends falconet and returns when its probe is gone.
func (w *watcher) stop() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-w.closed
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("end of falconet: %w", err)
	}
	return nil
}
