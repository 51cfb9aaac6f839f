// SPDX-License-Identifier: Apache-2.0

package field

import (
	"time"
	"unsafe"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/state"
)

// Host is what fields read besides the record. The pipeline owns it; none of it is safe for concurrent use unless its type says so.
type Host struct {
	Name     string // evt.hostname
	BootTime int64  // Unix time of the boot in nanoseconds: what a record's TS is added to
	// RecordedBoot is the Unix time of a recorded machine's boot, 0 for this host and where it is not known: recordings count from it when pid
	// namespaces began, and everything else from the epoch, so that BootTime is 0.
	RecordedBoot int64
	Location     *time.Location // zone of evt.time and its siblings; nil is the local one
	Static       map[string]string
	Base64       bool // buffers are printed in base64; comparisons do not change
	Procs        *state.Table
	Users        *state.Users
	Guests       *state.Guests
	ReadsUsers   bool // rules read names of users or groups
	Addrs        *state.Addrs
	Names        *state.Names // of the hosts that rules name; nil where they name none
	Containers   *container.Resolver
	HoldBytes    int // how many bytes of events may wait for what is to be known of their containers
}

// Ctx is one event while rules look at it, with the caches that fields share. Use Begin for every event and read fields
// with the functions of their Def. It is not safe for concurrent use.
type Ctx struct {
	Rec  *event.Record
	Host *Host
	Num  uint64 // evt.num

	first uint64 // TS of the first event
	last  uint64 // TS of the event before this one
	delta uint64

	done    caches
	proc    *state.Process
	img     *state.Image
	box     container.Info
	inBox   bool
	pinned  *container.Box  // the box of box, where it is known already
	lacking container.Facts // what was asked of the container and is not known
	lacks   *container.Box  // of which it was asked
	waits   bool            // it may still become known
	fd      fdInfo
	name    Value // fd.name
	alt     Value // the path that an open names
	hasAlt  bool
	mayAlt  bool   // respelled
	arena   []byte // text that fields make
	scratch []byte // text under way
	parent  *state.Process
	task    event.TaskFacts // room for the record's
	mem     event.MemoryFacts
	stdio   []state.Opened
	moved   string // cgroups of a process that is no longer where its image began

	certain, guessed bool // see Perhaps
	// Uncertain says of what has just matched that it would not have without comparisons that only may hold.
	Uncertain bool

	nowFacts event.NowFacts
	hasNow   bool // nowFacts is the record's
}

type caches uint16

const (
	cachedProc caches = 1 << iota
	cachedParent
	cachedBox
	cachedFD
	cachedName
	cachedAlt
	cachedSpelling
	cachedStdio
	cachedNow
	cachedCgroups
)

// NewCtx returns a context over the given host.
func NewCtx(h *Host) *Ctx {
	return &Ctx{Host: h, arena: make([]byte, 0, 16<<10)}
}

// Begin makes c the context of the event in r, which must stay unchanged until the next Begin. num is the event's number.
// Values read before are no longer valid.
func (c *Ctx) Begin(r *event.Record, num uint64) {
	c.Rec, c.Num, c.done = r, num, 0
	c.lacking, c.waits, c.guessed = 0, false, false
	c.arena = c.arena[:0]
	if c.first == 0 {
		c.first, c.last = r.TS, r.TS
	}
	c.delta = r.TS - min(c.last, r.TS)
	c.last = r.TS
}

// Tick ends a cycle of the host's tables: call it when every event of a batch has been handled.
func (h *Host) Tick(now time.Time) {
	h.Procs.Tick()
	h.Users.Refresh(now)
	h.Guests.Tick(now)
	h.Addrs.Refresh(now)
}

// Time returns the event's time in nanoseconds since the epoch.
func (c *Ctx) Time() int64 { return c.wall(c.Rec.TS) }

func (c *Ctx) wall(boot uint64) int64 { return c.Host.BootTime + int64(boot) }

// namespaced returns when a pid namespace began, in Unix time.
func (c *Ctx) namespaced(start uint64) uint64 {
	if c.Host.RecordedBoot != 0 {
		return uint64(c.Host.RecordedBoot) + start
	}
	return uint64(c.wall(start))
}

// Process returns the event's process and the image that ran in it at the event's time; both are never nil.
func (c *Ctx) Process() (*state.Process, *state.Image) {
	if c.done&cachedProc == 0 {
		c.done |= cachedProc
		c.proc, c.img = c.Host.Procs.Of(c.Rec)
	}
	return c.proc, c.img
}

// Parent returns the parent at the event's time, nil when it is not known.
func (c *Ctx) Parent() *state.Process {
	if c.done&cachedParent == 0 {
		c.done |= cachedParent
		p, _ := c.Process()
		c.parent = c.Host.Procs.ParentOf(p, c.Rec.PPID, c.Rec.TS)
	}
	return c.parent
}

// ancestor returns the n-th ancestor (0 is the process itself), nil when the lineage is not known that far.
func (c *Ctx) ancestor(n int) *state.Process {
	p, _ := c.Process()
	for i := 0; i < n && p != nil; i++ {
		p = c.next(p, i)
	}
	return p
}

// next returns the parent of p, which is ancestor i of the event's process.
func (c *Ctx) next(p *state.Process, i int) *state.Process {
	switch {
	case i == 0:
		return c.Parent()
	case i >= maxAncestors:
		return nil
	}
	return c.Host.Procs.ParentOf(p, 0, c.Rec.TS)
}

// maxAncestors bounds every walk up the lineage.
const maxAncestors = 128

// str makes text out of what was appended to the arena since mark. It is valid until the next Begin.
func (c *Ctx) str(mark int) string { return text(c.arena[mark:]) }

// text makes a string of bytes that nobody changes while the event is handled.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
