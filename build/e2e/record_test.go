// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// recordedRules match what the scenes and the scripts below do, and print what a recording has to tell for it.
const recordedRules = `- macro: e2e_below
  condition: (proc.aname = e2e-grand)
- rule: E2E recorded file
  desc: A file is opened, read, removed or given another name.
  condition: e2e_below and evt.type in (open, openat, openat2, creat, read, pread64, write, unlink, unlinkat, rename, renameat, renameat2, mkdir, mkdirat, chmod, fchmodat, chdir)
  output: "%evt.type %evt.dir %evt.args %evt.res %evt.rawres fd=%fd.num %fd.type %fd.name %fd.nameraw %fd.directory %fd.filename %fd.ino %fd.dev %fd.typechar %fs.path.name %fs.path.source %fs.path.target %proc.cwd %proc.exepath %evt.is_open_read %evt.is_open_write %thread.tid"
  priority: INFO
- rule: E2E recorded image
  desc: A program starts, or a process does.
  condition: e2e_below and evt.type in (execve, execveat, clone, clone3, fork, vfork)
  output: "%evt.type %evt.res %evt.args %proc.name %proc.exe %proc.exepath %proc.args %proc.cmdline %proc.pid %proc.vpid %proc.ppid %proc.pname %proc.pcmdline %proc.aname[2] %proc.aexepath[3] %proc.sid %proc.vpgid %proc.tty %proc.env[D] %proc.is_exe_writable %proc.is_exe_upper_layer %proc.exe_ino %user.name %user.uid %user.loginuid %group.gid %group.name %thread.cap_effective %thread.cap_permitted %thread.vtid %container.id"
  priority: INFO
- rule: E2E recorded end
  desc: A process ends.
  condition: e2e_below and evt.type = procexit
  output: "%evt.args %proc.name %proc.pid %proc.cmdline %proc.pname"
  priority: INFO
- rule: E2E recorded socket
  desc: A socket is made and used.
  condition: e2e_below and evt.type in (socket, bind, listen, connect, accept, accept4, sendto, recvfrom, sendmsg, recvmsg, getsockopt, setsockopt, socketpair, shutdown)
  output: "%evt.type %evt.res %evt.args %fd.name %fd.type %fd.l4proto %fd.cip %fd.sip %fd.cport %fd.sport %fd.lip %fd.rip %fd.lport %fd.rport %fd.is_server %fd.connected %proc.name"
  priority: INFO
- rule: E2E recorded call
  desc: Other calls.
  condition: e2e_below and evt.type in (dup, dup2, dup3, fcntl, pipe, pipe2, eventfd2, close, setuid, setresuid, setgid, setsid, kill, signaldeliver, prctl, ptrace, memfd_create, mount, unshare, mmap, poll, epoll_create1, getdents64, newfstatat, umask)
  output: "%evt.type %evt.res %evt.args %fd.name %fd.type %proc.name %user.uid"
  priority: INFO
`

// recordedScripts do what the scenes do not.
var recordedScripts = []string{
	`exec 5<"$D/secret"; cat <&5; exec 6<&5 5<&-; cat <&6`,
	`cd /; cat "$D/../$(basename $D)/secret"; cd "$D"; mkdir sub; mv other sub/; rm -r sub; echo again > other`,
	`cat /does/not/exist || :`, `ls /etc | head -n 1 | cat`,
	`setpriv --reuid 12345 --regid 12345 --clear-groups cat /etc/passwd`,
	`trap : USR1; kill -USR1 $$; :`, `unshare -u hostname e2e`, `ln -s secret e2e-link; cat e2e-link; rm e2e-link`,
}

// Alerts at the moment and alerts of the recording that was made of it are the same: rule, time, and fields.
func TestRecordReplay(t *testing.T) {
	privileged(t)
	s := newStage(t)
	dir := tempDir(t)
	d := start(t, launch{rules: s.rule(t) + recordedRules, args: []string{
		"-A", "-o", "capture.enabled=true", "-o", "capture.mode=all_rules", "-o", "capture.path_prefix=" + filepath.Join(dir, "x"), "-o", "capture.default_duration=600000",
	}})
	for _, sc := range s.scenes() {
		if !strings.HasPrefix(sc.name, "32-bit") {
			s.play(t, sc)
		}
	}
	for _, script := range recordedScripts {
		s.play(t, scene{name: script, script: script})
	}
	d.sync()
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "x_*.scap"))
	if len(files) != 1 {
		t.Fatalf("recordings: %q, want one", files)
	}
	if st, err := os.Stat(files[0]); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of the recording: %v, %v; it is for its owner alone", st.Mode(), err)
	}
	r := command(t, append(slices.Clone(d.cmd.Args[1:]), "-o", "capture.enabled=false", "-e", files[0])...)
	if r.code != 0 {
		t.Fatalf("replay ends with %d and says\n%s", r.code, indent(r.stderr))
	}
	want, got := comparable(t, d.since(0)), comparable(t, strings.SplitAfter(r.stdout, "\n"))
	if len(want) < 200 {
		t.Errorf("%d alerts: the scripts have not been seen", len(want))
	}
	differences := 0
	for i, w := range want {
		if i < len(got) && got[i] == w {
			continue
		}
		g := "none"
		if i < len(got) {
			g = got[i]
		}
		if differences++; differences <= 10 {
			t.Errorf("alert %d of the recording\n%s\nwant\n%s", i, indent(g), indent(w))
		}
	}
	if len(got) != len(want) || differences > 0 {
		t.Errorf("%d alerts of the recording, %d at the moment; %d differ", len(got), len(want), differences)
	}
	t.Logf("%d alerts", len(want))
}

// namedProcess is a process in an event's parameters, with the name that it has when the parameter is printed: at the moment that may be after the
// event, when it runs something else or has ended.
var namedProcess = regexp.MustCompile(`\b((?:res|[a-z]*pid|[a-z]*tid)=\d+)\([^)]*\)`)

// comparable are alerts without what depends on how much later than its event an alert is made.
func comparable(t *testing.T, lines []string) (out []string) {
	t.Helper()
	for _, line := range lines {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		a, err := parseJSON(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		b, err := json.Marshal(a.Fields)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Time+" "+a.Rule+" "+a.Hostname+" "+strings.Join(a.Tags, ",")+" "+namedProcess.ReplaceAllString(string(b), "$1"))
	}
	return out
}

// The command record writes what a condition holds for, and how processes live, in as many files as are asked for.
func TestRecord(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := filepath.Join(dir, "r.scap")
	for _, test := range []struct {
		args  []string
		files int
	}{
		{[]string{"-n", "200"}, 1},
		{[]string{"-z", "-n", "200", "evt.type in (openat, read)"}, 1},
		{[]string{"-M", "4", "-G", "1", "-W", "2"}, 2},
	} {
		all, _ := filepath.Glob(filepath.Join(dir, "r*"))
		for _, f := range all {
			_ = os.Remove(f)
		}
		args := append([]string{"record", "-w", file, "-o", "syslog_output.enabled=false"}, test.args...)
		rest := busy(t, dir)
		r := command(t, args...)
		rest()
		if r.code != 0 {
			t.Errorf("%q ends with %d and says\n%s", args, r.code, indent(r.stderr))
			continue
		}
		all, _ = filepath.Glob(filepath.Join(dir, "r*"))
		if len(all) != test.files {
			t.Errorf("%q writes %q, want %d files", args, all, test.files)
			continue
		}
		for _, f := range all {
			r := command(t, "events", "-e", f, "-p", "%evt.type", "proc.name != '' and thread.tid >= 0")
			if r.code != 0 || !strings.Contains(r.stderr, " unknown=0") || len(test.args) < 4 && strings.Count(r.stdout, "\n") < 100 {
				t.Errorf("%q: reading %s ends with %d and says\n%s", args, f, r.code, indent(r.stderr))
			}
		}
	}
}

// busy opens and reads files until the function that it returns has been called: nothing else need happen on a machine.
func busy(t *testing.T, dir string) (rest func()) {
	file := write(t, filepath.Join(dir, "busy"), "something to read")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
			if _, err := os.ReadFile(file); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return func() { close(stop); <-done }
}

func TestRecordRefused(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "option -w names the file to write"},
		{[]string{"-w", "x", "-W", "2"}, "option -W needs one of -C and -G: they say when a file is full"},
		{[]string{"-w", "-", "-C", "1", "-W", "2"}, "option -W: the standard output is one file"},
		{[]string{"-w", "x", "evt.type ="}, "expecting a value"},
	} {
		if r := command(t, append([]string{"record"}, test.args...)...); r.code != 1 || !strings.Contains(r.stderr, test.want) {
			t.Errorf("%q ends with %d and says\n%s", test.args, r.code, indent(r.stderr))
		}
	}
}
