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
		if n := len(s.tables.threads); n > 64 {
			t.Fatalf("%d threads where 64 have room", n)
		}
	})
}
