// SPDX-License-Identifier: Apache-2.0

package live

import "runtime"

const (
	// batchBytes bounds the events that are taken between two looks at the life ring, so that it cannot fill behind our back.
	batchBytes = 1 << 20
	// releaseEvery gives room back to the kernel during a batch, without touching the shared cache line for every record.
	releaseEvery = 64 << 10
)

// source is a ring during a merge.
type source struct {
	*ring
	life     bool
	rank     int    // which of two records of one time comes first
	share    uint64 // how much of a batch may come from here; 0 is all
	limit    uint64 // the batch ends here
	cut      bool   // and the ring has more
	head     []byte // the record to deliver next
	ts       uint64 // its time
	released uint64 // what the kernel has back
	mark     uint64 // settled is due once the ring has been read to here
}

// plan decides how far the next batch goes.
func (s *source) plan() {
	s.limit = s.end()
	s.cut = s.share > 0 && s.limit > s.pos+s.share
	if s.cut {
		s.limit = s.pos + s.share
	}
}

// next is the time of the first record behind the batch, the end of time when there is none. Of a batch that is cut nobody knows where it
// ends before it does.
func (s *source) next() uint64 {
	end := s.end()
	if s.cut || end == s.limit {
		return ^uint64(0)
	}
	behind := *s.ring
	behind.pos = s.limit
	for {
		b, busy := behind.peek(end)
		switch {
		case busy:
			runtime.Gosched()
		case b == nil:
			return ^uint64(0)
		default:
			return timestamp(b)
		}
	}
}

type progress uint8

const (
	inBatch progress = iota
	atEnd
	beingWritten
)

// advance finds the next record of the batch. Of process life it waits for one that is still being written: the writer is in the middle of
// one copy, with preemption off.
func (s *source) advance() progress {
	for {
		b, busy := s.peek(s.limit)
		switch {
		case b != nil:
			s.head, s.ts = b, timestamp(b)
			return inBatch
		case !busy:
			return atEnd
		case !s.life:
			return beingWritten
		}
		runtime.Gosched()
	}
}

// took moves past the record that was delivered. The room of process life goes back at once.
func (s *source) took() {
	s.take(uint64(len(s.head)))
	if s.life || s.pos-s.released >= releaseEvery {
		s.release()
	}
}

func (s *source) release() {
	s.released = s.pos
	s.ring.release()
}

func (s *source) before(o *source) bool {
	return s.ts < o.ts || s.ts == o.ts && s.rank < o.rank
}
