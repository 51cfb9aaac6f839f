// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"testing"

	"falconet/engine/event"
)

// fakeRing is a ring in ordinary memory, laid out as the kernel's: the data twice in a row.
type fakeRing struct {
	*ring
	written uint64
}

func newFakeRing(size int) *fakeRing {
	return &fakeRing{ring: &ring{consumer: make([]byte, 8), producer: make([]byte, 8), data: make([]byte, 2*size), mask: uint64(size - 1)}}
}

// write adds a record; flags are those of the ring's own header.
func (f *fakeRing) write(b []byte, flags uint32) (at uint64) {
	at = f.written
	put := func(off uint64, b []byte) {
		for i, c := range b {
			x := (off + uint64(i)) & f.mask
			f.data[x], f.data[x+f.mask+1] = c, c
		}
	}
	put(at, binary.LittleEndian.AppendUint32(nil, uint32(len(b))|flags))
	put(at+recordHeader, b)
	f.written += (uint64(len(b)) + recordHeader + 7) &^ 7
	*position(f.producer) = f.written
	return at
}

func record(name string, pid uint32, ts uint64) []byte {
	return event.Encode(nil, event.Header{Event: event.ByName(name)[0], PID: pid, TS: ts},
		event.Piece{Kind: event.PartName, Data: []byte("/some/where")}, event.Piece{Kind: event.PartPath, Data: []byte("/some/where")})
}

func fakeProbe(size int) (p *Probe, events, life *fakeRing) {
	events, life = newFakeRing(size), newFakeRing(size)
	return &Probe{events: []*ring{events.ring}, life: life.ring, beatID: event.ByName("heartbeat")[0]}, events, life
}

func delivered(p *Probe) (ts []uint64) {
	p.Drain(func(r *event.Record) { ts = append(ts, r.TS) }, func() {})
	return ts
}

func TestMergeIsByTime(t *testing.T) {
	p, events, life := fakeProbe(1 << 16)
	for _, ts := range []uint64{2, 4, 5, 9} {
		events.write(record("open", 1, ts), 0)
	}
	for _, ts := range []uint64{1, 3, 5, 6, 7, 12} {
		life.write(record("procexit", 1, ts), 0)
	}
	got := delivered(p)
	want := []uint64{1, 2, 3, 4, 5, 5, 6, 7, 9, 12}
	if len(got) != len(want) {
		t.Fatalf("delivered %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("delivered %v", got)
		}
	}
	only(t, *position(events.consumer), events.written, "what was given back of events")
	only(t, *position(life.consumer), life.written, "what was given back of life")
}

// At one time, life comes first: an image before what it does.
func TestMergePrefersLife(t *testing.T) {
	p, events, life := fakeProbe(1 << 16)
	events.write(record("open", 1, 5), 0)
	life.write(record("execve", 1, 5), 0)
	var names []string
	p.Drain(func(r *event.Record) { names = append(names, r.EventName()) }, func() {})
	if len(names) != 2 || names[0] != "execve" {
		t.Errorf("delivered %v", names)
	}
}

// A record that is being written holds back what is behind it and later life, and a discarded one is passed over.
func TestMergeWaitsForWriters(t *testing.T) {
	p, events, life := fakeProbe(1 << 16)
	events.write(record("open", 1, 1), 0)
	events.write(record("open", 1, 2), recordDiscard)
	busy := events.write(record("open", 1, 3), recordBusy)
	events.write(record("open", 1, 6), 0)
	life.write(record("procexit", 1, 5), 0)
	if got := delivered(p); len(got) != 1 || got[0] != 1 {
		t.Fatalf("delivered %v before the writer was done", got)
	}
	size := binary.LittleEndian.Uint32(events.data[busy:])
	binary.LittleEndian.PutUint32(events.data[busy:], size&^recordBusy)
	if got := delivered(p); len(got) != 3 || got[0] != 3 || got[1] != 5 || got[2] != 6 {
		t.Errorf("delivered %v after it was", got)
	}
}

// What is no record is counted and passed over.
func TestMalformedRecordsAreCounted(t *testing.T) {
	p, events, life := fakeProbe(1 << 16)
	good := record("open", 1, 7)
	for _, b := range [][]byte{{}, {1, 2, 3}, make([]byte, event.HeaderSize), good[:len(good)-1]} {
		events.write(b, 0)
		life.write(b, 0)
	}
	events.write(good, 0)
	if got := delivered(p); len(got) != 1 || got[0] != 7 {
		t.Errorf("delivered %v", got)
	}
	only(t, p.Malformed(), uint64(8), "number of malformed records")
}

func TestDeliveryAllocatesNothing(t *testing.T) {
	p, events, life := fakeProbe(1 << 20)
	open, exit, beat := record("open", 1, 10), record("procexit", 2, 11), record("heartbeat", 3, 12)
	n := 0
	m := newMerger(p, func(r *event.Record) {
		if _, ok := r.Part(event.PartPath); ok {
			n++
		}
	}, func() {})
	const each = 100
	got := testing.AllocsPerRun(50, func() {
		for range each {
			events.writeAgain(open)
			events.writeAgain(beat)
			life.writeAgain(exit)
		}
		for m.batch() {
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
	if n != 51*each {
		t.Errorf("%d records were delivered", n)
	}
}

// writeAgain is write without any allocation.
func (f *fakeRing) writeAgain(b []byte) {
	at := f.written & f.mask
	binary.LittleEndian.PutUint32(f.data[at:], uint32(len(b)))
	copy(f.data[at+recordHeader:], b)
	// both copies: a record may begin before the end and go on behind it
	if end := at + recordHeader + uint64(len(b)); end > f.mask+1 {
		copy(f.data, f.data[f.mask+1:end])
	}
	f.written += (uint64(len(b)) + recordHeader + 7) &^ 7
	*position(f.producer) = f.written
}
