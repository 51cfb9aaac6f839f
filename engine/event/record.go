// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// ErrRecord is returned for bytes that are no record of this program's probe.
var ErrRecord = errors.New("malformed record")

const maxParts = 24

// Record is a cursor over the bytes of one event. It holds no memory of its own but the header: every slice that it
// gives out aliases the bytes that Reset was given and lives as long as they do. It is not safe for concurrent use.
type Record struct {
	Header
	row  *Row
	data []byte
	off  [maxParts]uint32
	size [maxParts]uint32
}

// Reset points r at the record in b and checks its framing. It allocates nothing.
func (r *Record) Reset(b []byte) error {
	if len(b) < HeaderSize {
		return ErrRecord
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&r.Header)), HeaderSize), b)
	r.row = RowOf(r.Event)
	n := int(r.Parts)
	off := HeaderSize + 4*n
	if r.row == nil || n > maxParts || int(r.Len) > len(b) || off > int(r.Len) {
		return ErrRecord
	}
	for i := range n {
		size := binary.LittleEndian.Uint32(b[HeaderSize+4*i:])
		r.off[i], r.size[i] = uint32(off), size
		if size != partAbsent {
			off += int(size &^ partTruncated)
		}
	}
	if off > int(r.Len) {
		return ErrRecord
	}
	r.data = b
	return nil
}

// Raw returns the bytes of the record, to keep a copy of them.
func (r *Record) Raw() []byte { return r.data[:r.Len] }

// Row returns the event's row.
func (r *Record) Row() *Row { return r.row }

// Compat32 reports whether the call came through the 32-bit table.
func (r *Record) Compat32() bool { return r.Flags&FlagCompat32 != 0 }

// EventName returns evt.type: the row's name, or the system call's for the generic row.
func (r *Record) EventName() string {
	if r.Event == Generic {
		return SyscallName(int(r.NR), r.Compat32())
	}
	return r.row.Name
}

// Part returns a captured piece; ok is false when it was not captured or could not be read.
func (r *Record) Part(k PartKind) (b []byte, ok bool) {
	i := r.index(k)
	if i < 0 || uint8(i) >= r.Parts || r.size[i] == partAbsent {
		return nil, false
	}
	return r.data[r.off[i] : r.off[i]+r.size[i]&^partTruncated], true
}

// index is the place of a piece in the record, -1 for none.
func (r *Record) index(k PartKind) int8 {
	if r.Flags&FlagFailed != 0 {
		return r.row.failedPart[k]
	}
	return r.row.partIndex[k]
}

// Truncated reports whether the piece was longer than the probe copies.
func (r *Record) Truncated(k PartKind) bool {
	i := r.index(k)
	return i >= 0 && uint8(i) < r.Parts && r.size[i] != partAbsent && r.size[i]&partTruncated != 0
}

// Has reports whether parameter i was captured.
func (r *Record) Has(i int) bool {
	v := &r.row.Params[i].view
	if v.kind != viewPart {
		return true
	}
	b, ok := r.Part(v.part)
	return ok && len(b) >= int(v.off)+int(v.size)
}

// Uint returns the numeric parameter i in the schema's numbering, zero-extended (sign-extended for signed types); ok is
// false when it was not captured or is no number.
func (r *Record) Uint(i int) (v uint64, ok bool) {
	p := &r.row.Params[i]
	w := &p.view
	size := w.size
	switch w.kind {
	case viewCalc:
		return w.calc(r)
	case viewRet:
		v, size = uint64(r.Ret), 8
	case viewArg:
		v = r.Args[w.arg]
		if size == 8 && r.Compat32() && p.Type.Signed() {
			size = 4
		}
	case viewNR:
		v = uint64(r.NR)
	case viewPart:
		b, ok := r.Part(w.part)
		if size == 0 || !ok || len(b) < int(w.off)+int(size) {
			if w.num != nil && r.Ret < 0 {
				return w.num(r, 0), true
			}
			return 0, false
		}
		v = load(b[w.off:], size)
	}
	v = extend(v, size, p.Type.Signed())
	if w.num != nil {
		v = w.num(r, v)
	}
	return v, true
}

// Int is Uint for signed parameters.
func (r *Record) Int(i int) (int64, bool) {
	v, ok := r.Uint(i)
	return int64(v), ok
}

// Bytes returns the bytes of parameter i, which is a string, a buffer or an address; ok is false when it was not
// captured. A string comes without its NUL.
func (r *Record) Bytes(i int) ([]byte, bool) {
	w := &r.row.Params[i].view
	if w.text != PartNone && w.dyn(r).isBytes() {
		return r.Part(w.text)
	}
	if w.kind != viewPart || w.size != 0 {
		return nil, false
	}
	if w.when != nil && !w.when(r) {
		return nil, false
	}
	b, ok := r.Part(w.part)
	if !ok || len(b) < int(w.off) {
		return nil, false
	}
	b = b[w.off:]
	if w.cut != nil {
		b = w.cut(b)
	}
	return b, true
}

// ParamType returns the type of parameter i in this record: the row's, or for a dynamic parameter the one it has here.
func (r *Record) ParamType(i int) Type {
	p := &r.row.Params[i]
	if p.view.dyn != nil {
		return p.view.dyn(r)
	}
	return p.Type
}

// Numeric reports whether Uint reads parameter i, rather than Bytes.
func (r *Record) Numeric(i int) bool {
	w := &r.row.Params[i].view
	if w.text != PartNone {
		return !w.dyn(r).isBytes()
	}
	return w.kind != viewPart || w.size != 0
}

func load(b []byte, size uint8) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func extend(v uint64, size uint8, signed bool) uint64 {
	switch {
	case size == 1 && signed:
		return uint64(int64(int8(v)))
	case size == 1:
		return v & 0xff
	case size == 2 && signed:
		return uint64(int64(int16(v)))
	case size == 2:
		return v & 0xffff
	case size == 4 && signed:
		return uint64(int64(int32(v)))
	case size == 4:
		return v & 0xffffffff
	}
	return v
}

// Poll reads the i-th of the descriptors in a parameter of the type FDList; ok is false behind the last.
func Poll(list []byte, i int) (f PollFacts, ok bool) {
	size := int(unsafe.Sizeof(f))
	if len(list) < (i+1)*size {
		return f, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&f)), size), list[i*size:])
	f.Revents = uint16(pollBits.convert(uint64(f.Revents)))
	return f, true
}

// File returns the facts of the event's file.
func (r *Record) File() (f FileFacts, ok bool) { ok = facts(r, PartFile, &f); return }

// Sock returns the facts of the event's socket.
func (r *Record) Sock() (f SockFacts, ok bool) { ok = facts(r, PartSock, &f); return }

// Task returns the facts of the event's task.
func (r *Record) Task() (f TaskFacts, ok bool) { ok = facts(r, PartTask, &f); return }

// Now returns what the record says of its thread as it was at the event.
func (r *Record) Now() (f NowFacts, ok bool) { ok = facts(r, PartNow, &f); return }

// Memory returns how much memory the event's task had.
func (r *Record) Memory() (f MemoryFacts, ok bool) { ok = facts(r, PartMemory, &f); return }

func facts[T FileFacts | NowFacts | SockFacts | TaskFacts | ExitFacts | MemoryFacts](r *Record, k PartKind, to *T) bool {
	b, ok := r.Part(k)
	return ok && read(b, to)
}

func read[T FileFacts | NowFacts | SockFacts | TaskFacts | ExitFacts | MemoryFacts](b []byte, to *T) bool {
	size := int(unsafe.Sizeof(*to))
	if len(b) < size {
		return false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(to)), size), b)
	return true
}

// SockOf reads the bytes of a PartSock; ok is false when they are too few.
func SockOf(b []byte) (f SockFacts, ok bool) { ok = read(b, &f); return }

// FileOf reads the bytes of a PartFile.
func FileOf(b []byte) (f FileFacts, ok bool) { ok = read(b, &f); return }

// NowOf reads the bytes of a PartNow.
func NowOf(b []byte) (f NowFacts, ok bool) { ok = read(b, &f); return }

// DecodeTask reads one TaskFacts from b, as the task iterator writes them; ok is false when b is too short.
func DecodeTask(b []byte) (f TaskFacts, ok bool) { ok = read(b, &f); return }
