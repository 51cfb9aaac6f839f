// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"

	"falconet/engine/event"
)

// tuple is the ends of a socket as events have them: of a connection the client's first, of a message the sender's.
type tuple struct {
	family       uint16
	src, dst     [16]byte
	sport, dport uint16
	from, to     uint64 // unix: the addresses of the two ends
	path         []byte
}

// readTuple reads the ends of a socket; false when the event could not tell them.
func readTuple(b []byte) (t tuple, ok bool) {
	if len(b) < 1 {
		return t, false
	}
	t.family, b = uint16(b[0]), b[1:]
	width := 0
	switch t.family {
	case familyInet:
		width = 4
	case familyInet6:
		width = 16
	case familyUnix:
		if len(b) < 16 {
			return t, false
		}
		t.from, t.to, t.path = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), text(b[16:])
		return t, true
	default:
		return t, false
	}
	if len(b) < 2*width+4 {
		return t, false
	}
	copy(t.src[:], b[:width])
	t.sport = binary.LittleEndian.Uint16(b[width:])
	b = b[width+2:]
	copy(t.dst[:], b[:width])
	t.dport = binary.LittleEndian.Uint16(b[width:])
	return t, true
}

// appendSockaddr turns a stored address into the one that the call was given.
func appendSockaddr(dst, b []byte) []byte {
	family, b := uint16(b[0]), b[1:]
	dst = binary.LittleEndian.AppendUint16(dst, family)
	switch {
	case family == familyInet && len(b) >= 6:
		dst = appendInternet(dst, familyInet, b[:4], binary.LittleEndian.Uint16(b[4:]))
	case family == familyInet6 && len(b) >= 18:
		dst = appendInternet(dst, familyInet6, b[:16], binary.LittleEndian.Uint16(b[16:]))
	case family == familyUnix:
		dst = append(append(dst, text(b)...), 0)
	}
	return dst
}

// appendInternet appends what follows the family in an internet address of the kernel.
func appendInternet(dst []byte, family uint16, addr []byte, port uint16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, port)
	if family == familyInet {
		return append(append(dst, addr[:4]...), make([]byte, 8)...)
	}
	dst = append(dst, 0, 0, 0, 0) // flow
	return append(append(dst, addr[:16]...), 0, 0, 0, 0)
}

// meet sets the ends of a socket.
func meet(s *event.SockFacts, own, other [16]byte, ownPort, otherPort uint16) {
	s.LAddr, s.RAddr, s.LPort, s.RPort = own, other, ownPort, otherPort
}

// connected takes over the ends that a connect made.
func (s *Source) connected(d *desc, e *raw, th *thread) {
	t, ok := s.tupleOf(e, th)
	if !ok {
		return
	}
	k := d.mutable(t.family)
	if t.family == familyUnix {
		k.Sock, k.Peer = t.from, t.to
		setPath(k, t.path)
		return
	}
	meet(k, t.src, t.dst, t.sport, t.dport)
	k.Role = uint8(event.RoleClient)
	if k.Type == sockStream {
		k.State = stateEstablished
	}
}

// accepted makes the descriptor of a connection that was taken.
func (s *Source) accepted(e *raw, th *thread) *desc {
	d := &desc{}
	t, ok := s.tupleOf(e, th)
	if !ok {
		d.socket(familyInet)
		return d
	}
	k := d.socket(t.family)
	k.Type = sockStream
	if t.family == familyUnix {
		k.Sock, k.Peer = t.from, t.to
		setPath(k, t.path)
		return d
	}
	meet(k, t.dst, t.src, t.dport, t.sport)
	k.Proto, k.State, k.Role = protoTCP, stateEstablished, uint8(event.RoleServer)
	return d
}

// bound takes over the address that a bind gave.
func (s *Source) bound(d *desc) {
	b, ok := s.out.Record().Part(event.PartSockAddr)
	if !ok || len(b) < 4 {
		return
	}
	family, port := binary.LittleEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	k := d.mutable(family)
	switch {
	case family == familyInet && len(b) >= 8:
		copy(k.LAddr[:], b[4:8])
	case family == familyInet6 && len(b) >= 24:
		copy(k.LAddr[:], b[8:24])
	case family == familyUnix:
		setPath(k, text(b[2:]))
		return
	default:
		return
	}
	k.LPort, k.Bound = port, 1
	s.tables.serving[port] = true
}

// mutable is the state of a socket that events change; of a descriptor that was not known to be one it is made.
func (d *desc) mutable(family uint16) *event.SockFacts {
	if d.sock == nil || d.sock.Family != family {
		old := d.sock
		d.socket(family)
		if old != nil {
			d.sock.Type, d.sock.Proto = old.Type, old.Proto
		}
	}
	return d.sock
}

func (s *Source) tupleOf(e *raw, th *thread) (tuple, bool) {
	for i := range e.kind.plan {
		if st := &e.kind.plan[i]; st.as == formTuple {
			if b, _, ok := st.source(th, e); ok {
				return readTuple(b)
			}
		}
	}
	if b, p := th.begun("tuple"); p != nil { // of a call that sends, which later versions have at its end
		return readTuple(b)
	}
	return tuple{}, false
}

// socketOf adds the state of the event's socket. A message on a socket that is no connection names its own ends.
func (s *Source) socketOf(d *desc, th *thread, e *raw) {
	k := d.sock
	t, ok := s.tupleOf(e, th)
	if ok && (e.kind.does == doesSend || e.kind.does == doesReceive) && k.Type != sockStream && t.family != familyUnix {
		k = d.mutable(t.family)
		own, other, ownPort, otherPort := t.src, t.dst, t.sport, t.dport
		if e.kind.does == doesReceive {
			own, other, ownPort, otherPort = t.dst, t.src, t.dport, t.sport
		}
		if otherPort != 0 {
			meet(k, own, other, ownPort, otherPort)
			s.sockbuf = binary.LittleEndian.AppendUint16(s.sockbuf[:0], t.family)
			s.sockbuf = appendInternet(s.sockbuf, t.family, other[:], otherPort)
			s.out.Put(event.PartSockAddr, s.sockbuf)
		}
	}
	s.serve(k)
	s.out.Put(event.PartSock, event.BytesOf(k))
}

// serve decides which end of a socket serves, if that is not known: the one whose port a program listens on.
func (s *Source) serve(k *event.SockFacts) {
	if k.Role == 0 && k.RPort != 0 && k.Family != familyUnix {
		k.Role = uint8(event.RoleClient)
		if s.tables.serving[k.LPort] || k.Bound != 0 {
			k.Role = uint8(event.RoleServer)
		}
	}
}

// decide does so for the sockets of lists, when all lists have been read.
func (s *Source) decide() {
	s.listed = false
	for _, p := range s.tables.procs {
		for _, d := range p.files.byFD {
			if d.sock != nil {
				s.serve(d.sock)
			}
		}
	}
}
