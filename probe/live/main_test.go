// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

func TestMain(m *testing.M) {
	trigger.Main() // does not return in a trigger process
	code := m.Run()
	if shared.probe != nil {
		shared.probe.Close()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// shared is what takes long to make and is the same for all tests.
var shared struct {
	probe      *Probe
	probeErr   error
	once       sync.Once
	dir        string
	trigger32  string
	buildErr   error
	buildOnce  sync.Once
	controller int
}

// privileged skips a test that needs a kernel to watch. Where one is promised, its want is a failure.
func privileged(t *testing.T) {
	t.Helper()
	why := ""
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		why = "this kernel does not describe its types"
	} else if os.Geteuid() != 0 {
		why = "not root"
	}
	switch {
	case why == "":
	case os.Getenv("FALCONET_REQUIRE_PRIVILEGED") == "1":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

func object(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../../embed/probe/probe.o")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyRow asks for every row with every piece, and for a few calls that have none. Rows of which a machine has more than a shared probe can
// keep up with have tests with a probe of their own.
func everyRow() *event.Demand {
	d := new(event.Demand)
	for _, row := range event.Rows()[1:] {
		if row.Flags&event.Flood == 0 {
			d.Add(row.ID, event.AllParts&^event.PartsOf(event.PartHere)) // it would take the steps that the paths of a call need
		}
	}
	for _, name := range []string{"getppid", "sync", "umask", "readahead", "rt_tgsigqueueinfo"} {
		d.AddSyscall(name)
	}
	d.EveryThread()
	return d
}

func openProbe(t testing.TB, o Options) *Probe {
	t.Helper()
	o.Object = object(t)
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// v1Controller is the first controller whose v1 hierarchy is mounted, -1 without one.
func v1Controller() int {
	for i, name := range event.Controllers {
		if trigger.CgroupMount("cgroup", name) != "" {
			return i
		}
	}
	return -1
}

// probe returns the probe that the tests of single calls share.
func probe(t testing.TB) *Probe {
	t.Helper()
	shared.once.Do(func() {
		shared.controller = v1Controller()
		shared.probe = openProbe(t, Options{Demand: everyRow(), EventBytes: 8 << 20, LifeBytes: 4 << 20, Controller: shared.controller})
	})
	if shared.probe == nil {
		t.Fatal("the probe did not open")
	}
	return shared.probe
}

// patience bounds what a broken probe costs; nothing is measured with it.
const patience = 60 * time.Second

// session collects the records of processes that start while it lasts.
type session struct {
	t       testing.TB
	p       *Probe
	mine    map[key]bool
	ended   map[uint32]bool
	records []*event.Record // in the order of delivery
}

type key struct {
	pid   uint32
	start uint64
}

// newSession keeps the test in its thread, which is the parent of what it starts.
func newSession(t testing.TB, p *Probe) *session {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	p.Drain(func(*event.Record) {}, func() {})
	return &session{t: t, p: p, mine: make(map[key]bool), ended: make(map[uint32]bool)}
}

// take keeps what our children and theirs did.
func (s *session) take(r *event.Record) {
	k := key{r.PID, r.Start}
	if r.Row().Name == "procfork" && (int(r.PPID) == os.Getpid() || s.descends(r.PPID)) {
		s.mine[k] = true
	}
	if !s.mine[k] {
		return
	}
	s.records = append(s.records, clone(r))
	if r.Row().Name == "procexit" && r.Flags&event.FlagGroupDead != 0 {
		s.ended[r.PID] = true
	}
}

func (s *session) descends(pid uint32) bool {
	for k := range s.mine {
		if k.pid == pid {
			return true
		}
	}
	return false
}

// collect reads until done has been closed and the end of process pid has been seen: what it did before is in hand then.
func (s *session) collect(done <-chan struct{}, pid int) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	over := false
	for !over || !s.ended[uint32(pid)] {
		s.p.Drain(s.take, func() {})
		select {
		case <-done:
			over = true
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("process %d does not end, or its end was not seen", pid)
		}
		time.Sleep(time.Millisecond)
	}
}

// run starts a command, collects what it did and returns how it ended.
func (s *session) run(cmd *exec.Cmd) error {
	s.t.Helper()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var err error
	done := make(chan struct{})
	go func() {
		err = cmd.Wait()
		close(done)
	}()
	s.collect(done, cmd.Process.Pid)
	return err
}

func clone(r *event.Record) *event.Record {
	out := new(event.Record)
	if err := out.Reset(bytes.Clone(r.Raw())); err != nil {
		panic(err)
	}
	return out
}

// arch is a system call table and the program that uses it.
type arch struct {
	name   string
	bin    string
	compat bool
	via    string // how calls are made, see trigger.Via
}

func native() arch { return arch{name: "64", bin: "/proc/self/exe"} }

// compat builds the trigger program for the 32-bit table. Where there is no toolchain, as in a virtual machine, it comes ready.
func compat(t *testing.T) arch {
	t.Helper()
	shared.buildOnce.Do(func() {
		if shared.trigger32 = os.Getenv("FALCONET_TRIGGER32"); shared.trigger32 != "" {
			return
		}
		if shared.dir, shared.buildErr = os.MkdirTemp("", "falconet-trigger"); shared.buildErr != nil {
			return
		}
		shared.trigger32 = filepath.Join(shared.dir, "trigger32")
		cmd := exec.Command("go", "build", "-o", shared.trigger32, "./testdata/trigger32")
		cmd.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			shared.buildErr = fmt.Errorf("%w: %s", err, out)
		}
	})
	if shared.buildErr != nil {
		t.Fatalf("build 32-bit trigger: %v", shared.buildErr)
	}
	if err := exec.Command(shared.trigger32).Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		// A kernel may be without them: one built so, one told so at boot, one on a hypervisor that has no such calls. The machines of the
		// matrix have them, and require them.
		if os.Getenv("FALCONET_REQUIRE_32BIT") == "1" {
			t.Fatalf("run 32-bit program: %v", err)
		}
		t.Skipf("this kernel runs no 32-bit programs: %v", err)
	}
	return arch{name: "32", bin: shared.trigger32, compat: true}
}

// eachArch runs a test through both system call tables.
func eachArch(t *testing.T, f func(t *testing.T, a arch)) {
	privileged(t)
	t.Run("64", func(t *testing.T) { f(t, native()) })
	t.Run("32", func(t *testing.T) { f(t, compat(t)) })
}

// command is a trigger process in a directory of its own.
func (a arch) command(t testing.TB, name string, env ...string) *exec.Cmd {
	cmd := exec.Command(a.bin)
	cmd.Dir, cmd.Stderr = workDir(t), os.Stderr
	cmd.Env = append([]string{trigger.Env + "=" + name, trigger.Via + "=" + a.via, "GODEBUG=asyncpreemptoff=1", "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// workDir is a directory whose path has no symbolic link in it and that everybody may enter.
func workDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// trigger runs a trigger and returns what it reports.
func (s *session) trigger(cmd *exec.Cmd) *trigger.Report {
	s.t.Helper()
	var out strings.Builder
	cmd.Stdout = &out
	if err := s.run(cmd); err != nil {
		s.t.Fatalf("trigger %v: %v", cmd.Env[0], err)
	}
	var r trigger.Report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		s.t.Fatalf("trigger %v: %v: %s", cmd.Env[0], err, out.String())
	}
	if why := r.Notes["skip"]; why != "" {
		s.t.Skip(why)
	}
	return &r
}
