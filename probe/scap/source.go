// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"falconet/engine/event"
)

// Options say how a capture is read.
type Options struct {
	// Resync passes over what is damaged to the next block that is whole, instead of ending there.
	Resync bool
	// MaxThreads bounds the table of threads, and with it that of descriptors; 0 is Falco's own bound.
	MaxThreads int
}

// User is a user of the recorded machine.
type User struct{ Name, Home, Shell string }

// Stats counts what was read.
type Stats struct {
	Events   uint64 // as recorded: the beginning and the end of a call are two
	Records  uint64 // made of them
	Unknown  uint64 // of types that this version does not know
	Ignored  uint64 // of types that make no record: scheduling, metadata and the like
	Damaged  uint64 // places that were passed over
	Skipped  int64  // bytes that were passed over
	Overflow uint64 // threads and descriptors that found no room
	First    *Damage
}

// Source is a capture that is being read. Its methods belong to one goroutine.
type Source struct {
	Machine Machine
	Users   map[uint32]User
	Groups  map[uint32]string
	Addrs   []netip.Addr
	// Container, when set, is called with what the capture says of a container, in JSON.
	Container func(text []byte)
	// Asks, when set, reports whether anything is to be known of the events of a row, of the generic one of those of a call. The records of
	// others tell no more than that there was an event.
	Asks func(id event.ID, nr uint16, compat bool) bool

	close   func() error
	blocks  *blocks
	pending block // read, but not handled: the first event, which ends the lists
	failed  error // what Run returns
	tables  *tables
	out     *event.Composer
	ev      raw
	stats   Stats
	handle  func(*event.Record)
	apply   func(*event.Record) // for records that are for the state alone
	sockbuf []byte
	ours    bool // the capture is a recording of ours
	running bool
	listed  bool                     // sockets of which it is not yet decided who serves
	check   func(th *thread, e *raw) // looks at each record before it is delivered, and tells what it lacks
}

// Open opens a capture file, - for the standard input, and reads it as New does. Close it.
func Open(name string, o Options) (*Source, error) {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return nil, err
		}
	}
	s, err := New(file, o)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.close = file.Close
	return s, nil
}

// Close closes what Open has opened.
func (s *Source) Close() error { return s.close() }

// New reads what a capture says of the machine before its first event. It reads from r on during Run. Of a capture that is damaged before its first
// event what could be read is kept, and Run returns the *Damage.
func New(r io.Reader, o Options) (*Source, error) {
	in, err := newBlocks(r, o.Resync)
	if err != nil {
		return nil, err
	}
	s := newSource(in, o.MaxThreads)
	for {
		blk, err := in.next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil && isEvent(blk.kind) {
			if s.ev.parse(blk.kind, blk.body) == nil && s.told(&s.ev) { // of processes that were there before
				if err := in.done(&blk); err != nil {
					s.failed = err
					return s, nil
				}
				continue
			}
			s.pending = blk
			return s, nil
		}
		first := in.off == 0
		if err == nil {
			err = s.list(&blk)
		}
		switch {
		case err != nil && first:
			return nil, err
		case err != nil:
			s.failed = err
			return s, nil
		}
	}
}

func newSource(in *blocks, maxThreads int) *Source {
	return &Source{
		blocks: in, close: func() error { return nil }, tables: newTables(maxThreads), out: event.NewComposer(), handle: func(*event.Record) {}, apply: func(*event.Record) {},
		Users: make(map[uint32]User), Groups: make(map[uint32]string),
	}
}

// Stats returns the counters.
func (s *Source) Stats() Stats {
	st := s.stats
	st.Damaged, st.Skipped, st.First, st.Overflow = s.blocks.damaged, s.blocks.skipped, s.blocks.first, s.tables.full
	return st
}

// list takes over a list, and passes over blocks of other kinds.
func (s *Source) list(blk *block) error {
	l := blk.list
	var err error
	switch blk.kind {
	case blockSection:
		err = l.section()
	case blockMachine:
		if m := l.machine(); l.err == nil {
			s.Machine = m
			s.tables.boot = uint64(m.BootTime)
		}
		err = l.err
	case blockAddrs1, blockAddrs2:
		err = l.addrs(blk.kind == blockAddrs2, func(ip netip.Addr) {
			if len(s.Addrs) < maxNames {
				s.Addrs = append(s.Addrs, ip)
			}
		})
	case blockUsers1, blockUsers2:
		err = l.users(blk.kind == blockUsers2, s.user, s.group)
	case blockFDs1, blockFDs2:
		err = l.fds(blk.kind == blockFDs2, s.listedFD)
	default:
		if version := procVersions[blk.kind]; version > 0 {
			err = l.procs(version, s.tables.describe)
		}
	}
	if err != nil {
		return s.damaged(err)
	}
	return s.survive(s.blocks.done(blk))
}

// maxNames bounds users, groups and addresses.
const maxNames = 1 << 16

func (s *Source) user(id uint32, name, home, shell string) {
	if len(s.Users) < maxNames {
		s.Users[id] = User{name, home, shell}
	}
}

func (s *Source) group(id uint32, name string) {
	if len(s.Groups) < maxNames {
		s.Groups[id] = name
	}
}

func (s *Source) listedFD(tid, fd int64, d *desc) {
	th := s.tables.threads[tid]
	if th == nil || d.kind == event.KindUnknown && d.name == "" {
		return
	}
	if k := d.sock; k != nil {
		s.listed = true
		if k.Bound != 0 {
			s.tables.serving[k.LPort] = true
		}
	}
	s.tables.set(th.proc.files, fd, d)
}

// damaged makes an error of what is wrong with the block under way, or with Resync goes on behind it.
func (s *Source) damaged(err error) error {
	d := &Damage{s.blocks.off, err}
	return s.survive(d)
}

func (s *Source) survive(err error) error {
	if err == nil {
		return nil
	}
	var d *Damage
	if !s.blocks.resync || !errors.As(err, &d) {
		return err
	}
	s.blocks.note(d)
	err = s.blocks.seek()
	if errors.Is(err, io.EOF) {
		return nil // next says so again
	}
	return err
}

// Seed calls apply with a record for each process that was there when the capture began, and Run does so for those that turn up later. They are
// for the state alone: no rule is about them.
func (s *Source) Seed(apply func(*event.Record)) {
	s.apply = apply
	for _, p := range s.tables.procs {
		s.image(p, 0)
		apply(s.out.Record())
	}
}

// Run delivers the records of the capture until it ends or ctx does. What is damaged ends it with a *Damage, behind everything that could be read
// before. settled is called now and then, as between the batches of a live source.
func (s *Source) Run(ctx context.Context, handle func(*event.Record), settled func()) error {
	const batch = 4096
	s.handle, s.running = handle, true
	if s.failed != nil {
		return s.failed
	}
	for n := 0; ; n++ {
		if n%batch == batch-1 {
			settled()
			if ctx.Err() != nil {
				return nil
			}
		}
		blk := s.pending
		s.pending = block{}
		if blk.body == nil {
			var err error
			blk, err = s.blocks.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		if !isEvent(blk.kind) {
			if err := s.list(&blk); err != nil {
				return err
			}
			continue
		}
		if err := s.event(&blk); err != nil {
			d := &Damage{s.blocks.off, err}
			if !s.blocks.resync {
				return d
			}
			s.blocks.note(d)
		}
		if err := s.blocks.done(&blk); err != nil {
			return err
		}
	}
}

// event takes one event: beginnings of calls are kept, ends become records.
func (s *Source) event(blk *block) error {
	e := &s.ev
	err := e.parse(blk.kind, blk.body)
	if errors.Is(err, errUnknownEvent) {
		s.stats.Unknown++
		return nil
	}
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	s.stats.Events++
	if s.listed {
		s.decide()
	}
	if e.kind.enter && e.kind.call {
		s.begin(e)
		return nil
	}
	if e.kind.row == nil {
		s.container(e)
		s.told(e)
		s.stats.Ignored++
		return nil
	}
	th := s.tables.thread(e.tid)
	if th.call != nil && th.call.name != e.kind.name {
		th.call = nil // its end was lost
	}
	if len(th.told) > 0 {
		if b, ok := th.entry(tagHeader); ok {
			if w, ok := readWho(b); ok {
				th = s.identify(th, w)
			}
		}
	}
	s.convert(th, e)
	if th := s.tables.threads[e.tid]; th != nil { // it may be another now, or have left
		th.call = nil
		s.forget(th)
	}
	return nil
}

// container hands on what an event tells of a container: in an event of its own kind, or as newer versions do in an asynchronous one.
func (s *Source) container(e *raw) {
	if s.Container == nil {
		return
	}
	if e.kind.number == containerNumber {
		if b, ok := e.named("json"); ok {
			s.Container(text(b))
		}
	} else if data, ok := e.aside("container"); ok {
		s.Container(text(data))
	}
}

// aside is the data of an asynchronous event with a name.
func (e *raw) aside(name string) (data []byte, ok bool) {
	if e.kind.number != asideNumber {
		return nil, false
	}
	if b, ok := e.named("name"); !ok || string(text(b)) != name {
		return nil, false
	}
	return e.named("data")
}

// maxBegunBytes bounds what is kept of the beginnings of calls whose end is not yet seen.
const maxBegunBytes = 64 << 20

// begin keeps the beginning of a call.
func (s *Source) begin(e *raw) {
	end := &schemas[e.kind.number+1]
	empty := e.n == 0 || end.passive() && end.row.ID != event.Generic && !s.asked(end.row.ID, call{})
	if empty && !s.tables.keeps(e.tid) {
		return
	}
	th := s.tables.thread(e.tid)
	th.call, th.n = e.kind, 0
	if empty {
		return
	}
	th.n = min(e.n, maxBegun)
	th.kept = th.kept[:0]
	size := 0
	for _, p := range e.params[:th.n] {
		size += len(p)
	}
	if cap(th.kept) < size || cap(th.kept) > 4096 {
		s.tables.begun -= cap(th.kept)
		th.kept = nil
		if s.tables.begun+size > maxBegunBytes {
			s.tables.full++
			th.n = 0
			return
		}
		th.kept = make([]byte, 0, max(size, 64))
		s.tables.begun += cap(th.kept)
	}
	for i, p := range e.params[:th.n] {
		from := len(th.kept)
		th.kept = append(th.kept, p...)
		th.args[i] = th.kept[from:]
	}
}

// keeps reports whether the thread has a call that another takes the place of.
func (t *tables) keeps(tid int64) bool {
	th := t.threads[tid]
	return th != nil && th.call != nil
}
