// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"context"
	"testing"

	"falconet/engine/event"
)

// BenchmarkRead reads the events of a busy shell: what it takes to make a record of two recorded events.
func BenchmarkRead(b *testing.B) {
	c := newCapture()
	c.procs(9, proc{tid: 100, pid: 100, comm: "bash", exe: "-bash", exepath: "/bin/bash", cwd: "/home/ubuntu"})
	for n := range 10000 {
		ts := uint64(n) * 1000
		c.event(blockEvent2, ts, 100, 6, le(int64(8)), le(uint32(64)))
		c.event(blockEvent2, ts, 100, 7, le(int64(4)), []byte("root"))
		c.event(blockEvent2, ts, 100, numberOf("openat", false), le(int64(8)), le(int64(-100)), zero("../../etc/shadow"), le(uint32(1)), le(uint32(0)), le(uint32(2049)), le(uint64(77)))
		c.event(blockEvent2, ts, 100, numberOf("close", false), le(int64(0)), le(int64(8)))
	}
	b.SetBytes(int64(c.Len()))
	b.ReportAllocs()
	records := 0
	for b.Loop() {
		s, err := New(bytes.NewReader(c.Bytes()), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Run(context.Background(), func(*event.Record) { records++ }, func() {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
