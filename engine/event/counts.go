// SPDX-License-Identifier: Apache-2.0

package event

// Counts is what became of the events of one type.
type Counts struct {
	Name string
	CPUs []CPUCounts // one per CPU, in their order
}

// CPUCounts are counters of one CPU. They only grow.
type CPUCounts struct {
	Sent        uint64 // records that were sent
	RingFull    uint64 // events lost because a buffer was full
	NoProgram   uint64 // events lost for any other reason
	ScratchFull uint64 // pieces of events lost because a record grew too large
	Fault       uint64 // pieces lost because memory could not be read
	Truncated   uint64 // pieces cut short
}

// Add adds o to c.
func (c *CPUCounts) Add(o CPUCounts) {
	c.Sent += o.Sent
	c.RingFull += o.RingFull
	c.NoProgram += o.NoProgram
	c.ScratchFull += o.ScratchFull
	c.Fault += o.Fault
	c.Truncated += o.Truncated
}

// Drops is the number of whole events that were lost.
func (c CPUCounts) Drops() uint64 { return c.RingFull + c.NoProgram }

// Events is the number of events there were. As in Falco it has those that were lost in it.
func (c CPUCounts) Events() uint64 { return c.Sent + c.Drops() }
