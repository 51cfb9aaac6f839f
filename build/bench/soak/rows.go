// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rowCount is how often falconet is looked at while processes go by.
const rowCount = 20

// row is how falconet was at one moment: memory in megabytes, CPU in seconds.
type row struct {
	at              time.Time
	done            int
	rss, anon, peak float64
	cpu             float64
	processes       float64
	evicted         float64
	containers      float64
	lost            float64
}

// table gathers rows.
type table struct {
	w *watcher

	mu   sync.Mutex
	rows []row
	err  error
}

func newTable(w *watcher, first row) *table { return &table{w: w, rows: []row{first}} }

// progress adds a row.
func (t *table) progress(done int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, err := t.w.look(done)
	if err != nil {
		t.err = err
		return
	}
	t.rows = append(t.rows, r)
}

// early is the first row after some processes.
func (t *table) early() row { return t.rows[min(1, len(t.rows)-1)] }

func (t *table) print(last row) {
	fmt.Printf("%8s %10s %8s %8s %8s %8s %10s %8s %11s\n", "seconds", "processes", "RSS MB", "anon MB", "peak MB", "CPU s", "in table", "evicted", "containers")
	for _, r := range append(t.rows, last) {
		fmt.Printf("%8.1f %10d %8.1f %8.1f %8.1f %8.1f %10.0f %8.0f %11.0f\n",
			r.at.Sub(t.rows[0].at).Seconds(), r.done, r.rss, r.anon, r.peak, r.cpu, r.processes, r.evicted, r.containers)
	}
}

// look reads what the kernel and falconet itself say of it.
func (w *watcher) look(done int) (row, error) {
	r := row{at: time.Now(), done: done}
	dir := "/proc/" + strconv.Itoa(w.PID)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		if to := map[string]*float64{"VmRSS": &r.rss, "RssAnon": &r.anon, "VmHWM": &r.peak}[name]; to != nil {
			if _, err := fmt.Sscan(rest, to); err != nil {
				return r, fmt.Errorf("read %s: %w", name, err)
			}
			*to /= 1024
		}
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return r, err
	}
	for _, field := range strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[11:13] { // utime and stime
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return r, err
		}
		r.cpu += ticks / 100 // USER_HZ
	}
	metrics, err := w.metrics()
	if err != nil {
		return r, err
	}
	for name, to := range map[string]*float64{
		`falconet_table_entries{table="processes"}`: &r.processes, `falconet_table_evictions_total{table="processes"}`: &r.evicted,
		`falconet_table_entries{table="containers"}`: &r.containers, "falcosecurity_scap_n_drops_total": &r.lost,
	} {
		v, ok := metrics[name]
		if !ok {
			return r, fmt.Errorf("falconet has no metric %s", name)
		}
		*to = v
	}
	if w.table > 0 && r.processes > float64(w.table) {
		return r, fmt.Errorf("%.0f processes are in a table for %d", r.processes, w.table)
	}
	return r, nil
}
