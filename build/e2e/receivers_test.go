// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPrometheus lets Prometheus itself scrape falconet, and asks it what it has learnt.
func TestPrometheus(t *testing.T) {
	server, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip(err)
	}
	dir, ours, its := tempDir(t), freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(ours)
	ticker(t, fmt.Sprintf("webserver: {enabled: true, prometheus_metrics_enabled: true, listen_port: %s}\nfile_output: {enabled: true, filename: %s/all}\n", port, dir))
	conf := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(
		"global: {scrape_interval: 1s}\nscrape_configs: [{job_name: falconet, static_configs: [{targets: ['%s']}]}]\n", ours))
	diag := new(safeBuffer)
	cmd := exec.Command(server, "--config.file="+conf, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+its)
	cmd.Stdout, cmd.Stderr = diag, diag
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // an error means that it has ended already
		cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus:\n%s", indent(diag.String()))
		}
	})
	for query, what := range map[string]string{
		`up{job="falconet"} == 1`:                                         "a scrape that works",
		`scrape_samples_scraped{job="falconet"} > 10`:                     "samples",
		`falconet_output_alerts_written_total{output="file"} > 1`:         "alerts that were written",
		`falcosecurity_falco_version_info{version!=""} == 1`:              "the version",
		`falcosecurity_scap_engine_name_info{engine_name="nodriver"} > 0`: "the engine",
	} {
		until(t, what, func() bool {
			_, body := get(t, "http://"+its+"/api/v1/query?query="+url.QueryEscape(query))
			return strings.Contains(body, `"status":"success"`) && strings.Contains(body, `"value":[`)
		})
	}
}

// TestFalcosidekick posts alerts as Falcosidekick takes them: it decodes them into a structure of these types, and refuses one without
// any of rule, priority, time, source and fields.
func TestFalcosidekick(t *testing.T) {
	bodies, types := make(chan []byte, 1024), make(chan string, 1024)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil || r.Method != http.MethodPost {
			return
		}
		select {
		case bodies <- b.Bytes():
			types <- r.Header.Get("Content-Type")
		default:
		}
	}))
	defer srv.Close()
	ticker(t, fmt.Sprintf("http_output: {enabled: true, url: '%s'}\n", srv.URL))
	for range 3 {
		var b []byte
		select {
		case b = <-bodies:
		case <-time.After(deadline):
			t.Fatal("no alert arrives")
		}
		if got := <-types; !strings.HasPrefix(got, "application/json") {
			t.Errorf("the content is said to be %q", got)
		}
		var p struct {
			UUID         string         `json:"uuid"`
			Output       string         `json:"output"`
			Priority     string         `json:"priority"`
			Rule         string         `json:"rule"`
			Time         time.Time      `json:"time"`
			OutputFields map[string]any `json:"output_fields"`
			Source       string         `json:"source"`
			Tags         []string       `json:"tags"`
			Hostname     string         `json:"hostname"`
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&p); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		if p.Rule == "" || p.Priority != "Informational" || p.Time.IsZero() || time.Since(p.Time) > time.Hour || p.Source != "internal" || len(p.OutputFields) == 0 || p.Hostname == "" || p.Output == "" {
			t.Errorf("%+v of %s", p, b)
		}
	}
}

// TestReceiversOutOfReach: a receiver that hangs, is not there, or shows a certificate that does not match is named when falconet starts, with
// the key and where it is written, and is no reason not to start.
func TestReceiversOutOfReach(t *testing.T) {
	dir := certificates(t)
	hangs, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hangs.Close()
	r := &receiver{}
	mine, nobody := freeAddress(t), freeAddress(t)
	srv := r.listen(t, dir, mine)
	defer srv.Close()
	_, port, _ := net.SplitHostPort(mine)
	for _, tc := range []struct{ config, key, why string }{
		{"http_output: {enabled: true, url: 'https://" + hangs.Addr().String() + "/', ca_cert: " + dir + "/ca.pem}", "http_output.url", "deadline exceeded"},
		{"http_output: {enabled: true, url: 'http://" + nobody + "/'}", "http_output.url", "connection refused"},
		{"http_output: {enabled: true, url: 'https://localhost:" + port + "/', ca_cert: " + dir + "/client.pem}", "http_output.url", "certificate"},
		{"syslog_output: {enabled: true, address: 'tls://" + hangs.Addr().String() + "', ca_cert: " + dir + "/ca.pem}", "syslog_output.address", "deadline exceeded"},
		{"syslog_output: {enabled: true, address: 'tcp://" + nobody + "'}", "syslog_output.address", "connection refused"},
	} {
		d := ticker(t, "output_timeout: 500\n"+tc.config+"\n")
		until(t, "falconet to say what is wrong with "+tc.config, func() bool { return d.said("output cannot be reached now") > 0 })
		said := d.diag.String()
		line := said[strings.LastIndex(said[:strings.Index(said, "output cannot be reached now")], "\n")+1:]
		line, _, _ = strings.Cut(line, "\n")
		for _, word := range []string{"falconet.yaml:8:", tc.key, tc.why} {
			if !strings.Contains(line, word) {
				t.Errorf("%s: %q is not in %s", tc.config, word, line)
			}
		}
		until(t, "falconet to start all the same", func() bool { return d.said("watching") > 0 })
		d.stop()
	}
}
