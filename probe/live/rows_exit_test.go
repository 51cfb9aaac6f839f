// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"golang.org/x/sys/unix"
)

func init() { rowTests["procexit"] = exits }

func exits(t *testing.T) {
	privileged(t)
	t.Run("code", exitCodes)
	t.Run("signal", exitSignals)
	t.Run("thread", exitOfThread)
	t.Run("reaper", reapers)
	t.Run("reaper in the process", reaperInProcess)
}

// exited compares a procexit record with what wait(2) said.
func (s *session) exited(r *event.Record, self trigger.Self, ws syscall.WaitStatus, reaper int64) {
	s.t.Helper()
	core := int64(0)
	if ws.CoreDump() {
		core = 1
	}
	c := &trigger.Call{Event: "procexit", UID: self.UID, GID: self.GID, Params: make(map[string]trigger.Want), Parts: make(map[string]trigger.Want)}
	c.Number("status", int64(ws)).Number("ret", 0).Number("sig", 0).Number("core", core).Number("reaper_tid", reaper)
	if ws.Signaled() {
		c.Number("sig", int64(ws.Signal()))
	} else {
		c.Number("ret", int64(ws.ExitStatus()))
	}
	compare(s.t, r, self, c)
	only(s.t, r.Args, [6]uint64{}, "arguments")
}

// end returns the record of the end of a process.
func (s *session) end(pid int) *event.Record {
	s.t.Helper()
	return s.await("procexit", func(r *event.Record) bool {
		return r.Row().Name == "procexit" && int(r.PID) == pid && r.Flags&event.FlagGroupDead != 0
	})
}

func (l *live) status() syscall.WaitStatus {
	l.t.Helper()
	<-l.done
	if l.err != nil && !errors.As(l.err, new(*exec.ExitError)) {
		l.t.Fatal(l.err)
	}
	return l.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func exitCodes(t *testing.T) {
	for _, bits := range []int{64, 32} {
		if bits == 32 {
			compat(t)
		}
		for _, code := range []int{0, 1, 7, 127, 128, 255} {
			dir := workDir(t)
			a := newAsm(bits)
			// it waits for its turn in a read
			a.sys(a.nr(syscall.SYS_READ, 3), 0, a.space()-16, 1)
			a.exit(uint64(code))
			cmd := &exec.Cmd{Path: a.file(t, dir, "code"), Dir: dir, Env: []string{}}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			s := newSession(t, probe(t))
			l := s.start(cmd)
			self := selfOf(t, l.pid)
			_ = in.Close()
			ws := l.status()
			only(t, ws.ExitStatus(), code, "exit code")
			s.exited(s.end(l.pid), self, ws, 0)
		}
	}
}

func exitSignals(t *testing.T) {
	for _, v := range []struct {
		signal syscall.Signal
		core   bool
	}{
		{syscall.SIGKILL, false}, {syscall.SIGTERM, false}, {syscall.SIGABRT, true}, {syscall.SIGSEGV, true}, {syscall.SIGSEGV, false},
		{syscall.Signal(34), false}, {syscall.Signal(64), false},
	} {
		dir := workDir(t)
		s := newSession(t, probe(t))
		l := s.start(&exec.Cmd{Path: paused(t, 64, dir, "victim"), Dir: dir, Env: []string{}})
		self := selfOf(t, l.pid)
		limit := unix.Rlimit{}
		if v.core {
			limit = unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		}
		if err := unix.Prlimit(l.pid, unix.RLIMIT_CORE, &limit, nil); err != nil {
			t.Fatal(err)
		}
		s.await("execve", of("execve", l.pid, 0))
		if err := syscall.Kill(l.pid, v.signal); err != nil {
			t.Fatal(err)
		}
		ws := l.status()
		only(t, ws.Signal(), v.signal, "signal")
		if v.core && !ws.CoreDump() {
			t.Logf("signal %d left no core", v.signal)
		}
		s.exited(s.end(l.pid), self, ws, 0)
	}
}

func exitOfThread(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) {
		s := newSession(t, probe(t))
		rep := s.trigger(a.command(t, "thread"))
		tid, _ := strconv.Atoi(rep.Notes["tid"])
		r := s.await("procexit", func(r *event.Record) bool { return r.Row().Name == "procexit" && int(r.TID) == tid })
		only(t, r.Flags, uint8(0), "flags")
		only(t, int(r.PID), rep.Self.PID, "process")
		s.exited(r, rep.Self, 0, 0)
		last := 0
		for _, r := range s.records {
			if r.Row().Name == "procexit" && int(r.PID) == rep.Self.PID && r.Flags&event.FlagGroupDead != 0 {
				last++
			}
		}
		only(t, last, 1, "number of last threads")
	})
}

// TestLastThread: a process ends once, however many of its threads end at one time.
func TestLastThread(t *testing.T) {
	privileged(t)
	for range 20 {
		s := newSession(t, probe(t))
		rep := s.trigger(native().command(t, "crowd"))
		last, all := 0, 0
		for _, r := range s.records {
			if r.Row().Name == "procexit" && int(r.PID) == rep.Self.PID {
				all++
				if r.Flags&event.FlagGroupDead != 0 {
					last++
				}
			}
		}
		only(t, last, 1, "number of last threads")
		if all < 30 {
			t.Errorf("%d threads ended", all)
		}
	}
}

func reapers(t *testing.T) {
	for _, subreaper := range []string{"", "1"} {
		t.Run("subreaper "+subreaper, func(t *testing.T) {
			s := newSession(t, probe(t))
			cmd := native().command(t, "orphan", "FALCONET_SUBREAPER="+subreaper)
			rep := s.trigger(cmd)
			parent, _ := strconv.Atoi(rep.Notes["parent"])
			reaper, _ := strconv.Atoi(rep.Notes["reaper"])
			if subreaper != "" {
				only(t, reaper, rep.Self.PID, "new parent")
			}
			r := s.end(parent)
			i, _ := r.Row().Param("reaper_tid")
			got, _ := r.Int(i)
			only(t, int(got), reaper, "reaper")
		})
	}
}

// reaperInProcess: the children of a thread that ends go to another thread of its process.
func reaperInProcess(t *testing.T) {
	a := newAsm(64)
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
	stack := a.space()
	a.sys(unix.SYS_CLONE, thread, stack)
	a.ifZero(func() {
		a.sys(unix.SYS_FORK)
		a.ifZero(a.pause)
		a.sys(unix.SYS_EXIT, 5)
	})
	a.pause()
	dir := workDir(t)
	s := newSession(t, probe(t))
	l := s.start(&exec.Cmd{Path: a.file(t, dir, "threads"), Dir: dir, Env: []string{}, Stderr: os.Stderr})
	self := selfOf(t, l.pid)
	child := s.await("child", func(r *event.Record) bool { return r.Row().Name == "procfork" && int(r.PPID) == l.pid })
	t.Cleanup(func() { _ = syscall.Kill(int(child.PID), syscall.SIGKILL) })
	r := s.await("end of the thread", func(r *event.Record) bool { return r.Row().Name == "procexit" && int(r.PID) == l.pid })
	only(t, r.Flags, uint8(0), "flags")
	s.exited(r, self, 5<<8, int64(l.pid))
	_ = syscall.Kill(int(child.PID), syscall.SIGKILL)
	l.kill()
}
