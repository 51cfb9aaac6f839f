// SPDX-License-Identifier: Apache-2.0

package state

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func idOf(t *testing.T, path string) FileID {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return FileID{st.Dev, st.Ino}
}

// beganAt is the start of a running process as records have it, but for less than a tick.
func beganAt(t *testing.T, table *Table, pid int) uint64 {
	t.Helper()
	var img Image
	if !table.fs.stat(uint32(pid), &img) {
		t.Fatalf("process %d is not in /proc", pid)
	}
	return img.Task.Start
}

func TestResolve(t *testing.T) {
	table := NewTable(Options{})
	if !table.HasProc() {
		t.Skip("/proc has other numbers than the kernel")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{
		os.MkdirAll(dir+"/usr/lib", 0o755), os.WriteFile(dir+"/usr/lib/libc", nil, 0o644), os.Symlink("usr/lib", dir+"/lib"), os.Symlink("libc", dir+"/usr/lib/l"),
		syscall.Mkfifo(dir+"/fifo", 0o600),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	cmd := exec.Command("sleep", "60")
	cmd.Dir = dir + "/usr"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid := cmd.Process.Pid
	start := beganAt(t, table, pid)
	libc := idOf(t, dir+"/usr/lib/libc")
	for _, v := range []struct {
		what string
		p    Place
		want FileID
		ok   bool
	}{
		{"a link to a directory", Place{Path: dir + "/lib/libc"}, libc, true},
		{"a link", Place{Path: dir + "/lib/l"}, libc, true},
		{"a relative path", Place{FD: unix.AT_FDCWD, Dir: dir + "/usr", Path: "../lib/libc"}, libc, true},
		{"another file", Place{Path: dir + "/fifo"}, idOf(t, dir+"/fifo"), true},
		{"above the root", Place{Path: "/../.." + dir + "/lib/libc"}, libc, true},
		{"nothing", Place{Path: dir + "/none"}, FileID{}, false},
		{"a directory that is another", Place{FD: unix.AT_FDCWD, Dir: dir, Path: "lib/libc"}, FileID{}, false},
		{"a descriptor that is not there", Place{FD: 99, Dir: dir, Path: "lib/libc"}, FileID{}, false},
		{"a file of /proc", Place{Path: "/proc/self/stat"}, FileID{}, false},
		{"a link of /proc", Place{Path: "/proc/self/cwd/lib/libc"}, FileID{}, false},
	} {
		v.p.PID, v.p.TID, v.p.Start = uint32(pid), uint32(pid), start
		id, ok := table.Resolve(v.p)
		if ok != v.ok || ok && id != v.want {
			t.Errorf("%s leads to %v, %v, want %v, %v", v.what, id, ok, v.want, v.ok)
		}
	}
	if id, ok := table.Resolve(Place{PID: uint32(pid), TID: uint32(pid), Start: start, Path: dir + "/lib/l", NoFollow: true}); !ok || id == libc {
		t.Errorf("the link itself is %v, %v", id, ok)
	}
	if _, ok := table.Resolve(Place{PID: uint32(pid), TID: uint32(pid), Start: start + 10*uint64(tick), Path: "/"}); ok {
		t.Error("a process that began at another time has a root")
	}
}
