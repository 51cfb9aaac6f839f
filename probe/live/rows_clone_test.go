// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"os/exec"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"golang.org/x/sys/unix"
)

func init() {
	rowTests["fork"] = clones("fork", syscall.SYS_FORK, 2)
	rowTests["vfork"] = clones("vfork", syscall.SYS_VFORK, 190)
	rowTests["clone"] = clones("clone", syscall.SYS_CLONE, 120)
	rowTests["clone3"] = clones("clone3", unix.SYS_CLONE3, 435)
	rowTests["procfork"] = newProcess
}

// A cloneCase is one way of making a task. A thread stays in its process.
type cloneCase struct {
	name   string
	flags  uint64
	names  []string
	thread bool
	pidns  bool // the new task is the first of a pid namespace
	inside bool // both tasks are in one, the caller as its first
	far    bool // in a directory that is far down
}

func cloneCases(name string) []cloneCase {
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
	vfork := []string{"CLONE_VM", "CLONE_VFORK"}
	switch name {
	case "fork":
		return []cloneCase{{name: "plain"}, {name: "inside", inside: true}}
	case "vfork":
		return []cloneCase{{name: "plain", names: vfork}}
	}
	return []cloneCase{
		{name: "process"},
		{name: "inside", inside: true},
		{name: "far down", far: true},
		{name: "vfork", flags: unix.CLONE_VM | unix.CLONE_VFORK, names: vfork},
		{name: "thread", flags: thread, thread: true,
			names: []string{"CLONE_VM", "CLONE_FS", "CLONE_FILES", "CLONE_SIGHAND", "CLONE_THREAD", "CLONE_SYSVSEM"}},
		{name: "namespaces", flags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET, pidns: true,
			names: []string{"CLONE_NEWPID", "CLONE_NEWNS", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWNET"}},
		{name: "user", flags: unix.CLONE_NEWUSER | unix.CLONE_NEWCGROUP, names: []string{"CLONE_NEWUSER", "CLONE_NEWCGROUP"}},
		{name: "sibling", flags: unix.CLONE_PARENT, names: []string{"CLONE_PARENT"}},
	}
}

// clones tests the row from both sides, in 64-bit code, in 32-bit code, and in 64-bit code that calls as 32-bit code does.
func clones(name string, nr64, nr32 int) func(*testing.T) {
	return func(t *testing.T) {
		privileged(t)
		for _, v := range []struct {
			name  string
			bits  int
			int80 bool
		}{{"64", 64, false}, {"32", 32, true}, {"int80", 64, true}} {
			t.Run(v.name, func(t *testing.T) {
				if v.int80 {
					compat(t)
				}
				for _, c := range cloneCases(name) {
					if c.thread && v.bits == 64 && v.int80 {
						continue // the stack of such a call is below 4 GiB, where a 64-bit program may have none
					}
					t.Run(c.name, func(t *testing.T) {
						a := newAsm(v.bits)
						a.int80 = v.int80
						cloneBothSides(t, a, name, a.nr(nr64, nr32), c)
					})
				}
			})
		}
	}
}

func cloneBothSides(t *testing.T, a *asm, name string, nr int, cc cloneCase) {
	var args []uint64
	var how []byte
	stack := uint64(0)
	if cc.flags&unix.CLONE_VM != 0 {
		stack = a.space()
	}
	signal := uint64(unix.SIGCHLD)
	if cc.thread || cc.flags&unix.CLONE_PARENT != 0 {
		signal = 0
	}
	switch name {
	case "clone":
		args = []uint64{cc.flags | signal, stack}
	case "clone3":
		for _, v := range []uint64{cc.flags, 0, 0, 0, signal, 0, 0, 0} { // clone_args of linux/sched.h
			how = binary.LittleEndian.AppendUint64(how, v)
		}
		if stack != 0 {
			binary.LittleEndian.PutUint64(how[40:], stack-1024)
			binary.LittleEndian.PutUint64(how[48:], 1024)
		}
		args = []uint64{a.put(how), uint64(len(how))}
		// a page that was never written is the file's: the child would have to fault it in
		a.moffs(0xa3, asmBase+asmData+4096-8)
	}
	a.sys(nr, args...)
	a.ifZero(a.pause)
	a.pause()
	dir := workDir(t)
	cmd := &exec.Cmd{Path: a.file(t, dir, "cloner"), Args: []string{"cloner", "with", "arguments"}, Dir: dir, Env: []string{"X=1"}}
	if cc.far {
		cmd.Dir = farDown(t, dir)
	}
	if cc.inside {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	}
	s := newSession(t, probe(t))
	l := s.start(cmd)
	first := selfOf(t, l.pid)

	var given [6]uint64
	copy(given[:], args)
	is := func(r *event.Record) bool { return r.EventName() == name && int(r.NR) == nr && r.Args == given }
	child := s.await("child's side", func(r *event.Record) bool { return is(r) && r.Ret == 0 })
	if child.Flags&event.FlagChild == 0 {
		t.Errorf("flags of the child's side are %#x", child.Flags)
	}
	tid := int(child.TID)
	pid := tid
	if cc.thread {
		pid = l.pid
	} else {
		t.Cleanup(func() { _ = syscall.Kill(tid, syscall.SIGKILL) })
	}
	check := func(r *event.Record, pid, tid int, names []string) {
		t.Helper()
		self := selfOf(t, pid)
		c := expect(t, name, self, tid, r).Flags("flags", names...)
		if how != nil {
			c.Part("mem", string(how[:8]))
		}
		if cc.pidns && pid != l.pid || cc.inside {
			init := self
			if cc.inside {
				init = first
			}
			start := int64(init.StartTicks) * trigger.Ticks
			c.Range("pidns_init_start_ts", start, start+trigger.Ticks-1)
			if init == self {
				only(t, c.Params["vpid"].N, int64(1), "own number of the first process")
			}
		}
		if r.Compat32() != a.int80 {
			t.Errorf("the table of the call is wrong in flags %#x", r.Flags)
		}
		compare(t, r, self, c)
	}
	if cc.inside {
		cc.names = append([]string{"CLONE_CHILD_IN_PIDNS"}, cc.names...)
	}
	ofChild := cc.names
	if cc.pidns {
		ofChild = append([]string{"CLONE_CHILD_IN_PIDNS"}, ofChild...)
	}
	check(child, pid, tid, ofChild)
	result := int64(tid)
	if cc.inside { // the caller has its own numbers
		result = taskOf(t, pid, tid).Params["vtid"].N
	}
	if cc.flags&unix.CLONE_VFORK != 0 || name == "vfork" {
		// the parent's call returns when the child is gone
		if err := syscall.Kill(tid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	parent := s.await("parent's side", func(r *event.Record) bool { return is(r) && int(r.TID) == l.pid })
	only(t, parent.Ret, result, "result in the parent")
	check(parent, l.pid, l.pid, cc.names)
	l.kill()
}

// newProcess: the state's own event, with the new task as it is before it runs.
func newProcess(t *testing.T) {
	privileged(t)
	a := newAsm(64)
	a.sys(syscall.SYS_FORK)
	a.ifZero(a.pause)
	a.pause()
	dir := workDir(t)
	s := newSession(t, probe(t))
	l := s.start(&exec.Cmd{Path: a.file(t, dir, "forker"), Dir: dir, Env: []string{}})
	r := s.await("procfork", func(r *event.Record) bool { return r.Row().Name == "procfork" && int(r.PPID) == l.pid })
	pid := int(r.PID)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	self := selfOf(t, pid)
	compare(t, r, self, expect(t, "procfork", self, pid, r))
	f, ok := r.Task()
	if !ok {
		t.Fatal("no task")
	}
	facts(t, &f, pid, pid)
	only(t, f.PTID, uint32(l.pid), "thread that forked")
	for _, r := range s.records {
		if r.Row().Name == "procfork" && int(r.PID) != pid && int(r.PID) != l.pid {
			t.Errorf("a process %d that nobody made", r.PID)
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	l.kill()
}

// A thread is no new process.
func TestThreadIsNoProcess(t *testing.T) {
	privileged(t)
	s := newSession(t, probe(t))
	rep := s.trigger(native().command(t, "thread"))
	for _, r := range s.records {
		if r.Row().Name == "procfork" && int(r.PPID) == rep.Self.PID {
			t.Errorf("a new process %d", r.PID)
		}
	}
}
