// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// falcoLints are what promtool says of names that are Falco's; ours are to give it nothing to say.
var falcoLints = regexp.MustCompile(`^falcosecurity_(falco_host_(num_cpus|procs_running|open_fds)_total|scap_n_threads_total) non-counter metrics should not have "_total" suffix$` +
	`|^falcosecurity_falco_(start|reload|host_boot)_timestamp_nanoseconds use base unit "seconds" instead of "nanoseconds"$`)

// TestWebServer asks a falconet that watches this machine.
func TestWebServer(t *testing.T) {
	privileged(t)
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := start(t, launch{
		args: []string{"-o", "webserver.enabled=true", "-o", "webserver.listen_port=" + port, "-o", "webserver.prometheus_metrics_enabled=true",
			"-o", "metrics.enabled=true", "-o", "metrics.kernel_event_counters_per_cpu_enabled=true"},
	})
	base := "http://" + address
	until(t, "health", func() bool {
		status, body := get(t, base+"/healthz")
		return status == 200 && body == `{"status": "ok"}`
	})
	status, body := get(t, base+"/versions")
	var versions map[string]string
	if err := json.Unmarshal([]byte(body), &versions); status != 200 || err != nil || versions["engine_version_semver"] == "" || versions["falco_version"] == "" {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, base+"/none"); status != 404 {
		t.Errorf("a path that is not there gives %d", status)
	}
	d.sync()
	status, body = get(t, base+"/metrics")
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{
		`(?m)^# TYPE falcosecurity_scap_n_evts_total counter$`, `(?m)^falcosecurity_scap_n_evts_total [1-9]`, `(?m)^falcosecurity_scap_n_drops_total 0$`,
		`(?m)^falcosecurity_scap_n_drops_buffer_total{dir="exit",drop="open"} 0$`, `(?m)^falcosecurity_scap_n_evts_cpu_total{cpu="0"} [0-9]`,
		`(?m)^falcosecurity_scap_engine_name_info{engine_name="modern_bpf",evt_source="syscall"} 1$`,
		`(?m)^falcosecurity_falco_rules_matches_total{priority="7",rule_name="E2E canary",source="syscall"} [1-9]`,
		`(?m)^falcosecurity_falco_memory_rss_bytes [1-9]`, `(?m)^falcosecurity_scap_n_threads_total [1-9]`, `(?m)^falconet_probe_delivers 1$`,
		`(?m)^falconet_table_entries{table="processes"} [1-9]`, `(?m)^falconet_table_entries{table="cgroups"} [0-9]`, `(?m)^falconet_table_evictions_total{table="containers"} 0$`,
		`(?m)^falconet_table_entries{table="held_events"} 0$`, `(?m)^falconet_containers_known_total{from="disk"} [0-9]`,
		`(?m)^falconet_output_alerts_written_total{output="stdout"} [1-9]`, `(?m)^falcosecurity_falco_sha256_rules_files_info{file_name="rules.yaml",sha256="[0-9a-f]{64}"} 1$`,
	} {
		if !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if tool, err := exec.LookPath("promtool"); err == nil {
		cmd := exec.Command(tool, "check", "metrics")
		cmd.Stdin = strings.NewReader(body)
		out, _ := cmd.CombinedOutput() // names of Falco's make it fail
		for line := range strings.Lines(string(out)) {
			if line = strings.TrimSpace(line); line != "" && !falcoLints.MatchString(line) {
				t.Errorf("promtool: %s", line)
			}
		}
	}
	resp, err := http.Post(base+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST gives %d", resp.StatusCode)
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestDropActions pretends that events are lost.
func TestDropActions(t *testing.T) {
	privileged(t)
	d := start(t, launch{text: true, config: "syscall_event_drops: {simulate_drops: true, actions: [log, alert, exit], max_burst: 1}\n"})
	if code := d.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	want := regexp.MustCompile(`: Debug Falco internal: syscall event drop\. [1-9][0-9]* system calls dropped in last second\. \(ebpf_enabled="1" n_drops="[1-9]`)
	if all := strings.Join(d.since(0), "\n"); !want.MatchString(all) {
		t.Errorf("no alert in\n%s", all)
	}
	if !strings.Contains(d.diag.String(), "syscall_event_drops.actions asks to exit") {
		t.Error("it does not say why it ends")
	}
}
