// SPDX-License-Identifier: Apache-2.0

package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"falconet/engine/event"
)

// fakeProc is a /proc of files.
type fakeProc struct {
	*testing.T
	root string
}

func newFakeProc(t *testing.T) *fakeProc {
	f := &fakeProc{T: t, root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(f.root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fakeProc) write(pid uint32, name, text string) {
	f.Helper()
	path := filepath.Join(f.root, "proc", strconv.Itoa(int(pid)), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.Fatal(err)
	}
}

// process writes one that has started at ticks.
func (f *fakeProc) process(pid, ppid uint32, comm string, ticks uint64, cmdline string) {
	f.Helper()
	f.write(pid, "stat", fmt.Sprintf("%d (%s) S %d 7 8 34816 -1 4194304 11 0 12 0 0 0 0 0 20 0 3 0 %d 1000 200 0", pid, comm, ppid, ticks))
	f.write(pid, "cmdline", cmdline)
	f.write(pid, "environ", "A=1\x00B=2\x00")
	f.write(pid, "cgroup", "0::/user.slice\n")
	f.write(pid, "status", "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNStgid:\t99\t5\nNSpgid:\t7\t6\nNSsid:\t8\t4\nVmSize:\t  300 kB\nVmRSS:\t 20 kB\nCapEff:\t0000000000000021\n")
	f.write(pid, "loginuid", "1000")
	f.write(pid, "limits", "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files     \n")
	dir := filepath.Join(f.root, "proc", strconv.Itoa(int(pid)))
	for name, target := range map[string]string{"exe": "/nonexistent/bin/x (deleted)", "cwd": "/srv"} {
		_ = os.Remove(filepath.Join(dir, name))
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			f.Fatal(err)
		}
	}
}

// sim feeds a table with records.
type sim struct {
	*testing.T
	t *Table
}

func newSim(t *testing.T, root string, limit int) *sim {
	return &sim{t, NewTable(Options{Root: root, MaxProcesses: limit})}
}

const sec = 1_000_000_000

func startOf(pid uint32) uint64 { return uint64(pid) * sec }

func record(t testing.TB, h event.Header, pieces ...event.Piece) *event.Record {
	t.Helper()
	var r event.Record
	if err := r.Reset(event.Encode(nil, h, pieces...)); err != nil {
		t.Fatal(err)
	}
	return &r
}

func header(name string, pid, ppid uint32, ts uint64) event.Header {
	return event.Header{Event: event.ByName(name)[0], PID: pid, TID: pid, PPID: ppid, Start: startOf(pid), TS: ts}
}

func facts(pid, ppid uint32, comm string) event.TaskFacts {
	f := event.TaskFacts{PID: pid, TID: pid, PPID: ppid, VPID: pid, Start: startOf(pid), ParentStart: startOf(ppid)}
	copy(f.Comm[:15], comm)
	return f
}

func task(f event.TaskFacts) event.Piece {
	return event.Piece{Kind: event.PartTask, Data: append([]byte(nil), event.BytesOf(&f)...)}
}

func part(k event.PartKind, s string) event.Piece { return event.Piece{Kind: k, Data: []byte(s)} }

func (s *sim) exec(pid, ppid uint32, ts uint64, comm, exe, argv string) {
	s.Helper()
	s.t.Apply(record(s, header("execve", pid, ppid, ts), task(facts(pid, ppid, comm)), part(event.PartArgv, argv),
		part(event.PartExe, exe), part(event.PartCwd, "/"), part(event.PartEnv, "X=1\x00"), part(event.PartCgroups, "cpu=/\x00")))
}

func (s *sim) fork(pid, ppid uint32, ts uint64, comm string) {
	s.Helper()
	s.t.Apply(record(s, header("procfork", pid, ppid, ts), task(facts(pid, ppid, comm))))
}

func (s *sim) exit(pid, ppid, reaper uint32, ts uint64) {
	s.Helper()
	h := header("procexit", pid, ppid, ts)
	h.Flags = event.FlagGroupDead
	x := event.ExitFacts{Reaper: reaper}
	s.t.Apply(record(s, h, event.Piece{Kind: event.PartExit, Data: append([]byte(nil), event.BytesOf(&x)...)}))
}

// at returns the image of a known process.
func (s *sim) at(pid uint32, ts uint64) *Image {
	s.Helper()
	_, img, ok := s.t.Lookup(pid, startOf(pid), ts)
	if !ok {
		return nil
	}
	return img
}

func (s *sim) parent(pid, ppid uint32, ts uint64) uint32 {
	s.Helper()
	p, _, ok := s.t.Lookup(pid, startOf(pid), ts)
	if !ok {
		s.Fatalf("process %d is not in the table", pid)
	}
	q := s.t.ParentOf(p, ppid, ts)
	if q == nil {
		return 0
	}
	return q.PID
}

// sound checks what must hold of every table.
func (s *sim) sound() {
	s.Helper()
	t, n := s.t, 0
	for p := t.oldest; p != nil; p = p.next {
		if n++; p.gone || t.find(p.PID, p.Start) != p {
			s.Errorf("process %d is in the list and not in the map", p.PID)
		}
		for c := p.child; c != nil; c = c.nextSib {
			if c.parent != p {
				s.Errorf("%d has the child %d, which has another parent", p.PID, c.PID)
			}
		}
		if p.parent != nil && p.parent.gone {
			s.Errorf("%d has a parent that is gone", p.PID)
		}
		depth := 0
		for q := p; q != nil; q = q.parent {
			if depth++; depth > 5000 {
				s.Fatalf("the lineage of %d goes round", p.PID)
			}
		}
	}
	chained := 0
	for _, p := range t.byPID {
		for ; p != nil; p = p.older {
			chained++
		}
	}
	if uint64(n) != t.Stats().Processes || chained != n {
		s.Errorf("%d in the list, %d in the map, %d counted", n, chained, t.Stats().Processes)
	}
}
