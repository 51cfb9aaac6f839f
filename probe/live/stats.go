// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"iter"

	"falconet/engine/event"
)

// Stats is what the probe has counted up to one moment: of every event type that happened, on each CPU.
type Stats struct {
	// Missed is how often, by program, the kernel left a program out because it was at work on that CPU already. What event that would have
	// been nobody knows. Kernels before 5.12 do not count it.
	Missed map[string]uint64

	perCPU map[event.ID][]event.Counters
}

// Stats reads the probe's counters.
func (p *Probe) Stats() (*Stats, error) {
	s := &Stats{perCPU: make(map[event.ID][]event.Counters), Missed: make(map[string]uint64)}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.hooks {
		for name, prog := range h.progs {
			c, err := prog.Stats()
			if err != nil {
				return nil, fmt.Errorf("read statistics of program %s: %w", name, err)
			}
			if c.RecursionMisses > 0 {
				s.Missed[name] = c.RecursionMisses
			}
		}
	}
	for _, h := range p.holders {
		c, err := h.prog.Stats()
		if err != nil {
			return nil, fmt.Errorf("read statistics of program at %s: %w", h.at, err)
		}
		if c.RecursionMisses > 0 {
			s.Missed[h.at] = c.RecursionMisses
		}
	}
	for id := range event.Rows() {
		var perCPU []event.Counters
		if err := p.maps["counts"].Lookup(uint32(id), &perCPU); err != nil {
			return nil, fmt.Errorf("read counters: %w", err)
		}
		for _, c := range perCPU {
			if c != (event.Counters{}) {
				s.perCPU[event.ID(id)] = perCPU
				break
			}
		}
	}
	return s, nil
}

// Events yields the event types that happened, in the order of the event table, each with its counters by CPU, which the caller must not
// change.
func (s *Stats) Events() iter.Seq2[event.ID, []event.Counters] {
	return func(yield func(event.ID, []event.Counters) bool) {
		for id := range event.Rows() {
			if c := s.perCPU[event.ID(id)]; c != nil && !yield(event.ID(id), c) {
				return
			}
		}
	}
}

// Event adds up the counters of one event type over all CPUs.
func (s *Stats) Event(id event.ID) (sum event.Counters) {
	for i := range s.perCPU[id] {
		sum.Add(s.perCPU[id][i])
	}
	return sum
}

// CPUs adds up the counters of all event types on each CPU.
func (s *Stats) CPUs() (sums []event.Counters) {
	for _, perCPU := range s.perCPU {
		if sums == nil {
			sums = make([]event.Counters, len(perCPU))
		}
		for cpu := range perCPU {
			sums[cpu].Add(perCPU[cpu])
		}
	}
	return sums
}

// Total adds up all counters.
func (s *Stats) Total() (sum event.Counters) {
	for id := range s.perCPU {
		sum.Add(s.Event(id))
	}
	return sum
}

// Total reads the probe's counters and adds them all up.
func (p *Probe) Total() (event.Counters, error) {
	s, err := p.Stats()
	if err != nil {
		return event.Counters{}, err
	}
	return s.Total(), nil
}

// Malformed is the number of records that could not be decoded: anything but 0 is a bug of ours.
func (p *Probe) Malformed() uint64 { return p.malformed.Load() }

// Counts reads the probe's counters, of every event type that happened.
func (p *Probe) Counts() (out []event.Counts, err error) {
	s, err := p.Stats()
	if err != nil {
		return nil, err
	}
	for id, cpus := range s.Events() {
		out = append(out, event.Counts{Name: event.RowOf(id).Name, CPUs: cpus})
	}
	return out, nil
}
