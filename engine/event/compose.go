// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	mathbits "math/bits"
	"unsafe"
)

// Composer makes records out of parameters rather than out of what the kernel holds: a source that only knows the values of the schema
// gives them, and the composer finds the registers and pieces from which the row's own views read them back. What the views say is
// thus never written a second time. It is not safe for concurrent use.
type Composer struct {
	rec   Record
	used  [6]bool // registers that a parameter has been put into
	known map[composed]uint64
	calcs map[composed]place
}

// composed names a value of a parameter; value is left out where every value has the same place.
type composed struct {
	row   ID
	param uint8
	value uint64
}

// place is where a calculated parameter is kept: a register (part none), or bytes of a piece.
type place struct {
	part PartKind
	at   uint16
	size uint8
}

// maxKnown bounds the memory of values that have been looked for.
const maxKnown = 1 << 14

// NewComposer returns a composer.
func NewComposer() *Composer {
	return &Composer{known: make(map[composed]uint64), calcs: make(map[composed]place)}
}

// pointer is in the registers that no parameter says anything of: some of them are pointers to the pieces.
const pointer = 1

// Begin starts the record of the event h.Event, whose row must exist. Registers, result and pieces are set afterwards. h.Args, Len and Parts are
// ignored.
func (c *Composer) Begin(h Header) {
	r := &c.rec
	r.Header, r.row = h, RowOf(h.Event)
	r.Args = [6]uint64{pointer, pointer, pointer, pointer, pointer, pointer}
	c.used = [6]bool{}
	list := r.row.Parts
	if h.Flags&FlagFailed != 0 {
		list = r.row.Failed
	}
	r.Parts = uint8(len(list))
	for i := range list {
		r.size[i] = partAbsent
	}
	r.data = r.data[:0]
}

// Header is the header of the record under way. Flags and Event must not be changed.
func (c *Composer) Header() *Header { return &c.rec.Header }

// Record returns what was composed. It is valid until the next Begin, and takes no part in later changes.
func (c *Composer) Record() *Record {
	c.rec.Len = uint32(HeaderSize + 4*int(c.rec.Parts) + len(c.rec.data))
	return &c.rec
}

// Append appends the bytes of the record, as Reset reads them.
func (c *Composer) Append(dst []byte) []byte {
	r := c.Record()
	start := len(dst)
	dst = append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&r.Header)), HeaderSize)...)
	for i := range r.Parts {
		dst = binary.LittleEndian.AppendUint32(dst, r.size[i])
	}
	for i := range r.Parts {
		if r.size[i] != partAbsent {
			dst = append(dst, r.data[r.off[i]:r.off[i]+r.size[i]&^partTruncated]...)
		}
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// Put sets a whole piece. A row that does not capture it goes without.
func (c *Composer) Put(k PartKind, b []byte) {
	r := &c.rec
	i := r.index(k)
	if i < 0 || uint8(i) >= r.Parts {
		return
	}
	r.off[i], r.size[i] = uint32(len(r.data)), uint32(len(b))
	r.data = append(r.data, b...)
}

// room returns at least n bytes of a piece, which is made longer if need be; nil when the row does not capture it.
func (c *Composer) room(k PartKind, n int) []byte {
	r := &c.rec
	i := r.index(k)
	if i < 0 || uint8(i) >= r.Parts {
		return nil
	}
	if r.size[i] == partAbsent {
		r.off[i], r.size[i] = uint32(len(r.data)), 0
	}
	if have := int(r.size[i]); have < n {
		if int(r.off[i])+have != len(r.data) {
			off := len(r.data)
			r.data = append(r.data, r.data[r.off[i]:int(r.off[i])+have]...)
			r.off[i] = uint32(off)
		}
		r.data = append(r.data, make([]byte, n-have)...)
		r.size[i] = uint32(n)
	}
	return r.data[r.off[i] : r.off[i]+r.size[i]]
}

// SetBytes sets parameter i, which is a string, a buffer or an address in the kernel's form.
func (c *Composer) SetBytes(i int, b []byte) {
	w := &c.rec.row.Params[i].view
	k := w.part
	if w.text != PartNone {
		k = w.text
	}
	if w.kind != viewPart && w.text == PartNone || k == PartNone {
		return
	}
	if w.off != 0 || w.cut != nil {
		room := c.room(k, int(w.off)+len(b)+1)
		if room != nil {
			copy(room[w.off:], b)
		}
		return
	}
	c.Put(k, b)
}

// SetUint sets the numeric parameter i to v, the schema's number, and reports whether the record reads back as it: some parameters
// follow from others, and a few values have no counterpart in the kernel. Set the parameters in the order of the row.
func (c *Composer) SetUint(i int, v uint64) bool {
	r := &c.rec
	p := &r.row.Params[i]
	w := &p.view
	switch w.kind {
	case viewRet:
		if w.num == nil {
			r.Ret = int64(v)
			return true
		}
		return c.reads(i, v)
	case viewNR:
		r.NR = uint16(v)
		return true
	case viewArg:
		if w.num == nil {
			r.Args[w.arg], c.used[w.arg] = v, true
			return true
		}
		if c.used[w.arg] && c.reads(i, v) {
			return true
		}
		before := r.Args[w.arg]
		if !c.used[w.arg] {
			before = 0
		}
		ok := c.invert(i, v, before, func(k uint64) { r.Args[w.arg] = k })
		c.used[w.arg] = true
		return ok
	case viewPart:
		if w.size == 0 {
			return false
		}
		room := c.room(w.part, int(w.off)+int(w.size))
		if room == nil {
			return false
		}
		if w.num == nil {
			store(room[w.off:], w.size, v)
			return true
		}
		if c.reads(i, v) {
			return true
		}
		return c.invert(i, v, load(room[w.off:], w.size), func(k uint64) { store(room[w.off:], w.size, k) })
	case viewCalc:
		return c.reads(i, v) || c.calculated(i, v)
	}
	return false
}

func (c *Composer) reads(i int, v uint64) bool {
	got, ok := c.rec.Uint(i)
	return ok && c.same(i, got, v)
}

// same compares a number with what a record has, as far as the parameter is wide.
func (c *Composer) same(i int, got, want uint64) bool {
	size := uint8(8)
	switch c.rec.row.Params[i].Type {
	case Uint8, Int8, Flags8, EnumFlags8, SigType, L4Proto:
		size = 1
	case Uint16, Int16, Flags16, EnumFlags16, Port, SyscallID:
		size = 2
	case Uint32, Int32, Flags32, EnumFlags32, UID, GID, Mode, Bool, SigSet:
		size = 4
	}
	return extend(got, size, false) == extend(want, size, false)
}

// invert finds the kernel's number of the schema's v by trial, adding to the bits in before. What has been found is remembered, even if it was only
// near: a few values have bits that other pieces of the record hold.
func (c *Composer) invert(i int, v, before uint64, set func(uint64)) bool {
	key := composed{c.rec.Event, uint8(i), v}
	if k, ok := c.known[key]; ok {
		for _, k := range [2]uint64{k | before, v | before} {
			if set(k); c.reads(i, v) {
				return true
			}
		}
		set(k | before)
		return false
	}
	k, ok := c.search(i, v, before, set)
	set(k)
	if len(c.known) < maxKnown {
		c.known[key] = k
	}
	return ok
}

// joined are kernel values of several bits that mean one thing: O_SYNC and O_TMPFILE.
var joined = [...]uint64{0o4010000, kernelOTmpfile}

// search finds the kernel's number, or the nearest there is.
func (c *Composer) search(i int, v, before uint64, set func(uint64)) (k uint64, ok bool) {
	read := func(k uint64) uint64 {
		set(k)
		got, _ := c.rec.Uint(i)
		return got
	}
	if c.same(i, read(v|before), v) {
		return v | before, true
	}
	// sets of bits: take each that brings something wanted and nothing else; the first two bits of an open are a number
	k = before
	got := read(k)
	take := func(bit uint64) {
		next := read(k | bit)
		more := mathbits.OnesCount64(next&v) - mathbits.OnesCount64(got&v)
		if next&^v == 0 && next != got && (more > 0 || got&^v != 0 || more == 0 && bit < 4) {
			k, got = k|bit, next
		}
	}
	for _, bit := range joined {
		take(bit)
	}
	for b := range 32 {
		take(1 << b)
	}
	if c.same(i, got, v) {
		return k, true
	}
	// one of a list of numbers
	for _, first := range [...]uint64{0, 0x400, 0x4200} {
		for n := first; n < first+256; n++ {
			if c.same(i, read(n), v) {
				return n, true
			}
		}
	}
	if got&^v != 0 {
		k = v | before
	}
	return k, false
}

// calculated finds by trial where a calculated parameter is read from: one of the registers, or bytes of one of its pieces, which must
// all be there to be read.
func (c *Composer) calculated(i int, v uint64) bool {
	r := &c.rec
	before := r.size
	also := r.row.Params[i].view.also
	for k := PartNone + 1; k < partKinds; k++ {
		if also.Has(k) {
			c.room(k, c.length(k))
		}
	}
	if c.locate(i, v, also) {
		return true
	}
	r.size = before // what was added goes, what was lengthened is as good as before
	return false
}

func (c *Composer) locate(i int, v uint64, also Parts) bool {
	key := composed{c.rec.Event, uint8(i), 0}
	if at, ok := c.calcs[key]; ok && c.try(i, v, at) {
		return true
	}
	for k := PartNone + 1; k < partKinds; k++ {
		if !also.Has(k) {
			continue
		}
		for _, size := range [...]uint8{8, 4, 2} {
			for at := uint16(0); int(at)+int(size) <= c.length(k); at += 2 {
				if c.tryNew(key, i, v, place{k, at, size}) {
					return true
				}
			}
		}
	}
	for arg := range c.used {
		if !c.used[arg] && c.tryNew(key, i, v, place{PartNone, uint16(arg), 8}) {
			return true
		}
	}
	return false
}

func (c *Composer) tryNew(key composed, i int, v uint64, at place) bool {
	if !c.try(i, v, at) {
		return false
	}
	c.calcs[key] = at
	return true
}

// length is how much of a piece the probe captures, as far as the row tells.
func (c *Composer) length(k PartKind) int {
	for _, p := range c.rec.row.Parts {
		if p.Kind == k {
			return max(int(p.Size), 4)
		}
	}
	return 0
}

// try puts v into a place and takes it back when the parameter does not read as it then.
func (c *Composer) try(i int, v uint64, at place) bool {
	r := &c.rec
	if at.part == PartNone {
		if c.used[at.at] {
			return false
		}
		r.Args[at.at] = v
		if c.used[at.at] = c.reads(i, v); !c.used[at.at] {
			r.Args[at.at] = pointer
		}
		return c.used[at.at]
	}
	room := c.room(at.part, int(at.at)+int(at.size))
	if room == nil {
		return false
	}
	before := load(room[at.at:], at.size)
	set := func(k uint64) { store(room[at.at:], at.size, k) }
	if set(v); c.reads(i, v) {
		return true
	}
	if r.row.Params[i].Type.IsFlags() {
		if k, ok := c.search(i, v, before, set); ok {
			set(k)
			return true
		}
	}
	set(before)
	return false
}

func store(b []byte, size uint8, v uint64) {
	switch size {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	default:
		binary.LittleEndian.PutUint64(b, v)
	}
}

// PollEvents turns what a poll found, in the schema's bits, into the kernel's, which PollFacts hold.
func PollEvents(schema uint16) (kernel uint16) {
	for _, b := range pollBits {
		if uint32(schema)&b.schema != 0 {
			kernel |= uint16(b.kernel)
		}
	}
	return kernel
}

// Derived reports whether the parameter is made of more than one of the call's registers and pieces: set it behind the others.
func (p *Param) Derived() bool { return p.view.kind == viewCalc || p.Type == Dynamic }

// Piece is the piece that the parameter stands in, if it is a number that does and so may be absent; PartNone otherwise.
func (p *Param) Piece() PartKind {
	if p.view.kind == viewPart && p.view.size > 0 {
		return p.view.part
	}
	return PartNone
}

// Drop takes a piece away again.
func (c *Composer) Drop(k PartKind) {
	if i := c.rec.index(k); i >= 0 && uint8(i) < c.rec.Parts {
		c.rec.size[i] = partAbsent
	}
}

// CallSize is the length of what AppendCall appends.
const CallSize = 8 * 7

// AppendCall appends the result and the registers of a record's call.
func AppendCall(dst []byte, r *Record) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Ret))
	for _, v := range r.Args {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

// SetCall sets the result and the registers as AppendCall wrote them.
func (c *Composer) SetCall(b []byte) {
	if len(b) < CallSize {
		return
	}
	c.rec.Ret = int64(binary.LittleEndian.Uint64(b))
	for i := range c.rec.Args {
		c.rec.Args[i], c.used[i] = binary.LittleEndian.Uint64(b[8+8*i:]), true
	}
}
