// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"falconet/build/bench/running"
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
	*running.Falconet
	url string

	mu  sync.Mutex
	got []alert
	err error
}

const sampleRule = "Soak sample"

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
	w := &watcher{limits: lim, url: "http://127.0.0.1:" + strconv.Itoa(port) + "/metrics"}
	rules := fmt.Sprintf("- rule: %s\n  desc: d\n  condition: evt.type in (execve, execveat) and (proc.args startswith soak-sample- or proc.args startswith soak-box-)\n"+
		"  output: '%%%s'\n  priority: DEBUG\n", sampleRule, strings.Join(sampleFields, " %"))
	conf := fmt.Sprintf("json_output: true\nsyslog_output: {enabled: false}\nwebserver: {enabled: true, listen_port: %d, prometheus_metrics_enabled: true}\n"+
		"metrics: {enabled: true, interval: 1h, output_rule: false, state_counters_enabled: true}\n", port)
	if lim.table > 0 {
		conf += fmt.Sprintf("falco_libs: {thread_table_size: %d}\n", lim.table)
	}
	if lim.budget > 0 {
		conf += fmt.Sprintf("memory: {budget_mb: %d}\n", lim.budget)
	}
	w.Falconet, err = running.Start(running.Options{
		Bin: bin, Dir: dir, Files: []string{"embedded"}, Rules: rules, Config: conf, Env: []string{"HOST_ROOT=" + dir}, Line: w.take,
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// take reads a line of output.
func (w *watcher) take(line string) {
	if !strings.HasPrefix(line, "{") {
		return // the statistics at the end
	}
	dec := json.NewDecoder(strings.NewReader(line))
	dec.UseNumber()
	var a alert
	err := dec.Decode(&a)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.err = fmt.Errorf("line of output: %w", err)
	case a.Rule == sampleRule:
		w.got = append(w.got, a)
	}
}

// alerts returns what falconet has said of samples and containers.
func (w *watcher) alerts() ([]alert, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got), w.err
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
