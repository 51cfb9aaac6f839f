// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"

	"falconet/engine/event"
)

// Counters say what became of the events of one row, on one CPU or on all.
type Counters struct {
	Sent        uint64 // records that reached a ring
	RingFull    uint64 // events lost because a ring was full
	ScratchFull uint64 // pieces lost because a record grew too large
	Fault       uint64 // pieces lost because user memory could not be read
	Truncated   uint64 // pieces that are cut short
	NoProgram   uint64 // events lost because their slot had no program
	Unheld      uint64 // events whose object was not captured before it was gone, because too many calls were under way
}

// Lost is the number of whole events that were not delivered.
func (c Counters) Lost() uint64 { return c.RingFull + c.NoProgram }

func (c *Counters) add(o Counters) {
	c.Sent += o.Sent
	c.RingFull += o.RingFull
	c.ScratchFull += o.ScratchFull
	c.Fault += o.Fault
	c.Truncated += o.Truncated
	c.NoProgram += o.NoProgram
	c.Unheld += o.Unheld
}

// Stats reads the probe's counters. The result is indexed by event, then by CPU; events that never happened have no CPUs.
func (p *Probe) Stats() (map[event.ID][]Counters, error) {
	out := make(map[event.ID][]Counters)
	for id := range event.Rows() {
		var perCPU []Counters
		if err := p.maps["counts"].Lookup(uint32(id), &perCPU); err != nil {
			return nil, fmt.Errorf("read counters: %w", err)
		}
		for _, c := range perCPU {
			if c != (Counters{}) {
				out[event.ID(id)] = perCPU
				break
			}
		}
	}
	return out, nil
}

// Total adds up the counters of all events and CPUs.
func (p *Probe) Total() (Counters, error) {
	var sum Counters
	all, err := p.Stats()
	for _, perCPU := range all {
		for _, c := range perCPU {
			sum.add(c)
		}
	}
	return sum, err
}

// Malformed is the number of records that could not be decoded: anything but 0 is a bug of ours.
func (p *Probe) Malformed() uint64 { return p.malformed.Load() }
