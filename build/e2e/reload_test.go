// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
	const writers = 2
	var made [writers]int
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
				time.Sleep(300 * time.Microsecond)
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
	if total < reloads {
		t.Error("there was no load")
	}
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
