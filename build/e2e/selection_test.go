// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// custom writes a custom_set as options.
func custom(names ...string) (args []string) {
	for _, name := range names {
		args = append(args, "-o", "base_syscalls.custom_set[]="+name)
	}
	return args
}

// TestIgnored wants Falco's list, in its form.
func TestIgnored(t *testing.T) {
	r := command(t, "-i")
	if r.code != 0 || !regexp.MustCompile(`^Ignored syscall\(s\):\n(- [a-z0-9]+\n)+\n$`).MatchString(r.stdout) {
		t.Errorf("exit code %d, printed:\n%s", r.code, indent(r.stdout))
	}
	for _, name := range []string{"read", "readv", "preadv", "write", "writev", "pwritev", "recv", "send", "sendfile"} {
		if !strings.Contains(r.stdout, "- "+name+"\n") {
			t.Errorf("%s is not in the list", name)
		}
	}
}

// TestSelected reads what falconet says about the system calls that it is going to capture.
func TestSelected(t *testing.T) {
	dir := tempDir(t)
	rules := write(t, filepath.Join(dir, "rules.yaml"), `- rule: E2E of openat
  desc: A file is opened.
  condition: evt.type = openat and fd.name = /e2e/none
  output: opened
  priority: INFO
- rule: E2E of reads
  desc: Something is read.
  condition: evt.type = read and proc.name = none
  output: read
  priority: INFO
`)
	conf := quietConfig(t, dir, "")
	f := func(args []string, say []string, hush ...string) {
		t.Helper()
		args = append([]string{"-c", conf, "-r", rules, "--dry-run", "-o", "log_level=debug"}, args...)
		r := command(t, args...)
		if r.code != 0 {
			t.Errorf("%q: exit code is %d", args[6:], r.code)
		}
		for _, text := range say {
			if !strings.Contains(r.stderr, text) {
				t.Errorf("%q does not say %q:\n%s", args[6:], text, indent(r.stderr))
			}
		}
		for _, text := range hush {
			if strings.Contains(r.stderr, text) {
				t.Errorf("%q says %q:\n%s", args[6:], text, indent(r.stderr))
			}
		}
	}
	final := func(names ...string) string {
		return fmt.Sprintf("(%d) syscalls selected in total (final set): %s\n", len(names), strings.Join(names, ", "))
	}
	const refused, unknown = "(unsupported-evttype)", "no system call or event of this name"
	f(nil, []string{final("execve", "execveat", "openat", "procexit"), refused + ": read;", "not captured: read, which rules name: E2E of reads\n"}, unknown, "E2E of openat")
	f([]string{"-A"}, []string{final("execve", "execveat", "openat", "procexit", "read")}, refused, unknown)
	f([]string{"-o", "base_syscalls.all=true"}, []string{final("execve", "execveat", "openat", "procexit", "read")}, refused)
	f([]string{"-o", "base_syscalls.repair=true"}, []string{final("execve", "execveat", "openat", "procexit")}, unknown)
	f(append(custom("close", "write", "sync", "!openat"), "-A"), []string{final("close", "execve", "execveat", "procexit", "read", "sync", "write"),
		refused + ": openat;", "not captured: openat, which rules name: E2E of openat\n"}, unknown, "E2E of reads")
	f(custom("write", "close"), []string{final("close", "execve", "execveat", "openat", "procexit")}, unknown)
	f(custom("opennat", "!nosuch"), []string{unknown + ": opennat, nosuch\n", final("execve", "execveat", "openat", "procexit")})
}

// TestCustomSet takes events from rules, and has others captured for which there is no rule.
func TestCustomSet(t *testing.T) {
	privileged(t)
	for _, c := range []struct {
		name string
		args []string
		want string // rules that fire
	}{
		{"without", nil, "run touched"},
		{"exclude", custom("!execve", "!unlink", "!unlinkat", "memfd_create", "umask"), ""},
		{"repair", append(custom("!execve", "!unlink", "!unlinkat"), "-o", "base_syscalls.repair=true"), "run"},
		{"high volume", []string{"-A"}, "read run touched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tempDir(t)
			job := filepath.Join(dir, "e2e-job")
			write(t, job, "#!/bin/sh\numask 22\nread line <"+write(t, filepath.Join(dir, "in"), "line\n")+"\n")
			if err := os.Chmod(job, 0o755); err != nil {
				t.Fatal(err)
			}
			d := start(t, launch{args: append([]string{"-o", "log_level=debug"}, c.args...), rules: fmt.Sprintf(`- rule: touched
  desc: A file of the test is removed.
  condition: evt.type in (unlink, unlinkat) and evt.arg.name = %s/gone
  output: removed
  priority: INFO
- rule: run
  desc: The test's program is started.
  condition: evt.type = execve and proc.exepath = /bin/sh or evt.type = execve and proc.name = e2e-job
  output: started %%proc.name
  priority: INFO
- rule: read
  desc: The test's program reads.
  condition: evt.type = read and proc.name = e2e-job
  output: read
  priority: INFO
`, dir)})
			from := d.mark()
			perform(t, exec.Command(job))
			if err := os.Remove(write(t, filepath.Join(dir, "gone"), "")); err != nil {
				t.Fatal(err)
			}
			d.sync()
			fired := map[string]bool{}
			for _, a := range d.alerts(from) {
				fired[a.Rule] = true
			}
			for _, rule := range []string{"touched", "run", "read"} {
				if want := strings.Contains(c.want, rule); fired[rule] != want {
					t.Errorf("rule %s fires: %v, want %v", rule, fired[rule], want)
				}
			}
			d.stop()
			for _, name := range []string{"umask"} {
				counted := regexp.MustCompile(`captured event=(generic|syscall|` + name + `) events=[1-9]`).MatchString(d.diag.String())
				if want := c.name == "exclude"; counted != want {
					t.Errorf("calls of %s are counted: %v, want %v", name, counted, want)
				}
			}
		})
	}
}

// TestDropFailed leaves out calls that fail, in the kernel.
func TestDropFailed(t *testing.T) {
	privileged(t)
	for _, drop := range []bool{false, true} {
		dir := tempDir(t)
		d := start(t, launch{rules: touchRule(dir), args: []string{"-o", fmt.Sprintf("engine.modern_ebpf.drop_failed_exit=%v", drop)}})
		from := d.mark()
		good := write(t, filepath.Join(dir, "good"), "")
		bad := filepath.Join(dir, "bad")
		if _, err := os.ReadFile(bad); err == nil {
			t.Fatal("what is not there was read")
		}
		d.sync()
		names := map[string]bool{}
		for _, a := range d.alerts(from) {
			names[a.str("fd.name")] = true
		}
		if !names[good] || names[bad] == drop {
			t.Errorf("drop_failed_exit %v: alerts for %v", drop, names)
		}
		d.stop()
	}
}

// TestBuffers starts with buffers of every kind, and with what is none.
func TestBuffers(t *testing.T) {
	privileged(t)
	for _, c := range []struct {
		each, preset int
		want         string
	}{{0, 1, "buffers=1 bytes=1048576|bytes=1048576 buffers=1"}, {1, 2, `buffers=\d+ bytes=2097152|bytes=2097152 buffers=\d+`}, {2, 4, `buffers=\d+ bytes=8388608|bytes=8388608 buffers=\d+`},
		{60000, 1, "all share one buffer"}} {
		dir := tempDir(t)
		d := start(t, launch{rules: touchRule(dir), config: fmt.Sprintf("engine:\n  modern_ebpf:\n    cpus_for_each_buffer: %d\n    buf_size_preset: %d\n", c.each, c.preset)})
		from := d.mark()
		const files = 200
		for n := range files {
			write(t, filepath.Join(dir, fmt.Sprint(n)), "")
		}
		d.sync()
		if n := len(d.alerts(from)); n != files {
			t.Errorf("%d CPUs a buffer: %d alerts, want %d", c.each, n, files)
		}
		d.stop()
		if !regexp.MustCompile(c.want).MatchString(d.diag.String()) {
			t.Errorf("%d CPUs a buffer, preset %d: falconet does not say %s:\n%s", c.each, c.preset, c.want, indent(d.diag.String()))
		}
	}
	for option, words := range map[string]string{
		"engine.modern_ebpf.buf_size_preset=0": "from 1 to 10", "engine.modern_ebpf.buf_size_preset=11": "from 1 to 10",
		"engine.modern_ebpf.buf_size_preset=x": "from 1 to 10", "engine.modern_ebpf.cpus_for_each_buffer=-1": "from 0 to 65535",
		"engine.modern_ebpf.drop_failed_exit=maybe": "true or false", "base_syscalls.repair=maybe": "true or false",
	} {
		key, _, _ := strings.Cut(option, "=")
		command(t, "--dry-run", "-o", option).refused(t, key, words)
	}
}
