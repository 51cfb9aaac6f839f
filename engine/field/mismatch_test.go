// SPDX-License-Identifier: Apache-2.0

package field

import (
	"os"
	"path/filepath"
	"testing"

	"falconet/engine/event"
	"falconet/engine/state"

	"golang.org/x/sys/unix"
)

func TestArgMismatch(t *testing.T) {
	k := newKit(t)
	k.host.Procs = state.NewTable(state.Options{})
	if !k.host.Procs.HasProc() {
		t.Skip("/proc has other numbers than the kernel")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	facts := func(name string) event.Piece {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return fileFacts(event.FileFacts{Ino: st.Ino, Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)})
	}
	one, two := facts("one"), facts("two")
	if err := os.Symlink("one", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	start := startOf(t, os.Getpid())
	f := func(want string, h event.Header, pieces ...event.Piece) {
		t.Helper()
		h.PID, h.TID, h.Start = uint32(os.Getpid()), uint32(os.Getpid()), start
		k.ctx.Begin(k.record(h, pieces...), 1)
		if got := k.text("evt.arg_mismatch"); got != want {
			t.Errorf("%s is %s, want %s", k.ctx.Rec.EventName(), got, want)
		}
	}
	name := func(s string) event.Piece { return piece(event.PartName, filepath.Join(dir, s)) }
	f("false", call("open", 3), name("one"), one)
	f("true", call("open", 3), name("one"), two)
	f("false", call("openat", 3, fromCwd), name("link"), one)
	f("true", call("openat", 3, fromCwd, 0, oNoFollow), name("link"), one)
	f("-", call("openat", 3, fromCwd), name("none"), one)
	f("-", call("openat", -2, fromCwd), name("one"), one)
	f("-", call("openat", 3, fromCwd, 0, oTmpfile), piece(event.PartName, dir), one)
	f("-", call("openat", 3, fromCwd), name("one"))
	f("-", call("openat", 3, 99), piece(event.PartName, "one"), piece(event.PartDir, dir), one)
	f("-", call("openat", 3, 99), piece(event.PartName, "one"), one)
	f("true", call("chmod", 0), name("one"), two)
	f("-", call("unlink", 0), name("one"), two)
	how := func(resolve byte) event.Piece {
		b := make([]byte, 24)
		b[16] = resolve
		return piece(event.PartMem, string(b))
	}
	f("true", call("openat2", 3, fromCwd), name("one"), how(0), two)
	f("-", call("openat2", 3, fromCwd), name("one"), how(resolveInRoot), two)
}

// startOf is when a process began, in nanoseconds since boot, to the tick.
func startOf(t *testing.T, pid int) uint64 {
	t.Helper()
	table := state.NewTable(state.Options{})
	table.SeedProc()
	p := table.Current(uint32(pid))
	if p == nil {
		t.Fatalf("process %d is not in /proc", pid)
	}
	return p.Start
}
