// SPDX-License-Identifier: Apache-2.0

package event

import "iter"

// Counts is what became of the events of one type.
type Counts struct {
	Name string
	CPUs []Counters // one per CPU, in their order
}

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

// Counters say what became of the events of one type, on one CPU or on all. They only grow. The probe writes them in this
// order.
type Counters struct {
	Sent        uint64 // records that reached a ring; what the others count their reasons say
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
func (c *Counters) Add(o Counters) {
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

// Events is the number of events there were. As in Falco it has those that were lost in it.
func (c Counters) Events() uint64 { return c.Sent + c.Lost() }
