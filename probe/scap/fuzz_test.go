// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"testing"

	"falconet/engine/event"
)

// FuzzRead reads anything: it must end, without a panic, and what it delivers must be whole records.
func FuzzRead(f *testing.F) {
	all := sample(2).Bytes()
	f.Add(all, false)
	f.Add(sample(1).Bytes(), true)
	f.Add(all[:len(all)-7], true)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(all)
	_ = w.Close()
	f.Add(z.Bytes(), false)
	f.Add(writtenSample(f), true)
	f.Fuzz(func(t *testing.T, b []byte, resync bool) {
		s, err := New(bytes.NewReader(b), Options{Resync: resync, MaxThreads: 64})
		if err != nil {
			var d *Damage
			if !errors.As(err, &d) && !errors.Is(err, ErrNoCapture) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		var raw []byte
		var again event.Record
		handle := func(r *event.Record) {
			raw = s.out.Append(raw[:0])
			if err := again.Reset(raw); err != nil {
				t.Fatalf("record of %s: %v", r.EventName(), err)
			}
			for i := range r.Row().Params {
				_, _ = r.Uint(i)
				_, _ = r.Bytes(i)
			}
		}
		s.Seed(handle)
		err = s.Run(context.Background(), handle, func() {})
		var d *Damage
		if err != nil && !errors.As(err, &d) {
			t.Fatalf("error without a place: %v", err)
		}
		audit(t, s.tables)
	})
}

// audit checks that what tables count is what they hold.
func audit(t *testing.T, tables *tables) {
	t.Helper()
	if n := len(tables.threads); n > tables.maxThreads {
		t.Fatalf("%d threads where %d have room", n, tables.maxThreads)
	}
	fds, begun := 0, 0
	seen := make(map[*files]bool)
	for _, th := range tables.threads {
		begun += cap(th.kept) + cap(th.told)
		if f := th.proc.files; !seen[f] {
			seen[f] = true
			for _, d := range f.byFD {
				fds += d.weight()
			}
		}
	}
	if fds != tables.fds || begun != tables.begun {
		t.Fatalf("descriptors weigh %d and %d are counted, beginnings have %d bytes and %d are counted", fds, tables.fds, begun, tables.begun)
	}
	if tables.fds > tables.maxFDs {
		t.Fatalf("descriptors weigh %d where %d have room", tables.fds, tables.maxFDs)
	}
}
