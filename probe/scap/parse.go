// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// raw is an event as the capture holds it. Its parameters alias the block.
type raw struct {
	ts     uint64 // nanoseconds since the epoch
	tid    int64
	cpu    uint16
	kind   *schema
	n      int
	params [maxParams][]byte
}

// maxParams is more than any event has; those beyond are of a later version and not looked at.
const maxParams = 48

const (
	eventHeader1 = 22
	eventHeader2 = 26
)

var errUnknownEvent = errors.New("event of a later version")

// parse reads an event from a block. An event whose type is not known is errUnknownEvent, and no damage.
func (e *raw) parse(kind uint32, b []byte) error {
	skip := 2
	if kind == blockFlagged1 || kind == blockFlagged2 || kind == blockFlaggedL {
		skip += 4
	}
	old := kind == blockEvent1 || kind == blockFlagged1
	header := eventHeader2
	if old {
		header = eventHeader1
	}
	if len(b) < skip+header {
		return fmt.Errorf("event of %d bytes", len(b))
	}
	e.cpu = binary.LittleEndian.Uint16(b)
	b = b[skip:]
	e.ts, e.tid = binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:]))
	size, number := int64(binary.LittleEndian.Uint32(b[16:])), binary.LittleEndian.Uint16(b[20:])
	if e.kind = schemaOf(number); e.kind == nil {
		return errUnknownEvent
	}
	if size < int64(header) || size > int64(len(b)) {
		return fmt.Errorf("event that says that it has %d bytes, in a block of %d", size, len(b))
	}
	b = b[:size]
	width := 2
	if e.kind.large {
		width = 4
	}
	n := 0
	if old {
		if n = countParams(b[header:], len(e.kind.params), width); n < 0 {
			return errors.New("event whose parameters do not fill it")
		}
	} else {
		claimed := binary.LittleEndian.Uint32(b[22:])
		if int64(claimed)*int64(width) > int64(len(b)-header) {
			return fmt.Errorf("event of %d bytes that says that it has %d parameters", len(b), claimed)
		}
		n = int(claimed)
	}
	return e.split(b[header:], n, width)
}

func (e *raw) split(b []byte, n, width int) error {
	lengths, data := b[:n*width], b[n*width:]
	e.n = min(n, maxParams)
	for i := range n {
		size := length(lengths, i, width)
		if size > len(data) {
			return fmt.Errorf("parameter %d of %d bytes, of which %d are there", i, size, len(data))
		}
		if i < maxParams {
			e.params[i] = data[:size]
		}
		data = data[size:]
	}
	return nil
}

func length(lengths []byte, i, width int) int {
	if width == 4 {
		return int(binary.LittleEndian.Uint32(lengths[4*i:]))
	}
	return int(binary.LittleEndian.Uint16(lengths[2*i:]))
}

// countParams finds how many parameters an event has that does not say it: as many as fill it, at most those of the schema; -1 when none do.
func countParams(b []byte, most, width int) int {
	for n := most; n >= 0; n-- {
		if n*width > len(b) {
			continue
		}
		left := len(b) - n*width
		for i := range n {
			left -= length(b, i, width)
		}
		if left == 0 {
			return n
		}
	}
	return -1
}

// param returns a parameter by its place in the schema's list; false when this event, of an older version, has it not, or it is empty
// for want of a value.
func (e *raw) param(i int) ([]byte, bool) {
	if i < 0 || i >= e.n {
		return nil, false
	}
	return e.params[i], true
}

// number reads a parameter of whatever width it was stored with.
func number(b []byte, signed bool) (uint64, bool) {
	switch len(b) {
	case 1:
		if signed {
			return uint64(int64(int8(b[0]))), true
		}
		return uint64(b[0]), true
	case 2:
		v := binary.LittleEndian.Uint16(b)
		if signed {
			return uint64(int64(int16(v))), true
		}
		return uint64(v), true
	case 4:
		v := binary.LittleEndian.Uint32(b)
		if signed {
			return uint64(int64(int32(v))), true
		}
		return uint64(v), true
	case 8:
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}

// text cuts a stored string at its NUL.
func text(b []byte) []byte {
	for i := range b {
		if b[i] == 0 {
			return b[:i]
		}
	}
	return b
}
