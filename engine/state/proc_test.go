// SPDX-License-Identifier: Apache-2.0

package state

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"falconet/engine/event"
)

func TestSeed(t *testing.T) {
	f := newFakeProc(t)
	f.process(1, 0, "init", startOf(1)/tick, "init\x00")
	f.process(10, 1, "bash", startOf(10)/tick, "-bash\x00")
	f.process(12, 10, "zombie", startOf(12)/tick, "")
	f.write(12, "stat", "12 (zombie) Z 10 7 8 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1200 0 0 0")
	s := newSim(t, f.root, 0)
	exe := facts(10, 1, "bash")
	exe.ExeFlags = 1
	thread := facts(10, 1, "bash")
	thread.TID = 99
	n := s.t.Seed([]event.TaskFacts{facts(1, 0, "init"), exe, thread, facts(11, 10, "gone"), facts(12, 10, "zombie")})
	if n != 3 || s.t.Stats().Processes != 3 {
		t.Errorf("%d processes", n)
	}
	if img := s.at(10, 5); img.CmdLine != "bash" || img.Exe != "-bash" || img.FromProc || img.Task.ExeFlags != 1 || img.Task.Start != startOf(10) {
		t.Errorf("image %+v", img)
	}
	if img := s.at(11, 5); img == nil || img.Comm != "gone" {
		t.Error("a process that left meanwhile is not what the iterator said")
	}
	if s.parent(11, 0, 5) != 10 || s.parent(10, 0, 5) != 1 {
		t.Error("the lineage is wrong")
	}
	s.sound()
}

func TestSeedProc(t *testing.T) {
	f := newFakeProc(t)
	f.process(1, 0, "init", startOf(1)/tick, "init\x00")
	f.process(10, 1, "bash", startOf(10)/tick, "-bash\x00")
	f.process(11, 2, "kworker/u16:2-events_unbound", startOf(11)/tick, "")
	f.write(20, "stat", "nonsense")
	s := newSim(t, f.root, 0)
	if n := s.t.SeedProc(); n != 3 {
		t.Errorf("%d processes", n)
	}
	if img := s.at(11, 5); img == nil || img.Comm != "kworker/u16:2-e" {
		t.Errorf("a worker's name is not that of its task: %+v", img)
	}
	_, img, ok := s.t.Lookup(10, startOf(10)+4321, 5) // the record knows the start exactly
	if !ok || img.Exe != "-bash" || s.t.Current(10).Start != startOf(10)+4321 {
		t.Errorf("%+v, %v", img, ok)
	}
	if q := s.t.ParentOf(s.t.Current(10), 0, 5); q == nil || q.PID != 1 {
		t.Error("the parent is not found")
	}
	if n := NewTable(Options{Root: filepath.Join(f.root, "nowhere")}).SeedProc(); n != 0 {
		t.Errorf("%d processes of no /proc", n)
	}
}

// TestOtherNamespace: what a pid namespace of its own calls 1 is not the kernel's 1.
func TestOtherNamespace(t *testing.T) {
	for ns, host := range map[string]bool{initPIDNamespace: true, "pid:[4026532001]": false} {
		f := newFakeProc(t)
		f.process(1, 0, "init", startOf(1)/tick, "init\x00")
		dir := filepath.Join(f.root, "proc/1/ns")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(ns, filepath.Join(dir, "pid")); err != nil {
			t.Fatal(err)
		}
		table := NewTable(Options{Root: f.root})
		if table.HasProc() != host || table.SeedProc() > 0 != host || table.Alive(1, 0) != host {
			t.Errorf("%s: /proc is used %v, want %v", ns, table.HasProc(), host)
		}
	}
}

func TestSeedThisHost(t *testing.T) {
	table := NewTable(Options{})
	if !table.HasProc() {
		t.Skip("this /proc is of another pid namespace")
	}
	if n := table.SeedProc(); n < 2 {
		t.Fatalf("%d processes", n)
	}
	p := table.Current(uint32(os.Getpid()))
	if p == nil {
		t.Fatal("this process is not found")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if img := p.At(1); img.ExePath != exe || img.Exe != os.Args[0] || img.Task.PPID != uint32(os.Getppid()) {
		t.Errorf("%+v", img)
	}
}

func TestHostileProc(t *testing.T) {
	f := newFakeProc(t)
	f.process(10, 1, "x", startOf(10)/tick, strings.Repeat("A", 1<<20))
	f.write(10, "environ", strings.Repeat("E=1\x00", 1<<18))
	f.process(11, 1, "x", startOf(11)/tick, "")
	for _, name := range []string{"cmdline", "environ", "cgroup", "status"} { // what would wait for a writer for ever
		path := filepath.Join(f.root, "proc/11", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := newSim(t, f.root, 0)
	_, img := s.t.Of(record(t, header("setuid", 10, 1, 5)))
	if len(img.Exe) != argLimit || len(img.Env) > envLimit {
		t.Errorf("%d bytes of arguments, %d of environment", len(img.Exe), len(img.Env))
	}
	begin := time.Now()
	p, img := s.t.Of(record(t, header("setuid", 11, 1, 5)))
	if !p.Known() || img.Exe != "x" || time.Since(begin) > time.Second {
		t.Errorf("%+v after %s", img, time.Since(begin))
	}
	for _, stat := range []string{"", "10", "10 (", "10 (x", "10 (x)", "10 )x( S", "10 (x) S 1", strings.Repeat("1 ", 5000)} {
		f.write(12, "stat", stat)
		if NewTable(Options{Root: f.root}).refill(12) != nil {
			t.Errorf("%q makes a process", stat)
		}
	}
}

func TestSlowReadsAreGivenUp(t *testing.T) {
	f := newProcFS(t.TempDir())
	patient := f.patient()
	block := make(chan struct{})
	for range maxStuck + 3 {
		if _, ok := aside(f, func() (int, bool) { <-block; return 1, true }); ok {
			t.Fatal("a read that hangs was waited for")
		}
	}
	if f.slow.Load() != maxStuck+3 || f.stuck.Load() != maxStuck {
		t.Errorf("%d given up, %d stuck", f.slow.Load(), f.stuck.Load())
	}
	close(block)
	for deadline := time.Now().Add(5 * time.Second); f.stuck.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if v, ok := aside(f, func() (int, bool) { return 1, true }); v != 1 || !ok {
		t.Error("reads do not work again once the stuck ones have come back")
	}
	patient()
	block = make(chan struct{})
	defer close(block)
	begin := time.Now()
	for range 100 { // a process that hangs every read
		aside(f, func() (int, bool) { <-block; return 1, true })
	}
	if took := time.Since(begin); took > 5*slowRead {
		t.Errorf("events waited %s", took)
	}
}

func TestCgroups(t *testing.T) {
	for file, want := range map[string]string{
		"0::/a\n": "cpuset=/a cpu=/a cpuacct=/a blkio=/a memory=/a",
		"12:blkio:/b\n11:cpu,cpuacct:/c\n3:memory:/m\n1:name=systemd:/s\n0::/u\n": "cpuset=/u cpu=/c cpuacct=/c blkio=/b memory=/m",
		"4:memory:/a:b\n": "memory=/a:b",
		"":                "", "junk": "", "1:2": "",
	} {
		if got := strings.ReplaceAll(Cgroups(file), "\x00", " "); got != want {
			t.Errorf("%q = %q, want %q", file, got, want)
		}
	}
}

func TestUsers(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	u := NewUsers(root)
	if user, ok := u.User(0); !ok || user.Name != "root" || user.Home != "/root" {
		t.Errorf("without a file 0 is %+v, %v", user, ok)
	}
	if _, ok := u.User(1000); ok {
		t.Error("without a file 1000 is known")
	}
	write("passwd", "# comment\n\nadmin:x:0:0::/adm:/bin/sh\nroot:x:0:0::/root:/bin/bash\nbad:x:y:0::/:/\nshort:x:5\nbob:x:1000:1000:Bob,,,:/home/bob:/bin/zsh\n+::::::\nhuge:x:99999999999:0::/:/\n")
	write("group", "wheel:x:0:bob\nstaff:x:50:")
	now := time.Now()
	u.Refresh(now)
	if _, ok := u.User(1000); ok {
		t.Error("the file was looked at twice within a second")
	}
	now = now.Add(2 * time.Second)
	u.Refresh(now)
	if user, ok := u.User(1000); !ok || user != (User{"bob", "/home/bob", "/bin/zsh"}) {
		t.Errorf("1000 is %+v, %v", user, ok)
	}
	if user, _ := u.User(0); user.Name != "admin" {
		t.Errorf("0 is %s: the first entry counts", user.Name)
	}
	if g, ok := u.Group(50); g != "staff" || !ok {
		t.Errorf("group 50 is %q", g)
	}
	if n := testing.AllocsPerRun(100, func() { u.User(1000); u.Group(50); u.Refresh(now) }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
	if err := os.Remove(filepath.Join(root, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "etc/passwd"), 0o644); err != nil {
		t.Fatal(err)
	}
	u.Refresh(now.Add(4 * time.Second)) // must not wait for a writer
	if _, ok := u.User(1000); ok {
		t.Error("the users of a file that is gone stay")
	}
	write("group", strings.Repeat("g:x:7:\n", maxAccounts)+"late:x:8:\n")
	u.Refresh(now.Add(8 * time.Second))
	if _, ok := u.Group(8); ok {
		t.Error("the file is read without bound")
	}
}

func TestAddrs(t *testing.T) {
	list := []net.Addr{&net.IPNet{IP: net.ParseIP("10.1.2.3")}, &net.IPNet{IP: net.ParseIP("2001:db8::1")}}
	var fail error
	a := &Addrs{read: func() ([]net.Addr, error) { return list, fail }}
	now := time.Now()
	a.Refresh(now)
	for ip, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "2001:db8::1": true, "127.9.9.9": true, "::1": true, "10.1.2.4": false} {
		if got := a.Local(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
	list, fail = nil, os.ErrPermission
	a.Refresh(now.Add(time.Minute))
	if !a.Local(netip.MustParseAddr("10.1.2.3")) {
		t.Error("a read that failed forgets what was known")
	}
}
