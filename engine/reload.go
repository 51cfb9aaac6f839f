// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/rules"
	"falconet/engine/state"

	"github.com/rs/zerolog"
)

// Swap is a rule set that takes the place of the one at work.
type Swap struct {
	Rules *rules.Set
	Host  func(*field.Host) // changes what rules read besides the record, between the same two events

	settled int
	done    chan struct{}
}

// Swap lets another rule set match, from an event on that began after the call. What it returns is closed when that has happened. It must not be
// called again before.
func (e *Engine) Swap(s Swap) <-chan struct{} {
	s.done = make(chan struct{})
	e.swap.Store(&s)
	return s.done
}

// swapDue makes the swap when all that began before it was asked for has been matched: the second time that everything is settled after that.
func (e *Engine) swapDue() {
	s := e.swap.Load()
	if s == nil {
		return
	}
	if s.settled++; s.settled < 2 {
		return
	}
	e.swap.Store(nil)
	e.rules = s.Rules
	if s.Host != nil {
		s.Host(e.host)
	}
	close(s.done)
}

// Setup is a configuration and its rules, as they are to be used.
type Setup struct {
	Config *config.Config
	Rules  *rules.Set
	Demand *event.Demand
	Files  []string // the rule files that were read
	Watch  []string // what to watch: a change of them changes the setup
}

// Adopt makes what rules read of the host what a setup says of it.
func (s *Setup) Adopt(h *field.Host) {
	h.Base64 = s.Config.Render.BufferBase64
	h.ReadsUsers = s.Rules.ReadsUsers()
	h.Static = s.Config.Rules.StaticFields
}

// Tuner is a source whose demand changes while it is at work.
type Tuner interface {
	// Widen asks for what d asks for, besides what was asked for before.
	Widen(d *event.Demand) error
	// Narrow asks for d and nothing else.
	Narrow(d *event.Demand) error
	// Report says what of it could not be had, as far as that is new. rules returns those that ask for what the given events lose.
	Report(log zerolog.Logger, rules func(events ...string) []string)
}

// Follower follows the configuration besides the rules.
type Follower interface {
	// Prepare gets everything ready, which may not work out. Undo takes it back where the reload fails after that, Follow makes it when the
	// new rules, which came from these files, are at work.
	Prepare(next *config.Config) error
	Undo()
	Follow(next *config.Config, rules []string) error
}

// What is logged of every reload. The first is the acknowledgment: configuration and rules are in effect.
const (
	Reloaded    = "configuration reloaded"
	NotReloaded = "configuration not reloaded: the rules and the configuration before stay in effect"
)

// ReloadRule is the rule of the alert about a reload that failed, or did so in part.
const ReloadRule = "Falco internal: reload failed"

// ReloadOptions are what a Reloader is made of.
type ReloadOptions struct {
	Engine *Engine
	Tuner  Tuner // nil for a source of everything, or of nothing
	Now    *Setup
	Read   time.Time              // when Now was read, or before
	Load   func() (*Setup, error) // reads configuration and rules anew; nil where they stay as they are
	Others Follower
	// Alert takes the alert about a reload that failed.
	Alert    func(*alert.Alert)
	Hostname string
	Log      zerolog.Logger
}

// Reloader changes configuration and rules while the engine is at work. Run belongs to one goroutine; its counters may be read from any.
type Reloader struct {
	ReloadOptions
	started *config.Config // that of the start
	watcher *config.Watcher
	done    atomic.Uint64
	failed  atomic.Uint64
	last    atomic.Int64
	names   lookups
}

// NewReloader returns a reloader. It does nothing before Run.
func NewReloader(o ReloadOptions) *Reloader {
	return &Reloader{ReloadOptions: o, started: o.Now.Config}
}

// lookups finds the addresses of the hosts that rules name.
type lookups struct {
	hosts []string
	names *state.Names
	stop  context.CancelFunc
}

// Names lets the hosts be looked up that the rules of a setup name, until ctx ends or others are named, and returns where the addresses are.
func (r *Reloader) Names(ctx context.Context, s *Setup) *state.Names {
	hosts := s.Rules.Hosts()
	if slices.Equal(hosts, r.names.hosts) {
		return r.names.names
	}
	if r.names.stop != nil {
		r.names.stop()
	}
	r.names = lookups{hosts: hosts}
	if len(hosts) > 0 {
		ctx, r.names.stop = context.WithCancel(ctx)
		r.names.names = state.NewNames(hosts)
		go r.names.names.Run(ctx)
	}
	return r.names.names
}

// Counts returns how many reloads were made and how many failed, and when the last one was made; the zero time stands for none.
func (r *Reloader) Counts() (done, failed uint64, last time.Time) {
	if ns := r.last.Load(); ns != 0 {
		last = time.Unix(0, ns)
	}
	return r.done.Load(), r.failed.Load(), last
}

// Start lets Run do its work until the function that it returns has been called.
func (r *Reloader) Start(ctx context.Context, signals <-chan os.Signal) (stop func()) {
	if r.Load == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, signals)
	}()
	return func() { cancel(); <-done }
}

// Run reloads at every signal, and when a file of the setup changes and the configuration wants that, until ctx ends.
func (r *Reloader) Run(ctx context.Context, signals <-chan os.Signal) {
	defer func() { r.watch(false) }()
	r.follow(r.Read)
	for {
		why := "signal"
		select {
		case <-ctx.Done():
			return
		case <-signals:
		case <-r.watcher.Changed():
			why = "files have changed"
		}
		read := time.Now()
		if r.watcher != nil {
			r.watcher.Seen()
		}
		if err := r.reload(ctx, why); err != nil && ctx.Err() == nil {
			r.fail(err)
		}
		r.follow(read)
	}
}

// watch starts or ends the watch of files.
func (r *Reloader) watch(on bool) {
	switch {
	case on && r.watcher == nil:
		var err error
		if r.watcher, err = config.NewWatcher(); err != nil {
			r.Log.Warn().Err(err).Msg("files are not watched: a change takes effect on SIGHUP")
		}
	case !on && r.watcher != nil:
		r.watcher.Close()
		r.watcher = nil
	}
}

// follow watches the files of the setup, as they were read after a moment.
func (r *Reloader) follow(read time.Time) {
	r.watch(r.Now.Config.Files.Watch)
	if r.watcher == nil {
		return
	}
	if err := r.watcher.Set(r.Now.Watch, read); err != nil {
		r.Log.Warn().Err(err).Msg("not all files are watched: a change of the others takes effect on SIGHUP")
	}
}

func (r *Reloader) reload(ctx context.Context, why string) error {
	next, err := r.Load()
	if err != nil {
		return err
	}
	if err := r.Others.Prepare(next.Config); err != nil {
		return err
	}
	for _, key := range r.started.Fixed(next.Config) {
		r.Log.Warn().Msg(key + ": a reload cannot change this; it takes effect at the next start")
	}
	if r.Tuner != nil {
		if err := r.Tuner.Widen(next.Demand); err != nil {
			r.Others.Undo()
			return errors.Join(fmt.Errorf("widen the probe: %w", err), r.Tuner.Narrow(r.Now.Demand))
		}
	}
	names := r.Names(ctx, next)
	swapped := r.Engine.Swap(Swap{Rules: next.Rules, Host: func(h *field.Host) {
		next.Adopt(h)
		h.Names = names
	}})
	select {
	case <-swapped:
	case <-ctx.Done():
		r.Others.Undo()
		return ctx.Err()
	}
	r.Now = next
	if r.Tuner != nil {
		if err := r.Tuner.Narrow(next.Demand); err != nil {
			r.Log.Warn().Err(err).Msg("more is captured than rules ask for")
		}
	}
	r.done.Add(1)
	r.last.Store(time.Now().UnixNano())
	if err := r.Others.Follow(next.Config, next.Files); err != nil {
		r.complain(err, "not all of the configuration is in effect", "A part of the configuration is not in effect; the rules are.")
	}
	if r.Tuner != nil {
		r.Tuner.Report(r.Log, next.Rules.HeldBy)
	}
	r.Log.Info().Str("why", why).Int("rules", next.Rules.Enabled()).Msg(Reloaded)
	return nil
}

// fail says that what was there before stays.
func (r *Reloader) fail(err error) {
	r.failed.Add(1)
	r.complain(err, NotReloaded, "The rules and the configuration before stay in effect.")
}

// complain logs an error and raises the alert about it.
func (r *Reloader) complain(err error, logged, alerted string) {
	r.Log.Error().Err(err).Msg(logged)
	r.Alert(&alert.Alert{
		Time: time.Now().UnixNano(), Rule: ReloadRule, Source: alert.SourceInternal, Hostname: r.Hostname, Priority: alert.Error,
		Message: ReloadRule + ". " + alerted,
		Fields:  []alert.Field{{Name: "error", Value: err.Error()}},
	})
}
