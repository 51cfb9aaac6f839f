// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The kinds of blocks. Those with the top bit set are from before the format was published.
const (
	blockSection  = 0x0A0D0D0A
	blockMachine  = 0x201
	blockProcs1   = 0x202
	blockFDs1     = 0x203
	blockEvent1   = 0x204
	blockAddrs1   = 0x205
	blockUsers1   = 0x206
	blockProcs2   = 0x207
	blockFlagged1 = 0x208
	blockProcs3   = 0x209
	blockProcs4   = 0x210
	blockProcs5   = 0x211
	blockProcs6   = 0x212
	blockProcs7   = 0x213
	blockProcs8   = 0x214
	blockProcs9   = 0x215
	blockEvent2   = 0x216
	blockFlagged2 = 0x217
	blockFDs2     = 0x218
	blockAddrs2   = 0x219
	blockUsers2   = 0x220
	blockLarge    = 0x221
	blockFlaggedL = 0x222
)

// early maps the numbers of blocks from before the format was published.
var early = map[uint32]uint32{
	0x8000ABCD: blockProcs1, 0x8001ABCD: blockFDs1, 0x8002ABCD: blockMachine, 0x8010ABCD: blockEvent1, 0x8011ABCD: blockAddrs1,
	0x8012ABCD: blockUsers1, 0x8013ABCD: blockProcs2, 0x8014ABCD: blockProcs3,
}

const (
	magic        = 0x1A2B3C4D
	magicSwapped = 0x4D3C2B1A
	majorVersion = 1

	blockHeader = 8  // type and length
	blockFrame  = 12 // with the length that is repeated at its end

	window   = 256 << 10 // what is looked at without a copy: longer than any event but those of large payload
	maxEvent = 16 << 20
	maxList  = 1 << 30 // lists are read entry by entry
)

// Damage is what is wrong with a capture: where, in bytes from the beginning of its data (uncompressed), and what.
type Damage struct {
	Offset int64
	Err    error
}

// Error says what and where.
func (d *Damage) Error() string {
	return fmt.Sprintf("capture is damaged at offset %d: %v", d.Offset, d.Err)
}

// Unwrap returns what is wrong.
func (d *Damage) Unwrap() error { return d.Err }

// ErrNoCapture is returned for a file that is no capture.
var ErrNoCapture = errors.New("this is no capture file")

// blocks reads a capture block by block.
type blocks struct {
	in     *bufio.Reader
	off    int64 // of the block that is next, or is being read
	resync bool
	large  []byte // room for events that are longer than the window

	skipped int64 // bytes passed over by resync
	damaged uint64
	first   *Damage
}

// block is one block: its body is either in memory (events) or to be read (lists).
type block struct {
	kind uint32
	body []byte
	list *list
	size int64 // of the whole block
}

func newBlocks(r io.Reader, resync bool) (*blocks, error) {
	in := bufio.NewReaderSize(r, window)
	if head, _ := in.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, &Damage{0, fmt.Errorf("read gzip header: %w", err)}
		}
		in = bufio.NewReaderSize(z, window)
	}
	b := &blocks{in: in, resync: resync}
	head, err := in.Peek(blockHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &Damage{0, err}
	}
	if len(head) < blockHeader || binary.LittleEndian.Uint32(head) != blockSection {
		return nil, ErrNoCapture
	}
	return b, nil
}

// next returns the next block, io.EOF behind the last. Its body is valid until the call after. done must be called between two calls.
func (b *blocks) next() (blk block, err error) {
	for {
		if blk, err = b.peek(); err == nil {
			return blk, nil
		}
		var d *Damage
		if !b.resync || !errors.As(err, &d) {
			return blk, err
		}
		b.note(d)
		if err := b.seek(); err != nil {
			return block{}, err
		}
	}
}

func (b *blocks) note(d *Damage) {
	if b.damaged++; b.first == nil {
		b.first = d
	}
}

func (b *blocks) damage(format string, args ...any) error {
	return &Damage{b.off, fmt.Errorf(format, args...)}
}

// peek frames the block at the present offset.
func (b *blocks) peek() (block, error) {
	head, err := b.in.Peek(blockHeader)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return block{}, io.EOF
	}
	if err != nil {
		return block{}, b.damage("read block: %w", cut(err))
	}
	kind, size := binary.LittleEndian.Uint32(head), int64(binary.LittleEndian.Uint32(head[4:]))
	if known, ok := early[kind]; ok {
		kind = known
	}
	if size < blockFrame {
		return block{}, b.damage("block of %d bytes", size)
	}
	if !isEvent(kind) {
		if size > maxList {
			return block{}, b.damage("block of %d bytes", size)
		}
		_, _ = b.in.Discard(blockHeader)
		return block{kind: kind, size: size, list: &list{in: b.in, left: size - blockFrame}}, nil
	}
	var all []byte
	switch {
	case size <= window:
		all, err = b.in.Peek(int(size))
	case size <= maxEvent && (kind == blockLarge || kind == blockFlaggedL):
		all, err = b.copy(int(size))
	default:
		return block{}, b.damage("event of %d bytes", size)
	}
	if err != nil {
		return block{}, b.damage("read event: %w", cut(err))
	}
	if end := int64(binary.LittleEndian.Uint32(all[size-4:])); end != size {
		return block{}, b.damage("block of %d bytes ends as one of %d", size, end)
	}
	return block{kind: kind, size: size, body: all[blockHeader : size-4]}, nil
}

// copy reads an event that is longer than the window, as far as there is something to read: what the length claims is not believed before.
func (b *blocks) copy(size int) ([]byte, error) {
	b.large = b.large[:0]
	for len(b.large) < size {
		head, err := b.in.Peek(min(window, size-len(b.large)))
		if err != nil {
			return nil, err
		}
		b.large = append(b.large, head...)
		_, _ = b.in.Discard(len(head))
	}
	return b.large, nil
}

// done passes over the rest of a block and checks its end.
func (b *blocks) done(blk *block) error {
	if blk.list == nil {
		if blk.size <= window {
			_, _ = b.in.Discard(int(blk.size))
		}
		b.off += blk.size
		return nil
	}
	if err := blk.list.skip(blk.list.left); err != nil {
		return b.damage("read block: %w", cut(err))
	}
	tail, err := b.in.Peek(4)
	if err != nil {
		return b.damage("read block: %w", cut(err))
	}
	if end := int64(binary.LittleEndian.Uint32(tail)); end != blk.size {
		b.off += blk.size - 4
		return b.damage("block of %d bytes ends as one of %d", blk.size, end)
	}
	_, _ = b.in.Discard(4)
	b.off += blk.size
	return nil
}

// seek goes to the next place where a whole block seems to begin.
func (b *blocks) seek() error {
	for {
		head, err := b.in.Peek(window)
		for i := 1; i+blockFrame <= len(head); i++ {
			if plausible(head[i:]) {
				return b.pass(i)
			}
		}
		if err != nil {
			_ = b.pass(len(head))
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return b.damage("read block: %w", err)
		}
		if err := b.pass(window / 2); err != nil {
			return err
		}
	}
}

func (b *blocks) pass(n int) error {
	done, err := b.in.Discard(n)
	b.off += int64(done)
	b.skipped += int64(done)
	return err
}

// plausible reports whether p begins with a block of an event, or of another kind, that ends as it begins.
func plausible(p []byte) bool {
	kind, size := binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:])
	if known, ok := early[kind]; ok {
		kind = known
	}
	if kind != blockSection && (kind < blockMachine || kind > blockFlaggedL) || size < blockFrame || size > window/2 || int(size) > len(p) {
		return false
	}
	return binary.LittleEndian.Uint32(p[size-4:]) == size
}

func isEvent(kind uint32) bool {
	switch kind {
	case blockEvent1, blockFlagged1, blockEvent2, blockFlagged2, blockLarge, blockFlaggedL:
		return true
	}
	return false
}

// cut calls an end of the file that is in the middle of something what it is.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
