// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
)

// Sources are where numbers come from that are not the outputs' own. Any function may be nil, and is called from any goroutine.
type Sources struct {
	Version   string
	Hostname  string
	Engine    string // how Falco names the engine: "modern_bpf" or "nodriver"
	Root      string // where the host's root is seen, "" for here
	Start     time.Time
	Boot      time.Time
	Rules     []string // files; what cannot be read, such as embedded ones, is left out
	Configs   []string
	Kernel    func() (Kernel, error)
	Processes func() Processes
	Tables    func(tell func(name string, entries, evictions uint64))
	Metadata  func(tell func(from string, containers uint64)) // what is known of containers
	Events    func() uint64                                   // events that rules could match
	Healthy   func() error
	Reloads   func() (done, failed uint64, last time.Time) // of the configuration; nil where there are none
}

// Processes counts what the process table had to do.
type Processes struct {
	Now, Evictions, Misses, Refills, Failures uint64
}

// number is one metric at one moment. It is published as one or both of: an entry of a snapshot, a sample of Prometheus.
type number struct {
	key     string // of the snapshot, "" to leave it out there
	name    string // for Prometheus, "" to leave it out there
	counter bool
	labels  []string // names and values in turn
	value   any      // uint64, float64 or, in snapshots alone, string
	always  bool     // in snapshots also when it is zero
}

// Metrics gathers numbers. Its methods may be called from any goroutine.
type Metrics struct {
	conf   config.Metrics
	src    Sources
	queue  *Queue
	tally  *Tally
	fixed  []number                 // what does not change while the program runs
	files  atomic.Pointer[[]number] // what changes with a reload
	usage  usage
	kernel string
}

// NewMetrics returns the numbers that conf asks for.
func NewMetrics(conf config.Metrics, src Sources, queue *Queue, tally *Tally) *Metrics {
	m := &Metrics{conf: conf, src: src, queue: queue, tally: tally, kernel: kernelRelease(), usage: usage{root: src.Root, start: src.Start}}
	m.fixed = m.info()
	m.Files(src.Rules, src.Configs)
	return m
}

// Files says which files rules and configuration came from.
func (m *Metrics) Files(rules, configs []string) {
	var out []number
	for _, f := range []struct {
		key, name string
		paths     []string
	}{
		{"falco.sha256_rules_file.", "falcosecurity_falco_sha256_rules_files_info", rules},
		{"falco.sha256_config_file.", "falcosecurity_falco_sha256_config_files_info", configs},
	} {
		for _, path := range f.paths {
			sum, err := fileSum(path)
			if err != nil {
				continue
			}
			base := filepath.Base(path)
			out = append(out, number{key: f.key + sanitize(base), value: sum}, number{name: f.name, labels: []string{"file_name", base, "sha256", sum}, value: uint64(1)})
		}
	}
	m.files.Store(&out)
}

// info are the numbers that say what runs where.
func (m *Metrics) info() []number {
	one := uint64(1)
	return []number{
		{key: "falco.version", value: m.src.Version}, {name: "falcosecurity_falco_version_info", labels: []string{"version", m.src.Version}, value: one},
		{key: "falco.kernel_release", value: m.kernel}, {name: "falcosecurity_falco_kernel_release_info", labels: []string{"kernel_release", m.kernel}, value: one},
		{key: "evt.hostname", value: m.src.Hostname}, {name: "falcosecurity_evt_hostname_info", labels: []string{"hostname", m.src.Hostname}, value: one},
		{key: "evt.source", value: alert.SourceSyscall}, {name: "falcosecurity_falco_evt_source_info", labels: []string{"evt_source", alert.SourceSyscall}, value: one},
		{key: "scap.engine_name", value: m.src.Engine},
		{name: "falcosecurity_scap_engine_name_info", labels: []string{"engine_name", m.src.Engine, "evt_source", alert.SourceSyscall}, value: one},
		{key: "falco.start_ts", name: "falcosecurity_falco_start_timestamp_nanoseconds", value: uint64(m.src.Start.UnixNano())},
		{key: "falco.host_boot_ts", name: "falcosecurity_falco_host_boot_timestamp_nanoseconds", value: uint64(m.src.Boot.UnixNano())},
		{key: "falco.host_num_cpus", name: "falcosecurity_falco_host_num_cpus_total", value: uint64(runtime.NumCPU())},
	}
}

// collect returns all numbers as they are now.
func (m *Metrics) collect() []number {
	out := slices.Concat(m.fixed, *m.files.Load(), m.reloads())
	out = append(out, number{
		key: "falco.duration_sec", name: "falcosecurity_falco_duration_seconds_total", counter: true, value: uint64(time.Since(m.src.Start).Seconds()), always: true,
	})
	out = append(out, m.delivery()...)
	if m.conf.Rules {
		out = append(out, m.rules()...)
	}
	if m.conf.Resources {
		out = append(out, m.usage.numbers(m.conf.ConvertMemoryToMB)...)
	}
	if m.conf.State && m.src.Processes != nil {
		p := m.src.Processes()
		out = append(out,
			number{key: "falco.n_threads", name: "falcosecurity_scap_n_threads_total", value: p.Now},
			number{key: "falco.n_drops_full_threadtable", name: "falcosecurity_scap_n_drops_full_threadtable_total", counter: true, value: p.Evictions},
			number{key: "falco.n_noncached_thread_lookups", name: "falcosecurity_scap_n_noncached_thread_lookups_total", counter: true, value: p.Misses},
			number{key: "falco.n_failed_thread_lookups", name: "falcosecurity_scap_n_failed_thread_lookups_total", counter: true, value: p.Failures},
			number{name: "falconet_process_table_refills_total", counter: true, value: p.Refills},
		)
	}
	if m.conf.State {
		out = append(out, m.tables()...)
	}
	if m.src.Kernel != nil {
		if k, err := m.src.Kernel(); err == nil {
			out = append(out, m.probe(k)...)
		}
	}
	if m.src.Events != nil {
		out = append(out, number{key: "falco.num_evts", name: "falconet_events_matched_total", counter: true, value: m.src.Events(), always: true})
	}
	if m.src.Healthy != nil {
		healthy := uint64(1)
		if m.src.Healthy() != nil {
			healthy = 0
		}
		out = append(out, number{name: "falconet_probe_delivers", value: healthy})
	}
	return out
}

// tables are what is kept, and what found no room.
func (m *Metrics) tables() (out []number) {
	if m.src.Tables != nil {
		m.src.Tables(func(name string, entries, evictions uint64) {
			key, labels := "falconet.table."+name, []string{"table", name}
			out = append(out,
				number{key: key + ".entries", name: "falconet_table_entries", labels: labels, value: entries},
				number{key: key + ".evictions", name: "falconet_table_evictions_total", counter: true, labels: labels, value: evictions},
			)
		})
	}
	if m.src.Metadata != nil {
		m.src.Metadata(func(from string, containers uint64) {
			out = append(out, number{
				key: "falconet.containers." + from, name: "falconet_containers_known_total", counter: true, labels: []string{"from", from}, value: containers,
			})
		})
	}
	return out
}

// reloads are about the configuration.
func (m *Metrics) reloads() []number {
	at := m.src.Start
	var out []number
	if m.src.Reloads != nil {
		done, failed, last := m.src.Reloads()
		if !last.IsZero() {
			at = last
		}
		out = append(out,
			number{key: "falconet.reloads", name: "falconet_reloads_total", counter: true, value: done},
			number{key: "falconet.reload_failures", name: "falconet_reload_failures_total", counter: true, value: failed})
	}
	return append(out, number{key: "falco.reload_ts", name: "falcosecurity_falco_reload_timestamp_nanoseconds", value: uint64(at.UnixNano())})
}

// delivery is about the queue and the outputs behind it.
func (m *Metrics) delivery() []number {
	s := m.queue.Stats()
	out := []number{
		{key: "falco.outputs_queue_num_drops", name: "falcosecurity_falco_outputs_queue_num_drops_total", counter: true, value: s.Dropped},
		{name: "falconet_outputs_queue_alerts_total", counter: true, value: s.Sent},
		{name: "falconet_outputs_queue_capacity", value: uint64(s.Capacity)},
	}
	for _, o := range s.Sinks {
		for _, n := range []struct {
			what    string
			counter bool
			value   uint64
		}{
			{"offered_total", true, o.Offered}, {"written_total", true, o.Written}, {"dropped_total", true, o.Dropped}, {"failed_total", true, o.Failed},
			{"retries_total", true, o.Retried}, {"waiting", false, o.Waiting}, {"spooled", false, o.Spooled},
		} {
			out = append(out, number{
				key: "falconet.output." + o.Name + "." + strings.TrimSuffix(n.what, "_total"), name: "falconet_output_alerts_" + n.what,
				counter: n.counter, labels: []string{"output", o.Name}, value: n.value,
			})
		}
	}
	return out
}

// rules are the counters of the rules that matched.
func (m *Metrics) rules() []number {
	out := []number{{key: "falco.rules.matches_total", value: m.tally.Total()}}
	for _, c := range m.tally.Counts() {
		labels := []string{"rule_name", c.Rule, "priority", strconv.Itoa(int(c.Priority)), "source", c.Source}
		seen := map[string]bool{}
		for _, tag := range c.Tags {
			if name := "tag_" + labelName(tag); !seen[name] {
				seen[name] = true
				labels = append(labels, name, "true")
			}
		}
		out = append(out, number{key: "falco.rules." + sanitize(c.Rule), name: "falcosecurity_falco_rules_matches_total", counter: true, labels: labels, value: c.Matches})
	}
	return out
}

// sanitize makes a word of a text as Falco does for the keys of snapshots.
func sanitize(s string) string {
	return strings.TrimRight(squeeze(s, func(c byte) bool { return c == ':' }), "_")
}

// labelName makes a part of a label's name of a text.
func labelName(s string) string { return squeeze(s, func(byte) bool { return false }) }

// squeeze puts one underscore where characters stand that are neither letters, digits nor allowed.
func squeeze(s string, allowed func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			if !allowed(c) {
				c = '_'
			}
		}
		if c == '_' && strings.HasSuffix(b.String(), "_") {
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func kernelRelease() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
