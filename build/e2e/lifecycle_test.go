// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// touchRule watches the files of a directory.
func touchRule(dir string) string {
	return fmt.Sprintf(`- rule: E2E touched
  desc: A file of the test is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/
  output: touched file=%%fd.name
  priority: WARNING
`, dir)
}

// TestDuration lets falconet end by itself and reads the statistics that Falco writes then.
func TestDuration(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	d := start(t, launch{rules: touchRule(dir), args: []string{"-M", "2"}})
	from := d.mark()
	for n := range 3 {
		write(t, filepath.Join(dir, strconv.Itoa(n)), "")
	}
	if code := d.wait(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
	if n := len(d.alerts(from)); n != 3 {
		t.Errorf("%d alerts, want 3", n)
	}
	checkClosing(t, d, map[string]int{"E2E touched": 3}, map[string]int{"WARNING": 3})
}

// checkClosing compares the closing statistics with the alerts that were written and with what a test knows of them.
func checkClosing(t *testing.T, d *daemon, rules, priorities map[string]int) {
	t.Helper()
	all := d.since(0)
	begin := slices.IndexFunc(all, func(l string) bool { return strings.HasPrefix(l, "Events detected: ") })
	if begin < 0 {
		t.Fatalf("no closing statistics:\n%s", indent(strings.Join(all, "\n")))
	}
	text := strings.Join(all[begin:], "\n") + "\n"
	shape := regexp.MustCompile(`^Events detected: (\d+)\nRule counts by severity:\n((?:   [A-Z]+: \d+\n)*)Triggered rules by rule name:\n((?:   .+: \d+\n)*)$`)
	m := shape.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("closing statistics have another shape:\n%s", indent(text))
	}
	if want := strconv.Itoa(begin); m[1] != want {
		t.Errorf("Events detected: %s, but %s alerts were written", m[1], want)
	}
	for part, want := range map[string]map[string]int{m[2]: priorities, m[3]: rules} {
		for name, n := range want {
			if line := fmt.Sprintf("   %s: %d\n", name, n); !strings.Contains(part, line) {
				t.Errorf("statistics lack %q:\n%s", line, indent(text))
			}
		}
	}
}

// TestSignals wants everything that happened before the signal to be written, even where outputs may hold lines back.
func TestSignals(t *testing.T) {
	privileged(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := tempDir(t)
			d := start(t, launch{rules: touchRule(dir), config: "buffered_outputs: true\n"})
			const files = 500
			for n := range files {
				write(t, filepath.Join(dir, strconv.Itoa(n)), "")
			}
			if err := d.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if code := d.wait(); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
			if n := len(d.alerts(0)); n != files {
				t.Errorf("%d alerts, want %d", n, files)
			}
			checkClosing(t, d, map[string]int{"E2E touched": files}, nil)
		})
	}
}

// TestDryRun wants everything to be checked and nothing to be done.
func TestDryRun(t *testing.T) {
	dir := tempDir(t)
	conf := quietConfig(t, dir, fmt.Sprintf("file_output:\n  enabled: true\n  filename: %s/events.txt\n", dir))
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	r := command(t, "-c", conf, "-r", good, "--dry-run")
	if r.code != 0 {
		t.Errorf("exit code is %d, want 0:\n%s", r.code, indent(r.stderr))
	}
	if strings.Contains(r.stdout, "Events detected") {
		t.Errorf("statistics of a run that was none:\n%s", indent(r.stdout))
	}
	if _, err := os.Stat(filepath.Join(dir, "events.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("output file was made (%v)", err)
	}
}

// TestNothingLeft wants nothing of the probe to outlive its process, however that ends, in the middle of events and of reloads.
func TestNothingLeft(t *testing.T) {
	privileged(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := tempDir(t)
			pinned := pins(t)
			d := start(t, launch{rules: touchRule(dir)})
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
						name := filepath.Join(dir, strconv.Itoa(n))
						if os.WriteFile(name, nil, 0o600) == nil {
							os.Remove(name)
						}
					}
				}
			})
			d.hangUp()
			objects := kernelObjects(t, d.cmd.Process.Pid)
			for _, kind := range objectKinds {
				if len(objects[kind.name]) == 0 {
					t.Errorf("a falconet that reports events holds no %s of the kernel", kind.name)
				}
			}
			if err := d.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			d.wait()
			close(stop)
			wg.Wait()
			for _, kind := range objectKinds {
				// The kernel frees them a moment after the last reference is gone.
				until(t, "the probe's "+kind.name+"s to leave the kernel", func() bool {
					return !slices.ContainsFunc(objects[kind.name], func(id uint32) bool { return kernelHas(kind.get, id) })
				})
			}
			if now := pins(t); !slices.Equal(now, pinned) {
				t.Errorf("pinned are %q, before there were %q", now, pinned)
			}
		})
	}
}

// objectKinds are the kinds of the kernel's objects that a probe is made of, and the commands of bpf(2) that open one by its number.
var objectKinds = []struct {
	name string
	get  uintptr
}{{"prog", unix.BPF_PROG_GET_FD_BY_ID}, {"map", unix.BPF_MAP_GET_FD_BY_ID}, {"link", unix.BPF_LINK_GET_FD_BY_ID}}

var objectID = regexp.MustCompile(`(?m)^(prog|map|link)_id:\s*(\d+)$`)

// kernelObjects lists the BPF objects that a process holds, by kind.
func kernelObjects(t *testing.T, pid int) map[string][]uint32 {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string][]uint32)
	for _, info := range infos {
		b, err := os.ReadFile(info)
		if err != nil {
			continue // closed since
		}
		for _, m := range objectID.FindAllSubmatch(b, -1) {
			id, err := strconv.ParseUint(string(m[2]), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			ids[string(m[1])] = append(ids[string(m[1])], uint32(id))
		}
	}
	return ids
}

// kernelHas reports whether the kernel has a BPF object of that number.
func kernelHas(get uintptr, id uint32) bool {
	attr := [16]uint32{0: id}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, get, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno == 0 {
		unix.Close(int(fd))
	}
	return errno != unix.ENOENT
}

// pins are the BPF objects that have a name in the file system, where there is one for them.
func pins(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir("/sys/fs/bpf", func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

// TestClosedStdout takes the reader of the standard output away while another output goes on.
func TestClosedStdout(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	watched := filepath.Join(dir, "watched")
	if err := os.Mkdir(watched, 0o755); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "events.txt")
	conf := quietConfig(t, dir, fmt.Sprintf("file_output:\n  enabled: true\n  filename: %s\n", log))
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	diag := new(safeBuffer)
	cmd := exec.Command(binary(t), "-c", conf, "-r", write(t, filepath.Join(dir, "rules.yaml"), touchRule(watched)), "-M", "600")
	cmd.Stdout, cmd.Stderr = out, diag
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	alive := true
	heard := func(name string) bool {
		select {
		case err := <-ended:
			alive = false
			t.Fatalf("falconet has ended: %v\n%s", err, indent(diag.String()))
		default:
		}
		write(t, filepath.Join(watched, name), "")
		b, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(b), filepath.Join(watched, name))
	}
	t.Cleanup(func() {
		if alive {
			cmd.Process.Kill() // an error means that it has ended already
			<-ended
		}
	})
	until(t, "the first alert in the file", func() bool { return heard("first") })
	until(t, "a later alert in the file", func() bool { return heard("second") })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = <-ended
	alive = false
	if err != nil {
		t.Errorf("end of falconet: %v\n%s", err, indent(diag.String()))
	}
	if s := diag.String(); strings.Contains(s, "goroutine ") || strings.Contains(s, "panic:") {
		t.Errorf("falconet crashed:\n%s", indent(s))
	}
}
