// SPDX-License-Identifier: Apache-2.0

// Package engine is the pipeline: records in, alerts out. It owns the state and asks the rules; where records come from and where
// alerts go is not its business.
package engine

import (
	"context"
	"sync/atomic"
	"time"

	"falconet/engine/alert"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/rules"
	"falconet/engine/state"

	"golang.org/x/sys/unix"
)

// Source delivers records in the order of their time until ctx ends. The record is valid during the call of handle only. settled
// is called when everything that had been sent before its previous call has been delivered. All calls come from one goroutine.
type Source interface {
	Run(ctx context.Context, handle func(*event.Record), settled func()) error
}

// Silent is a source without events: it ends with its context.
type Silent struct{}

// silence is how often a source without events says that there are none.
const silence = 200 * time.Millisecond

// Run waits.
func (Silent) Run(ctx context.Context, _ func(*event.Record), settled func()) error {
	tick := time.NewTicker(silence)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			settled()
		}
	}
}

// Receiver takes alerts. Send must not block: it is called between two events.
type Receiver interface {
	Send(a *alert.Alert)
}

// Options are what an Engine is made of. Host is used by the engine's goroutine alone once Run has been called.
type Options struct {
	Host  *field.Host
	Rules *rules.Set
	Out   Receiver
	// Patience is how long an event may wait for what a rule asks of its container.
	Patience time.Duration
	Tap      Tap    // nil for none
	Silent   bool   // what matches is for the tap alone
	Hostname string // of the alerts; "" is the host's
	Recorded bool   // the host is that of a recording, whose records carry the time since the epoch
}

// Engine matches records against a rule set. Run may be called once; Stats and FirstEvent from any goroutine.
type Engine struct {
	host  *field.Host
	ctx   *field.Ctx
	rules *rules.Set
	out   Receiver
	num   uint64
	clock time.Time // when Host.BootTime was last set
	swap  atomic.Pointer[Swap]

	patience  time.Duration
	batch     []*alert.Alert // of the event at hand
	hits      []*rules.Rule  // that it matched
	tap       Tap
	silent    bool
	said      map[container.Info]*container.Metadata // what the tap was told
	held      []held                                 // the oldest first
	heldBytes int
	waiting   atomic.Int64 // how many are held

	hostname string
	recorded bool

	holds, unheld, timeouts atomic.Uint64

	events atomic.Uint64
	alerts atomic.Uint64
	first  atomic.Int64
}

// Stats counts what an engine has seen.
type Stats struct {
	Events uint64 // records that rules could match
	Alerts uint64 // matches that became alerts
	First  time.Time

	Held     uint64 // events that waited for what their container's runtime had to tell
	Unheld   uint64 // events that should have, and for which there was no room
	TimedOut uint64 // events that waited in vain
}

// New returns an engine. It does nothing before Run.
func New(o Options) *Engine {
	e := &Engine{
		host: o.Host, ctx: field.NewCtx(o.Host), rules: o.Rules, out: o.Out, patience: o.Patience, hostname: o.Hostname, recorded: o.Recorded,
		tap: o.Tap, silent: o.Silent,
	}
	if e.silent {
		e.patience = 0 // the tap is not told twice
	}
	if e.hostname == "" {
		e.hostname = o.Host.Name
	}
	e.setClock()
	return e
}

// NewHost returns the state of the host whose root directory is seen at root ("" for this one), filled by none but the
// configuration: see state.Table.Seed. It holds at most maxProcesses processes, and what the budget allows.
func NewHost(name, root string, maxProcesses int, budget Budget) *field.Host {
	procs := state.NewTable(state.Options{Root: root, MaxProcesses: budget.Processes(maxProcesses)})
	boxes := container.NewResolver(root)
	boxes.Limit(budget.Containers())
	return &field.Host{
		Name:       name,
		BootTime:   bootTime(),
		Procs:      procs,
		Guests:     state.NewGuests(procs, budget.Guests()),
		Users:      state.NewUsers(root),
		Addrs:      state.NewAddrs(),
		Containers: boxes,
		HoldBytes:  budget.Held(),
	}
}

// Run matches what src delivers until ctx ends.
func (e *Engine) Run(ctx context.Context, src Source) error {
	return src.Run(ctx, e.Handle, e.Settled)
}

// Handle takes one record: the state follows it, then the rules look at it.
func (e *Engine) Handle(r *event.Record) {
	e.host.Apply(r)
	if r.Row().Internal() {
		if e.tap != nil {
			e.tap.Record(r, e.host.BootTime, false)
		}
		return
	}
	e.num++
	if e.events.Add(1) == 1 {
		e.first.Store(time.Now().UnixNano())
	}
	e.ctx.Begin(r, e.num)
	e.batch, e.hits = e.batch[:0], e.hits[:0]
	e.rules.Match(e.ctx, e.matched)
	if e.tap != nil {
		e.tellContainer()
		e.tap.Record(r, e.host.BootTime, len(e.hits) > 0)
	}
	lacks, waiting := e.ctx.Lacking()
	if waiting && e.hold() {
		return
	}
	mark(e.batch, lacks, waiting)
	e.send(e.ctx, e.batch)
}

// matched takes a rule that the event at hand matches.
func (e *Engine) matched(r *rules.Rule) {
	e.hits = append(e.hits, r)
	if !e.silent {
		e.batch = append(e.batch, e.render(e.ctx, r))
	}
}

// Settled lets the state forget what it kept for older events.
func (e *Engine) Settled() {
	now := time.Now()
	e.swapDue()
	e.release(false)
	e.host.Tick(now)
	if e.recorded {
		return
	}
	if now.Sub(e.clock) > time.Second {
		e.setClock()
	}
}

// setClock follows steps of the wall clock: records carry the time since boot.
func (e *Engine) setClock() {
	if e.recorded {
		return
	}
	e.clock = time.Now()
	e.host.BootTime = bootTime()
}

func bootTime() int64 {
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return 0 // the kernel has had this clock since 2.6.39
	}
	return time.Now().UnixNano() - boot.Nano()
}

func (e *Engine) render(c *field.Ctx, r *rules.Rule) *alert.Alert {
	a := &alert.Alert{
		Time:     c.Time(),
		Rule:     r.Name,
		Source:   r.Source,
		Hostname: e.hostname,
		Priority: r.Priority,
		Tags:     r.Tags,
		Message:  string(r.Output.Append(nil, c)),
		Fields:   r.Output.Fields(c),
	}
	if c.Uncertain {
		a.Message += " (perhaps: a part of a path is not known)"
		addField(a, gapMark, true)
	}
	return a
}

// gapMark is the field that alerts have that would not have been made were it not for the unknown part of a path.
const gapMark = "evt.is_path_unknown"

// addField adds a field that the output need not name.
func addField(a *alert.Alert, name string, value any) {
	for i := range a.Fields {
		if a.Fields[i].Name == name {
			return
		}
	}
	a.Fields = append(a.Fields, alert.Field{Name: name, Value: value})
}

// send lets go of the alerts of an event, and tells the tap of the rules that it matched.
func (e *Engine) send(c *field.Ctx, alerts []*alert.Alert) {
	if e.tap != nil {
		for _, r := range e.hits {
			e.tap.Match(r, c.Rec.TS, c.Num)
		}
	}
	for _, a := range alerts {
		e.alerts.Add(1)
		e.out.Send(a)
	}
}

// Flush lets go of the events that still wait. It belongs to the goroutine that called Run, after that.
func (e *Engine) Flush() { e.release(true) }

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	s := Stats{Events: e.events.Load(), Alerts: e.alerts.Load(), Held: e.holds.Load(), Unheld: e.unheld.Load(), TimedOut: e.timeouts.Load()}
	if ns := e.first.Load(); ns != 0 {
		s.First = time.Unix(0, ns)
	}
	return s
}
