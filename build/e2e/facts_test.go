// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
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

// factFields are the fields whose values /proc has too.
var factFields = []string{
	"proc.pid", "proc.ppid", "proc.vpid", "proc.sid", "proc.pgid", "proc.vpgid", "proc.is_sid_leader", "proc.is_pgid_leader", "proc.is_vpgid_leader", "proc.tty",
	"proc.name", "proc.exe", "proc.exepath", "proc.args", "proc.cmdline", "proc.cmdnargs", "proc.cwd", "proc.env[E2E_FACT]", "proc.pname", "proc.sname",
	"proc.fdlimit", "proc.fdopencount", "proc.fdusage", "proc.stdin.type", "proc.stdin.name", "proc.stdout.name", "proc.stderr.name", "proc.nthreads",
	"proc.exe_ino", "proc.exe_ino.ctime", "proc.exe_ino.mtime", "proc.pid.ts", "proc.vmsize", "proc.vmrss", "proc.vmswap", "proc.is_exe_writable",
	"thread.tid", "thread.vtid", "thread.cap_effective", "thread.cap_permitted", "thread.cap_inheritable", "thread.pfminor", "thread.totexectime", "thread.cpu",
	"thread.cgroups", "user.uid", "user.loginuid", "group.gid", "fd.types", "evt.loss",
}

func factRule(file string) string {
	return fmt.Sprintf("- rule: E2E facts\n  desc: d\n  condition: evt.type in (open, openat) and fd.name = %s\n  output: facts %%%s\n  priority: INFO\n", file, strings.Join(factFields, " %"))
}

// held is a process of the tests that waits until it is let go.
type held struct {
	cmd *exec.Cmd
	in  *os.File
}

func (h *held) pid() int { return h.cmd.Process.Pid }

// hold starts a process that waits for the end of its standard input.
func hold(t *testing.T, cmd *exec.Cmd) *held {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	h := &held{cmd: cmd, in: w}
	if cmd.Stdin == nil {
		cmd.Stdin = r
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return h
}

// proc reads a file of a process in /proc.
func proc(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func procLink(t *testing.T, pid int, name string) string {
	t.Helper()
	s, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// statusOf returns the lines of /proc/PID/status.
func statusOf(t *testing.T, pid int) map[string][]string {
	t.Helper()
	lines := make(map[string][]string)
	for line := range strings.Lines(proc(t, pid, "status")) {
		name, rest, _ := strings.Cut(line, ":")
		lines[name] = strings.Fields(rest)
	}
	return lines
}

// awaitAlert waits for the first alert of a rule that is of the process, of any when pid is 0.
func (d *daemon) awaitAlert(rule string, from, pid int) alert {
	d.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, a := range d.alerts(from) {
			if a.Rule == rule && (pid == 0 || a.str("proc.pid") == strconv.Itoa(pid)) {
				return a
			}
		}
	}
	d.t.Fatalf("no alert of %s about %d", rule, pid)
	return alert{}
}

// hasCap reports whether a mask of /proc/PID/status has a capability.
func hasCap(mask string, bit uint) bool {
	n, err := strconv.ParseUint(mask, 16, 64)
	return err == nil && n>>bit&1 == 1
}

// TestFacts compares what an alert says of a process that has changed everything about itself since its execve with what /proc says of it.
func TestFacts(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := write(t, filepath.Join(dir, "facts"), "x\n")
	d := start(t, launch{rules: factRule(file)})
	from := d.mark()
	cmd := exec.Command(actor(t), "facts", file)
	cmd.Env = []string{"E2E_FACT=yes"}
	h := hold(t, cmd)
	a := d.awaitAlert("E2E facts", from, h.pid())
	d.facts(t, a, h.pid())
	stat := strings.Fields(proc(t, h.pid(), "stat")[strings.LastIndexByte(proc(t, h.pid(), "stat"), ')')+2:])
	status := statusOf(t, h.pid())
	if got, want := a.str("proc.sid"), strconv.Itoa(h.pid()); got != want || status["NSsid"][0] != want {
		t.Errorf("proc.sid = %s, %s by /proc, want %s", got, status["NSsid"][0], want)
	}
	if a.str("proc.fdlimit") != "200" || a.str("proc.cwd") != dir+"/" || a.str("proc.is_sid_leader") != "true" {
		t.Errorf("proc.fdlimit, cwd or is_sid_leader are those of the execve: %s", a.Line)
	}
	if e, p := a.str("thread.cap_effective"), a.str("thread.cap_permitted"); strings.Contains(e, "CAP_MKNOD") ||
		strings.Contains(p, "CAP_MKNOD") != hasCap(status["CapPrm"][0], 27) || strings.Contains(e, "CAP_CHOWN") != hasCap(status["CapEff"][0], 0) {
		t.Errorf("effective %s, permitted %s, masks %v and %v", e, p, status["CapEff"], status["CapPrm"])
	}
	if n, err := strconv.ParseUint(a.str("thread.pfminor"), 10, 64); err != nil || n == 0 || fmt.Sprint(n) > stat[7] && len(fmt.Sprint(n)) >= len(stat[7]) {
		t.Errorf("thread.pfminor = %s, now %s", a.str("thread.pfminor"), stat[7])
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// TestFactsElsewhere compares processes that ran before the watch began, that are in a pid namespace of their own, that have changed their
// cgroup, or that another process has inherited.
func TestFactsElsewhere(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := write(t, filepath.Join(dir, "facts"), "x\n")
	sh := func(script string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", script, "e2e", file, actor(t))
		cmd.Env = []string{"E2E_FACT=yes", "PATH=" + os.Getenv("PATH")}
		return cmd
	}
	const open = `read go; : <"$1"; read end; :`
	early := hold(t, sh(open))
	d := start(t, launch{rules: factRule(file)})
	check := func(name string, h *held, pid int, tell string) {
		t.Run(name, func(t *testing.T) {
			from := d.mark()
			if _, err := h.in.WriteString(tell); err != nil {
				t.Fatal(err)
			}
			a := d.awaitAlert("E2E facts", from, pid)
			n, err := strconv.Atoi(a.str("proc.pid"))
			if err != nil {
				t.Fatal(err)
			}
			d.facts(t, a, n)
			parent := strings.TrimSpace(proc(t, toInt(t, a.str("proc.ppid")), "comm"))
			if got := a.str("proc.pname"); got != parent {
				t.Errorf("proc.pname = %q, the parent is %q", got, parent)
			}
		})
	}
	check("before the watch", early, early.pid(), "go\n")
	late := hold(t, sh(open))
	check("after it began", late, late.pid(), "go\n")
	check("pid namespace", hold(t, sh(`read go; exec unshare --pid --fork --kill-child "$2" facts "$1"`)), 0, "go\n")
	check("inherited", hold(t, sh(`exec 3<&0; (read go; until read -r _ _ _ by _ </proc/self/stat; [ "$by" != $$ ]; do sleep 0.1; done; : <"$1"; read end; :) <&3 & exit`)), 0, "go\n")
	move := sh(`read go; echo $$ >"$3/cgroup.procs" || exit; : <"$1"; read end; :`)
	move.Args = append(move.Args, unifiedCgroup(t)) // removed once who is in it has ended
	check("moved", hold(t, move), 0, "go\n")
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func toInt(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// facts compares an alert with what /proc says of a process that waits.
func (d *daemon) facts(t *testing.T, a alert, pid int) {
	t.Helper()
	status := statusOf(t, pid)
	last := func(line string) string { return status[line][len(status[line])-1] }
	argv := strings.Split(strings.TrimSuffix(proc(t, pid, "cmdline"), "\x00"), "\x00")
	exe := procLink(t, pid, "exe")
	var st syscall.Stat_t
	if err := syscall.Stat(exe, &st); err != nil {
		t.Fatal(err)
	}
	comm := strings.TrimSpace(proc(t, pid, "comm"))
	login := strings.TrimSpace(proc(t, pid, "loginuid"))
	if login == "4294967295" {
		login = "-1"
	}
	isTrue := func(b bool) string { return strconv.FormatBool(b) }
	want := map[string]string{
		"proc.pid": strconv.Itoa(pid), "proc.ppid": status["PPid"][0], "proc.vpid": last("NStgid"), "proc.sid": last("NSsid"),
		"proc.pgid": status["NSpgid"][0], "proc.vpgid": last("NSpgid"), "proc.is_sid_leader": isTrue(last("NSsid") == last("NStgid")),
		"proc.is_pgid_leader": isTrue(status["NSpgid"][0] == strconv.Itoa(pid)), "proc.is_vpgid_leader": isTrue(last("NSpgid") == last("NStgid")),
		"proc.name": comm, "proc.exe": argv[0], "proc.exepath": exe, "proc.args": strings.Join(argv[1:], " "),
		"proc.cmdline": comm + " " + strings.Join(argv[1:], " "), "proc.cmdnargs": strconv.Itoa(len(argv) - 1), "proc.cwd": procLink(t, pid, "cwd") + "/",
		"proc.env[E2E_FACT]": "yes", "proc.stdin.type": "pipe", "proc.stdin.name": procLink(t, pid, "fd/0"), "proc.stdout.name": procLink(t, pid, "fd/1"),
		"proc.stderr.name": procLink(t, pid, "fd/2"), "proc.exe_ino": fmt.Sprint(st.Ino),
		"proc.exe_ino.ctime": fmt.Sprint(st.Ctim.Nano()), "proc.exe_ino.mtime": fmt.Sprint(st.Mtim.Nano()), "proc.vmswap": status["VmSwap"][0],
		"proc.is_exe_writable": "true", "thread.tid": strconv.Itoa(pid), "thread.vtid": last("NSpid"),
		"user.uid": status["Uid"][1], "group.gid": status["Gid"][1], "user.loginuid": login, "evt.loss": "0",
	}
	for f, w := range want {
		if got := a.str(f); got != w {
			t.Errorf("%s = %q, want %q", f, got, w)
		}
	}
	number := func(f string) float64 {
		n, err := strconv.ParseFloat(a.str(f), 64)
		if err != nil {
			t.Errorf("%s = %q", f, a.str(f))
		}
		return n
	}
	kib := func(line string) float64 {
		n, err := strconv.ParseFloat(status[line][0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	threads := kib("Threads")
	for f, ok := range map[string]bool{
		"proc.vmsize":        number("proc.vmsize") > 0 && number("proc.vmsize") <= kib("VmPeak"),
		"proc.vmrss":         number("proc.vmrss") > 0 && number("proc.vmrss") <= kib("VmHWM")+1024,
		"proc.fdopencount":   number("proc.fdopencount") > 2 && number("proc.fdopencount") <= float64(len(open)+2),
		"proc.fdusage":       number("proc.fdusage") > 0 && number("proc.fdusage") <= 100*float64(len(open)+2)/number("proc.fdlimit"),
		"proc.nthreads":      number("proc.nthreads") >= 1 && number("proc.nthreads") <= threads,
		"thread.cpu":         number("thread.cpu") >= 0,
		"thread.totexectime": number("thread.totexectime") > 0,
	} {
		if !ok {
			t.Errorf("%s = %s is not what /proc says", f, a.str(f))
		}
	}
	if types := a.str("fd.types"); !strings.Contains(types, "pipe") || !strings.Contains(types, "file") {
		t.Errorf("fd.types = %s", types)
	}
	if cgroup := "cpu=" + cgroupOf(proc(t, pid, "cgroup"), "cpu"); !slices.Contains(strings.Fields(a.str("thread.cgroups")), cgroup) {
		t.Errorf("thread.cgroups = %s, without %s", a.str("thread.cgroups"), cgroup)
	}
}

// cgroupOf finds the path for a controller in a /proc/PID/cgroup.
func cgroupOf(file, controller string) (path string) {
	for line := range strings.Lines(file) {
		w := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case slices.Contains(strings.Split(w[1], ","), controller):
			return w[2]
		case w[0] == "0":
			path = w[2]
		}
	}
	return path
}

// unifiedCgroup makes a cgroup in the v2 hierarchy.
func unifiedCgroup(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(proc(t, os.Getpid(), "mountinfo")) {
		before, after, _ := strings.Cut(line, " - ")
		if !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		dir, err := os.MkdirTemp(strings.Fields(before)[4], "falconet-e2e-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { until(t, "the cgroup to be removed", func() bool { return os.Remove(dir) == nil }) })
		return dir
	}
	t.Fatal("no v2 hierarchy of cgroups is mounted")
	return ""
}

// TestSocketOnStdin: the connection that a shell's input comes from is named, whoever made it.
func TestSocketOnStdin(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := write(t, filepath.Join(dir, "facts"), "x\n")
	d := start(t, launch{rules: factRule(file)})
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	client, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	in, err := client.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	from := d.mark()
	cmd := exec.Command(actor(t), "facts", file)
	cmd.Stdin = in
	h := hold(t, cmd)
	a := d.awaitAlert("E2E facts", from, h.pid())
	want := client.LocalAddr().String() + "->" + server.Addr().String()
	if got := a.str("proc.stdin.name"); got != want || a.str("proc.stdin.type") != "ipv4" || !strings.Contains(a.str("fd.types"), "ipv4") {
		t.Errorf("proc.stdin.name = %q, want %q; type %s, types %s", got, want, a.str("proc.stdin.type"), a.str("fd.types"))
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// TestNamesOfAddresses: hosts that a rule names are looked up, and compared by their addresses.
func TestNamesOfAddresses(t *testing.T) {
	privileged(t)
	s := newStage(t)
	const rule = "- rule: E2E names\n  desc: d\n  condition: evt.type = connect and proc.aname = e2e-grand and fd.sip.name = localhost and fd.cip.name in (nosuch.invalid, localhost) and " +
		"fd.lip.name = localhost and fd.rip.name = localhost\n  output: '%fd.sip.name %fd.sip %fd.lip.name %fd.rip.name'\n  priority: INFO\n- rule: E2E no name\n  desc: d\n  condition: evt.type = connect and proc.aname = e2e-grand and fd.sip.name = nosuch.invalid\n" +
		"  output: '%fd.sip.name'\n  priority: INFO\n"
	d := start(t, launch{rules: rule})
	found := false
	for end := time.Now().Add(deadline); !found && time.Now().Before(end); { // they are looked up beside the watch
		from := d.mark()
		s.play(t, scene{name: "connect", script: `"$ACT" loopback`})
		d.sync()
		for _, a := range d.alerts(from) {
			found = true
			if a.Rule != "E2E names" || a.str("fd.sip") != "127.0.0.1" ||
				a.str("fd.sip.name")+a.str("fd.lip.name")+a.str("fd.rip.name") != "localhostlocalhostlocalhost" {
				t.Errorf("%s", a.Line)
			}
		}
	}
	if !found {
		t.Error("a connection to localhost is not one to its name")
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// TestUsersOfContainers: a container's users are those of its own files, the host's are those of the host.
func TestUsersOfContainers(t *testing.T) {
	privileged(t)
	s := newStage(t)
	jail := filepath.Join(s.dir, "jail")
	if err := os.MkdirAll(filepath.Join(jail, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(jail, 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, s.act, filepath.Join(jail, "act"))
	write(t, filepath.Join(jail, "etc/passwd"), "boss:x:0:0::/boss:/bin/boss\ne2e-user:x:65534:65534::/srv/e2e:/bin/e2e\n")
	write(t, filepath.Join(jail, "etc/group"), "e2e-group:x:65534:\n")
	write(t, filepath.Join(jail, "marker"), "x\n")
	const rule = "- rule: E2E users\n  desc: d\n  condition: evt.type in (open, openat) and fd.name endswith /marker and proc.aname = e2e-grand\n" +
		"  output: '%container.id %user.uid %user.name %user.homedir %user.shell %group.name'\n  priority: INFO\n"
	write(t, filepath.Join(s.dir, "marker"), "x\n")
	d := start(t, launch{rules: rule})
	id := strings.Repeat("fedcba9876543210", 4)
	hostGroup := groupName(t, "65534")
	in := `"$ACT" cgroup /falconet-e2e-$$/` + id + ` unshare -m`
	const asUser = ` setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=+sys_chroot --ambient-caps=+sys_chroot`
	for _, c := range []struct{ name, script, want string }{
		{"host", `setpriv --reuid 65534 --regid 65534 --clear-groups "$ACT" cat "$D/marker"`, "host 65534 nobody"},
		{"superuser", `sleep 1 | ` + in + ` chroot jail /act facts /marker`, id[:12] + " 0 boss /boss /bin/boss"},
		{"user", `sleep 1 | ` + in + asUser + ` chroot jail /act facts /marker`, id[:12] + " 65534 e2e-user /srv/e2e /bin/e2e e2e-group"},
		{"gone at once", in + asUser + ` chroot jail /act cat /marker`, id[:12] + " 65534 e2e-user /srv/e2e /bin/e2e e2e-group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := d.mark()
			s.play(t, scene{name: c.name, script: c.script})
			d.sync()
			list := d.alerts(from)
			if !slices.ContainsFunc(list, func(a alert) bool { return strings.Contains(a.Output, c.want) }) {
				for _, a := range list {
					t.Log(a.Line)
				}
				t.Errorf("no alert with %q", c.want)
			}
			if c.name == "host" && !slices.ContainsFunc(list, func(a alert) bool { return a.str("group.name") == hostGroup }) {
				t.Errorf("the host's group is not %q", hostGroup)
			}
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// groupName looks a group up as the host has it.
func groupName(t *testing.T, gid string) string {
	t.Helper()
	b, err := os.ReadFile("/etc/group")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if w := strings.Split(line, ":"); len(w) > 2 && w[2] == gid {
			return w[0]
		}
	}
	return "<NA>"
}
