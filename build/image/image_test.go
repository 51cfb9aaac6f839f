// SPDX-License-Identifier: Apache-2.0

// Package image tests the container image: that it holds the binary alone, and that falconet in it sees the host and the other
// containers. It starts a docker daemon of its own; FALCONET_IMAGE_TEST=1 asks for it.
package image

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. Nothing here is expected to take a tenth of it.
const patience = 60 * time.Second

const rule = "Sensitive file read by untrusted program"

// daemon is a docker daemon whose state is all in one directory.
type daemon struct {
	t    *testing.T
	dir  string
	host string
}

func startDaemon(t *testing.T) *daemon {
	t.Helper()
	// a short path: a unix socket's has at most 108 bytes
	dir, err := os.MkdirTemp("/tmp", "falconet-docker-")
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: dir, host: "unix://" + dir + "/docker.sock"}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dockerd", "--host", d.host, "--data-root", dir+"/data", "--exec-root", dir+"/exec", "--pidfile", dir+"/pid",
		"--storage-driver", "overlay2", "--bridge", "none", "--iptables=false", "--ip6tables=false")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start dockerd: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("dockerd:\n%s", b[max(0, len(b)-4000):])
		}
		_ = os.RemoveAll(dir)
	})
	d.until("dockerd answers", func() bool { return d.command("info").Run() == nil })
	return d
}

func (d *daemon) until(what string, done func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if done() {
			return
		}
	}
	d.t.Fatalf("waited for %s in vain", what)
}

func (d *daemon) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.host, "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+d.dir)
	return cmd
}

// docker runs a command and returns its standard output.
func (d *daemon) docker(stdin []byte, args ...string) string {
	d.t.Helper()
	cmd := d.command(args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			d.t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, exit.Stderr)
		}
		d.t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// busybox makes an image with a busybox, and password hashes of its own.
func (d *daemon) busybox() string {
	root := filepath.Join(d.dir, "root")
	for _, dir := range []string{"bin", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		d.t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"bin/cat": program, "bin/sleep": program, "etc/passwd": []byte("root:x:0:0::/:/bin/cat\n"), "etc/shadow": []byte("root:*:1::::::\n"),
	} {
		if err := os.WriteFile(filepath.Join(root, name), data, 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	tar, err := exec.Command("tar", "-C", root, "-c", ".").Output()
	if err != nil {
		d.t.Fatal(err)
	}
	d.docker(tar, "import", "-", "falconet-test-busybox")
	return "falconet-test-busybox"
}

type alert struct {
	Rule   string         `json:"rule"`
	Fields map[string]any `json:"output_fields"`
}

func (a *alert) has(field, value string) bool { s, _ := a.Fields[field].(string); return s == value }

func TestImage(t *testing.T) {
	if os.Getenv("FALCONET_IMAGE_TEST") != "1" {
		t.Skip("FALCONET_IMAGE_TEST=1 asks for this test, which starts a docker daemon")
	}
	d := startDaemon(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	d.docker(nil, "build", "-q", "-f", filepath.Join(root, "Containerfile.distroless"), "-t", "falconet-test", root)
	if got := d.docker(nil, "run", "--rm", "--network", "none", "falconet-test", "--page-size"); !strings.Contains(got, "4096") {
		t.Errorf("in its image falconet prints %q", got)
	}
	if files := d.files("falconet-test"); len(files) != 1 || files[0] != "falconet" {
		t.Errorf("the image holds %q", files)
	}
	alerts := d.watch()
	image := d.busybox()
	d.expect(alerts, "an alert for a process of the host", func(a *alert) bool {
		return a.has("container.id", "host") && a.has("proc.name", "cat") && a.has("fd.name", "/etc/shadow")
	}, func() { _ = exec.Command("cat", "/etc/shadow").Run() })
	id := d.docker(nil, "run", "-d", "--network", "none", image, "/bin/sleep", "300")
	d.expect(alerts, "an alert for a process of a container", func(a *alert) bool {
		return a.has("container.id", id[:12]) && a.has("proc.name", "cat") && a.has("fd.name", "/etc/shadow")
	}, func() { d.docker(nil, "exec", id, "/bin/cat", "/etc/shadow") })
	first := d.docker(nil, "create", "--network", "none", image, "/bin/cat", "/etc/shadow")
	started := false
	d.expect(alerts, "an alert for the first process of a container", func(a *alert) bool {
		return a.has("container.id", first[:12]) && a.has("proc.cmdline", "cat /etc/shadow")
	}, func() {
		if !started {
			started = true
			d.docker(nil, "start", first)
		}
	})
	d.docker(nil, "kill", id)
}

// files lists what an image holds, without the mount points that docker puts into a container.
func (d *daemon) files(image string) (names []string) {
	id := d.docker(nil, "create", image)
	list := exec.Command("tar", "-t")
	list.Stdin = strings.NewReader(d.docker(nil, "export", id))
	out, err := list.Output()
	if err != nil {
		d.t.Fatal(err)
	}
	d.docker(nil, "rm", id)
	for name := range strings.FieldsSeq(string(out)) {
		top, _, _ := strings.Cut(name, "/")
		if top != "dev" && top != "etc" && top != "proc" && top != "sys" && top != ".dockerenv" {
			names = append(names, name)
		}
	}
	return names
}

// privileges is --privileged, which asks for every capability there is. Where root itself lacks one, as in some sandboxes, no container
// can have it: then it is the capabilities that falconet uses, and no filter on system calls.
func privileges(t *testing.T) []string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	last, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(last)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			if set, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64); err == nil && set == 1<<(n+1)-1 {
				return []string{"--privileged"}
			}
		}
	}
	t.Log("root lacks a capability here: falconet gets those that it uses instead of --privileged")
	return []string{
		"--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--cap-add=DAC_READ_SEARCH",
		"--security-opt", "seccomp=unconfined",
	}
}

// watch starts falconet in its image and returns its alerts.
func (d *daemon) watch() <-chan *alert {
	args := append([]string{"run", "--rm", "--pid=host", "--network", "none", "--name", "falconet"}, privileges(d.t)...)
	cmd := d.command(append(args, "falconet-test", "-o", "json_output=true", "-U")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = d.command("kill", "-s", "TERM", "falconet").Run()
		_ = cmd.Wait()
		if d.t.Failed() {
			d.t.Logf("falconet: %s", stderr.String())
		}
	})
	alerts := make(chan *alert, 1024)
	go func() {
		defer close(alerts)
		for s := bufio.NewScanner(out); s.Scan(); {
			var a alert
			if json.Unmarshal(s.Bytes(), &a) == nil && a.Rule == rule {
				alerts <- &a
			}
		}
	}()
	return alerts
}

// expect makes something happen, again and again because falconet may still be starting, until an alert says so.
func (d *daemon) expect(alerts <-chan *alert, what string, is func(*alert) bool, happen func()) {
	d.t.Helper()
	deadline := time.After(patience)
	for {
		happen()
		pause := time.After(time.Second)
		for waiting := true; waiting; {
			select {
			case a, ok := <-alerts:
				if !ok {
					d.t.Fatalf("falconet ended before %s came", what)
				}
				if is(a) {
					return
				}
			case <-pause:
				waiting = false
			case <-deadline:
				d.t.Fatalf("%s did not come", what)
			}
		}
	}
}
