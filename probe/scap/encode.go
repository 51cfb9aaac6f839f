// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"

	"falconet/engine/event"
)

// newest has, for each row, the type of event that its records are written as.
var newest = newestSchemas()

// writer says how the events of a row are written.
type writer struct {
	*schema
	steps []put
}

// put says how a parameter of the schema's event is written: from which of the row's, -1 for one that the row has not.
type put struct {
	from  int
	as    form
	width int // of a number
}

// widths are the bytes of each type that is a number.
var widths = map[string]int{
	"INT8": 1, "UINT8": 1, "FLAGS8": 1, "ENUMFLAGS8": 1, "SIGTYPE": 1, "L4PROTO": 1,
	"INT16": 2, "UINT16": 2, "FLAGS16": 2, "ENUMFLAGS16": 2, "PORT": 2, "SYSCALLID": 2,
	"INT32": 4, "UINT32": 4, "FLAGS32": 4, "ENUMFLAGS32": 4, "UID": 4, "GID": 4, "MODE": 4, "BOOL": 4, "SIGSET": 4,
	"INT64": 8, "UINT64": 8, "ERRNO": 8, "FD": 8, "PID": 8, "RELTIME": 8, "ABSTIME": 8,
}

var forms = map[string]form{
	"CHARBUF": formText, "FSPATH": formText, "FSRELPATH": formText, "BYTEBUF": formBytes, "SOCKADDR": formAddr, "SOCKTUPLE": formTuple,
	"DYNAMIC": formDynamic, "FDLIST": formPoll,
}

func newestSchemas() map[event.ID]*writer {
	out := make(map[event.ID]*writer)
	for i := range schemas {
		s := &schemas[i]
		if s.row == nil || s.row.Name != s.name {
			continue
		}
		w := &writer{schema: s}
		for j, p := range s.params {
			at, ok := s.row.Param(p.name)
			switch {
			case ok:
			case j == 0 && len(s.row.Params) > 0 && s.row.Params[0].IsResult():
				at = 0
			default:
				at = -1
			}
			w.steps = append(w.steps, put{at, forms[p.kind], widths[p.kind]})
		}
		out[s.row.ID] = w
	}
	for id := range event.Rows() { // a name may have more than one row
		if row := event.RowOf(event.ID(id)); row != nil && out[row.ID] == nil && !row.Internal() {
			for _, other := range event.ByName(row.Name) {
				if w := out[other]; w != nil {
					out[row.ID] = w
				}
			}
		}
	}
	return out
}

// maxParam is the longest parameter of an event whose lengths have 16 bits.
const maxParam = 1<<16 - 1

// encoder writes events. It is not safe for concurrent use.
type encoder struct {
	lengths, data []byte
	large         bool
}

func (x *encoder) begin(large bool) { x.lengths, x.data, x.large = x.lengths[:0], x.data[:0], large }

// end ends a parameter, whose bytes were appended to data from a place on.
func (x *encoder) end(from int) {
	size := len(x.data) - from
	if x.large {
		x.lengths = binary.LittleEndian.AppendUint32(x.lengths, uint32(size))
		return
	}
	if size > maxParam {
		x.data = x.data[:from+maxParam]
		size = maxParam
	}
	x.lengths = binary.LittleEndian.AppendUint16(x.lengths, uint16(size))
}

// record encodes the parameters of a record.
func (x *encoder) record(w *writer, r *event.Record) {
	x.begin(w.large)
	for i := range w.steps {
		from := len(x.data)
		x.param(w, &w.steps[i], r)
		x.end(from)
	}
}

func (x *encoder) param(w *writer, p *put, r *event.Record) {
	if p.from < 0 {
		x.number(0, p.width)
		return
	}
	switch p.as {
	case formNumber:
		v, _ := r.Uint(p.from) // readers of the format expect all of its bytes, also of what is not known
		if w.row.Params[p.from].Type == event.SyscallID && w.row.ID == event.Generic && w.row.Params[p.from].Name == "ID" {
			v = codeOf(r)
		}
		x.number(v, p.width)
	case formText:
		if b, ok := r.Bytes(p.from); ok {
			x.data = append(append(x.data, b...), 0)
		}
	case formBytes:
		if b, ok := r.Bytes(p.from); ok {
			x.data = append(x.data, b...)
		}
	case formAddr:
		if b, ok := r.Bytes(p.from); ok {
			x.addr(b)
		}
	case formTuple:
		x.tuple(w, r)
	case formDynamic:
		x.dynamic(w, p, r)
	case formPoll:
		x.poll(p, r)
	}
}

func (x *encoder) number(v uint64, width int) {
	for range width {
		x.data = append(x.data, byte(v))
		v >>= 8
	}
}

// addr turns an address of the kernel into a stored one.
func (x *encoder) addr(b []byte) {
	if len(b) < 2 {
		return
	}
	family := binary.LittleEndian.Uint16(b)
	switch {
	case family == familyInet && len(b) >= 8:
		x.end4(b[4:8], binary.BigEndian.Uint16(b[2:]), byte(family))
	case family == familyInet6 && len(b) >= 24:
		x.end4(b[8:24], binary.BigEndian.Uint16(b[2:]), byte(family))
	case family == familyUnix:
		x.data = append(append(append(x.data, byte(family)), text(b[2:])...), 0)
	default:
		x.data = append(x.data, byte(family))
	}
}

// end4 appends the family of an address, the address and its port.
func (x *encoder) end4(addr []byte, port uint16, family ...byte) {
	x.data = append(append(x.data, family...), addr...)
	x.data = binary.LittleEndian.AppendUint16(x.data, port)
}

// tuple writes the two ends of the event's socket: of a connection that was taken and of data that came the other end is first.
func (x *encoder) tuple(w *writer, r *event.Record) {
	k, ok := r.Sock()
	if !ok {
		return
	}
	if k.Family == familyUnix {
		x.data = append(x.data, familyUnix)
		x.data = binary.LittleEndian.AppendUint64(x.data, k.Sock)
		x.data = binary.LittleEndian.AppendUint64(x.data, k.Peer)
		x.data = append(append(x.data, k.Path[:min(int(k.PathLen), len(k.Path))]...), 0)
		return
	}
	width := 4
	switch k.Family {
	case familyInet:
	case familyInet6:
		width = 16
	default:
		return
	}
	other, port := k.RAddr[:width], k.RPort
	if b, ok := r.Part(event.PartSockAddr); ok && (port == 0 || k.Type != sockStream) {
		if a, p, ok := internet(b, k.Family); ok {
			other, port = a, p
		}
	}
	if w.does == doesAccept || w.does == doesReceive {
		x.end4(other, port, byte(k.Family))
		x.end4(k.LAddr[:width], k.LPort)
		return
	}
	x.end4(k.LAddr[:width], k.LPort, byte(k.Family))
	x.end4(other, port)
}

// internet reads an address of the kernel, if it is of the family.
func internet(b []byte, family uint16) (addr []byte, port uint16, ok bool) {
	if len(b) < 8 || binary.LittleEndian.Uint16(b) != family {
		return nil, 0, false
	}
	port = binary.BigEndian.Uint16(b[2:])
	switch {
	case family == familyInet:
		return b[4:8], port, true
	case family == familyInet6 && len(b) >= 24:
		return b[8:24], port, true
	}
	return nil, 0, false
}

// Indexes of the forms that a socket option has, as they are stored before it.
const (
	optionBytes = iota
	optionErrno
	optionNumber
	optionLong
	optionTime
)

// dynamic writes a parameter of one of several forms behind the index of the one it has.
func (x *encoder) dynamic(w *writer, p *put, r *event.Record) {
	kind := r.ParamType(p.from)
	v, ok := r.Uint(p.from)
	isNumber := ok && r.Numeric(p.from)
	if w.does == doesOption {
		switch {
		case isNumber && kind == event.Errno:
			x.data = append(x.data, optionErrno)
			x.number(v, 8)
		case isNumber && kind == event.Uint32:
			x.data = append(x.data, optionNumber)
			x.number(v, 4)
		case isNumber && kind == event.Uint64:
			x.data = append(x.data, optionLong)
			x.number(v, 8)
		case isNumber && kind == event.RelTime:
			x.data = append(x.data, optionTime)
			x.number(v, 8)
		default:
			b, _ := r.Part(event.PartMem)
			x.data = append(append(x.data, optionBytes), b...)
		}
		return
	}
	switch {
	case isNumber && (kind == event.SigType):
		x.data = append(x.data, 1, byte(v))
	case isNumber:
		x.data = append(x.data, 0)
		x.number(v, 8)
	default:
		b, ok := r.Bytes(p.from)
		x.data = append(x.data, 1)
		if ok {
			x.data = append(append(x.data, b...), 0)
		}
	}
}

// poll writes the descriptors that a call waited for.
func (x *encoder) poll(p *put, r *event.Record) {
	list, ok := r.Bytes(p.from)
	if !ok {
		return
	}
	n := 0
	for ; n < maxParam/10-1; n++ {
		if _, ok := event.Poll(list, n); !ok {
			break
		}
	}
	x.number(uint64(n), 2)
	for i := range n {
		f, _ := event.Poll(list, i)
		x.number(uint64(int64(f.FD)), 8)
		x.number(uint64(f.Revents), 2)
	}
}
