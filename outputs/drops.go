// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/event"
)

// DropRule is the rule of the alert about lost events.
const DropRule = "Falco internal: syscall event drop"

// Drops acts on events that the probe lost.
type Drops struct {
	conf     atomic.Pointer[config.EventDrops]
	kernel   func() (Kernel, error)
	send     func(*alert.Alert)
	hostname string
	log      zerolog.Logger

	last   event.Counters
	full   []uint64
	tokens float64
	filled time.Time
}

// NewDrops returns what acts on events that kernel counts as lost. send takes alerts.
func NewDrops(conf config.EventDrops, kernel func() (Kernel, error), send func(*alert.Alert), hostname string, log zerolog.Logger) *Drops {
	d := &Drops{kernel: kernel, send: send, hostname: hostname, log: log, full: make([]uint64, len(dropCategories)), tokens: conf.MaxBurst}
	d.Use(conf)
	return d
}

// Use lets another configuration decide from now on. It may be called from any goroutine.
func (d *Drops) Use(conf config.EventDrops) { d.conf.Store(&conf) }

// Run looks every second until ctx ends, or until events were lost and the configuration asks to exit then: that is the error it returns.
func (d *Drops) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	d.filled = time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			k, err := d.kernel()
			if err != nil {
				continue // the next second may tell
			}
			if err := d.look(k, now); err != nil {
				return err
			}
		}
	}
}

// look acts on what was lost since it looked last.
func (d *Drops) look(k Kernel, now time.Time) error {
	sum, full := k.total(), k.full()
	lost, events := sum.Lost()-d.last.Lost(), sum.Events()-d.last.Events()
	last, lastFull := d.last, d.full
	d.last, d.full = sum, full
	conf := d.conf.Load()
	threshold := conf.Threshold
	if conf.SimulateDrops {
		d.log.Info().Msg("acting as if an event were lost (syscall_event_drops.simulate_drops)")
		lost++
		threshold = 0
	}
	if lost == 0 || float64(lost) <= threshold*float64(events) || !d.claim(conf, now) {
		return nil
	}
	text := fmt.Sprintf("%s. %d system calls dropped in last second.", DropRule, lost)
	for _, action := range []string{"log", "alert", "exit"} {
		if !slices.Contains(conf.Actions, action) {
			continue
		}
		switch action {
		case "log":
			d.log.Warn().Uint64("events", events).Uint64("lost", lost).Msg(text)
		case "alert":
			fields := []alert.Field{{Name: "ebpf_enabled", Value: "1"}}
			add := func(name string, n uint64) {
				fields = append(fields, alert.Field{Name: name, Value: strconv.FormatUint(n, 10)})
			}
			add("n_evts", events)
			add("n_drops", lost)
			add("n_drops_buffer_total", sum.RingFull-last.RingFull)
			for i, c := range dropCategories {
				add("n_drops_buffer_"+c.name+"_exit", full[i]-lastFull[i])
				if c.name != "close" && c.name != "proc" {
					add("n_drops_buffer_"+c.name+"_enter", 0)
				}
			}
			add("n_drops_scratch_map", sum.ScratchFull-last.ScratchFull)
			add("n_drops_page_faults", sum.Fault-last.Fault)
			add("n_drops_bug", lostOtherwise(sum)-lostOtherwise(last))
			d.send(&alert.Alert{
				Time: now.UnixNano(), Rule: DropRule, Source: alert.SourceInternal, Hostname: d.hostname, Priority: alert.Debug, Message: text, Fields: fields,
			})
		case "exit":
			return fmt.Errorf("%s syscall_event_drops.actions asks to exit", text)
		}
	}
	return nil
}

// claim takes a token of a bucket that fills at the configured rate.
func (d *Drops) claim(conf *config.EventDrops, now time.Time) bool {
	d.tokens = min(conf.MaxBurst, d.tokens+conf.Rate*now.Sub(d.filled).Seconds())
	d.filled = now
	if d.tokens < 1 {
		return false
	}
	d.tokens--
	return true
}
