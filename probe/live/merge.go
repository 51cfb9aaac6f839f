// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"falconet/engine/event"

	"golang.org/x/sys/unix"
)

const (
	// batchBytes bounds the events that are taken between two looks at the life ring, so that it cannot fill behind our back.
	batchBytes = 1 << 20
	// releaseEvery gives room back to the kernel during a batch, without touching the shared cache line for every record.
	releaseEvery = 64 << 10
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
// Order: the life ring is read to a point not before the end of the batch of events, then both are merged by timestamp. A
// process's own events and its life are therefore in order; events of different CPUs may be off by the time that one record
// takes to be written.
func (p *Probe) Run(ctx context.Context, handle func(*event.Record), settled func()) error {
	epoll, err := p.epoll()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(epoll) }()
	go p.reclaim(ctx)
	m := merger{p: p, handle: handle, settled: settled, mark: p.events.end()}
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
	m := merger{p: p, handle: handle, settled: settled, mark: p.events.end()}
	for m.batch() {
	}
}

func (p *Probe) epoll() (int, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("create epoll: %w", err)
	}
	for _, ring := range []int{p.maps["events"].FD(), p.maps["life"].FD()} {
		if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, ring, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("watch ring: %w", err)
		}
	}
	return fd, nil
}

func wait(epoll int) error {
	var ready [2]unix.EpollEvent
	_, err := unix.EpollWait(epoll, ready[:], int(idle/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for events: %w", err)
	}
	return nil
}

// merger joins the two rings.
type merger struct {
	p       *Probe
	handle  func(*event.Record)
	settled func()
	mark    uint64 // settled is due once the events ring has been read to here
	rec     event.Record
}

// batch delivers one batch and reports whether there was anything in it.
func (m *merger) batch() bool {
	events, life := m.p.events, m.p.life
	from, lifeFrom := events.pos, life.pos
	end := events.end()
	limit := min(end, events.pos+batchBytes)
	lifeLimit := life.end() // after the end of the events: whatever they depend on is before it
	released := events.pos
	for {
		e, busy := events.peek(limit)
		l := m.nextLife(lifeLimit)
		switch {
		case l != nil && (e == nil && !busy && limit == end || e != nil && timestamp(l) <= timestamp(e)):
			m.deliver(l)
			life.take(uint64(len(l)))
			life.release()
			continue
		case e != nil:
			m.deliver(e)
			events.take(uint64(len(e)))
			if events.pos-released >= releaseEvery {
				released = events.pos
				events.release()
			}
			continue
		}
		break
	}
	events.release()
	if events.pos >= m.mark {
		m.settled()
		m.mark = events.end()
	}
	return events.pos != from || life.pos != lifeFrom
}

// nextLife waits for a record that is still being written: the writer is in the middle of one copy, with preemption off.
func (m *merger) nextLife(limit uint64) []byte {
	for {
		b, busy := m.p.life.peek(limit)
		if !busy {
			return b
		}
		runtime.Gosched()
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
