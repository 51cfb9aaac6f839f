// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"falconet/engine/event"
)

// writtenSample is what the writer makes of the sample.
func writtenSample(t testing.TB) []byte {
	t.Helper()
	return written(t, someLists(0), records(t, sample(2).Bytes()))
}

// records reads all records of a capture, each as bytes of its own.
func records(t testing.TB, b []byte) (all [][]byte) {
	t.Helper()
	s, err := New(bytes.NewReader(b), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Seed(func(*event.Record) {})
	if err := s.Run(context.Background(), func(*event.Record) { all = append(all, s.out.Append(nil)) }, func() {}); err != nil {
		t.Fatal(err)
	}
	return all
}

func lines(t *testing.T, all [][]byte) (out []string) {
	t.Helper()
	var r event.Record
	for _, b := range all {
		if err := r.Reset(b); err != nil {
			t.Fatal(err)
		}
		if !r.Row().Internal() {
			out = append(out, show(&r))
		}
	}
	return out
}

// written writes records of bytes as a capture.
func written(t testing.TB, l *Lists, all [][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, l)
	if err != nil {
		t.Fatal(err)
	}
	var r event.Record
	for _, b := range all {
		if err := r.Reset(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Record(&r, 0); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// What is read, written and read again is the same, though the writer is told nothing of processes and descriptors beforehand.
func TestWriteReads(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.scap"))
	more, _ := filepath.Glob(os.Getenv("FALCONET_CAPTURES"))
	for _, file := range append(files, more...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first := records(t, b)
			second := written(t, &Lists{Machine: Machine{Hostname: "h"}}, first)
			want, got := lines(t, first), lines(t, records(t, second))
			for i := range want {
				if i >= len(got) || got[i] != want[i] {
					t.Errorf("record %d:\n%s\nwant\n%s", i, slices.Concat(got, make([]string, len(want)))[i], want[i])
					break
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d records of %d", len(got), len(want))
			}
			t.Logf("%d records, %d bytes from %d", len(want), len(second), len(b))
		})
	}
}

// Every row of the event table can be written, with every parameter.
func TestWriteEveryRow(t *testing.T) {
	n := 0
	for id := range event.Rows()[1:] {
		row := event.RowOf(event.ID(id + 1))
		if row.Internal() {
			continue
		}
		w := newest[row.ID]
		if w == nil {
			t.Errorf("%s has no event in the schema", row.Name)
			continue
		}
		n++
		for i := range row.Params {
			if !slices.ContainsFunc(w.steps, func(p put) bool { return p.from == i }) {
				t.Errorf("%s.%s is not written", row.Name, row.Params[i].Name)
			}
		}
		for i := range w.steps {
			if p := &w.steps[i]; p.as == formNumber && p.width == 0 {
				t.Errorf("%s.%s has the type %s of no width", row.Name, w.params[i].name, w.params[i].kind)
			}
		}
	}
	t.Logf("%d rows", n)
}
