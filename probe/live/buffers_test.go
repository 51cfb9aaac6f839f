// SPDX-License-Identifier: Apache-2.0

package live

import (
	"math/rand/v2"
	"slices"
	"testing"

	"falconet/engine/event"
)

func TestParseCPUs(t *testing.T) {
	f := func(text string, want ...int) {
		t.Helper()
		got, err := parseCPUs(text)
		if (err == nil) != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	f("0", 0)
	f("0-3", 0, 1, 2, 3)
	f("0,2-3,8", 0, 2, 3, 8)
	for _, bad := range []string{"", "x", "3-1", "-1", "0-", "0-99999999", "1,,2"} {
		f(bad)
	}
}

func TestShare(t *testing.T) {
	f := func(online []int, possible, each int, rings int, want ...int) {
		t.Helper()
		ringOf, n := share(online, possible, each)
		if n != rings || !slices.Equal(ringOf, want) {
			t.Errorf("%v of %d, %d a ring: %d rings, %v, want %d, %v", online, possible, each, n, ringOf, rings, want)
		}
	}
	f([]int{0, 1, 2, 3}, 4, 0, 1, 0, 0, 0, 0)
	f([]int{0, 1, 2, 3}, 4, 1, 4, 0, 1, 2, 3)
	f([]int{0, 1, 2, 3}, 4, 2, 2, 0, 0, 1, 1)
	f([]int{0, 1, 2}, 3, 2, 2, 0, 0, 1)
	f([]int{0, 1}, 2, 9, 1, 0, 0)
	f([]int{0, 2}, 6, 1, 2, 0, 1, 1, 1, 0, 1) // those that are not online have a ring should they come
	f(nil, 2, 2, 1, 0, 0)
}

// severalRings is a probe with rings in ordinary memory.
func severalRings(n, size int) (p *Probe, events []*fakeRing, life *fakeRing) {
	life = newFakeRing(size)
	p = &Probe{life: life.ring, beatID: event.ByName("heartbeat")[0]}
	for range n {
		r := newFakeRing(size)
		events = append(events, r)
		p.events = append(p.events, r.ring)
	}
	return p, events, life
}

// Records that are spread over many rings, each in order, are delivered in order, all of them.
func TestMergeOfManyRings(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 64} {
		p, events, life := severalRings(n, 1<<17)
		random := rand.New(rand.NewPCG(uint64(n), 1))
		const records = 600
		for ts := range uint64(records) {
			if random.IntN(5) == 0 {
				life.write(record("procexit", 1, ts), 0)
			} else {
				events[random.IntN(n)].write(record("open", 1, ts), 0)
			}
		}
		got := delivered(p)
		if len(got) != records || !slices.IsSorted(got) {
			t.Errorf("%d rings: %d records delivered, sorted: %v", n, len(got), slices.IsSorted(got))
		}
		for i, r := range append(events, life) {
			only(t, *position(r.consumer), r.written, "what was given back of ring "+string(rune('0'+i%10)))
		}
	}
}

// More than a batch in one ring holds back what is newer in another.
func TestMergeOfManyBatches(t *testing.T) {
	p, events, life := severalRings(2, 4<<20)
	ts := uint64(0)
	for events[0].written < 3<<20 {
		ts++
		events[0].write(record("open", 1, ts), 0)
	}
	last := ts + 1
	events[1].write(record("open", 1, 7), 0)
	events[1].write(record("open", 1, last), 0)
	life.write(record("procexit", 1, last), 0)
	got := delivered(p)
	if uint64(len(got)) != ts+3 || !slices.IsSorted(got) {
		t.Errorf("%d of %d records delivered, sorted: %v", len(got), ts+3, slices.IsSorted(got))
	}
}

// A record that comes while the rings are looked at, older than one in another ring, holds that back.
func TestMergeStopsAtTheHorizon(t *testing.T) {
	p, events, _ := severalRings(2, 1<<16)
	events[1].write(record("open", 1, 20), 0)
	var got []uint64
	m := newMerger(p, func(r *event.Record) { got = append(got, r.TS) }, func() {})
	for i := range m.sources {
		m.sources[i].plan()
	}
	events[0].write(record("open", 1, 10), 0) // too late for the batch
	if next := m.sources[1].next(); next != 10 {
		t.Fatalf("what comes next has time %d", next)
	}
	m.horizon = m.sources[1].next()
	if m.sources[2].advance() != inBatch {
		t.Fatal("the record of the other ring is not there")
	}
	m.heap = append(m.heap[:0], &m.sources[2])
	if held := m.merge(); !held || len(got) != 0 {
		t.Fatalf("delivered %v, held %v", got, held)
	}
	for m.batch() {
	}
	if !slices.Equal(got, []uint64{10, 20}) {
		t.Errorf("delivered %v", got)
	}
}

// settled comes only when every ring has been read to where it was.
func TestSettledWaitsForAllRings(t *testing.T) {
	p, events, _ := severalRings(2, 1<<16)
	busy := events[1].write(record("open", 1, 5), recordBusy)
	settled := 0
	m := newMerger(p, func(*event.Record) {}, func() { settled++ })
	m.batch()
	only(t, settled, 0, "calls of settled while a record is being written")
	events[1].data[busy+3] &^= recordBusy >> 24
	for m.batch() {
	}
	if settled == 0 {
		t.Error("settled was never called")
	}
}
