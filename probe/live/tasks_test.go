// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

func running(t *testing.T, p *Probe) map[int]event.TaskFacts {
	t.Helper()
	all := make(map[int]event.TaskFacts)
	if err := p.Tasks(func(f *event.TaskFacts) {
		if f.PID != f.TID {
			t.Errorf("thread %d of process %d", f.TID, f.PID)
		}
		if _, twice := all[int(f.PID)]; twice {
			t.Errorf("process %d twice", f.PID)
		}
		all[int(f.PID)] = *f
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// The iterator has every process of /proc, the first one and the kernel's own threads included, and says of each what /proc says.
func TestTasksAreThoseOfProc(t *testing.T) {
	privileged(t)
	p := probe(t)
	dir := workDir(t)
	var mine []int
	for i, cmd := range []*exec.Cmd{
		{Path: paused(t, 64, dir, "longer than comm allows")},
		{Path: paused(t, 64, dir, "user"), SysProcAttr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1234, Gid: 4321}}},
		{Path: paused(t, 64, dir, "session"), SysProcAttr: &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWPID}},
	} {
		cmd.Dir, cmd.Env = dir, []string{"N=" + strconv.Itoa(i)}
		mine = append(mine, newSession(t, p).start(cmd).pid)
	}
	procs := func() map[int]bool {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			t.Fatal(err)
		}
		pids := make(map[int]bool)
		for _, e := range entries {
			if pid, err := strconv.Atoi(e.Name()); err == nil {
				pids[pid] = true
			}
		}
		return pids
	}
	before := procs()
	all := running(t, p)
	after := procs()
	for pid := range before {
		if _, ok := all[pid]; ok || !after[pid] {
			continue
		}
		// some machines shield their first process from root, and from programs in the kernel too
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); errors.Is(err, os.ErrPermission) {
			t.Logf("process %d is hidden: %v", pid, err)
			continue
		}
		t.Errorf("process %d is missing", pid)
	}
	for _, pid := range mine {
		f := all[pid]
		facts(t, &f, pid, pid)
		only(t, f.Cgroup, ownCgroup(t, "cgroup2", ""), "cgroup")
		only(t, f.Cgroup1, ownCgroup1(t), "v1 cgroup")
		only(t, f.Flags&event.TaskInPidns != 0, pid == mine[2], "whether it is in a pid namespace")
	}
	compared := 0
	for pid, f := range all {
		stat, err := trigger.Stat(pid)
		status, err2 := trigger.Status(pid)
		if err != nil || err2 != nil || !before[pid] {
			continue // it has ended since, or came
		}
		compared++
		only(t, strconv.Itoa(int(f.PPID)), stat[4], "parent of "+stat[2]+strconv.Itoa(pid))
		only(t, strconv.FormatUint(f.Start/trigger.Ticks, 10), stat[22], "start of "+strconv.Itoa(pid))
		only(t, strconv.Itoa(int(f.UID)), strings.Fields(status["Uid"])[1], "user of "+strconv.Itoa(pid))
		only(t, strconv.Itoa(int(f.GID)), strings.Fields(status["Gid"])[1], "group of "+strconv.Itoa(pid))
		flags, _ := strconv.ParseUint(stat[9], 10, 64)
		const kthread = 0x200000 // PF_KTHREAD of include/linux/sched.h
		only(t, f.Flags&event.TaskKthread != 0, flags&kthread != 0, "whether "+strconv.Itoa(pid)+" is the kernel's own")
		comm := string(f.Comm[:])
		if i := strings.IndexByte(comm, 0); i >= 0 {
			comm = comm[:i]
		}
		// /proc writes more of a worker of the kernel than its name, and escapes what is odd
		if f.Flags&event.TaskKthread == 0 && !strings.Contains(status["Name"], "\\") {
			only(t, comm, status["Name"], "name of "+strconv.Itoa(pid))
		}
	}
	if compared < len(mine)+1 {
		t.Errorf("only %d processes were compared", compared)
	}
}
