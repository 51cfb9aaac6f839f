// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"golang.org/x/sys/unix"
)

// A process in cgroups of its own: the ids in its records are the inodes of their directories, and its paths theirs.
func TestCgroupsOfOthers(t *testing.T) {
	privileged(t)
	mount := trigger.CgroupMount("cgroup2", "")
	if mount == "" {
		mount = workDir(t)
		if err := unix.Mount("none", mount, "cgroup2", 0, ""); err != nil {
			t.Skip("no v2 hierarchy: ", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(mount, unix.MNT_DETACH) })
	}
	p := probe(t)
	dirs := []string{makeCgroup(t, mount)}
	if shared.controller >= 0 {
		dirs = append(dirs, makeCgroup(t, trigger.CgroupMount("cgroup", event.Controllers[shared.controller])))
	}
	dir := workDir(t)
	a := newAsm(64)
	a.sys(syscall.SYS_READ, 0, a.space()-16, 1) // until it has been moved
	a.sys(syscall.SYS_CHMOD, a.str("/nowhere"), 0o123)
	next := paused(t, 64, dir, "next")
	a.sys(syscall.SYS_EXECVE, a.str(next), a.words(a.str("next"), 0), 0)
	cmd := &exec.Cmd{Path: a.file(t, dir, "first"), Dir: dir, Env: []string{}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, p)
	l := s.start(cmd)
	for _, d := range dirs {
		if err := os.WriteFile(filepath.Join(d, "cgroup.procs"), []byte(strconv.Itoa(l.pid)), 0); err != nil {
			t.Fatal(err)
		}
	}
	_ = in.Close()
	r := s.await("exec in the cgroup", func(r *event.Record) bool {
		b, _ := r.Part(event.PartExe)
		return r.EventName() == "execve" && int(r.PID) == l.pid && string(b) == next
	})
	chmod := s.await("chmod in the cgroup", func(r *event.Record) bool { return r.EventName() == "chmod" && int(r.PID) == l.pid })
	f, _ := r.Task()
	for i, d := range dirs {
		want := inode(t, d)
		got := [][2]uint64{{r.Cgroup, r.Cgroup1}, {chmod.Cgroup, chmod.Cgroup1}, {f.Cgroup, f.Cgroup1}}
		for _, g := range got {
			only(t, g[i], want, "cgroup "+d)
		}
	}
	b, _ := r.Part(event.PartCgroups)
	only(t, string(b), string(taskOf(t, l.pid, l.pid).Params["cgroups"].B), "paths")
	l.kill()
}

func makeCgroup(t *testing.T, mount string) string {
	t.Helper()
	dir := filepath.Join(mount, "falconet test", "inner "+strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Remove(dir)
		_ = os.Remove(filepath.Dir(dir))
	})
	// a new cpuset has no CPU to run anything on
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		all, err := os.ReadFile(filepath.Join(mount, name))
		if err != nil {
			continue
		}
		for _, d := range []string{filepath.Dir(dir), dir} {
			if err := os.WriteFile(filepath.Join(d, name), all, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// Code of one kind that calls through the table of the other: the table says what a number means, not the program.
func TestCallsThroughTheOtherTable(t *testing.T) {
	privileged(t)
	compat(t)
	dir := workDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAsm(64)
	a.int80 = true
	type made struct {
		name string
		nr   int
		args []uint64
		ret  int64
		path bool
	}
	var all []made
	call := func(name string, nr int, ret int64, path bool, args ...uint64) {
		a.sys(nr, args...)
		all = append(all, made{name, nr, args, ret, path})
	}
	name, missing := a.str(file), a.str("missing")
	// in the 64-bit table these numbers mean fstat, mmap, rt_sigreturn, bind, shmdt and others
	call("open", 5, 3, true, name, 0, 0)
	call("openat", 295, 4, true, 0xffffff9c, name, 1, 0)
	call("chmod", 15, 0, false, name, 0o711)
	call("fchmod", 94, 0, true, 3, 0o640)
	call("fchmodat", 306, -int64(unix.ENOENT), false, 0xffffff9c, missing, 0o7)
	call("rename", 38, -int64(unix.ENOENT), false, missing, name)
	call("renameat", 302, -int64(unix.ENOTDIR), false, 3, missing, 4, name)
	call("unlinkat", 301, -int64(unix.ENOTDIR), false, 3, missing, 0)
	call("memfd_create", 356, 5, false, missing, 1)
	call("creat", 8, 6, true, name, 0o600)
	call("ptrace", 26, -int64(unix.ESRCH), false, 7, 0x7ffffff, 0, 0)
	call("connect", 362, -int64(unix.ENOTSOCK), false, 3, name, 16)
	call("bind", 361, -int64(unix.ENOTSOCK), false, 3, name, 16)
	call("accept4", 364, -int64(unix.ENOTSOCK), false, 3, 0, 0, 0)
	call("getppid", 64, int64(os.Getpid()), false)
	call("unlink", 10, 0, false, name)
	call("setuid", 213, 0, false, 123456)
	call("setuid", 23, -int64(unix.EPERM), false, 0)
	a.exit(0)
	s := newSession(t, probe(t))
	if err := s.run(&exec.Cmd{Path: a.file(t, dir, "program"), Dir: dir, Env: []string{}}); err != nil {
		t.Fatal(err)
	}
	i := 0
	for _, r := range s.records {
		if r.Row().Flags&event.Life != 0 || i == len(all) || r.Flags&event.FlagCompat32 == 0 {
			continue
		}
		c := all[i]
		i++
		var args [6]uint64
		copy(args[:], c.args)
		only(t, fmt.Sprintf("%s %d %x", r.EventName(), r.NR, r.Args), fmt.Sprintf("%s %d %x", c.name, c.nr, args), "call "+strconv.Itoa(i))
		only(t, r.Ret, c.ret, "result of "+c.name)
		if b, ok := r.Part(event.PartPath); c.path && string(b) != file || ok != (c.path || c.name == "memfd_create") {
			t.Errorf("path of %s is %q", c.name, b)
		}
		if want := uint32(0); c.name == "setuid" {
			want = 123456
			only(t, r.UID, want, "user after "+c.name)
		} else {
			only(t, r.UID, want, "user after "+c.name)
		}
	}
	only(t, i, len(all), "number of calls")
}

// The parent of a tracee sees the request of the child.
func TestTraceMe(t *testing.T) {
	privileged(t)
	for _, bits := range []int{64, 32} {
		if bits == 32 {
			compat(t)
		}
		a := newAsm(bits)
		a.sys(a.nr(syscall.SYS_PTRACE, 26), 0)
		a.exit(0)
		dir := workDir(t)
		s := newSession(t, probe(t))
		if err := s.run(&exec.Cmd{Path: a.file(t, dir, "tracee"), Dir: dir, Env: []string{}}); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, r := range s.records {
			if r.EventName() != "ptrace" {
				continue
			}
			found++
			i, _ := r.Row().Param("request")
			v, _ := r.Uint(i)
			only(t, v, named(t, &r.Row().Params[i], []string{"PTRACE_TRACEME"}), "request")
			only(t, r.Ret, int64(0), "result")
			only(t, r.Flags&^event.FlagCompat32, uint8(0), "flags")
		}
		only(t, found, 1, "number of calls")
	}
}
