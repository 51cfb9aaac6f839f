// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/event"
)

func counts(name string, cpus ...event.Counters) event.Counts {
	return event.Counts{Name: name, CPUs: cpus}
}

func sampleKernel() (Kernel, error) {
	return Kernel{
		counts("openat", event.Counters{Sent: 10, RingFull: 2}, event.Counters{Sent: 5}), counts("clone3", event.Counters{RingFull: 1}, event.Counters{}),
		counts("io_uring_enter", event.Counters{Unmatched: 2}), counts("getpid", event.Counters{Sent: 1, NoProgram: 1, ScratchFull: 4, Fault: 5, Truncated: 6, TooDeep: 7, Unknown: 8, Unheld: 9}, event.Counters{RingFull: 7}),
	}, nil
}

func sampleMetrics(t *testing.T, change func(*config.Metrics)) (*Metrics, *Queue) {
	t.Helper()
	conf := config.Default().Metrics
	if change != nil {
		change(&conf)
	}
	tally := &Tally{}
	for range 3 {
		tally.Add(&alert.Alert{Rule: "Shell in container", Source: "syscall", Priority: alert.Warning, Tags: []string{"T1059.004", "a-b", "a_b"}})
	}
	tally.Add(&alert.Alert{Rule: "Other", Source: "syscall", Priority: alert.Notice})
	q := startQueue(t, QueueOptions{Capacity: 5}, &fakeSink{})
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return NewMetrics(conf, Sources{
		Version: "1.2", Hostname: "h", Engine: "modern_bpf", Start: time.Now().Add(-time.Hour), Boot: time.Unix(5, 0), Rules: []string{rules, "embedded"}, Kernel: sampleKernel,
		Processes: func() Processes { return Processes{Now: 12, Evictions: 3} }, Events: func() uint64 { return 99 }, Healthy: func() error { return nil },
	}, q, tally), q
}

func TestMetricsForPrometheus(t *testing.T) {
	m, _ := sampleMetrics(t, func(c *config.Metrics) { c.KernelEventsPerCPU = true })
	const falco = "https://falco.org/docs/metrics/"
	want := map[string]string{
		"falcosecurity_scap_n_evts_total":                     "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 29\n",
		"falcosecurity_scap_n_drops_total":                    "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 13\n",
		"falcosecurity_scap_n_evts_cpu_total":                 "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME{cpu=\"0\"} 17\nNAME{cpu=\"1\"} 12\n",
		"falcosecurity_scap_n_drops_scratch_map_total":        "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 4\n",
		"falcosecurity_scap_n_drops_full_threadtable_total":   "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 3\n",
		"falcosecurity_scap_n_threads_total":                  "# HELP NAME " + falco + "\n# TYPE NAME gauge\nNAME 12\n",
		"falcosecurity_falco_host_boot_timestamp_nanoseconds": "# HELP NAME " + falco + "\n# TYPE NAME gauge\nNAME 5e+09\n",
		"falcosecurity_falco_version_info":                    "# HELP NAME " + falco + "\n# TYPE NAME gauge\nNAME{version=\"1.2\"} 1\n",
		"falcosecurity_falco_duration_seconds_total":          "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 3600\n",
		"falcosecurity_falco_sha256_rules_files_info":         "# HELP NAME " + falco + "\n# TYPE NAME gauge\nNAME{file_name=\"rules.yaml\",sha256=\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"} 1\n",
		"falconet_outputs_queue_capacity":                     "# HELP NAME How many alerts may wait in memory before each output.\n# TYPE NAME gauge\nNAME 5\n",
		"falcosecurity_falco_outputs_queue_num_drops_total":   "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 0\n",
		"falconet_probe_events_lost_total": "# HELP NAME Events that were lost, by the reason.\n# TYPE NAME counter\n" +
			"NAME{reason=\"no_program\"} 1\nNAME{reason=\"ring_full\"} 10\nNAME{reason=\"unmatched_request\"} 2\n",
		"falconet_probe_pieces_lost_total": "# HELP NAME Pieces of events that were lost, or cut short, by the reason.\n# TYPE NAME counter\nNAME{reason=\"path_too_deep\"} 7\n" +
			"NAME{reason=\"scratch_full\"} 4\nNAME{reason=\"truncated\"} 6\nNAME{reason=\"unheld\"} 9\nNAME{reason=\"unknown_result\"} 8\nNAME{reason=\"user_fault\"} 5\n",
		"falcosecurity_scap_n_drops_page_faults_total": "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME 5\n",
		"falcosecurity_scap_engine_name_info":          "# HELP NAME " + falco + "\n# TYPE NAME gauge\nNAME{engine_name=\"modern_bpf\",evt_source=\"syscall\"} 1\n",
		"falconet_probe_delivers":                      "# HELP NAME Whether a call of this program came back through the probe lately.\n# TYPE NAME gauge\nNAME 1\n",
		"falcosecurity_falco_rules_matches_total":      "# HELP NAME " + falco + "\n# TYPE NAME counter\nNAME{priority=\"4\",rule_name=\"Shell in container\",source=\"syscall\",tag_T1059_004=\"true\",tag_a_b=\"true\"} 3\nNAME{priority=\"5\",rule_name=\"Other\",source=\"syscall\"} 1\n",
	}
	for name, text := range want {
		if err := testutil.CollectAndCompare(m, strings.NewReader(strings.ReplaceAll(text, "NAME", name)), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	problems, err := testutil.CollectAndLint(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "falcosecurity_") { // those names are Falco's
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, n := range m.collect() {
		if strings.HasPrefix(n.name, "falconet_") && helps[n.name] == "" {
			t.Errorf("%s has no help", n.name)
		}
	}
}

func TestMetricsAreSwitched(t *testing.T) {
	m, _ := sampleMetrics(t, func(c *config.Metrics) { c.Rules, c.Resources, c.State, c.KernelEvents = false, false, false, false })
	for _, n := range m.collect() {
		if regexp.MustCompile(`rules_matches|memory|cpu_usage|n_threads|n_evts|n_drops`).MatchString(n.name + n.key) {
			t.Errorf("%s %s is there", n.name, n.key)
		}
	}
}

func TestSnapshot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metrics")
	m, _ := sampleMetrics(t, func(c *config.Metrics) {
		c.OutputFile, c.Interval = file, "100ms"
	})
	sent := make(chan *alert.Alert, 100)
	run, err := m.OpenSnapshots(func(a *alert.Alert) { sent <- a }, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { run(ctx); close(done) }()
	first, second := <-sent, <-sent
	cancel()
	<-done
	if first.Rule != SnapshotRule || first.Message != "Falco metrics snapshot" || first.Priority != alert.Informational || !first.Internal() {
		t.Errorf("%+v", first)
	}
	for name, want := range map[string]any{
		"scap.n_evts": uint64(29), "scap.n_drops": uint64(13), "scap.n_evts_prev": uint64(29), "scap.evts_rate_sec": 0.0, "falco.num_evts": uint64(99),
		"falco.rules.Shell_in_container": uint64(3), "falco.rules.matches_total": uint64(4), "scap.n_drops_buffer_open_exit": uint64(2), "scap.engine_name": "modern_bpf",
		"falco.n_threads": uint64(12), "falco.version": "1.2", "scap.n_drops_buffer_total": uint64(10),
	} {
		if got := values(second.Fields).get(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if v := values(second.Fields).get("scap.n_drops_buffer_execve_exit"); v != nil {
		t.Errorf("a number that is zero is there: %v", v)
	}
	lines := strings.Split(read(t, file), "\n")
	var line struct {
		Fields map[string]any `json:"output_fields"`
		Sample int            `json:"sample"`
	}
	if err := json.Unmarshal([]byte(lines[1]), &line); err != nil || line.Sample != 2 || line.Fields["scap.n_evts"] != 29.0 {
		t.Errorf("%v %s", err, lines[1])
	}
}

func TestDropActions(t *testing.T) {
	var sent []*alert.Alert
	var log strings.Builder
	conf := config.EventDrops{Threshold: 0.1, Actions: []string{"log", "alert"}, Rate: 0.1, MaxBurst: 1}
	d := NewDrops(conf, nil, func(a *alert.Alert) { sent = append(sent, a) }, "h", zerolog.New(&log))
	now := time.Unix(100, 0)
	d.filled = now
	step := func(seconds int, sentRecords, lost uint64) {
		t.Helper()
		now = now.Add(time.Duration(seconds) * time.Second)
		if err := d.look(Kernel{counts("execve", event.Counters{Sent: sentRecords, RingFull: lost})}, now); err != nil {
			t.Fatal(err)
		}
	}
	step(1, 100, 0)
	step(1, 200, 5) // below the threshold
	step(1, 300, 50)
	if len(sent) != 1 {
		t.Fatalf("%d alerts", len(sent))
	}
	a := sent[0]
	if a.Message != "Falco internal: syscall event drop. 45 system calls dropped in last second." || a.Priority != alert.Debug || !a.Internal() {
		t.Errorf("%+v", a)
	}
	v := values(a.Fields)
	for name, want := range map[string]string{"n_drops": "45", "n_evts": "145", "n_drops_buffer_execve_exit": "45", "n_drops_buffer_execve_enter": "0", "n_drops_buffer_total": "45", "ebpf_enabled": "1"} {
		if v.text(name) != want {
			t.Errorf("%s is %v, want %s", name, v.get(name), want)
		}
	}
	if len(a.Fields) != 21 {
		t.Errorf("%d fields", len(a.Fields))
	}
	step(1, 400, 100) // too soon
	step(10, 500, 200)
	if len(sent) != 2 || strings.Count(log.String(), "Falco internal: syscall event drop. 100 system calls") != 1 {
		t.Errorf("%d alerts\n%s", len(sent), log.String())
	}
	d = NewDrops(config.EventDrops{Threshold: 1, Actions: []string{"exit"}, MaxBurst: 1, SimulateDrops: true}, nil, nil, "h", zerolog.Nop())
	d.filled = now
	if err := d.look(nil, now); err == nil || !strings.Contains(err.Error(), "asks to exit") {
		t.Errorf("%v", err)
	}
}

func TestPulse(t *testing.T) {
	var beats atomic.Uint64
	p := NewPulse(func() { beats.Add(1) }, beats.Load, zerolog.Nop())
	if p.Healthy() == nil {
		t.Error("healthy before anything came back")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	eventually(t, "the first beat", func() bool { return p.Healthy() == nil })
	p.last.Store(time.Now().Add(-deadAfter).UnixNano()) // nothing for so long
	if !errors.Is(p.Healthy(), ErrNoPulse) {
		t.Error("healthy though nothing comes back")
	}
	cancel()
	<-done
	if p.Healthy() == nil {
		t.Error("healthy after the end")
	}
}

func TestWeb(t *testing.T) {
	p := newPKI(t)
	p.make("server", nil)
	pem := p.path("both.pem")
	if err := os.WriteFile(pem, []byte(read(t, p.path("server.key"))+read(t, p.path("server.crt"))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ssl := range []bool{false, true} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		sick := errors.New("it does\nnot work")
		var healthy error
		conf := config.Default().Web
		conf.ListenPort, conf.SSL, conf.Certificate = port, ssl, pem
		m, _ := sampleMetrics(t, nil)
		web, err := OpenWeb(WebOptions{Conf: conf, Versions: []byte(`{"a":"1"}`), Healthy: func() error { return healthy }, Metrics: m})
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- web.Serve() }()
		pool, err := loadPool(p.path("ca.crt"))
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		base := fmt.Sprintf("http://127.0.0.1:%d", port)
		if ssl {
			base = strings.Replace(base, "http:", "https:", 1)
		}
		ask := func(path string) string {
			t.Helper()
			resp, err := client.Get(base + path)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%d %s %s", resp.StatusCode, resp.Header.Get("Content-Type"), b)
		}
		if got := ask("/healthz"); got != `200 application/json {"status": "ok"}` {
			t.Error(got)
		}
		healthy = sick
		if got := ask("/healthz"); got != `503 application/json {"status": "it does\nnot work"}` {
			t.Error(got)
		}
		if got := ask("/versions"); got != `200 application/json {"a":"1"}` {
			t.Error(got)
		}
		if got := ask("/metrics"); !strings.HasPrefix(got, "200 text/plain; version=0.0.4;") || !strings.Contains(got, "falcosecurity_scap_n_evts_total 29") {
			t.Error(got)
		}
		if got := ask("/healthz/x"); !strings.HasPrefix(got, "404 ") {
			t.Error(got)
		}
		client.CloseIdleConnections()
		web.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

// A reload of what watches the program itself keeps what it knows: nothing that was lost before is told again, and the probe that delivers
// is not said to be dead. A certificate with another content is another certificate.
func TestReloadOfVitals(t *testing.T) {
	p := newPKI(t)
	pem := p.path("both.pem")
	certify := func(name string) {
		t.Helper()
		p.make(name, nil)
		if err := os.WriteFile(pem, []byte(read(t, p.path(name+".key"))+read(t, p.path(name+".crt"))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	certify("one")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	conf := func(change func(*config.Config)) *config.Config {
		c := config.Default()
		c.Web.Enabled, c.Web.ListenPort, c.Web.SSL, c.Web.Certificate = true, port, true, pem
		c.Drops.Drops.Threshold, c.Drops.Drops.Rate = 0, 1000
		change(c)
		return c
	}
	alerts := &fakeSink{}
	var beats atomic.Uint64
	v, err := StartVitals(VitalsOptions{
		Config: conf(func(*config.Config) {}), Queue: startQueue(t, QueueOptions{}, alerts), Tally: &Tally{}, Log: zerolog.Nop(), Fail: func(err error) { t.Error(err) },
		Beat: func() { beats.Add(1) }, Beats: beats.Load, Sources: Sources{Kernel: sampleKernel},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	pool, err := loadPool(p.path("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	served := func() (status int, certificate string) {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
		resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/healthz", port))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.TLS.PeerCertificates[0].SerialNumber.String()
	}
	eventually(t, "the loss is told, and the probe delivers", func() bool { return len(alerts.lines()) == 1 && v.o.Sources.Healthy() == nil })
	_, before := served()

	seen := beats.Load()
	for i, change := range []func(*config.Config){
		func(c *config.Config) { c.Drops.Drops.Actions = []string{"alert"} },
		func(c *config.Config) { c.Metrics.Enabled = true },
		func(c *config.Config) { certify("two") },
	} {
		if err := v.Reload(conf(change), nil); err != nil {
			t.Fatal(err)
		}
		if status, _ := served(); status != http.StatusOK {
			t.Errorf("after reload %d the probe is said to be dead", i)
		}
	}
	if _, now := served(); now == before {
		t.Error("the certificate is the one before")
	}
	eventually(t, "losses are looked for again", func() bool { return beats.Load() > seen+1 })
	if lines := alerts.lines(); len(lines) != 1 {
		t.Errorf("what was lost before is told again: %q", lines)
	}
	if err := v.Reload(conf(func(c *config.Config) { c.Drops.Drops.SimulateDrops = true }), nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "other actions take effect", func() bool { return len(alerts.lines()) > 1 })
}
