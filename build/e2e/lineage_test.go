// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lineageFields are the fields of a process and its ancestors that have a counterpart in /proc beyond those of factFields.
var lineageFields = []string{
	"proc.pid", "proc.ppid", "proc.cmdlenargs", "proc.exeline", "proc.duration", "proc.pid.ts", "proc.stdin.type", "proc.stdout.type", "proc.stderr.type", "proc.nthreads", "proc.nchilds",
	"proc.exe_ino.ctime", "proc.exe_ino.ctime_duration_proc_start", "proc.exe_ino.ctime_duration_pidns_start", "proc.pidns_init_start_ts",
	"proc.pexe", "proc.pexepath", "proc.pname", "proc.pcmdline", "proc.aexe[1]", "proc.aexepath[1]", "proc.aname[1]", "proc.acmdline[1]", "proc.aargs[1]",
	"proc.aexe[2]", "proc.aexepath[2]", "proc.aname[2]", "proc.acmdline[2]", "proc.aargs[2]", "proc.apid[1]", "proc.apid[2]", "proc.apid[3]",
	"proc.aenv[E2E_FAR]", "proc.aenv[E2E_NEAR]", "proc.aenv[2]", "proc.pvpid", "proc.loginshellid", "proc.ppid.ts", "proc.ppid.duration",
	"proc.sname", "proc.sid.exe", "proc.sid.exepath", "proc.vpgid.name", "proc.vpgid.exe", "proc.vpgid.exepath", "proc.pgid.name", "proc.pgid.exe", "proc.pgid.exepath",
	"thread.pfmajor", "thread.cgroup.cpu", "thread.vmsize", "thread.vmrss", "proc.vmsize", "proc.vmrss", "thread.exectime", "thread.cpu", "thread.cpu.user", "thread.cpu.system",
	"user.loginuid", "user.loginname", "evt.rawtime", "proc.is_exe_upper_layer", "proc.is_exe_lower_layer",
}

// of is what /proc says of a process that runs.
type of struct {
	exe, path, comm, cmdline, args string
	start                          int64 // nanoseconds since the epoch, within a clock tick and what reading the clocks takes
	ppid                           int
}

func look(t *testing.T, pid int) (o of) {
	t.Helper()
	argv := strings.Split(strings.TrimSuffix(proc(t, pid, "cmdline"), "\x00"), "\x00")
	o.exe, o.args = argv[0], strings.Join(argv[1:], " ")
	o.path, o.comm = procLink(t, pid, "exe"), strings.TrimSpace(proc(t, pid, "comm"))
	o.cmdline = strings.TrimRight(o.comm+" "+o.args, " ")
	o.start, o.ppid = began(t, pid)
	return o
}

// began returns when a process was made, and its parent.
func began(t *testing.T, pid int) (ns int64, ppid int) {
	t.Helper()
	stat := proc(t, pid, "stat")
	w := strings.Fields(stat[strings.LastIndexByte(stat, ')')+2:])
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		t.Fatal(err)
	}
	return time.Now().UnixNano() - boot.Nano() + int64(toInt(t, w[19]))*int64(time.Second/100), toInt(t, w[1])
}

// TestFactsOfLineage compares what an alert says of a shell, of the shell that started it, and of the one that started that and leads session
// and process group, with what /proc says of the three.
func TestFactsOfLineage(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := write(t, filepath.Join(dir, "facts"), "x\n")
	d := start(t, launch{rules: fmt.Sprintf("- rule: E2E lineage\n  desc: d\n  condition: evt.type in (open, openat) and fd.name = %s\n  output: '%%%s'\n  priority: INFO\n",
		file, strings.Join(lineageFields, " %"))})
	from := d.mark()
	subject := `: <"$1"; read end; :`
	cmd := exec.Command("/bin/sh", "-c", `if [ -e /proc/self/loginuid ]; then echo 1 >/proc/self/loginuid; fi 2>"$1.diag"; E2E_NEAR=near sh -c 'sh -c "$1" own "$2"; :' inner "$2" "$1"; :`, "outer", file, subject)
	cmd.Env = append(os.Environ(), "E2E_FAR=far", "E2E_NEAR=other")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	diag, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = diag.Close() }()
	cmd.Stderr = diag
	h := hold(t, cmd)
	a := d.awaitAlert("E2E lineage", from, 0)
	pid := toInt(t, a.str("proc.pid"))
	self := look(t, pid)
	parent, outer := look(t, self.ppid), look(t, h.pid())
	if parent.ppid != h.pid() {
		t.Fatalf("the parent of %d is %d, want %d", self.ppid, parent.ppid, h.pid())
	}
	argv := strings.Split(strings.TrimSuffix(proc(t, pid, "cmdline"), "\x00"), "\x00")
	shell := pid
	for p := pid; p != 0; _, p = began(t, p) {
		if strings.HasSuffix(strings.TrimSpace(proc(t, p, "comm")), "sh") {
			shell = p
		}
	}
	threads := statusOf(t, pid)["Threads"][0]
	parentIDs := statusOf(t, self.ppid)["NSpid"]
	want := map[string]string{
		"proc.ppid": strconv.Itoa(self.ppid), "proc.exeline": strings.Join(argv, " "), "proc.cmdlenargs": strconv.Itoa(len(strings.Join(argv[1:], ""))),
		"proc.stdin.type": "pipe", "proc.stdout.type": "file", "proc.stderr.type": "file", "proc.nthreads": threads, "proc.nchilds": strconv.Itoa(toInt(t, threads) - 1),
		"proc.pexe": parent.exe, "proc.pexepath": parent.path, "proc.pname": parent.comm, "proc.pcmdline": parent.cmdline,
		"proc.aexe[1]": parent.exe, "proc.aexepath[1]": parent.path, "proc.aname[1]": parent.comm, "proc.acmdline[1]": parent.cmdline, "proc.aargs[1]": parent.args,
		"proc.aexe[2]": outer.exe, "proc.aexepath[2]": outer.path, "proc.aname[2]": outer.comm, "proc.acmdline[2]": outer.cmdline, "proc.aargs[2]": outer.args,
		"proc.apid[1]": strconv.Itoa(self.ppid), "proc.apid[2]": strconv.Itoa(h.pid()), "proc.apid[3]": strconv.Itoa(os.Getpid()),
		"proc.aenv[E2E_FAR]": "far", "proc.aenv[E2E_NEAR]": "near", "proc.pvpid": parentIDs[len(parentIDs)-1], "proc.loginshellid": strconv.Itoa(shell),
		"proc.sname": outer.comm, "proc.sid.exe": outer.exe, "proc.sid.exepath": outer.path, "proc.vpgid.name": outer.comm, "proc.vpgid.exe": outer.exe, "proc.vpgid.exepath": outer.path,
		"proc.pgid.name": outer.comm, "proc.pgid.exe": outer.exe, "proc.pgid.exepath": outer.path,
		"thread.cgroup.cpu": cgroupOf(proc(t, pid, "cgroup"), "cpu"), "thread.vmsize": a.str("proc.vmsize"), "thread.vmrss": a.str("proc.vmrss"), "thread.exectime": "<NA>",
	}
	login := strings.TrimSpace(proc(t, pid, "loginuid"))
	want["user.loginuid"], want["user.loginname"] = "-1", "<NA>"
	if login != "4294967295" {
		who, err := user.LookupId(login)
		if err != nil {
			t.Fatal(err)
		}
		want["user.loginuid"], want["user.loginname"] = login, who.Username
	}
	for f, w := range want {
		if got := a.str(f); got != w {
			t.Errorf("%s = %q, want %q", f, got, w)
		}
	}
	d.beginnings(t, a, self.start, parent.start)
	if env := " " + a.str("proc.aenv[2]") + " "; !strings.Contains(env, " E2E_FAR=far ") || !strings.Contains(env, " E2E_NEAR=other ") {
		t.Errorf("proc.aenv[2] = %s", env)
	}
	stat := proc(t, pid, "stat")
	if n := fieldNumber(t, a, "thread.pfmajor"); n < 0 || n > int64(toInt(t, strings.Fields(stat[strings.LastIndexByte(stat, ')')+2:])[9])) {
		t.Errorf("thread.pfmajor = %d", n)
	}
	share := func(f string) float64 {
		n, err := strconv.ParseFloat(a.str(f), 64)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if sum := share("thread.cpu.user") + share("thread.cpu.system"); sum < share("thread.cpu")-1 || sum > share("thread.cpu")+1 {
		t.Errorf("thread.cpu is %v, its parts make %v", share("thread.cpu"), sum)
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func fieldNumber(t *testing.T, a alert, f string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(a.str(f), 10, 64)
	if err != nil {
		t.Errorf("%s = %q", f, a.str(f))
	}
	return n
}

// beginnings checks when processes began, and that what is told in relation to that fits.
func (d *daemon) beginnings(t *testing.T, a alert, self, parent int64) {
	t.Helper()
	n := func(f string) int64 { return fieldNumber(t, a, f) }
	near := func(f string, want int64) {
		t.Helper()
		if d := time.Duration(n(f) - want); d.Abs() > time.Second { // a clock may have been set meanwhile
			t.Errorf("%s = %d, %v off", f, n(f), d)
		}
	}
	near("proc.pid.ts", self)
	near("proc.ppid.ts", parent)
	first, _ := began(t, 1)
	near("proc.pidns_init_start_ts", first)
	for f, want := range map[string]int64{
		"proc.duration": n("evt.rawtime") - n("proc.pid.ts"), "proc.ppid.duration": n("evt.rawtime") - n("proc.ppid.ts"),
		"proc.exe_ino.ctime_duration_proc_start": n("proc.pid.ts") - n("proc.exe_ino.ctime"),
	} {
		if n(f) != want {
			t.Errorf("%s = %d, want %d", f, n(f), want)
		}
	}
	want := "<NA>"
	if since := n("proc.exe_ino.ctime") - n("proc.pidns_init_start_ts"); since > 0 {
		want = strconv.FormatInt(since, 10)
	}
	if got := a.str("proc.exe_ino.ctime_duration_pidns_start"); got != want {
		t.Errorf("proc.exe_ino.ctime_duration_pidns_start = %s, want %s", got, want)
	}
}

// TestLayers looks at files and programs that an overlay filesystem has in its upper layer and in one below.
func TestLayers(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, actor(t), at("lower/below"))
	link(t, actor(t), at("upper/above"))
	if err := unix.Mount("overlay", at("merged"), "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", at("lower"), at("upper"), at("work"))); err != nil {
		t.Skipf("mount overlay: %v", err)
	}
	defer func() {
		if err := unix.Unmount(at("merged"), unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	d := start(t, launch{rules: fmt.Sprintf("- rule: E2E layers\n  desc: d\n  condition: evt.type in (open, openat) and proc.exepath startswith %s/ and fd.name in (%[1]s/below, %[1]s/above)\n"+
		"  output: '%%proc.name %%proc.is_exe_upper_layer %%proc.is_exe_lower_layer %%fd.filename %%fd.is_upper_layer %%fd.is_lower_layer'\n  priority: INFO\n", at("merged"))})
	from := d.mark()
	perform(t, exec.Command(at("merged/below"), "cat", at("merged/above")))
	perform(t, exec.Command(at("merged/above"), "cat", at("merged/below")))
	d.sync()
	var got []string
	for _, a := range d.alerts(from) {
		got = append(got, a.Output)
	}
	for _, want := range []string{"below false true above true false", "above true false below false true"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}
