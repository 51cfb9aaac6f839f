// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// live is a process that is kept for questions while its records are read.
type live struct {
	*session
	cmd  *exec.Cmd
	done chan struct{}
	pid  int
	err  error
}

// start starts a command and leaves it running.
func (s *session) start(cmd *exec.Cmd) *live {
	s.t.Helper()
	l := &live{session: s, cmd: cmd, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	l.pid = cmd.Process.Pid
	go func() {
		l.err = cmd.Wait()
		close(l.done)
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-l.done
	})
	return l
}

// kill ends the process and collects the rest.
func (l *live) kill() {
	l.t.Helper()
	_ = l.cmd.Process.Kill()
	l.collect(l.done, l.pid)
}

// await reads until a record is there.
func (s *session) await(what string, is func(*event.Record) bool) *event.Record {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s.p.Drain(s.take, func() {})
		for _, r := range s.records {
			if is(r) {
				return r
			}
		}
		if time.Now().After(deadline) {
			var seen []string
			for _, r := range s.records {
				seen = append(seen, fmt.Sprintf("%s(%x) = %d of %d", r.EventName(), r.Args, r.Ret, r.TID))
			}
			s.t.Fatalf("no %s; there are %q", what, seen)
		}
	}
}

func of(name string, tid int, ret int64) func(*event.Record) bool {
	return func(r *event.Record) bool { return r.EventName() == name && int(r.TID) == tid && r.Ret == ret }
}

// selfOf is what /proc says of a process that runs now.
func selfOf(t testing.TB, pid int) trigger.Self {
	t.Helper()
	stat, err := trigger.Stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	status, err := trigger.Status(pid)
	if err != nil {
		t.Fatal(err)
	}
	login, err := os.ReadFile(fmt.Sprintf("/proc/%d/loginuid", pid))
	if err != nil {
		login = []byte("4294967295")
	}
	n := func(s string) int {
		v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return int(v)
	}
	return trigger.Self{
		PID: pid, TID: pid, PPID: n(stat[4]), UID: n(strings.Fields(status["Uid"])[1]), GID: n(strings.Fields(status["Gid"])[1]),
		LoginUID: uint32(n(string(login))), StartTicks: uint64(n(stat[22])),
	}
}

func taskOf(t testing.TB, pid, tid int) *trigger.Call {
	t.Helper()
	defer func() {
		if err := recover(); err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}()
	return trigger.Task(pid, tid)
}

// expect describes a call of another process, which runs now, with what its /proc says of the calling thread.
func expect(t testing.TB, name string, self trigger.Self, tid int, r *event.Record) *trigger.Call {
	t.Helper()
	c := taskOf(t, self.PID, tid)
	c.Event, c.TID, c.UID, c.GID, c.After = name, tid, self.UID, self.GID, math.MaxInt64
	c.NR, c.Args, c.Ret = int(r.NR), r.Args, r.Ret
	return c.Number("res", r.Ret)
}

func only(t testing.TB, got, want any, what string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v instead of %v", what, got, want)
	}
}

// facts compares the structure of a task that runs now with its /proc.
func facts(t testing.TB, f *event.TaskFacts, pid, tid int) {
	t.Helper()
	self, c := selfOf(t, pid), taskOf(t, pid, tid)
	stat, err := trigger.Stat(tid)
	if err != nil {
		t.Fatal(err)
	}
	parent, err := trigger.Stat(self.PPID)
	if err != nil {
		t.Fatal(err)
	}
	n := func(param string) uint64 { return uint64(c.Params[param].N) }
	for _, v := range []struct {
		what      string
		got, want uint64
	}{
		{"pid", uint64(f.PID), uint64(pid)}, {"tid", uint64(f.TID), uint64(tid)}, {"ppid", uint64(f.PPID), uint64(self.PPID)},
		{"uid", uint64(f.UID), uint64(self.UID)}, {"gid", uint64(f.GID), uint64(self.GID)}, {"login uid", uint64(f.LoginUID), uint64(self.LoginUID)},
		{"start", f.Start / trigger.Ticks, self.StartTicks}, {"vpid", uint64(f.VPID), n("vpid")}, {"vtid", uint64(f.VTID), n("vtid")},
		{"pgid", uint64(f.PGID), n("pgid")}, {"vpgid", uint64(f.VPGID), n("vpgid")}, {"tty", uint64(f.TTY), n("tty")},
		{"fd limit", f.FDLimit, n("fdlimit")}, {"inheritable", f.CapInh, n("cap_inheritable")}, {"permitted", f.CapPrm, n("cap_permitted")},
		{"effective", f.CapEff, n("cap_effective")}, {"inode of the image", f.ExeIno, n("exe_ino")}, {"its ctime", f.ExeCtime, n("exe_ino_ctime")},
		{"its mtime", f.ExeMtime, n("exe_ino_mtime")}, {"its device", statDevice(f.ExeDev), device(t, fmt.Sprintf("/proc/%d/exe", pid))},
		{"swap", uint64(f.VMSwap), n("vm_swap")},
	} {
		if v.got != v.want {
			t.Errorf("%s of task %d is %d instead of %d", v.what, tid, v.got, v.want)
		}
	}
	status, err := trigger.Status(tid)
	if err != nil {
		t.Fatal(err)
	}
	sid := strings.Fields(status["NSsid"])
	only(t, strconv.Itoa(int(f.SID)), sid[len(sid)-1], "session")
	only(t, strconv.FormatUint(f.ThreadStart/trigger.Ticks, 10), stat[22], "start of the thread")
	only(t, strconv.FormatUint(f.ParentStart/trigger.Ticks, 10), parent[22], "start of the parent")
	comm, _, _ := bytes.Cut(f.Comm[:], []byte{0}) // older kernels leave what was there behind it
	only(t, string(comm), string(c.Params["comm"].B), "comm")
	if w := c.Params["pidns_init_start_ts"]; n("vpid") == 1 {
		only(t, f.PidnsStart, f.Start, "start of the namespace's init, which it is")
	} else if int64(f.PidnsStart) < w.N || int64(f.PidnsStart) > w.Max {
		t.Errorf("start of the namespace's init is %d, not within %d and %d", f.PidnsStart, w.N, w.Max)
	}
	for i, got := range f.Stdio {
		only(t, event.FileKind(got), stdioKind(t, fmt.Sprintf("/proc/%d/fd/%d", pid, i)), fmt.Sprintf("kind of descriptor %d of %d", i, pid))
	}
}

func device(t testing.TB, path string) uint64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Dev
}

func stdioKind(t testing.TB, path string) event.FileKind {
	t.Helper()
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	if os.IsNotExist(err) {
		return event.KindUnknown
	}
	if err != nil {
		t.Fatal(err)
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		if to, _ := os.Readlink(path); strings.HasPrefix(to, "/memfd:") {
			return event.KindMemfd
		}
		return event.KindFile
	case syscall.S_IFDIR:
		return event.KindDirectory
	case syscall.S_IFIFO:
		return event.KindFIFO
	case syscall.S_IFCHR:
		return event.KindChar
	case syscall.S_IFBLK:
		return event.KindBlock
	case 0:
		return event.KindAnon
	}
	t.Fatalf("descriptor %s of mode %o", path, st.Mode)
	return 0
}

func itoa(n int) string { return strconv.Itoa(n) }
