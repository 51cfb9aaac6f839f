// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"falconet/engine/event"

	"golang.org/x/sys/unix"
)

const (
	// gather is how long the reader rests after a batch: in this time events collect without waking anybody. It bounds the
	// latency of an alert from below.
	gather = time.Millisecond
	// idle bounds one wait for events, so that the end of the context is noticed.
	idle = 200 * time.Millisecond
)

// Run delivers records to handle, in time order, until ctx ends; it returns nil then. The record and its bytes are valid during
// the call only. settled is called whenever every event that had been sent before the previous call of settled has been
// delivered: what is kept for the sake of older events may go then. Run must not be called twice.
//
// Order: all rings are read to points that lie before the oldest record behind them, and merged by timestamp; that of process life is read
// last, so that whatever the events depend on is there. A process's own events and its life are therefore in order; events of different
// CPUs may be off by the time that one record takes to be written.
func (p *Probe) Run(ctx context.Context, handle func(*event.Record), settled func()) error {
	epoll, err := p.epoll()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(epoll) }()
	go p.reclaim(ctx)
	m := newMerger(p, handle, settled)
	for ctx.Err() == nil {
		if m.batch() {
			time.Sleep(gather)
			continue
		}
		if err := wait(epoll); err != nil {
			return err
		}
	}
	return nil
}

// Drain delivers what is in the rings now and returns.
func (p *Probe) Drain(handle func(*event.Record), settled func()) {
	m := newMerger(p, handle, settled)
	for m.batch() {
	}
}

func (p *Probe) epoll() (int, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("create epoll: %w", err)
	}
	rings := []int{p.maps["life"].FD()}
	for _, m := range p.eventMaps {
		rings = append(rings, m.FD())
	}
	for _, ring := range rings {
		if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, ring, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("watch ring: %w", err)
		}
	}
	return fd, nil
}

func wait(epoll int) error {
	var ready [1]unix.EpollEvent
	_, err := unix.EpollWait(epoll, ready[:], int(idle/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for events: %w", err)
	}
	return nil
}

// merger joins the rings.
type merger struct {
	p       *Probe
	handle  func(*event.Record)
	settled func()
	sources []source // life first: at one time an image comes before what it does
	heap    []*source
	horizon uint64 // records from here on are for a later batch
	rec     event.Record
}

func newMerger(p *Probe, handle func(*event.Record), settled func()) *merger {
	m := &merger{p: p, handle: handle, settled: settled, sources: []source{{ring: p.life, life: true}}}
	share := max(batchBytes/max(len(p.events), 1), releaseEvery)
	for i, r := range p.events {
		m.sources = append(m.sources, source{ring: r, share: uint64(share), rank: i + 1, mark: r.end()})
	}
	m.heap = make([]*source, 0, len(m.sources))
	return m
}

// batch delivers one batch and reports whether there may be more.
func (m *merger) batch() bool {
	from := m.position()
	held := m.begin() && m.merge()
	settled := true
	for i := range m.sources {
		s := &m.sources[i]
		s.release()
		settled = settled && s.pos >= s.mark
	}
	if settled {
		m.settled()
		for i := range m.sources[1:] {
			m.sources[i+1].mark = m.sources[i+1].end()
		}
	}
	return held || m.position() != from
}

// position is a number that grows with every record that is taken.
func (m *merger) position() (sum uint64) {
	for i := range m.sources {
		sum += m.sources[i].pos
	}
	return sum
}

// begin decides how far the batch goes and finds the first record of each ring. It is false when an event is still being written, whose time
// nobody knows.
func (m *merger) begin() bool {
	events := m.sources[1:]
	for i := range events {
		events[i].plan()
	}
	m.sources[0].plan() // after the events: whatever they depend on is before its end
	// What has come since then, while other rings were looked at, may be older than what is in these.
	m.horizon = ^uint64(0)
	for i := range events {
		m.horizon = min(m.horizon, events[i].next())
	}
	m.heap = m.heap[:0]
	for i := range m.sources {
		s := &m.sources[i]
		switch s.advance() {
		case inBatch:
			m.heap = append(m.heap, s)
		case beingWritten:
			return false
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sift(i)
	}
	return true
}

// merge delivers the records of the batch, oldest first. It reports whether it stopped at the horizon.
func (m *merger) merge() (held bool) {
	for len(m.heap) > 0 {
		s := m.heap[0]
		if s.ts > m.horizon {
			return true
		}
		m.deliver(s.head)
		s.took()
		switch s.advance() {
		case inBatch:
		case beingWritten:
			return false
		case atEnd:
			if s.cut {
				return false // what comes next there may be older than what the others have
			}
			last := len(m.heap) - 1
			m.heap[0] = m.heap[last]
			m.heap = m.heap[:last]
		}
		m.sift(0)
	}
	return false
}

// sift lets the element at i of the heap sink to its place.
func (m *merger) sift(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heap); c++ {
			if m.heap[c].before(m.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

func (m *merger) deliver(b []byte) {
	if err := m.rec.Reset(b); err != nil {
		m.p.malformed.Add(1)
		return
	}
	if m.rec.Event == m.p.beatID {
		m.p.beats.Add(1)
		return
	}
	m.handle(&m.rec)
}
