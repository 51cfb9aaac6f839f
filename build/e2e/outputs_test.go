// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this file need no kernel to watch: snapshots of metrics, one every 100 ms, are the alerts that outputs carry.

// ticker starts a falconet that raises an alert every 100 ms. Its output is not read as alerts.
func ticker(t *testing.T, config string) *daemon {
	t.Helper()
	dir := tempDir(t)
	d := &daemon{t: t, closed: make(chan struct{}), diag: new(safeBuffer)}
	d.cmd = exec.Command(binary(t), "-M", "300", "-c", write(t, filepath.Join(dir, "falconet.yaml"), `rules_files: [embedded]
config_files: []
engine: {kind: nodriver}
stdout_output: {enabled: false}
json_output: true
metrics: {enabled: true, interval: 100ms, output_rule: true}
`+config))
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

// times returns the times of alerts, which tell them apart. They are to be snapshots of metrics.
func times(t *testing.T, lines []string) (out []string) {
	t.Helper()
	for _, line := range lines {
		var a struct {
			Rule string `json:"rule"`
			Time string `json:"time"`
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Rule != "Falco internal: metrics snapshot" {
			t.Fatalf("no snapshot: %v\n%s", err, line)
		}
		out = append(out, a.Time)
	}
	return out
}

// number reads a number of a snapshot, 0 for one that is left out.
func number(t *testing.T, line, field string) int {
	t.Helper()
	var a struct {
		Fields map[string]any `json:"output_fields"`
	}
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		t.Fatal(err)
	}
	n, _ := a.Fields[field].(float64)
	return int(n)
}

// receiver is an HTTPS server that wants a certificate of its clients.
type receiver struct {
	mu    sync.Mutex
	lines []string
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(b))
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

func (r *receiver) listen(t *testing.T, dir, address string) *httptest.Server {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatalf("read certificate: %v", err)
	}
	s := httptest.NewUnstartedServer(r)
	until(t, "the address", func() bool {
		l, err := net.Listen("tcp", address)
		if err == nil {
			_ = s.Listener.Close()
			s.Listener = l
		}
		return err == nil
	})
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	return s
}

// certificates makes ca.pem, and server.pem and client.pem with their keys, which it signed.
func certificates(t *testing.T) string {
	t.Helper()
	dir := tempDir(t)
	var ca *x509.Certificate
	var caKey *ecdsa.PrivateKey
	for i, name := range []string{"ca", "server", "client"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: i == 0, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if i == 0 {
			ca, caKey = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		if err := os.WriteFile(filepath.Join(dir, name+".pem"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestHTTPOutage takes the receiver away twice, and the program once while it is away. With a spool every alert arrives, in order.
func TestHTTPOutage(t *testing.T) {
	dir := certificates(t)
	address := freeAddress(t)
	config := fmt.Sprintf(`file_output: {enabled: true, keep_alive: true, filename: %[1]s/all}
http_output:
  enabled: true
  url: https://%[2]s/
  ca_cert: %[1]s/ca.pem
  mtls: true
  client_cert: %[1]s/client.pem
  client_key: %[1]s/client.pem
  spool: {path: %[1]s/spool, max_size_mb: 1}
`, dir, address)
	r := &receiver{}
	all := func() []string { return fileLines(t, filepath.Join(dir, "all")) }

	d := ticker(t, config)
	until(t, "alerts while nobody is there", func() bool { return len(all()) >= 10 })
	srv := r.listen(t, dir, address)
	until(t, "the first alerts", func() bool { return len(r.got()) >= 12 })
	srv.Close()
	had := len(all())
	until(t, "alerts of the second outage", func() bool { return len(all()) >= had+10 })
	if code, _ := d.stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "spool", "*.spool")); len(left) == 0 {
		t.Fatal("nothing was left in the spool")
	}
	d = ticker(t, config)
	srv = r.listen(t, dir, address)
	defer srv.Close()
	until(t, "everything", func() bool { return len(r.got()) >= had+12 })
	if code, _ := d.stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	sent, got := times(t, all()), times(t, r.got())
	if !slices.Equal(sent, got) {
		t.Errorf("%d alerts were sent, %d arrived:\n%v\n%v", len(sent), len(got), sent, got)
	}
}

func fileLines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		return nil // not yet
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// TestHTTPOutageIsCounted has no spool: what does not arrive is in the numbers, exactly.
func TestHTTPOutageIsCounted(t *testing.T) {
	dir := tempDir(t)
	address := freeAddress(t)
	d := ticker(t, fmt.Sprintf(`outputs_queue: {capacity: 4}
file_output: {enabled: true, keep_alive: true, filename: %s/all}
http_output: {enabled: true, url: "http://%s/"}
`, dir, address))
	all := func() []string { return fileLines(t, filepath.Join(dir, "all")) }
	until(t, "losses", func() bool {
		l := all()
		return len(l) >= 15 && number(t, l[len(l)-1], "falconet.output.http.dropped") > 3
	})
	l := all()
	newest := l[len(l)-1]
	offered, dropped, waiting := number(t, newest, "falconet.output.http.offered"), number(t, newest, "falconet.output.http.dropped"), number(t, newest, "falconet.output.http.waiting")
	if offered != dropped+waiting || waiting != 4 {
		t.Errorf("%d offered, %d dropped, %d wait", offered, dropped, waiting)
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := strings.Count(d.diag.String(), "output takes no alerts: they wait"); n != 1 {
		t.Errorf("the outage was logged %d times", n)
	}
	said := regexp.MustCompile(`not every alert arrived dropped=(\d+) failed=(\d+) output=http spooled=0 waiting=0 written=0`).FindStringSubmatch(d.diag.String())
	if said == nil || parse(said[1])+parse(said[2]) != len(all()) {
		t.Errorf("%d alerts, and at the end it says %v", len(all()), said)
	}
}

// parse reads a number, 0 for what is none.
func parse(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

// TestDiskFull fills the file system of the file output and makes room again.
func TestDiskFull(t *testing.T) {
	dir := tempDir(t)
	mnt := filepath.Join(dir, "small")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", mnt, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(mnt, syscall.MNT_DETACH)
	d := ticker(t, fmt.Sprintf("file_output: {enabled: true, keep_alive: true, filename: %s/all}\n", mnt))
	until(t, "a full disk", func() bool { return strings.Contains(d.diag.String(), "no space left on device") })
	if err := os.Truncate(filepath.Join(mnt, "all"), 0); err != nil {
		t.Fatal(err)
	}
	until(t, "the recovery", func() bool { return strings.Contains(d.diag.String(), "output takes alerts again") })
	until(t, "alerts", func() bool { l := fileLines(t, filepath.Join(mnt, "all")); return len(l) > 2 })
	if n := strings.Count(d.diag.String(), "no space left on device"); n != 1 {
		t.Errorf("the full disk was logged %d times", n)
	}
	d.stop()
}

// TestProgramIsKilled kills the program that takes alerts; it is started again and gets the next ones.
func TestProgramIsKilled(t *testing.T) {
	dir := tempDir(t)
	d := ticker(t, fmt.Sprintf("program_output: {enabled: true, keep_alive: true, program: 'echo $$ >> %[1]s/pids; exec cat >> %[1]s/got'}\n", dir))
	pids := func() []string { return fileLines(t, filepath.Join(dir, "pids")) }
	until(t, "alerts", func() bool { return len(fileLines(t, filepath.Join(dir, "got"))) > 3 })
	if err := syscall.Kill(parse(pids()[0]), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	had := len(fileLines(t, filepath.Join(dir, "got")))
	until(t, "a new program", func() bool { return len(pids()) == 2 })
	until(t, "alerts", func() bool { return len(fileLines(t, filepath.Join(dir, "got"))) > had+5 })
	d.stop()
	got := times(t, fileLines(t, filepath.Join(dir, "got")))
	if !slices.IsSorted(got) {
		t.Errorf("alerts are out of order: %v", got)
	}
}

// TestLogrotate has the file rotated as a service would.
func TestLogrotate(t *testing.T) {
	tool, err := exec.LookPath("logrotate")
	if err != nil {
		t.Skip("there is no logrotate")
	}
	dir := tempDir(t)
	file := filepath.Join(dir, "all")
	d := ticker(t, fmt.Sprintf("file_output: {enabled: true, keep_alive: true, filename: %s}\n", file))
	until(t, "alerts", func() bool { return len(fileLines(t, file)) > 3 })
	conf := write(t, filepath.Join(dir, "rotate"), fmt.Sprintf("%s {\n rotate 1\n nocreate\n postrotate\n  kill -USR1 %d\n endscript\n}\n", file, d.cmd.Process.Pid))
	if err := os.Chmod(conf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "-f", "-s", filepath.Join(dir, "state"), conf).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	until(t, "alerts in the new file", func() bool { return len(fileLines(t, file)) > 3 })
	d.stop()
	got := append(times(t, fileLines(t, file+".1")), times(t, fileLines(t, file))...)
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("alerts are out of order: %v", got)
	}
}

// TestRsyslog sends to the log server of many machines.
func TestRsyslog(t *testing.T) {
	tool, err := exec.LookPath("rsyslogd")
	if err != nil {
		t.Skip("there is no rsyslogd")
	}
	for _, scheme := range []string{"tcp", "udp", "tls"} {
		t.Run(scheme, func(t *testing.T) {
			dir := certificates(t)
			address := freeAddress(t)
			_, port, _ := net.SplitHostPort(address)
			input := `module(load="imtcp")` + "\n" + `input(type="imtcp" `
			switch scheme {
			case "udp":
				input = strings.ReplaceAll(input, "imtcp", "imudp")
			case "tls":
				if found, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_ossl.so"); len(found) == 0 {
					t.Skip("this rsyslogd has no TLS")
				}
				input = fmt.Sprintf(`global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/server.pem" defaultNetstreamDriverKeyFile="%[1]s/server.pem")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" `, dir)
			}
			conf := write(t, filepath.Join(dir, "rsyslog.conf"), fmt.Sprintf(`global(workDirectory="%[1]s" maxMessageSize="64k")
%[2]saddress="127.0.0.1" port="%[3]s")
template(name="t" type="string" string="%%protocol-version%% %%pri%% %%app-name%% %%hostname%% %%msg%%\n")
:app-name, isequal, "falconet" action(type="omfile" file="%[1]s/got" template="t")
`, dir, input, port))
			server := exec.Command(tool, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
			out := new(safeBuffer)
			server.Stdout, server.Stderr = out, out
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = server.Process.Kill()
				_ = server.Wait()
				if t.Failed() {
					t.Log(out.String())
				}
			}()
			d := ticker(t, fmt.Sprintf("syslog_output: {enabled: true, address: '%[1]s://%[2]s', ca_cert: %[3]s/ca.pem, client_cert: %[3]s/client.pem, client_key: %[3]s/client.pem}\n", scheme, address, dir))
			var lines []string
			until(t, "messages", func() bool { lines = fileLines(t, filepath.Join(dir, "got")); return len(lines) > 4 })
			host, err := os.Hostname()
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range lines[:4] {
				rest, ok := strings.CutPrefix(line, "1 14 falconet "+host+" ")
				i := strings.IndexByte(rest, '{')
				if !ok || i < 0 {
					t.Fatalf("%s", line)
				}
				times(t, []string{rest[i:]})
			}
			d.stop()
		})
	}
}

// TestBadOutputs names key, file and line of what turns out to be wrong at the start.
func TestBadOutputs(t *testing.T) {
	dir := certificates(t)
	open := write(t, filepath.Join(dir, "open.pem"), "")
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct{ config, want string }{
		{"http_output: {enabled: true, url: 'ftp://x'}", "falconet.yaml:7:35: http_output.url: must be a URL that begins with http:// or https://, not \"ftp://x\""},
		{"http_output: {enabled: true, url: 'http://x', max_consecutive_timeouts: 300}", "http_output.max_consecutive_timeouts: must be a whole number from 0 to 255, not 300"},
		{"http_output: {enabled: true, url: 'https://x', ca_cert: /none}", "falconet.yaml:7:57: http_output.ca_cert: stat /none: no such file or directory"},
		{"http_output: {enabled: true, url: 'https://x', insecure: true, mtls: true, client_cert: " + dir + "/client.pem, client_key: " + dir + "/server.pem}", "http_output.client_cert: tls: private key does not match public key"},
		{"http_output: {enabled: true, url: 'https://x', insecure: true, mtls: true, client_cert: " + open + ", client_key: " + open + "}", open + " can be written by everybody"},
		{"http_output: {enabled: true, url: 'http://x', spool: {path: /proc/none}}", "http_output.spool.path: open spool: mkdir /proc/none"},
		{"file_output: {enabled: true, filename: /none/x}", "falconet.yaml:7:40: file_output.filename: open file output: open /none/x"},
		{"syslog_output: {enabled: true, address: 'here:514'}", "syslog_output.address: must be udp://HOST:PORT"},
		{"syslog_output: {enabled: true, format: xml}", "syslog_output.format: must be one of auto, text, json, ocsf, ecs, not \"xml\""},
		{"webserver: {enabled: true, listen_port: " + port + "}", "webserver.listen_port: listen tcp 127.0.0.1:" + port + ": bind: address already in use"},
		{"webserver: {enabled: true, ssl_enabled: true, ssl_certificate: /none}", "webserver.ssl_certificate: stat /none"},
		{"webserver: {enabled: true, k8s_healthz_endpoint: metrics}", "webserver.k8s_healthz_endpoint: must be a path such as /healthz"},
		{"metrics: {enabled: true, interval: 1s, output_file: /none/x}", "metrics.output_file: open file output"},
	} {
		path := write(t, filepath.Join(dir, "falconet.yaml"), "rules_files: [embedded]\nconfig_files: []\nengine: {kind: nodriver}\n#\n#\n#\n"+c.config+"\n")
		out, err := exec.Command(binary(t), "-M", "1", "-c", path).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s\n%v, want %s:\n%s", c.config, err, c.want, indent(string(out)))
		}
	}
}
