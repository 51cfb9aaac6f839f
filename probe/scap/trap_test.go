// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"falconet/engine/config"
	"falconet/engine/event"

	"github.com/rs/zerolog"
)

const (
	bootTime = int64(1_700_000_000_000_000_000)
	second   = uint64(time.Second)
)

// opened is the record of an open of a file, at a time since boot.
func opened(t *testing.T, ts uint64, path string) *event.Record {
	t.Helper()
	h := event.Header{Event: event.ByName("openat")[0], NR: 257, Ret: 3, TS: ts, Start: 5, PID: 100, TID: 100, PPID: 1, Args: [6]uint64{^uint64(99)}}
	f := event.FileFacts{Ino: 7, Dev: 8 << 20, Kind: uint8(event.KindFile)}
	r := new(event.Record)
	if err := r.Reset(event.Encode(nil, h, event.Piece{Kind: event.PartName, Data: []byte(path)},
		event.Piece{Kind: event.PartPath, Data: []byte(path)}, event.Piece{Kind: event.PartFile, Data: event.BytesOf(&f)})); err != nil {
		t.Fatal(err)
	}
	return r
}

func bash() event.Listed {
	l := event.Listed{Exe: "-bash", ExePath: "/bin/bash", Cwd: "/home/", Cgroups: "cpu=/\x00"}
	l.Task = event.TaskFacts{PID: 100, TID: 100, PPID: 1, PTID: 1, Start: 5, VPID: 100, VTID: 100}
	copy(l.Task.Comm[:], "bash")
	return l
}

func someLists(at uint64) *Lists {
	return &Lists{Machine: Machine{Hostname: "box", CPUs: 2, BootTime: bootTime}, Time: at + uint64(bootTime), Processes: []event.Listed{bash()}}
}

// pathsOf are the paths that a capture's events open.
func pathsOf(t *testing.T, file string) (out []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r event.Record
	for _, raw := range records(t, b) {
		if err := r.Reset(raw); err != nil {
			t.Fatal(err)
		}
		p, _ := r.Part(event.PartPath)
		out = append(out, string(p))
		if r.PID != 100 || r.Start != uint64(bootTime)+5 || r.TS < uint64(bootTime) {
			t.Errorf("%s: pid %d since %d at %d", p, r.PID, r.Start, r.TS)
		}
	}
	return out
}

// A trap's file holds what was before it was sprung, as far as it is asked for, and what comes until its time is over.
func TestTrap(t *testing.T) {
	dir := t.TempDir()
	var since []uint64
	trap := NewTrap(config.Capture{PathPrefix: filepath.Join(dir, "x"), PreTriggerMS: 2000}, 1<<20, zerolog.Nop(), func(at uint64) *Lists {
		since = append(since, at)
		return someLists(at)
	})
	record := func(ts uint64, path string) {
		t.Helper()
		if err := trap.Record(opened(t, ts, path), bootTime); err != nil {
			t.Fatal(err)
		}
	}
	spring := func(ts, n uint64, window time.Duration) string {
		t.Helper()
		name, err := trap.Spring(ts, n, window)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	for i, path := range []string{"/1", "/2", "/3", "/4", "/5"} {
		record(uint64(i+1)*second, path)
	}
	first := spring(5*second, 42, time.Second)
	if want := filepath.Join(dir, "x_1700000005000000000_00000000000000042.scap"); first != want {
		t.Errorf("file %s, want %s", first, want)
	}
	record(6*second, "/6")
	if name := spring(6*second, 43, 2*time.Second); name != "" { // longer
		t.Errorf("a second file %s", name)
	}
	record(8*second, "/8")
	record(9*second, "/9") // its time is over
	second := spring(9*second, 44, time.Second)
	if err := trap.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := pathsOf(t, first), []string{"/3", "/4", "/5", "/6", "/8"}; !slices.Equal(got, want) {
		t.Errorf("first file: %q, want %q", got, want)
	}
	if got, want := pathsOf(t, second), []string{"/9"}; !slices.Equal(got, want) {
		t.Errorf("second file: %q, want %q", got, want)
	}
	if want := []uint64{3e9, 9e9}; !slices.Equal(since, want) {
		t.Errorf("lists are of %d, want %d", since, want)
	}
}

// A file that another has made is not written to, a trap without room keeps little, and one that is full ends.
func TestTrapBounds(t *testing.T) {
	dir := t.TempDir()
	conf := config.Capture{PathPrefix: filepath.Join(dir, "x"), PreTriggerMS: 3600_000, MaxFileSizeMB: 1}
	trap := NewTrap(conf, 1, zerolog.Nop(), someLists) // buffers have a least size
	long := strings.Repeat("/directory", 300)
	for i := range uint64(2000) {
		if err := trap.Record(opened(t, i+10, long+string(rune('a'+i%26))), bootTime); err != nil {
			t.Fatal(err)
		}
	}
	held := 0
	for _, c := range trap.recent.chunks {
		held += cap(c.b)
	}
	if held > chunkCount*64<<10 || held < 512<<10 {
		t.Errorf("%d bytes are kept", held)
	}
	name := filepath.Join(dir, "x_1700000000000002009_00000000000000001.scap")
	if err := os.Symlink("/dev/null", name); err != nil {
		t.Fatal(err)
	}
	if _, err := trap.Spring(2009, 1, time.Hour); !errors.Is(err, os.ErrExist) {
		t.Errorf("a name that is taken gives %v", err)
	}
	if _, err := trap.Spring(2009, 2, time.Hour); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(100_000) {
		if err := trap.Record(opened(t, i+3000, "/file/"+time.Duration(i*7919).String()), bootTime); err != nil {
			t.Fatal(err)
		}
		if trap.file == nil {
			return
		}
	}
	t.Error("a file of 1 MB does not end")
}

// A recorder begins another file when one is full, and keeps as many as it may.
func TestRecorder(t *testing.T) {
	dir := t.TempDir()
	lists := func() *Lists { return someLists(0) }
	r, err := NewRecorder(config.Recording{File: filepath.Join(dir, "r.scap"), Seconds: 10, Files: 2, Rotate: true, Events: 8}, zerolog.Nop(), lists)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(9) {
		err := r.Record(opened(t, (i+1)*4*second, "/"+string(rune('0'+i))), bootTime)
		if limit := i == 8; limit != errors.Is(err, ErrLimit) || err != nil && !limit {
			t.Errorf("record %d: %v", i, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	if want := []string{"r-00001.scap", "r-00002.scap"}; !slices.Equal(names, want) {
		t.Fatalf("files %q, want %q", names, want)
	}
	if got := pathsOf(t, filepath.Join(dir, names[0])); !slices.Equal(got, []string{"/3", "/4", "/5"}) {
		t.Errorf("%s: %q", names[0], got)
	}
	if got := pathsOf(t, filepath.Join(dir, names[1])); !slices.Equal(got, []string{"/6", "/7"}) {
		t.Errorf("%s: %q", names[1], got)
	}
	if _, err := NewRecorder(config.Recording{File: filepath.Join(dir, "none", "x")}, zerolog.Nop(), lists); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there gives %v", err)
	}
}

// What the lists at the beginning say of a process is what a reader knows of it.
func TestWriteLists(t *testing.T) {
	var out bytes.Buffer
	l := someLists(7 * second)
	l.Users, l.Groups = map[uint32]User{1000: {"u", "/home/u", "/bin/sh"}}, map[uint32]string{50: "staff"}
	p := &l.Processes[0]
	p.Threads = []uint32{100, 101}
	p.Args, p.Env = "-i\x00", "A=1\x00"
	p.FDs = []event.ListedFD{{FD: 0, Kind: event.KindChar, Name: "/dev/null"}, {FD: 4, Kind: event.KindAnon, Name: "anon_inode:[eventfd]"}, {FD: 5, Kind: event.KindUnix, Name: "/run/x"}}
	if _, err := NewWriter(&out, l); err != nil {
		t.Fatal(err)
	}
	s, err := New(&out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	th, main := s.tables.threads[101], s.tables.threads[100]
	if th == nil || main == nil || th.proc != main.proc {
		t.Fatalf("threads %+v", s.tables.threads)
	}
	q := main.proc
	if q.Start != uint64(bootTime)+5 || string(q.argv) != "-bash\x00-i\x00" || string(q.env) != "A=1\x00" || q.exe != "/bin/bash" || q.cwd != "/home" {
		t.Errorf("process since %d, %q %q %q %q", q.Start, q.argv, q.env, q.exe, q.cwd)
	}
	for fd, name := range map[int64]string{0: "/dev/null", 4: "anon_inode:[eventfd]"} {
		if d := q.files.byFD[fd]; d == nil || d.name != name {
			t.Errorf("descriptor %d is %+v", fd, d)
		}
	}
	if d := q.files.byFD[5]; d == nil || d.sock == nil || d.sock.Family != familyUnix {
		t.Errorf("descriptor 5 is %+v", d)
	}
	if s.Machine.Hostname != "box" || s.Users[1000].Shell != "/bin/sh" || s.Groups[50] != "staff" {
		t.Errorf("machine %+v, users %v, groups %v", s.Machine, s.Users, s.Groups)
	}
}
