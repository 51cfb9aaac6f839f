// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// ring reads a BPF ring buffer in place. The layout is the kernel's (kernel/bpf/ringbuf.c): a page with the consumer's position, a
// page with the producer's, and the data mapped twice in a row so that no record is ever split.
//
// Records are taken with next, which moves a position of the reader's own; their bytes stay valid until release gives them back.
type ring struct {
	consumer, producer []byte
	data               []byte
	mask               uint64
	pos                uint64 // first byte not taken yet
}

const (
	recordBusy    = 1 << 31
	recordDiscard = 1 << 30
	recordHeader  = 8
)

func mapRing(m *ebpf.Map) (*ring, error) {
	size, page := int(m.MaxEntries()), os.Getpagesize()
	consumer, err := unix.Mmap(m.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map consumer page: %w", err)
	}
	producer, err := unix.Mmap(m.FD(), int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Munmap(consumer)
		return nil, fmt.Errorf("map data pages: %w", err)
	}
	r := &ring{consumer: consumer, producer: producer, data: producer[page:], mask: uint64(size - 1)}
	r.pos = atomic.LoadUint64(position(r.consumer))
	return r, nil
}

func position(page []byte) *uint64 { return (*uint64)(unsafe.Pointer(&page[0])) }

// end is the position behind the last record that has been reserved.
func (r *ring) end() uint64 { return atomic.LoadUint64(position(r.producer)) }

// peek returns the record at the reader's position without taking it. It is nil at limit, and when the record there is still
// being written: then busy is true.
func (r *ring) peek(limit uint64) (b []byte, busy bool) {
	for r.pos < limit {
		at := r.pos & r.mask
		size := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[at])))
		if size&recordBusy != 0 {
			return nil, true
		}
		n := uint64(size &^ recordDiscard)
		if size&recordDiscard == 0 {
			return r.data[at+recordHeader : at+recordHeader+n : at+recordHeader+n], false
		}
		r.take(n)
	}
	return nil, false
}

// take moves past a record of n bytes.
func (r *ring) take(n uint64) { r.pos += (n + recordHeader + 7) &^ 7 }

// release gives everything that was taken back to the kernel.
func (r *ring) release() { atomic.StoreUint64(position(r.consumer), r.pos) }

func (r *ring) close() {
	if r != nil {
		_ = unix.Munmap(r.consumer)
		_ = unix.Munmap(r.producer)
	}
}

// timestamp reads Header.TS of a record.
func timestamp(b []byte) uint64 {
	if len(b) < 16 {
		return 0
	}
	return binary.LittleEndian.Uint64(b[8:])
}
