// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of containers start the real runtimes, each with all of its state below a directory that falconet takes for the root of
// the host, and in a network of its own: nothing of the machine's own runtimes is touched. A runtime that is not installed is skipped, or is a failure with
// FALCONET_REQUIRE_CONTAINERS=1. FALCONET_CONTAINERS says how many containers each of them starts.

const containerImage = "registry.local:5000/e2e/busy:v1.2"

const containerRule = `- rule: Container first
  desc: d
  condition: evt.type in (execve, execveat) and container.id != host and proc.args contains first-
  output: "%container.id %container.name %container.image.repository %container.image.tag %container.type %container.metadata %container.label.tier %k8s.pod.name %k8s.ns.name %k8s.pod.label.app %proc.args"
  priority: NOTICE
- rule: Unknown image
  desc: d
  condition: evt.type in (execve, execveat) and container.id != host and proc.args contains first- and not container.image.repository endswith /e2e/busy
  output: "%container.name %proc.args"
  priority: NOTICE
`

// host is a directory that looks like the root of a host with runtimes of its own.
type host struct {
	t   *testing.T
	dir string
}

func newHost(t *testing.T) *host {
	t.Helper()
	privileged(t)
	dir, err := os.MkdirTemp("/tmp", "fnh-") // podman wants a short path
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, dir: dir}
	t.Cleanup(func() {
		h.unmount()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for _, link := range []string{"proc", "sys"} {
		if err := os.Symlink("/"+link, filepath.Join(h.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"etc", "run", "var/lib"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h *host) at(path string) string { return filepath.Join(h.dir, path) }

// installed skips the test if one of the programs is not there.
func (h *host) installed(programs ...string) {
	h.t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("FALCONET_REQUIRE_CONTAINERS") == "1" {
			h.t.Fatalf("%s is not installed, and FALCONET_REQUIRE_CONTAINERS=1 forbids to skip this test", p)
		}
		h.t.Skipf("%s is not installed", p)
	}
}

// background starts a runtime that ends with the test.
func (h *host) background(name string, args ...string) {
	h.t.Helper()
	log, err := os.Create(h.at(name + ".log"))
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// In a network of its own: a second docker would take the first one's bridge away.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		h.t.Fatalf("start %s: %v", name, err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
		if b, err := os.ReadFile(log.Name()); err == nil && h.t.Failed() {
			h.t.Logf("%s:\n%s", name, indent(string(b[max(0, len(b)-3000):])))
		}
		h.unmount()
	})
}

// unmount removes what a runtime left mounted.
func (h *host) unmount() {
	b, _ := os.ReadFile("/proc/self/mounts")
	lines := strings.Split(string(b), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if f := strings.Fields(lines[i]); len(f) > 1 && strings.HasPrefix(f[1], h.dir+"/") {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
		}
	}
}

// run runs a command and returns its standard output.
func (h *host) run(stdin []byte, args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Run(); err != nil {
		h.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, indent(diag.String()))
	}
	return strings.TrimSpace(out.String())
}

// image returns a file system with the test's actor as its only program.
func (h *host) image() []byte {
	h.t.Helper()
	b, err := os.ReadFile(actor(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, dir := range []string{"bin/", "etc/", "proc/", "sys/", "dev/", "tmp/"} {
		if err := w.WriteHeader(&tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			h.t.Fatal(err)
		}
	}
	err = w.WriteHeader(&tar.Header{Name: "bin/act", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(b))})
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.WriteHeader(&tar.Header{Name: "bin/sh", Typeflag: tar.TypeLink, Linkname: "bin/act", Mode: 0o755})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out.Bytes()
}

// watch starts a falconet that sees the host.
func (h *host) watch() *daemon {
	h.t.Helper()
	// What a runtime's socket tells may take long on a machine with much to do.
	const patient = "container_engines:\n  wait_ms: 10000\n"
	return start(h.t, launch{rules: containerRule + boxRule, config: patient, by: []string{"env", "HOST_ROOT=" + h.dir}, args: []string{"-M", "3600"}})
}

// containers is how many containers a runtime starts.
func containers(t *testing.T) int {
	if s := os.Getenv("FALCONET_CONTAINERS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 5
}

// expected is what the alert of a container's first program has to say.
type expected struct {
	name, kind, tier, pod, namespace, app string
	noImage                               bool // the runtime has none
}

// check starts containers and reads the alerts of their first programs. begin starts number i, whose program gets the argument first-NAME.
func (h *host) check(d *daemon, want func(i int) expected, begin func(i int)) {
	h.t.Helper()
	n := containers(h.t)
	mark := d.mark()
	for i := range n {
		begin(i)
	}
	until(h.t, "alerts, which may wait for their containers' runtimes", func() bool {
		names := make(map[string]bool)
		for _, a := range d.alerts(mark) {
			if _, name, first := strings.Cut(a.str("proc.args"), "first-"); first && a.Rule == "Container first" {
				names[name] = true
			}
		}
		return len(names) >= n
	})
	d.sync()
	wants := make(map[string]expected)
	for i := range n {
		w := want(i)
		wants[w.name] = w
	}
	seen := make(map[string]alert)
	took := make(map[string][]time.Duration)
	for _, a := range d.alerts(mark) {
		args := a.str("proc.args")
		name := args[strings.Index(args, "first-")+len("first-"):]
		if a.Rule == "Unknown image" {
			if !wants[name].noImage {
				h.t.Errorf("a rule on what the image is not took %s for it", name)
			}
			continue
		}
		if _, ok := seen[name]; !ok {
			seen[name] = a
			at, err := time.Parse(time.RFC3339Nano, a.Time)
			if err != nil {
				h.t.Fatal(err)
			}
			from := a.str("container.metadata")
			took[from] = append(took[from], a.Came.Sub(at))
		}
	}
	for _, w := range wants {
		a, ok := seen[w.name]
		if !ok {
			h.t.Errorf("no alert of %s", w.name)
			continue
		}
		repository, tag := "registry.local:5000/e2e/busy", "v1.2"
		if w.noImage {
			repository, tag = "<NA>", "<NA>"
		}
		for field, text := range map[string]string{
			"container.name": w.name, "container.type": w.kind, "container.image.repository": repository, "container.image.tag": tag,
			"container.label.tier": w.tier, "k8s.pod.name": w.pod, "k8s.ns.name": w.namespace, "k8s.pod.label.app": w.app,
		} {
			if text == "" {
				text = "<NA>"
			}
			if got := a.str(field); got != text {
				h.t.Errorf("%s: %s is %q, want %q", w.name, field, got, text)
			}
		}
		if id := a.str("container.id"); id == "<NA>" || id == "host" {
			h.t.Errorf("%s has the id %q", w.name, id)
		}
	}
	for from, times := range took {
		slices.Sort(times)
		h.t.Logf("%d of %d containers have name and image from %s, in the alert that came %v after the first execve (median), %v at most",
			len(times), n, from, times[len(times)/2].Round(time.Millisecond/10), times[len(times)-1].Round(time.Millisecond/10))
	}
}

func TestDockerContainers(t *testing.T) {
	h := newHost(t)
	h.installed("dockerd", "docker", "containerd", "runc")
	sock := "unix://" + h.at("run/docker.sock")
	h.background("dockerd", "--host", sock, "--data-root", h.at("var/lib/docker"), "--exec-root", h.at("run/docker"), "--pidfile", h.at("docker.pid"),
		"--storage-driver", "overlay2", "--bridge", "none", "--iptables=false", "--ip6tables=false")
	docker := func(args ...string) []string { return append([]string{"docker", "--host", sock}, args...) }
	until(t, "dockerd to answer", func() bool { return exec.Command("docker", "--host", sock, "info").Run() == nil })
	h.run(h.image(), docker("import", "-", containerImage)...)
	d := h.watch()
	t.Run("facts", func(t *testing.T) { h.dockerFacts(t, d, docker) })
	name := func(i int) string { return fmt.Sprintf("docker%d", i) }
	h.check(d, func(i int) expected { return expected{name: name(i), kind: "docker", tier: "front"} }, func(i int) {
		h.run(nil, docker("run", "--rm", "--network", "none", "--name", name(i), "--label", "tier=front", containerImage, "/bin/act", "nothing", "first-"+name(i))...)
	})
}

func TestPodmanContainers(t *testing.T) {
	h := newHost(t)
	h.installed("podman", "conmon", "runc")
	podman := func(args ...string) []string {
		return append([]string{"podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--root", h.at("var/lib/containers/storage"),
			"--runroot", h.at("run/containers/storage"), "--tmpdir", h.at("run/libpod"), "--events-backend", "none"}, args...)
	}
	h.run(h.image(), podman("import", "-", containerImage)...)
	d := h.watch()
	name := func(i int) string { return fmt.Sprintf("podman%d", i) }
	h.check(d, func(i int) expected { return expected{name: name(i), kind: "podman"} }, func(i int) {
		h.run(nil, podman("run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--name", name(i),
			containerImage, "/bin/act", "nothing", "first-"+name(i))...)
	})
}
