// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// A demand changes while the probe is at work, in two steps. Widen adds what a new demand asks for: programs that nobody needed before are
// loaded, and what is captured of each call is written to slots that no route leads to; then the routes change, each in one store. When
// whoever matches the events has gone over to the new demand, Narrow takes away what only the old one asked for. The dispatchers and the
// rings stay, so that no event is lost.

// Widen lets the probe capture what d asks for, besides what it captures. Events that begin when it has returned are captured so. After an
// error Narrow with the demand before leads back.
func (p *Probe) Widen(d *event.Demand) error { return p.change(p.plan.want.Union(d)) }

// Narrow lets the probe capture what d asks for and nothing else.
func (p *Probe) Narrow(d *event.Demand) error { return p.change(d) }

func (p *Probe) change(d *event.Demand) error {
	c := &change{Probe: p, last: p.plan, next: makePlan(d)}
	if err := c.next.place(c.last, int(p.maps["slots"].MaxEntries())); err != nil {
		return err
	}
	if !c.next.fixed(c.last) {
		return errors.New("BUG: a change of demand moves what is fixed")
	}
	for _, step := range []func() error{c.load, c.fill, c.forget, c.attachEarly, c.route, c.hold, c.attachLate, c.settle} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// change is a change of demand under way.
type change struct {
	*Probe
	last, next *plan
	loader     *loader         // nil until something has to be loaded
	grown      map[string]bool // maps that had to be replaced by larger ones
}

// open makes the loader: the object with the constants that the loaded programs have, and maps as they are.
func (c *change) open() error {
	if c.loader != nil {
		return nil
	}
	spec, err := c.specify()
	if err != nil {
		return err
	}
	c.loader = &loader{spec: spec, maps: maps.Clone(c.maps), types: btf.NewCache(), wants: c.next.uses}
	c.loader.readDirectly(c.hot)
	return nil
}

// specify reads the object and gives it the constants and sizes of the probe.
func (p *Probe) specify() (*ebpf.CollectionSpec, error) {
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(p.object))
	if err != nil {
		return nil, fmt.Errorf("read probe object: %w", err)
	}
	if err := p.setConstants(spec); err != nil {
		return nil, err
	}
	for name, m := range p.maps {
		spec.Maps[name].MaxEntries, spec.Maps[name].Flags = m.MaxEntries(), m.Flags()
	}
	return spec, nil
}

// load makes what the plan needs of maps and programs and the probe does not have. On an error it has changed nothing.
func (c *change) load() (err error) {
	made := make(map[string]*ebpf.Map)
	var hooks []*loaded
	programs := make(map[*loaded]map[string]*ebpf.Program)
	defer func() {
		if err == nil {
			return
		}
		for _, m := range made {
			_ = m.Close()
		}
		for _, l := range hooks {
			l.close()
		}
		for _, of := range programs {
			closeAll(of)
		}
	}()
	if err := c.grow(made); err != nil {
		return err
	}
	var fresh []hook
	for _, h := range c.wanted(c.next) {
		l := c.hook(h.dispatcher)
		switch {
		case l != nil:
			if programs[l], err = c.more(l); err != nil {
				return err
			}
		case !c.gaveUp[h.dispatcher]:
			fresh = append(fresh, h)
		}
	}
	var refused []error
	if len(fresh) > 0 {
		if err := c.open(); err != nil {
			return err
		}
		if hooks, refused, err = c.loader.hooks(fresh); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, m := range made {
		_ = c.maps[name].Close()
		c.maps[name] = m
	}
	for l, of := range programs {
		for name, prog := range of {
			if old := l.progs[name]; old != nil {
				_ = old.Close() // the slots have it open
			}
			l.progs[name] = prog
		}
	}
	c.hooks = append(c.hooks, hooks...)
	c.refused = append(c.refused, refused...)
	c.dropHalfRequests()
	for _, l := range hooks {
		c.refused = append(c.refused, l.refused...)
	}
	for _, h := range fresh {
		c.gaveUp[h.dispatcher] = c.hook(h.dispatcher) == nil
	}
	return nil
}

func closeAll(programs map[string]*ebpf.Program) {
	for _, p := range programs {
		_ = p.Close()
	}
}

// grow makes the maps larger that nobody needed before.
func (c *change) grow(made map[string]*ebpf.Map) error {
	c.grown = make(map[string]bool)
	for name, n := range c.rooms(c.next) {
		if n <= c.maps[name].MaxEntries() {
			continue
		}
		if err := c.open(); err != nil {
			return err
		}
		spec := c.loader.spec.Maps[name]
		spec.MaxEntries = n
		m, err := ebpf.NewMap(spec)
		if err != nil {
			return fmt.Errorf("create map %s: %w", name, err)
		}
		made[name], c.loader.maps[name], c.grown[name] = m, m, true
	}
	if c.loader != nil {
		c.loader.readDirectly(c.hot)
	}
	return nil
}

// more loads the programs of a hook that the plan needs and that are not there, or that work with a map that was replaced.
func (c *change) more(l *loaded) (map[string]*ebpf.Program, error) {
	var list []program
	for _, p := range l.programs {
		missing := l.progs[p.name] == nil && !l.tried[p.name] && (p.loses == "" || c.next.uses(p.name))
		if missing || l.progs[p.name] != nil && len(c.grown) > 0 && c.loader.touches(p.name+string(l.spelling), c.grown) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	programs, refused, err := c.loader.programs(list, l.spelling)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		l.tried[p.name] = true
		if programs[p.name] == nil && l.progs[p.name] != nil {
			closeAll(programs)
			return nil, errors.Join(refused...)
		}
	}
	c.refused = append(c.refused, refused...)
	return programs, nil
}

// touches reports whether a program works with one of the maps.
func (o *loader) touches(program string, names map[string]bool) bool {
	p := o.spec.Programs[program]
	for i := 0; p != nil && i < len(p.Instructions); i++ {
		if names[p.Instructions[i].Reference()] {
			return true
		}
	}
	return false
}

func (c *change) fill() error {
	if err := c.fillSlots(c.next); err != nil {
		return err
	}
	return c.fillShared(c.next)
}

// forget empties what was kept while somebody asked for it and has not been looked after since.
func (c *change) forget() error {
	var names []string
	if c.next.peers && !c.last.peers {
		names = append(names, "peers")
	}
	if c.next.wantsRequests() && !c.last.wantsRequests() {
		names = append(names, "pending", "pending_names")
	}
	for _, name := range names {
		if err := empty(c.maps[name]); err != nil {
			return fmt.Errorf("empty map %s: %w", name, err)
		}
	}
	return nil
}

func empty(m *ebpf.Map) error {
	key := make([]byte, m.KeySize())
	for {
		err := m.NextKey(nil, &key)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err == nil {
			err = m.Delete(key)
		}
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
	}
}

// attachEarly attaches the hooks that have nothing to do before a route leads there.
func (c *change) attachEarly() error {
	c.plan = c.next
	c.limit()
	late := c.hook("sock_state")
	older := late == nil || late.link != nil
	if err := c.attach(false); err != nil {
		return err
	}
	if !older && late.link != nil {
		if err := c.open(); err != nil {
			return err
		}
		c.findRoles(c.loader)
	}
	return nil
}

// route leads the calls to the slots of the plan. What was held is held no longer before anybody stops to let go of it.
func (c *change) route() error {
	c.holds.keep(&c.next.holds)
	c.routes.set(&c.next.routes)
	return nil
}

// hold lets the programs hold that the plan asks for, and no others.
func (c *change) hold() error {
	held := c.next.held
	stale := slices.ContainsFunc(c.holders, func(h *holder) bool { return len(c.grown) > 0 && c.loader.touches(h.program, c.grown) })
	unknown := slices.ContainsFunc(held, func(row *event.Row) bool { return c.origins[row.Name] == "" })
	if len(held) > 0 && (stale || unknown) {
		return c.holdAnew()
	}
	for _, h := range c.holders {
		switch wanted := slices.ContainsFunc(held, func(row *event.Row) bool { return h.serves(row, c.origins[row.Name]) }); {
		case !wanted:
			h.detach()
		case h.link == nil:
			err := h.attach()
			if errors.Is(err, unix.ENOENT) {
				// An old kernel attaches a program to a function but once: "bpf: Allow trampoline re-attach for tracing and lsm programs"
				// (f3a95075549e) let it be attached again.
				return c.holdAnew()
			}
			if err != nil {
				return err
			}
		}
	}
	c.holds.set(&c.next.holds)
	return nil
}

// holdAnew loads the programs that hold again. Those before are at work until the new ones are.
func (c *change) holdAnew() error {
	if err := c.open(); err != nil {
		return err
	}
	fresh := c.holdAll(c.loader, c.next)
	c.mu.Lock()
	old := c.holders
	c.holders = fresh
	c.mu.Unlock()
	for _, h := range old {
		h.close()
	}
	return c.proveHolds(c.next)
}

// attachLate attaches the hooks that somebody asks for now, and detaches those that nobody does.
func (c *change) attachLate() error {
	wanted := c.wanted(c.next)
	for _, l := range c.hooks {
		if l.late && !slices.ContainsFunc(wanted, func(h hook) bool { return h.dispatcher == l.dispatcher }) {
			l.detach()
			continue
		}
		if err := c.attachOne(l); err != nil {
			return err
		}
	}
	return nil
}

// settle waits for the captures that go by the plan before: then its slots are free.
func (c *change) settle() error {
	// the kernel lets a write to a map of maps return when all programs have ended that were running
	if err := c.maps["events"].Put(uint32(0), c.eventMaps[c.ringOf[0]]); err != nil {
		return fmt.Errorf("write ring: %w", err)
	}
	if len(c.last.held) > 0 && len(c.next.held) == 0 {
		return c.takeBack()
	}
	return nil
}
