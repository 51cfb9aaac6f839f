// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"iter"

	"falconet/engine/event"
)

// Reason is a way of losing an event or a part of one.
type Reason uint8

// The reasons. Those up to Unmatched cost the whole event, those after it a piece, which the record that is sent marks.
const (
	RingFull      Reason = iota // a ring had no room
	NoProgram                   // the event's slot had no program
	Unmatched                   // a request of io_uring was completed that had not been seen before
	ScratchFull                 // the record grew too large
	UserFault                   // user memory could not be read
	Truncated                   // the piece was longer than what is kept of it
	TooDeep                     // a part of the path could not be reached
	ResultUnknown               // a request of io_uring was reported without its result
	Unheld                      // what the call took away was not captured before, because too many calls were under way
	reasons
)

var reasonNames = [reasons]string{"ring_full", "no_program", "unmatched_request", "scratch_full", "user_fault", "truncated", "path_too_deep", "unknown_result", "unheld"}

// String returns the reason's name as metrics and logs have it.
func (r Reason) String() string { return reasonNames[r] }

// WholeEvent reports whether what is counted under the reason are events, not pieces of events.
func (r Reason) WholeEvent() bool { return r <= Unmatched }

// Reasons are all there are, in order.
func Reasons() iter.Seq[Reason] {
	return func(yield func(Reason) bool) {
		for r := range reasons {
			if !yield(r) {
				return
			}
		}
	}
}

// Counters say what became of the events of one row, on one CPU or on all.
type Counters struct {
	Sent        uint64 // records that reached a ring
	RingFull    uint64
	ScratchFull uint64
	Fault       uint64
	Truncated   uint64
	TooDeep     uint64
	NoProgram   uint64
	Unknown     uint64
	Unmatched   uint64
	Unheld      uint64
}

// Of returns the count of one reason.
func (c Counters) Of(r Reason) uint64 {
	switch r {
	case RingFull:
		return c.RingFull
	case NoProgram:
		return c.NoProgram
	case ScratchFull:
		return c.ScratchFull
	case UserFault:
		return c.Fault
	case Truncated:
		return c.Truncated
	case TooDeep:
		return c.TooDeep
	case Unmatched:
		return c.Unmatched
	case ResultUnknown:
		return c.Unknown
	case Unheld:
		return c.Unheld
	}
	return 0
}

// Lost is the number of whole events that were not delivered.
func (c Counters) Lost() (n uint64) {
	for r := range Reasons() {
		if r.WholeEvent() {
			n += c.Of(r)
		}
	}
	return n
}

// Add adds o to c.
func (c *Counters) Add(o *Counters) {
	c.Sent += o.Sent
	c.RingFull += o.RingFull
	c.ScratchFull += o.ScratchFull
	c.Fault += o.Fault
	c.Truncated += o.Truncated
	c.TooDeep += o.TooDeep
	c.NoProgram += o.NoProgram
	c.Unknown += o.Unknown
	c.Unmatched += o.Unmatched
	c.Unheld += o.Unheld
}

// Stats is what the probe has counted up to one moment: of every event type that happened, on each CPU.
type Stats struct {
	// Missed is how often, by program, the kernel left a program out because it was at work on that CPU already. What event that would have
	// been nobody knows. Kernels before 5.12 do not count it.
	Missed map[string]uint64

	perCPU map[event.ID][]Counters
}

// Stats reads the probe's counters.
func (p *Probe) Stats() (*Stats, error) {
	s := &Stats{perCPU: make(map[event.ID][]Counters), Missed: make(map[string]uint64)}
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
		var perCPU []Counters
		if err := p.maps["counts"].Lookup(uint32(id), &perCPU); err != nil {
			return nil, fmt.Errorf("read counters: %w", err)
		}
		for _, c := range perCPU {
			if c != (Counters{}) {
				s.perCPU[event.ID(id)] = perCPU
				break
			}
		}
	}
	return s, nil
}

// Events yields the event types that happened, in the order of the event table, each with its counters by CPU, which the caller must not
// change.
func (s *Stats) Events() iter.Seq2[event.ID, []Counters] {
	return func(yield func(event.ID, []Counters) bool) {
		for id := range event.Rows() {
			if c := s.perCPU[event.ID(id)]; c != nil && !yield(event.ID(id), c) {
				return
			}
		}
	}
}

// Event adds up the counters of one event type over all CPUs.
func (s *Stats) Event(id event.ID) (sum Counters) {
	for i := range s.perCPU[id] {
		sum.Add(&s.perCPU[id][i])
	}
	return sum
}

// CPUs adds up the counters of all event types on each CPU.
func (s *Stats) CPUs() (sums []Counters) {
	for _, perCPU := range s.perCPU {
		if sums == nil {
			sums = make([]Counters, len(perCPU))
		}
		for cpu := range perCPU {
			sums[cpu].Add(&perCPU[cpu])
		}
	}
	return sums
}

// Total adds up all counters.
func (s *Stats) Total() (sum Counters) {
	for id := range s.perCPU {
		c := s.Event(id)
		sum.Add(&c)
	}
	return sum
}

// Total reads the probe's counters and adds them all up.
func (p *Probe) Total() (Counters, error) {
	s, err := p.Stats()
	if err != nil {
		return Counters{}, err
	}
	return s.Total(), nil
}

// Malformed is the number of records that could not be decoded: anything but 0 is a bug of ours.
func (p *Probe) Malformed() uint64 { return p.malformed.Load() }

// Counts reads the probe's counters, in the words in which outputs report them.
func (p *Probe) Counts() (out []event.Counts, err error) {
	s, err := p.Stats()
	if err != nil {
		return nil, err
	}
	for id, cpus := range s.Events() {
		e := event.Counts{Name: event.Rows()[id].Name}
		for _, c := range cpus {
			e.CPUs = append(e.CPUs, event.CPUCounts{
				Sent: c.Sent, RingFull: c.RingFull, NoProgram: c.NoProgram + c.Unmatched, ScratchFull: c.ScratchFull, Fault: c.Fault, Truncated: c.Truncated + c.TooDeep,
			})
		}
		out = append(out, e)
	}
	return out, nil
}
