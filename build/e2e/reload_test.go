// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// rewrite makes the rules of a running falconet others. The canary stays.
func (d *daemon) rewrite(rules string) {
	d.t.Helper()
	file := filepath.Join(d.cmd.Dir, "rules.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		d.t.Fatal(err)
	}
	canary, _, _ := strings.Cut(string(b), "- rule: E2E reload")
	write(d.t, file+".new", canary+rules)
	if err := os.Rename(file+".new", file); err != nil {
		d.t.Fatal(err)
	}
}

// said is how often falconet has logged a text.
func (d *daemon) said(text string) int { return strings.Count(d.diag.String(), text) }

const reloaded, notReloaded = "configuration reloaded", "configuration not reloaded"

// await waits until falconet has logged a text for the nth time.
func (d *daemon) await(text string, n int) {
	d.t.Helper()
	until(d.t, fmt.Sprintf("falconet to say %q the %d. time", text, n), func() bool {
		select {
		case <-d.closed:
			d.t.Fatalf("falconet has ended:\n%s", indent(d.diag.String()))
		default:
		}
		return d.said(text) >= n
	})
}

// hangUp lets falconet reload and waits until it has.
func (d *daemon) hangUp() {
	d.t.Helper()
	n := d.said(reloaded)
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	d.await(reloaded, n+1)
}

// openFiles is how many file descriptors falconet has.
func (d *daemon) openFiles() int {
	d.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(entries)
}

// TestReloadUnderLoad: after capabilities were dropped, rule sets A and B alternate, where B asks for another system call and for another piece
// of the one that A asks for, while events are made all the time. What A asks for is reported once, whatever happens, and what B asks
// for from each reload on that was acknowledged, until the next.
func TestReloadUnderLoad(t *testing.T) {
	privileged(t)
	const reloads = 100
	dir := tempDir(t)
	opened, changed := filepath.Join(dir, "opened"), filepath.Join(dir, "changed")
	for _, d := range []string{opened, changed} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a := fmt.Sprintf(`- rule: E2E reload A
  desc: A file is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/
  output: opened file=%%fd.name
  priority: WARNING
`, opened)
	b := a + fmt.Sprintf(`- rule: E2E reload B
  desc: The mode of a file is changed.
  condition: evt.type in (chmod, fchmodat, fchmodat2) and evt.arg.filename startswith %s/
  output: changed file=%%evt.arg.filename mode=%%evt.arg.mode
  priority: WARNING
- rule: E2E reload B piece
  desc: A file is opened, and more is wanted of it.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/ and fd.ino > 0
  output: opened file=%%fd.name number=%%fd.ino
  priority: WARNING
`, changed, opened)
	d := start(t, launch{rules: a, config: "outputs_queue: {capacity: 1000000}\nengine: {modern_ebpf: {buf_size_preset: 6}}\n"})
	checkCapabilities(t, d.cmd.Process.Pid, "000000c000080004", "000000c000080004", "1")

	// the load: a file is opened every now and then, from several threads
	const writers, each = 2, 100
	var made [writers]int
	var all atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					made[w] = n
					return
				default:
				}
				f, err := os.Create(filepath.Join(opened, fmt.Sprintf("load-%d-%d.", w, n)))
				if err != nil {
					t.Error(err)
					return
				}
				f.Close()
				os.Remove(f.Name())
				all.Add(1)
				time.Sleep(50 * time.Microsecond)
			}
		})
	}
	inodes := make(map[string]uint64) // of files that were opened while B was at work
	var withB, withA []string         // files whose mode was changed
	files := 0
	for n := range reloads {
		rules, isB := a, n%2 == 0
		if isB {
			rules = b
		}
		d.rewrite(rules)
		d.hangUp()
		until(t, "the load to go on", func() bool { return all.Load() >= int64((n+1)*each) || t.Failed() })
		if n == 4 {
			files = d.openFiles()
		}
		for i := range 3 {
			name := filepath.Join(changed, fmt.Sprintf("%d-%d.", n, i))
			write(t, name, "")
			if err := os.Chmod(name, 0o640); err != nil {
				t.Fatal(err)
			}
			if !isB {
				withA = append(withA, name)
				continue
			}
			withB = append(withB, name)
			piece := filepath.Join(opened, fmt.Sprintf("piece-%d-%d.", n, i))
			write(t, piece, "")
			var st syscall.Stat_t
			if err := syscall.Stat(piece, &st); err != nil {
				t.Fatal(err)
			}
			inodes[piece] = st.Ino
		}
	}
	close(stop)
	wg.Wait()
	d.sync()

	seen := make(map[string]int)
	for _, alert := range d.alerts(0) {
		switch alert.Rule {
		case "E2E reload A":
			seen[alert.str("fd.name")]++
		case "E2E reload B":
			seen["B "+alert.str("evt.arg.filename")]++
			if m := alert.str("evt.arg.mode"); !strings.Contains(m, "S_IWUSR") {
				t.Errorf("mode is %q: %s", m, alert.Line)
			}
		case "E2E reload B piece":
			name := alert.str("fd.name")
			seen["B "+name]++
			if want, ok := inodes[name]; ok && alert.str("fd.ino") != strconv.FormatUint(want, 10) {
				t.Errorf("number of %s is %s, want %d", name, alert.str("fd.ino"), want)
			}
		default:
			t.Errorf("alert of rule %q", alert.Rule)
		}
	}
	total := 0
	for w, n := range made {
		total += n
		for i := range n {
			if name := filepath.Join(opened, fmt.Sprintf("load-%d-%d.", w, i)); seen[name] != 1 {
				t.Errorf("%s was reported %d times", name, seen[name])
			}
		}
	}
	for name := range inodes {
		if seen[name] != 1 || seen["B "+name] != 1 {
			t.Errorf("%s was reported %d times by A and %d times by B", name, seen[name], seen["B "+name])
		}
	}
	for _, name := range withB {
		if seen["B "+name] != 1 {
			t.Errorf("B was at work, and %s was reported %d times", name, seen["B "+name])
		}
	}
	for _, name := range withA {
		if seen["B "+name] != 0 {
			t.Errorf("A was at work, and %s was reported", name)
		}
	}
	t.Logf("%d events of A during %d reloads", total, d.said(reloaded))
	if n := d.said(reloaded); n != reloads {
		t.Errorf("%d reloads were acknowledged, want %d", n, reloads)
	}
	if now := d.openFiles(); now > files {
		t.Errorf("%d files are open, %d were after the first reloads", now, files)
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d", code)
	}
	for _, bad := range []string{"were lost", "dropped\"", "Error:"} {
		if d.said(bad) > 0 {
			t.Errorf("falconet says %q", bad)
		}
	}
}

// checkCapabilities compares what every thread of a process may do.
func checkCapabilities(t *testing.T, pid int, effective, bounding, noNewPrivs string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads of %d: %q, %v", pid, threads, err)
	}
	for _, file := range threads {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		for key, want := range map[string]string{
			"CapInh": strings.Repeat("0", 16), "CapAmb": strings.Repeat("0", 16), "CapPrm": effective, "CapEff": effective, "CapBnd": bounding, "NoNewPrivs": noNewPrivs,
		} {
			_, rest, _ := strings.Cut(string(b), key+":\t")
			if got, _, _ := strings.Cut(rest, "\n"); got != want {
				t.Errorf("%s of %s is %s, want %s", key, file, got, want)
			}
		}
	}
}

// TestReloadOfFiles: whatever way rules and configuration change on the disk, they take effect; what is broken does not, and raises an
// alert; what cannot change is named.
func TestReloadOfFiles(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	volume := filepath.Join(dir, "volume") // as Kubernetes mounts a ConfigMap
	rule := func(name string) string {
		return fmt.Sprintf(`- rule: E2E reload %s
  desc: A file is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/
  output: opened file=%%fd.name %%container.id
  priority: WARNING
`, name, dir)
	}
	release := func(n int, text string) {
		t.Helper()
		to := filepath.Join(volume, fmt.Sprintf("..%d", n))
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, "r.yaml"), text)
		for _, link := range [][2]string{{filepath.Base(to), "..data_tmp"}, {"..data/r.yaml", "r.yaml"}} {
			if err := os.Symlink(link[0], filepath.Join(volume, link[1])); err != nil && !os.IsExist(err) {
				t.Fatal(err)
			}
		}
		if err := os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	release(1, rule("one"))
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := start(t, launch{files: []string{volume}, config: "metrics: {enabled: true, interval: 1h}\n", args: []string{
		"-o", "watch_config_files=true", "-o", "webserver.enabled=true", "-o", "webserver.prometheus_metrics_enabled=true", "-o", "webserver.listen_port=" + port,
	}})
	rules := func(want ...string) {
		t.Helper()
		from := d.mark()
		write(t, filepath.Join(dir, fmt.Sprintf("file-%d", from)), "")
		d.sync()
		var got []string
		for _, a := range d.alerts(from) {
			got = append(got, strings.TrimPrefix(a.Rule, "E2E reload "))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("rules that match are %q, want %q", got, want)
		}
	}
	metric := func(name string) string {
		t.Helper()
		_, body := get(t, "http://"+address+"/metrics")
		var out []string
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, name) {
				out = append(out, strings.TrimSpace(line))
			}
		}
		return strings.Join(out, "\n")
	}
	rules("one")
	sums := metric("falcosecurity_falco_sha256_rules_files_info")

	release(2, rule("two")+rule("three"))
	d.await(reloaded, 1)
	rules("two", "three")
	if now := metric("falcosecurity_falco_sha256_rules_files_info"); now == sums || now == "" {
		t.Errorf("the sums of rule files stay as they were:\n%s", now)
	}

	from := d.mark()
	release(3, "- rule: [\n")
	d.await(notReloaded, 1)
	rules("two", "three")
	until(t, "the alert about it", func() bool {
		for _, a := range d.alerts(from) {
			if a.Rule == "Falco internal: reload failed" {
				return a.Source == "internal" && strings.Contains(a.str("error"), "r.yaml:1:")
			}
		}
		return false
	})
	if n := metric("falconet_reload_failures_total"); n != "falconet_reload_failures_total 1" {
		t.Errorf("the metric is %q", n)
	}

	release(4, rule("four"))
	d.await(reloaded, 2)
	rules("four")

	// the configuration: what can change does, what cannot is named
	conf := filepath.Join(d.cmd.Dir, "falconet.yaml")
	b, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "..events.json")
	write(t, conf+"~", string(b)+fmt.Sprintf(`append_output: [{extra_output: appended=%%proc.name}]
engine: {modern_ebpf: {buf_size_preset: 5}}
memory: {budget_mb: 300}
file_output: {enabled: true, filename: %s, keep_alive: true}
`, other))
	if err := os.Rename(conf+"~", conf); err != nil {
		t.Fatal(err)
	}
	d.await(reloaded, 3)
	for _, key := range []string{"engine.modern_ebpf.buf_size_preset", "memory.budget_mb"} {
		if n := d.said(key + ": a reload cannot change this"); n != 1 {
			t.Errorf("%s is named %d times", key, n)
		}
	}
	from = d.mark()
	rules("four")
	until(t, "an alert in the file", func() bool {
		b, err := os.ReadFile(other)
		return err == nil && strings.Contains(string(b), "appended=")
	})
	for _, a := range d.alerts(from) {
		if !strings.Contains(a.Output, " appended=") {
			t.Errorf("nothing is appended to %q", a.Output)
		}
	}

	// a configuration that is broken, then one with an output that cannot be opened
	for n, text := range []string{"time_format_iso_8601: perhaps\n", "file_output: {enabled: true, filename: /no/such/directory/file}\n"} {
		write(t, conf, string(b)+text)
		d.await(notReloaded, 2+n)
		rules("four")
	}
	for _, words := range []string{"falconet.yaml:", "time_format_iso_8601", "perhaps", "file_output.filename", "/no/such/directory"} {
		if d.said(words) == 0 {
			t.Errorf("nothing is said of %q", words)
		}
	}
	write(t, conf, string(b))
	d.await(reloaded, 4)
	rules("four")
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d", code)
	}
}

// TestCapabilities: what was needed for the start is given up; programs that are started for alerts have what falconet was started with.
func TestCapabilities(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	bounds := statusOf(t, os.Getpid())["CapBnd"][0]
	file := filepath.Join(dir, "events")
	for _, tc := range []struct {
		name, config, effective, bounding, noNewPrivs string
		args                                          []string
	}{
		{"nothing but the probe", "", "000000c000080004", "000000c000080004", "1", nil},
		{"a file", fmt.Sprintf("file_output: {enabled: true, filename: %s}\n", file), "000000c000080006", "000000c000080006", "1", nil},
		{"a port of the privileged", "", "000000c000080404", "000000c000080404", "1", []string{"-o", "webserver.enabled=true", "-o", "webserver.listen_port=1023"}},
		{"a program", fmt.Sprintf("program_output: {enabled: true, program: \"cat > %s.out; cat /proc/self/status > %s.status\"}\n", file, file), "000000c000080024", bounds, "0", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := start(t, launch{rules: touchRule(dir), config: tc.config, args: tc.args})
			write(t, filepath.Join(dir, "touched"), "")
			d.sync()
			checkCapabilities(t, d.cmd.Process.Pid, tc.effective, tc.bounding, tc.noNewPrivs)
			if tc.noNewPrivs == "0" {
				until(t, "the program to say what it may do", func() bool {
					b, _ := os.ReadFile(file + ".status")
					return strings.Contains(string(b), "CapEff:\t"+bounds)
				})
			}
		})
	}
}

// TestEndWithStuckOutput: an output that takes nothing does not keep falconet from ending.
func TestEndWithStuckOutput(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	d := start(t, launch{rules: touchRule(dir), config: "program_output: {enabled: true, keep_alive: true, program: \"echo $$ > pid; exec sleep 3600\"}\n"})
	from := d.mark()
	for n := range 2000 { // more than a pipe holds
		write(t, filepath.Join(dir, fmt.Sprintf("%s-%d", strings.Repeat("x", 100), n)), "")
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d", code)
	}
	if b, err := os.ReadFile(filepath.Join(d.cmd.Dir, "pid")); err != nil {
		t.Error(err)
	} else if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		t.Error(err)
	} else {
		until(t, "the program to end", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
	}
	if n := len(d.alerts(from)); n != 2000 {
		t.Errorf("%d alerts are on the standard output, want 2000", n)
	}
	if d.said("not every alert arrived") == 0 && d.said("an output did not take its last alerts in time") == 0 {
		t.Error("what did not arrive is not said")
	}
}
