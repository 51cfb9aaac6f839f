// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"falconet/engine/event"
)

// asking reads a capture and returns what is looked at of it, and how many records there are in all.
func asking(t *testing.T, b []byte, asks func(id event.ID, nr uint16, compat bool) bool) (looked []string, all int) {
	t.Helper()
	s, err := New(bytes.NewReader(b), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Asks = asks
	err = s.Run(context.Background(), func(r *event.Record) {
		all++
		if asks(r.Event, r.NR, r.Compat32()) {
			looked = append(looked, r.EventName()+string(s.out.Append(nil)))
		}
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return looked, all
}

// What is asked for is told the same whether the rest is asked for too or not, and there are as many records.
func TestAsks(t *testing.T) {
	captures := map[string][]byte{"early": sample(1).Bytes(), "late": sample(2).Bytes(), "written": writtenSample(t)}
	files, _ := filepath.Glob(filepath.Join("..", "..", "build", "e2e", "testdata", "corpus", "*.scap"))
	if len(files) == 0 {
		t.Fatal("no corpus")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		captures[filepath.Base(file)] = b
	}
	type kind struct {
		id     event.ID
		nr     uint16
		compat bool
	}
	for name, b := range captures {
		var kinds []kind
		seen := make(map[kind]int)
		all := make(map[kind][]string)
		s, err := New(bytes.NewReader(b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		err = s.Run(context.Background(), func(r *event.Record) {
			total++
			k := kind{id: r.Event}
			if r.Event == event.Generic {
				k.nr, k.compat = r.NR, r.Compat32()
			}
			if seen[k]++; seen[k] == 1 {
				kinds = append(kinds, k)
			}
			all[k] = append(all[k], r.EventName()+string(s.out.Append(nil)))
		}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kinds {
			got, n := asking(t, b, func(id event.ID, nr uint16, compat bool) bool {
				return id == k.id && (id != event.Generic || nr == k.nr && compat == k.compat)
			})
			if n != total || len(got) != len(all[k]) {
				t.Errorf("%s: asked for %s alone: %d of %d records, %d of %d that were asked for", name, event.RowOf(k.id).Name, n, total, len(got), len(all[k]))
				continue
			}
			for i := range got {
				if got[i] != all[k][i] {
					t.Errorf("%s: asked for %s alone, record %d of them is another\n%q\nwant\n%q", name, event.RowOf(k.id).Name, i, got[i], all[k][i])
					break
				}
			}
		}
	}
}

// Where a process is the engine learns from its calls, whether a rule looks at them or not.
func TestAsksNothing(t *testing.T) {
	c := newCapture()
	c.procs(9, proc{tid: 100, pid: 100, comm: "bash", exe: "-bash", exepath: "/bin/bash", cwd: "/home"})
	c.event(blockEvent2, 1, 100, numberOf("chdir", false), le(int64(0)), zero("ubuntu"))
	s, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Asks = func(event.ID, uint16, bool) bool { return false }
	var dir string
	if err := s.Run(context.Background(), func(r *event.Record) {
		b, _ := r.Part(event.PartCwd)
		dir = string(b)
	}, func() {}); err != nil || dir != "/home/ubuntu" {
		t.Errorf("%q, %v; want /home/ubuntu", dir, err)
	}
}
