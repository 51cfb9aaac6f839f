// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strconv"

	"falconet/engine/event"
)

// side picks one end of an internet socket; nil when it is not known.
type side func(f *fdInfo) *endpoint

// local and remote are known with the role, as in Falco; a bound socket has neither.
func localEnd(f *fdInfo) *endpoint {
	if f.role == roleClient || f.role == roleServer {
		return &f.local
	}
	return nil
}

func remoteEnd(f *fdInfo) *endpoint {
	if f.role == roleClient || f.role == roleServer {
		return &f.remote
	}
	return nil
}

func (s side) address(k Kind) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		e := s(c.desc())
		if e == nil || e.n == 0 {
			return Value{}, false
		}
		return address(k, e), true
	}
}

func (s side) port(c *Ctx, _ Arg) (Value, bool) {
	e := s(c.desc())
	if e == nil || e.n == 0 {
		return Value{}, false
	}
	return num(event.Port, uint64(e.port)), true
}

// service is the port as text: Falco does not look service names up unless told to.
func (s side) service(c *Ctx, _ Arg) (Value, bool) {
	e := s(c.desc())
	if e == nil || e.n == 0 {
		return Value{}, false
	}
	mark := len(c.arena)
	c.arena = strconv.AppendUint(c.arena, uint64(e.port), 10)
	return Str(c.str(mark)), true
}

// address makes a value of an endpoint inside the context.
func address(k Kind, e *endpoint) Value { return Value{Kind: k, S: text(e.addr[:e.n])} }

// named yields the hosts that have the address of one end, "" when no rule names such a host.
func (s side) named(c *Ctx, yield func(Value) bool) {
	e := s(c.desc())
	if e == nil || e.n == 0 {
		return
	}
	names := c.Host.Names.Of(e.ip())
	if len(names) == 0 {
		yield(Str(""))
	}
	for _, name := range names {
		if !yield(Str(name)) {
			return
		}
	}
}

// name is the first of what named yields.
func (s side) name(c *Ctx, _ Arg) (v Value, ok bool) {
	e := s(c.desc())
	if e == nil || e.n == 0 {
		return v, false
	}
	names := c.Host.Names.Of(e.ip())
	if len(names) == 0 {
		return v, false
	}
	return Str(names[0]), true
}

// ends yields what read makes of both ends of the descriptor's socket, of the one that it has when it is only bound.
func ends(read func(*endpoint) Value) func(*Ctx, func(Value) bool) {
	return func(c *Ctx, yield func(Value) bool) {
		f := c.desc()
		switch {
		case f.local.n == 0:
		case f.role == roleListen:
			yield(read(&f.local))
		case yield(read(&f.local)):
			yield(read(&f.remote))
		}
	}
}

// addresses is ends for addresses: the kernel chooses one for each datagram of a socket that is bound to all, and keeps none. That the socket
// says 0.0.0.0 then is no end of a conversation with somebody.
func addresses(read func(*endpoint) Value) func(*Ctx, func(Value) bool) {
	both := ends(read)
	return func(c *Ctx, yield func(Value) bool) {
		if f := c.desc(); f.role != roleListen && f.local.n != 0 && f.local.ip().IsUnspecified() && f.remote.known() {
			yield(read(&f.remote))
			return
		}
		both(c, yield)
	}
}

func hasDesc(c *Ctx) bool { return c.desc().ok }

func fdSockFields() []Def {
	sides := []struct {
		letter, words string
		pick          side
	}{
		{"c", "client", (*fdInfo).client}, {"s", "server", (*fdInfo).server}, {"l", "local", localEnd}, {"r", "remote", remoteEnd},
	}
	needs := Needs{Parts: event.PartsOf(event.PartFile) | partsSock}
	socket := Needs{Parts: needs.Parts, Must: event.PartsOf(event.PartSock)}
	both := FilterOnly | NoTransformer | NoRHS | AllDiffer
	addressOf := func(k Kind) func(*endpoint) Value {
		return func(e *endpoint) Value { return address(k, e) }
	}
	portOf := func(e *endpoint) Value { return num(event.Port, uint64(e.port)) }
	defs := []Def{
		{Name: "fd.ip", Type: event.IPAddr, Flags: both, Example: "fd.ip = 127.0.0.1", Desc: "address of either end", Needs: socket,
			Get: never, Multi: addresses(addressOf(event.IPAddr)), Any: hasDesc},
		{Name: "fd.port", Type: event.Port, Flags: both, Example: "fd.port = 443", Desc: "port of either end", Needs: socket,
			Get: never, Multi: ends(portOf), Any: hasDesc},
		{Name: "fd.proto", Type: event.Port, Flags: both, Example: "fd.proto = 22", Desc: "port of either end, which a condition may name by its service", Needs: socket,
			Get: never, Multi: ends(portOf), Any: hasDesc},
		{Name: "fd.net", Type: event.IPNet, Flags: both, Example: "fd.net = 10.0.0.0/8", Desc: "address of either end, to compare with networks", Needs: socket,
			Get: never, Multi: addresses(addressOf(event.IPNet)), Any: hasDesc},
	}
	for _, s := range sides {
		defs = append(defs,
			Def{Name: "fd." + s.letter + "ip", Type: event.IPAddr, Example: "fd." + s.letter + "ip = 10.1.2.3", Desc: s.words + " address", Needs: socket, Get: s.pick.address(event.IPAddr)},
			Def{Name: "fd." + s.letter + "port", Type: event.Port, Example: "fd." + s.letter + "port < 1024", Desc: s.words + " port", Needs: socket, Get: s.pick.port},
			Def{Name: "fd." + s.letter + "proto", Type: event.CharBuf, Example: "fd." + s.letter + "proto = '80'", Desc: s.words + " port as text", Needs: socket, Get: s.pick.service},
			Def{Name: "fd." + s.letter + "net", Type: event.IPNet, Flags: FilterOnly | NoTransformer | NoRHS, Example: "fd." + s.letter + "net = 192.168.0.0/16",
				Desc: s.words + " address, to compare with networks", Needs: socket, Get: s.pick.address(event.IPNet)},
			Def{Name: "fd." + s.letter + "ip.name", Type: event.CharBuf, Flags: NoTransformer | NoRHS | AllDiffer | HostName, Example: "fd." + s.letter + "ip.name = example.com",
				Desc: "name of the " + s.words + " address, among the hosts that conditions compare this field with: they are looked up at start and every few minutes", Needs: socket, Get: s.pick.name, Multi: s.pick.named},
		)
	}
	return describing(append(defs,
		Def{Name: "fd.l4proto", Type: event.CharBuf, Example: "fd.l4proto = tcp", Desc: "transport protocol of an internet socket: tcp, udp, icmp or raw, <NA> for everything else", Needs: needs, Domain: transports, domainIn: transportIn,
			Get: func(c *Ctx, _ Arg) (Value, bool) { f := c.desc(); return Str(f.l4()), f.ok }},
		Def{Name: "fd.sockfamily", Type: event.CharBuf, Example: "fd.sockfamily = ip", Desc: "ip or unix, by the family of the socket", Needs: needs, Domain: oneOf("ip", "unix"),
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				switch f := c.desc(); {
				case f.isIP():
					return Str("ip"), true
				case f.ok && f.kind == kindUnix:
					return Str("unix"), true
				}
				return Value{}, false
			}},
		Def{Name: "fd.is_server", Type: event.Bool, Example: "fd.is_server = true", Desc: "whether the server's end of the socket is on this host", Needs: needs, domainIn: ofSockets,
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				f := c.desc()
				e := f.server()
				return boolean(f.role == roleListen || f.role == roleServer || e != nil && c.Host.Addrs.Local(e.ip())), f.ok
			}},
		Def{Name: "fd.connected", Type: event.Bool, Example: "fd.connected = true", Desc: "whether the socket is connected; one that has sent or received a datagram without being connected is not", Needs: needs, domainIn: ofSockets,
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				f := c.desc()
				linked := f.hasSock && (f.sock.State == tcpEstab || f.sock.Type == sockStream && (f.role == roleClient || f.role == roleServer))
				return boolean(linked), f.ok
			}},
		Def{Name: "fd.name_changed", Type: event.Bool, Example: "fd.name_changed = true", Desc: "whether the event gave the socket another name: it was bound or connected, or talks to another than before",
			Needs: Needs{Parts: needs.Parts | event.PartsOf(event.PartChanged)}, domainIn: ofSockets,
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				f := c.desc()
				k := c.row().kind
				b, _ := c.Rec.Part(event.PartChanged)
				another := len(b) == 1 && b[0] != 0
				return boolean(another || k == rowConnect && f.role == roleClient || k == rowBind && f.role == roleListen), f.ok
			}},
	))
}

var transports = oneOf("tcp", "udp", "icmp", "raw", na)

// transportIn is fd.l4proto: what is no socket has no transport.
func transportIn(row *event.Row, _ Arg) Domain {
	if row.Captures(event.PartSock) {
		return transports
	}
	return oneOf(na)
}

// ofSockets is the domain of what can only be true of a socket.
func ofSockets(row *event.Row, _ Arg) Domain {
	if row.Captures(event.PartSock) {
		return Domain{}
	}
	return oneOf("false")
}
