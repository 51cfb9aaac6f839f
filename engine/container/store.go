// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what a Store knows of the host.
type Options struct {
	Root    string   // where the host's root directory is seen, "" for this one
	Enabled Enabled  // runtimes whose containers are told apart at all
	Sockets []string // of the container runtime interface, asked in this order
	NoDisk  bool     // ask the sockets alone
	NoAPI   bool     // read the disk alone
}

// StoreStats counts what a Store did. Every count only grows but Containers.
type StoreStats struct {
	Containers uint64 // known now
	FromDisk   uint64 // of which the disk told name and image
	FromAPI    uint64 // of which a socket told what the disk had not
	Failed     uint64 // of which nothing more could be learned
	Retries    uint64
	Evictions  uint64
	Refused    uint64 // look-ups for which there was no room
}

// Store finds out what there is to know of containers, in the background, and keeps it. Box belongs to one goroutine, the rest may be
// called from any. Close ends its goroutines.
type Store struct {
	disk  disk
	opts  Options
	max   int
	boxes map[Info]*Box
	order []*Box // the oldest first, from head on
	head  int
	room

	patience time.Duration // how long Await may wait at once by now
	awaited  time.Time

	disks  chan *Box
	asks   chan *Box
	stop   context.CancelFunc
	ctx    context.Context
	wg     sync.WaitGroup
	docker *socket
	podman *socket
	cris   []*socket

	changed chan struct{} // has an element after some container became known

	containers, fromDisk, fromAPI, failed, retries, evictions, refused atomic.Uint64
}

const (
	maxBoxes   = 4096
	maxBytes   = 16 << 20
	maxQueue   = 4096
	askers     = 4
	askTimeout = 2 * time.Second
	firstRetry = 125 * time.Millisecond
	maxTries   = 6 // the last one about four seconds after the first

	maxAwait      = 50 * time.Millisecond
	maxPatience   = 500 * time.Millisecond
	patienceShare = 10
)

// Box is one container. Its methods may be called from any goroutine.
type Box struct {
	Info
	meta  atomic.Pointer[Metadata]
	read  chan struct{} // closed when the disk has been read
	phase atomic.Uint32
	tries int

	// The rest belongs to the goroutine that calls Store.Box.
	refused bool // there was no room to find out anything
	used    bool // was asked for since it was last looked at for leaving
	dropped bool // has left
	size    int  // under the lock of room: what is kept, in bytes
}

// The phases of a Box.
const (
	phaseDisk    uint32 = iota // the disk has not been read
	phaseAPI                   // a socket is being asked for the rest
	phaseSettled               // nothing more will be learned
)

var nothing = &Metadata{}

// Metadata returns what is known by now; it is never nil.
func (b *Box) Metadata() *Metadata {
	if m := b.meta.Load(); m != nil {
		return m
	}
	return nothing
}

// Settled reports whether nothing more will become known.
func (b *Box) Settled() bool { return b.phase.Load() == phaseSettled }

// Wait waits for the disk to have been read, for at most d, and reports whether it has.
func (b *Box) Wait(d time.Duration) bool {
	select {
	case <-b.read:
		return true
	default:
	}
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.read:
		return true
	case <-timer.C:
		return false
	}
}

// NewStore returns a store; its goroutines run until Close.
func NewStore(o Options) *Store {
	s := &Store{
		disk: disk{host: o.Root, on: o.Enabled}, opts: o, max: maxBoxes, room: room{bytes: maxBytes}, boxes: make(map[Info]*Box),
		disks: make(chan *Box, maxQueue), asks: make(chan *Box, maxQueue), changed: make(chan struct{}, 1),
		docker: newSocket(o.Root, "/run/docker.sock", false), podman: newSocket(o.Root, "/run/podman/podman.sock", false),
	}
	for _, path := range o.Sockets {
		s.cris = append(s.cris, newSocket(o.Root, path, true))
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.wg.Go(s.readDisks)
	for range askers {
		s.wg.Go(s.askAPIs)
	}
	return s
}

// Close ends the store's goroutines and waits for them.
func (s *Store) Close() {
	s.stop()
	s.wg.Wait()
}

// Changed has an element when more has become known of some container since the last one was taken.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Stats returns the counters.
func (s *Store) Stats() StoreStats {
	return StoreStats{
		s.containers.Load(), s.fromDisk.Load(), s.fromAPI.Load(), s.failed.Load(), s.retries.Load(), s.evictions.Load(), s.refused.Load(),
	}
}

// Box returns the container of that identity, and begins to find out about it if it is new.
func (s *Store) Box(info Info) *Box {
	if b := s.boxes[info]; b != nil {
		b.used = true
		return b
	}
	b := &Box{Info: info, read: make(chan struct{})}
	select {
	case s.disks <- b:
	default: // there is more to do than can be done: the next look-up tries again
		s.refused.Add(1)
		close(b.read)
		b.refused = true
		return b
	}
	for len(s.boxes) > 0 && (len(s.boxes) >= s.max || s.full()) {
		s.evict()
	}
	if s.head > s.max {
		s.order = append(s.order[:0], s.order[s.head:]...)
		s.head = 0
	}
	s.boxes[info] = b
	s.order = append(s.order, b)
	s.containers.Store(uint64(len(s.boxes)))
	return b
}

// Await waits for the disk to have been read. It waits for tens of milliseconds at most, and for no more than a part of the time
// altogether, however many containers are new: whoever looks at events must not fall behind. Like Box it belongs to one goroutine.
func (s *Store) Await(b *Box) {
	select {
	case <-b.read:
		return
	default:
	}
	now := time.Now()
	s.patience = min(s.patience+now.Sub(s.awaited)/patienceShare, maxPatience)
	s.awaited = now
	b.Wait(min(s.patience, maxAwait))
	s.patience -= min(time.Since(now), s.patience)
}

func (s *Store) readDisks() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case b := <-s.disks:
			s.readDisk(b)
		}
	}
}

func (s *Store) readDisk(b *Box) {
	if !s.opts.NoDisk {
		if m := s.disk.find(b.Info); m != nil {
			s.keep(b, m)
			if m.Have&HasName != 0 && m.Have&HasImage != 0 {
				s.fromDisk.Add(1)
			}
		}
	}
	if m := b.Metadata(); m.Have == hasAll || !s.asked(b.Info) {
		b.phase.Store(phaseSettled)
	} else {
		b.phase.Store(phaseAPI)
		s.queue(b)
	}
	close(b.read)
	s.tell()
}

// asked reports whether there is a socket that could tell of the container.
func (s *Store) asked(info Info) bool {
	return !s.opts.NoAPI && !info.Named()
}

func (s *Store) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// queue has a socket asked for a container; where there are too many of them, it stays as it is.
func (s *Store) queue(b *Box) {
	select {
	case s.asks <- b:
	default:
		s.refused.Add(1)
		b.phase.Store(phaseSettled)
	}
}

func (s *Store) askAPIs() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case b := <-s.asks:
			s.askAPI(b)
		}
	}
}

func (s *Store) askAPI(b *Box) {
	if b.tries > 0 && !s.opts.NoDisk { // docker writes a container's address when it has started
		if m := s.disk.find(b.Info); m != nil {
			s.keep(b, b.meta.Load().merge(m))
		}
	}
	m, err := s.ask(b)
	b.tries++
	again := b.tries < maxTries
	if errors.Is(err, errNoSocket) {
		again = b.tries < maxTries && b.Metadata().Type == "docker" && b.Metadata().Have&HasIP == 0
	}
	switch {
	case err == nil:
		s.keep(b, b.meta.Load().merge(m))
		s.fromAPI.Add(1)
		b.phase.Store(phaseSettled)
	case !again:
		if b.Metadata().Have != hasAll {
			s.failed.Add(1)
		}
		b.phase.Store(phaseSettled)
	default: // a runtime tells of some containers only when they have been started
		s.retries.Add(1)
		time.AfterFunc(firstRetry<<(b.tries-1), func() {
			if s.ctx.Err() == nil {
				s.queue(b)
			}
		})
		return
	}
	s.tell()
}

// errNoSocket says that no runtime listens that could tell of a container.
var errNoSocket = errors.New("no runtime answers")

// ask asks every runtime that the container may belong to, the most probable first.
func (s *Store) ask(b *Box) (*Metadata, error) {
	ctx, cancel := context.WithTimeout(s.ctx, askTimeout)
	defer cancel()
	kind := b.Type
	if t := b.Metadata().Type; t != "" {
		kind = t
	}
	on := s.opts.Enabled
	var last error = errNoSocket
	try := func(enabled bool, m func() (*Metadata, error)) *Metadata {
		if !enabled {
			return nil
		}
		got, err := m()
		switch {
		case err == nil:
			return got
		case !refused(err):
			last = err
		}
		return nil
	}
	docker := func() (*Metadata, error) { return s.docker.inspect(ctx, b.Info) }
	podman := func() (*Metadata, error) { return s.podman.inspect(ctx, b.Info) }
	if b.UID != 0 {
		podman = func() (*Metadata, error) {
			user := newSocket(s.opts.Root, "/run/user/"+strconv.Itoa(b.UID)+"/podman/podman.sock", false)
			defer user.http.CloseIdleConnections()
			return user.inspect(ctx, b.Info)
		}
	}
	if kind == "docker" || kind == "cri" {
		if m := try(on.Docker, docker); m != nil {
			return m, nil
		}
	}
	if kind == "podman" {
		if m := try(on.Podman, podman); m != nil {
			return m, nil
		}
	}
	if kind != "podman" {
		for _, c := range s.cris {
			call := func() (*Metadata, error) { return c.cri(ctx, b.Info) }
			if !isImageID(b.FullID) {
				call = func() (*Metadata, error) { return c.plain(ctx, b.Info) }
			}
			if m := try(on.CRI, call); m != nil {
				return m, nil
			}
			if m := try(on.CRI && isImageID(b.FullID) && kind == "containerd", func() (*Metadata, error) { return c.plain(ctx, b.Info) }); m != nil {
				return m, nil
			}
		}
	}
	return nil, last
}
