// SPDX-License-Identifier: Apache-2.0

package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"falconet/engine/event"
)

func TestExecKeepsTheFormerImage(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "bash", "/bin/bash", "-bash\x00")
	s.exec(10, 1, 200, "cat", "/bin/cat", "cat\x00-n\x00\x00")
	for ts, want := range map[uint64]string{50: "bash", 100: "bash", 199: "bash", 200: "cat", 999: "cat"} {
		if img := s.at(10, ts); img.Comm != want {
			t.Errorf("at %d it is %s, want %s", ts, img.Comm, want)
		}
	}
	img := s.at(10, 200)
	if img.Exe != "cat" || img.CmdLine != "cat -n " || img.NArgs != 2 || img.LenArgs != 2 || img.Args() != "-n " || img.Cwd != "/" || img.ExePath != "/bin/cat" {
		t.Errorf("image %+v", img)
	}
	if a, ok := img.Arg(1); a != "" || !ok {
		t.Errorf("the empty argument is %q, %v", a, ok)
	}
	for cycle, want := range []string{"bash", "bash", "cat"} { // replaced in cycle 0, needed to the end of cycle 2
		s.t.Tick()
		if got := s.at(10, 150).Comm; got != want {
			t.Errorf("after cycle %d it was %s before, want %s", cycle, got, want)
		}
	}
	s.sound()
}

func TestCloneTellsTheDirectory(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "bash", "/bin/bash", "-bash\x00")
	clone := func(ts uint64, dir string) *event.Record {
		return record(t, header("clone", 10, 1, ts), part(event.PartCwd, dir))
	}
	s.t.Apply(clone(150, "/etc"))
	if a, b := s.at(10, 120).Cwd, s.at(10, 160).Cwd; a != "/" || b != "/etc/" {
		t.Errorf("first %s, then %s", a, b)
	}
	again := clone(170, "/etc")
	if n := testing.AllocsPerRun(10, func() { s.t.Apply(again) }); n != 0 || s.at(10, 170) != s.at(10, 160) {
		t.Errorf("the same directory again costs %v allocations", n)
	}
}

func TestFailedExecChangesNothing(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "bash", "/bin/bash", "-bash\x00")
	h := header("execve", 10, 1, 200)
	h.Flags, h.Ret = event.FlagFailed, -2
	s.t.Apply(record(t, h, task(facts(10, 1, "bash")), part(event.PartArgv, "nope\x00")))
	if img := s.at(10, 300); img.Exe != "-bash" {
		t.Errorf("it is %s", img.Exe)
	}
}

func TestForkInherits(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "bash", "/bin/bash", "-bash\x00-i\x00")
	s.fork(11, 10, 150, "bash")
	s.fork(12, 10, 160, "worker")
	s.exec(10, 1, 200, "cat", "/bin/cat", "cat\x00")
	s.fork(13, 10, 150, "bash") // the fork came before the exec, its record after
	for pid, want := range map[uint32]string{11: "bash -i", 12: "worker -i", 13: "bash -i"} {
		if img := s.at(pid, 300); img.CmdLine != want || img.ExePath != "/bin/bash" || img.Task.PID != pid {
			t.Errorf("%d: %q of %s, pid %d", pid, img.CmdLine, img.ExePath, img.Task.PID)
		}
		if got := s.parent(pid, 10, 300); got != 10 {
			t.Errorf("%d has the parent %d", pid, got)
		}
	}
	thread := facts(10, 1, "t")
	thread.TID = 99
	n := s.t.Stats().Processes
	s.t.Apply(record(t, header("procfork", 10, 1, 300), task(thread)))
	if s.t.Stats().Processes != n {
		t.Error("a thread became a process")
	}
	s.sound()
}

func TestForkBySiblingIsNotTheParentsImage(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	h := header("execve", 10, 1, 100)
	f := facts(10, 1, "init")
	f.ExeIno = 5
	s.t.Apply(record(t, h, task(f), part(event.PartArgv, "init\x00"), part(event.PartExe, "/init")))
	f = facts(11, 10, "evil") // CLONE_PARENT: the program is another one
	f.ExeIno = 6
	s.t.Apply(record(t, header("procfork", 11, 10, 200), task(f)))
	if img := s.at(11, 300); img.ExePath == "/init" || img.Exe == "init" || img.Comm != "evil" {
		t.Errorf("it poses as %s (%s)", img.ExePath, img.Comm)
	}
}

func TestLineage(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(1, 0, 1, "init", "/init", "init\x00")
	s.exec(10, 1, 10, "sshd", "/sshd", "sshd\x00")
	s.fork(11, 10, 20, "bash")
	s.fork(12, 11, 30, "cat")
	s.exit(11, 10, 1, 100)
	if got := s.parent(12, 0, 50); got != 11 {
		t.Errorf("before the parent's death it is %d", got)
	}
	if got := s.parent(12, 11, 50); got != 11 {
		t.Errorf("by the older event's header it is %d", got)
	}
	for _, ppid := range []uint32{0, 1} {
		if got := s.parent(12, ppid, 150); got != 1 {
			t.Errorf("afterwards it is %d", got)
		}
	}
	for range 5 {
		s.t.Tick()
	}
	if s.at(11, 50) != nil {
		t.Error("the dead parent is still there")
	}
	if got := s.parent(12, 0, 50); got != 1 {
		t.Errorf("when nothing is known of it any more it is %d", got)
	}
	s.sound()
}

func TestDeadParentStaysForItsChildren(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 10, "bash", "/bash", "bash\x00")
	s.fork(11, 10, 20, "cat")
	s.exit(10, 1, 0, 100) // whoever inherits is not known
	for range 5 {
		s.t.Tick()
	}
	if got := s.parent(11, 0, 200); got != 10 {
		t.Errorf("the parent is %d", got)
	}
	s.exec(20, 1, 300, "reaper", "/reaper", "r\x00")
	if got := s.parent(11, 20, 400); got != 20 {
		t.Errorf("the header's parent is %d", got)
	}
	if s.at(10, 50) != nil {
		t.Error("it stays without children")
	}
	s.exit(11, 20, 0, 500)
	for range 5 {
		s.t.Tick()
	}
	if s.at(11, 500) != nil {
		t.Error("the child stays")
	}
	s.sound()
}

func TestPidsAreUsedAgain(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "old", "/old", "old\x00")
	h := header("execve", 10, 1, 300)
	h.Start = startOf(10) + 5
	f := facts(10, 1, "new")
	f.Start = h.Start
	s.t.Apply(record(t, h, task(f), part(event.PartArgv, "new\x00"), part(event.PartExe, "/new")))
	if _, img, ok := s.t.Lookup(10, startOf(10), 100); !ok || img.Comm != "old" {
		t.Error("the former process of that pid is gone at once")
	}
	if _, img, ok := s.t.Lookup(10, h.Start, 300); !ok || img.Comm != "new" || s.t.Current(10).Start != h.Start {
		t.Error("the pid is not the new process's")
	}
	for range 5 {
		s.t.Tick()
	}
	if _, _, ok := s.t.Lookup(10, startOf(10), 100); ok {
		t.Error("the former process whose end was lost stays for ever")
	}
	s.sound()
}

func TestMissIsReadFromProc(t *testing.T) {
	f := newFakeProc(t)
	f.process(10, 9, "we ird) S 1", startOf(10)/tick, "prog\x00-x\x00")
	f.process(9, 0, "parent", startOf(9)/tick, "parent\x00")
	s := newSim(t, f.root, 0)
	h := header("setuid", 10, 9, 5)
	h.Start += 1234 // /proc knows it to the tick
	p, img := s.t.Of(record(t, h))
	if !p.Known() || img.Comm != "we ird) S 1" || img.Exe != "prog" || img.Args() != "-x" || img.Env != "A=1\x00B=2" || img.Cwd != "/srv/" ||
		img.ExePath != "/nonexistent/bin/x" || img.Cgroups != "cpuset=/user.slice\x00cpu=/user.slice\x00cpuacct=/user.slice\x00blkio=/user.slice\x00memory=/user.slice" {
		t.Errorf("image %+v", img)
	}
	k := img.Task
	if !img.FromProc || k.PPID != 9 || k.PGID != 7 || k.TTY != 34816 || k.UID != 2 || k.GID != 6 || k.VPID != 5 || k.SID != 4 || k.VPGID != 6 ||
		k.FDLimit != 1024 || k.LoginUID != 1000 || k.VMSize != 300 || k.CapEff != 0x21 || k.FaultsMinor != 11 || k.FaultsMajor != 12 || k.Flags&event.TaskInPidns == 0 {
		t.Errorf("facts %+v", k)
	}
	if n, ok := s.t.Threads(p); n != 3 || !ok {
		t.Errorf("%d threads, %v", n, ok)
	}
	q := s.t.ParentOf(p, 9, 5)
	if q == nil || q.At(5).Comm != "parent" {
		t.Fatal("the parent was not read")
	}
	if q, _ := s.t.Of(record(t, header("setuid", 9, 0, 6))); s.t.Stats().Misses != 1 || q.PID != 9 {
		t.Error("an event of the parent does not find it")
	}
	// A pid that has passed to another process.
	h.Start += sec
	if p, _ := s.t.Of(record(t, h)); p.Known() {
		t.Error("another process's /proc entry was taken")
	}
	st := s.t.Stats()
	if st.Misses != 2 || st.Refills != 2 || st.RefillFailures != 1 {
		t.Errorf("%+v", st)
	}
	s.sound()
}

func TestMissOfAGoneProcess(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	r := record(t, header("setuid", 10, 9, 5))
	for range 3 {
		if p, img := s.t.Of(r); p.Known() || img == nil || p.PID != 10 {
			t.Errorf("process %+v", p)
		}
	}
	if st := s.t.Stats(); st.Misses != 1 {
		t.Errorf("it is looked for %d times", st.Misses)
	}
	s.exec(10, 9, 100, "cat", "/cat", "cat\x00")
	for range 10 {
		s.t.Tick()
	}
	if img := s.at(10, 200); img == nil || img.Comm != "cat" {
		t.Error("a process that was taken for dead and then executed something is gone")
	}
}

func TestForkFillsAStub(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(9, 1, 1, "bash", "/bash", "bash\x00")
	s.t.Of(record(t, header("setuid", 10, 9, 5)))
	s.fork(10, 9, 4, "bash")
	for range 10 {
		s.t.Tick()
	}
	if img := s.at(10, 200); img == nil || img.ExePath != "/bash" || s.parent(10, 0, 5) != 9 {
		t.Errorf("image %+v", img)
	}
	s.sound()
}

func TestExecCompletesFromProc(t *testing.T) {
	f := newFakeProc(t)
	f.process(10, 1, "prog", startOf(10)/tick, "prog\x00-x\x00")
	s := newSim(t, f.root, 0)
	s.t.Apply(record(t, header("execve", 10, 1, 100), task(facts(10, 1, "prog")), part(event.PartEnv, "Y=2")))
	if img := s.at(10, 100); img.Exe != "prog" || img.CmdLine != "prog -x" || img.ExePath != "/nonexistent/bin/x" || img.FromProc || img.Env != "Y=2" {
		t.Errorf("image %+v", img)
	}
}

func TestTableIsBounded(t *testing.T) {
	s := newSim(t, t.TempDir(), 100)
	for pid := uint32(2); pid < 2000; pid++ {
		s.fork(pid, 1, uint64(pid), "x")
		if pid%3 == 0 {
			s.exit(pid, 1, 0, uint64(pid))
		}
		if pid%50 == 0 {
			s.t.Tick()
		}
	}
	st := s.t.Stats()
	if st.Processes > 100 || st.Evictions == 0 {
		t.Errorf("%+v", st)
	}
	s.sound()
}

func TestEvictionSparesWhatIsInUse(t *testing.T) {
	s := newSim(t, t.TempDir(), 50)
	s.exec(2, 1, 1, "busy", "/busy", "busy\x00")
	for pid := uint32(100); pid < 1000; pid++ {
		s.exec(pid, 2, uint64(pid), "x", "/x", "x\x00")
		s.t.Tick()
		if s.at(2, uint64(pid)) == nil {
			t.Fatalf("a process that every cycle looks up left after %d others", pid-100)
		}
	}
	s.sound()
}

func TestExecStormIsBounded(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	for i := range uint64(10000) {
		s.exec(10, 1, 100+i, "x", "/x", "x\x00")
	}
	n := 0
	for img := s.at(10, 1<<40); img != nil; img = img.prev {
		n++
	}
	if n > maxFormer+1 {
		t.Errorf("%d former images", n)
	}
	for range 4 {
		s.t.Tick()
	}
	if img := s.at(10, 1<<40); img.prev != nil || len(s.t.retired) != 0 {
		t.Errorf("former images stay, %d are queued", len(s.t.retired))
	}
}

func TestCirclesOfParents(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 11, 1, "a", "/a", "a\x00")
	s.exec(11, 10, 2, "b", "/b", "b\x00")
	s.parent(10, 11, 5)
	s.parent(11, 10, 5)
	s.parent(10, 10, 5)
	s.sound()
}

func TestRandomLife(t *testing.T) {
	s := newSim(t, t.TempDir(), 64)
	rnd := rand.New(rand.NewPCG(3, 4))
	pid := func() uint32 { return uint32(rnd.IntN(90)) }
	for ts := uint64(1); ts < 30000; ts++ {
		a, b := pid(), pid()
		switch rnd.IntN(6) {
		case 0:
			s.fork(a, b, ts, "f")
		case 1:
			s.exec(a, b, ts, "e", "/e", "e\x00")
		case 2:
			s.exit(a, b, pid(), ts)
		case 3:
			p, _ := s.t.Of(record(t, header("setuid", a, b, ts)))
			s.t.ParentOf(p, b, ts)
		case 4:
			if p, _, ok := s.t.Lookup(a, startOf(a), ts); ok {
				s.t.ParentOf(p, 0, ts-uint64(rnd.IntN(100)))
			}
		case 5:
			s.t.Tick()
		}
		if ts%500 == 0 {
			s.sound()
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(1, 0, 1, "init", "/init", "init\x00")
	s.exec(10, 1, 100, "bash", "/bin/bash", "-bash\x00")
	s.exec(10, 1, 200, "cat", "/bin/cat", "cat\x00")
	r := record(t, header("setuid", 10, 1, 150))
	if n := testing.AllocsPerRun(100, func() {
		p, img := s.t.Of(r)
		if img.Comm != "bash" || s.t.ParentOf(p, 1, 150) == nil {
			t.Fatal("not found")
		}
		s.t.Tick()
		s.t.cycle-- // keep the former image
	}); n != 0 {
		t.Errorf("a known process costs %v allocations", n)
	}
}

func TestGetenv(t *testing.T) {
	img := Image{Env: "A=1\x00AB=2\x00C=\x00D\x00=x\x00E=a=b"}
	for name, want := range map[string]string{"A": "1", "AB": "2", "C": "", "E": "a=b"} {
		if got, ok := img.Getenv(name); got != want || !ok {
			t.Errorf("%s = %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"B", "D", "a", "E=a"} {
		if got, ok := img.Getenv(name); ok && name != "E=a" {
			t.Errorf("%s = %q", name, got)
		}
	}
}

func TestArgumentsAreBounded(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "x", "/x", strings.Repeat("a\x00", 8000))
	if img := s.at(10, 100); len(img.CmdLine) > argLimit+20 || img.NArgs != argLimit/2-1 {
		t.Errorf("%d bytes, %d arguments", len(img.CmdLine), img.NArgs)
	}
}

func BenchmarkOf(b *testing.B) {
	t := NewTable(Options{Root: b.TempDir()})
	for pid := uint32(1); pid < 5000; pid++ {
		t.Apply(record(b, header("execve", pid, pid-1, 1), task(facts(pid, pid-1, "x")), part(event.PartArgv, fmt.Sprint(pid)), part(event.PartExe, "/x")))
	}
	r := record(b, header("setuid", 2500, 2499, 150))
	for b.Loop() {
		p, _ := t.Of(r)
		t.ParentOf(p, 2499, 150)
	}
}

// TestEnvironmentsAreShared: a shell and what it starts have one environment, mostly; it is kept once.
func TestEnvironmentsAreShared(t *testing.T) {
	s := newSim(t, t.TempDir(), 0)
	s.exec(10, 1, 100, "bash", "/bin/bash", "bash\x00")
	s.fork(11, 10, 200, "bash")
	s.exec(11, 10, 300, "cat", "/bin/cat", "cat\x00")
	shell, cat := s.at(10, 300), s.at(11, 300)
	if cat.Env == "" || cat.Env != shell.Env || unsafe.StringData(cat.Env) != unsafe.StringData(shell.Env) {
		t.Errorf("the shell has %q, what it starts has %q of its own", shell.Env, cat.Env)
	}
}
