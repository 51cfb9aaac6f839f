// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"falconet/engine/event"
)

// fdKind is the kind of object behind a descriptor in Falco's words.
type fdKind struct {
	name, char string
}

var (
	kindUnknown = fdKind{"<NA>", "o"}
	kindFile    = fdKind{"file", "f"}
	kindDir     = fdKind{"directory", "d"}
	kindIPv4    = fdKind{"ipv4", "4"}
	kindIPv6    = fdKind{"ipv6", "6"}
	kindUnix    = fdKind{"unix", "u"}
	kindPipe    = fdKind{"pipe", "p"}
	kindMemfd   = fdKind{"memfd", "m"}
	kindNetlink = fdKind{"netlink", "n"}
)

var fileKinds = [...]fdKind{
	event.KindUnknown: kindUnknown, event.KindFile: kindFile, event.KindDirectory: kindDir, event.KindFIFO: kindPipe,
	event.KindChar: kindFile, event.KindBlock: kindFile, event.KindIPv4: kindIPv4, event.KindIPv6: kindIPv6,
	event.KindUnix: kindUnix, event.KindNetlink: kindNetlink, event.KindPacket: kindUnknown,
	event.KindSocket: kindUnknown, event.KindMemfd: kindMemfd, event.KindAnon: kindUnknown,
}

// anonKinds tells anonymous inodes apart by the name that the kernel gives them.
var anonKinds = []struct {
	name string
	kind fdKind
}{
	{"[eventfd]", fdKind{"event", "e"}}, {"[eventpoll]", fdKind{"eventpoll", "l"}}, {"inotify", fdKind{"inotify", "i"}},
	{"[signalfd]", fdKind{"signalfd", "s"}}, {"[timerfd]", fdKind{"timerfd", "t"}}, {"[io_uring]", fdKind{"io_uring", "r"}},
	{"[userfaultfd]", fdKind{"userfaultfd", "u"}}, {"[pidfd]", fdKind{"pidfd", "P"}}, {"bpf", fdKind{"bpf", "b"}},
}

func kindOf(k event.FileKind, path []byte) fdKind {
	switch {
	case int(k) >= len(fileKinds):
		return kindUnknown
	case k == event.KindFIFO && len(path) > 0 && path[0] == '/':
		return kindFile // one with a name in a filesystem, which Falco takes for a file
	case k == event.KindAnon:
		name := strings.TrimPrefix(strings.TrimPrefix(text(path), "/"), "anon_inode:")
		for i := range anonKinds {
			want := anonKinds[i].name
			if strings.HasPrefix(name, want) || len(name) == len(event.PollFacts{}.Name) && strings.HasPrefix(want, name) {
				return anonKinds[i].kind
			}
		}
	}
	return fileKinds[k]
}

type sockRole uint8

const (
	roleNone sockRole = iota
	roleClient
	roleServer
	roleListen // bound, and without a peer
)

// endpoint is one end of an internet socket.
type endpoint struct {
	addr [16]byte
	n    uint8 // bytes of addr in use: 4, 16, or 0 for no endpoint
	port uint16
}

func (e *endpoint) ip() netip.Addr {
	if e.n == 4 {
		return netip.AddrFrom4([4]byte(e.addr[:4]))
	}
	return netip.AddrFrom16(e.addr)
}

// known reports whether the endpoint names anybody.
func (e *endpoint) known() bool { return e.n != 0 && (e.port != 0 || !e.ip().IsUnspecified()) }

func (e *endpoint) append(dst []byte) []byte {
	dst = e.ip().AppendTo(dst)
	return strconv.AppendUint(append(dst, ':'), uint64(e.port), 10)
}

// fdInfo is the descriptor that an event is about.
type fdInfo struct {
	about  bool // the event is about a descriptor at all
	ok     bool // there is an object behind it
	failed bool // the event should have made one, and did not
	num    int64
	kind   fdKind

	hasFile bool
	file    event.FileFacts

	hasSock       bool
	sock          event.SockFacts
	role          sockRole
	local, remote endpoint
}

func (f *fdInfo) isIP() bool { return f.ok && (f.kind == kindIPv4 || f.kind == kindIPv6) }

func (f *fdInfo) isFile() bool { return f.kind == kindFile }

// client and server return the ends by role; nil when that end is not known.
func (f *fdInfo) client() *endpoint {
	switch f.role {
	case roleClient:
		return &f.local
	case roleServer:
		return &f.remote
	}
	return nil
}

func (f *fdInfo) server() *endpoint {
	switch f.role {
	case roleClient:
		return &f.remote
	case roleServer, roleListen:
		return &f.local
	}
	return nil
}

// desc returns the event's descriptor.
func (c *Ctx) desc() *fdInfo {
	if c.done&cachedFD != 0 {
		return &c.fd
	}
	c.done |= cachedFD
	f := &c.fd
	// what file and sock hold counts only where hasFile and hasSock say so
	f.about, f.ok, f.failed, f.hasFile, f.hasSock = false, false, false, false, false
	f.num, f.kind, f.role, f.local.n, f.remote.n = -1, kindUnknown, roleNone, 0, 0
	r := c.row()
	if r.fd < 0 {
		return f
	}
	f.about = true
	if n, ok := c.Rec.Int(r.fd); ok {
		f.num = n
	}
	if f.num < 0 && c.Rec.Row().Flags&event.CreatesFD != 0 {
		f.num, f.failed = -1, true
		return f
	}
	path, _ := c.Rec.Part(event.PartPath)
	if f.hasFile = !r.inside && c.facts(event.PartFile, event.BytesOf(&f.file)); f.hasFile {
		f.ok = true
		f.kind = kindOf(event.FileKind(f.file.Kind), path)
	} else if _, ok := c.Rec.Part(event.PartDir); ok && f.num >= 0 && c.Rec.Row().Flags&event.CreatesFD == 0 {
		f.ok, f.kind = true, kindDir // a call relative to a directory descriptor
	} else if r.kind == rowOpen || r.kind == rowCreat {
		f.ok, f.kind = true, kindFile
	}
	if f.hasSock = c.facts(event.PartSock, event.BytesOf(&f.sock)); f.hasSock {
		f.ok = true
		c.socket(f, r)
	}
	return f
}

// facts copies a structure that the record carries; false when it does not.
func (c *Ctx) facts(k event.PartKind, to []byte) bool {
	b, ok := c.Rec.Part(k)
	return ok && len(b) >= len(to) && copy(to, b) == len(to)
}

// Kernel values: include/linux/socket.h, include/net/tcp_states.h, errno.
const (
	afUnix      = 1
	afInet      = 2
	afInet6     = 10
	tcpEstab    = 1
	tcpListen   = 10
	einprogress = 115
	sockStream  = 1
	sockRaw     = 3
)

// socket fills in the ends of the descriptor's socket and its role.
func (c *Ctx) socket(f *fdInfo, r *rowInfo) {
	s := &f.sock
	switch s.Family {
	case afUnix:
		f.kind = kindUnix
		return
	case afInet, afInet6:
	default:
		return
	}
	f.local = makeEndpoint(s.Family, s.LAddr[:], s.LPort)
	f.remote = makeEndpoint(s.Family, s.RAddr[:], s.RPort)
	if c.hasOwnPeer(f, r) {
		b, _ := c.Rec.Part(event.PartSockAddr)
		if to, ok := otherEnd(s, b, r.kind == rowSend); ok {
			f.remote = to
		}
	}
	f.kind = kindIPv4
	if !f.local.known() && !f.remote.known() {
		f.local.n, f.remote.n = 0, 0 // nobody has named an end yet
	}
	if s.Family == afInet6 {
		f.kind = kindIPv6
		if f.unmap() {
			f.kind = kindIPv4
		}
	}
	f.role = c.role(f, r)
}

// hasOwnPeer reports whether the other end is the one of the event's address rather than what the socket is connected to: the socket
// is not, or not yet, or the event is a message that goes its own way.
func (c *Ctx) hasOwnPeer(f *fdInfo, r *rowInfo) bool {
	switch r.kind {
	case rowConnect:
		return f.sock.RPort == 0
	case rowSend, rowReceive:
		return c.Rec.Ret >= 0 && (f.sock.RPort == 0 || f.sock.Type != sockStream)
	}
	return false
}

// role is what the socket is. A connection has an end that asked for it; otherwise who has bound the socket serves with it.
func (c *Ctx) role(f *fdInfo, r *rowInfo) sockRole {
	s, ok := &f.sock, c.Rec.Ret >= 0
	switch {
	case r.kind == rowConnect && (ok || c.Rec.Ret == -einprogress) && f.remote.known(): // else it was disconnected
		return roleClient
	case r.kind == rowAccept && ok:
		return roleServer
	case r.kind == rowBind && ok && s.LPort != 0, s.State == tcpListen:
		return roleListen
	case r.kind == rowConnect, r.kind == rowAccept, r.kind == rowBind, r.kind == rowSocket:
		return roleNone
	case event.SockRole(s.Role) == event.RoleClient:
		return roleClient
	case event.SockRole(s.Role) == event.RoleServer:
		return roleServer
	case s.Type == sockStream:
		return roleNone
	case f.remote.known() && s.Bound != 0:
		return roleServer
	case f.remote.known():
		return roleClient
	case s.Bound != 0 && s.LPort != 0:
		return roleListen
	}
	return roleNone
}

// unmap turns IPv4 spoken over an IPv6 socket into IPv4.
func (f *fdInfo) unmap() bool {
	l, r := f.local.ip(), f.remote.ip()
	if !l.Is4In6() && !r.Is4In6() || !(l.Is4In6() || l.IsUnspecified()) || !(r.Is4In6() || r.IsUnspecified()) {
		return false
	}
	for _, e := range [2]*endpoint{&f.local, &f.remote} {
		copy(e.addr[:4], e.addr[12:])
		e.n = 4
	}
	return true
}

func makeEndpoint(family uint16, addr []byte, port uint16) (e endpoint) {
	e.port, e.n = port, 4
	if family == afInet6 {
		e.n = 16
	}
	copy(e.addr[:e.n], addr)
	return e
}

// otherEnd reads the address of an event's other end. The kernel takes one for a message that does not say its family for one of the
// socket's own, and so must we, or such a message would go to nobody. What IPv4 says to an IPv6 socket is turned into IPv6.
func otherEnd(s *event.SockFacts, b []byte, message bool) (e endpoint, ok bool) {
	if len(b) < 2 {
		return e, false
	}
	family := binary.LittleEndian.Uint16(b)
	if family == 0 && message && (s.Family == afInet || s.Type == sockRaw) {
		family = s.Family
	}
	if e, ok = internetAddr(family, b); ok && family == afInet && s.Family == afInet6 {
		e.addr, e.n = netip.AddrFrom4([4]byte(e.addr[:4])).As16(), 16
	}
	return e, ok
}

// sockaddr reads an internet address as a system call takes it.
func sockaddr(b []byte) (endpoint, bool) {
	if len(b) < 2 {
		return endpoint{}, false
	}
	return internetAddr(binary.LittleEndian.Uint16(b), b)
}

func internetAddr(family uint16, b []byte) (endpoint, bool) {
	switch {
	case family == afInet && len(b) >= 8:
		return makeEndpoint(family, b[4:8], binary.BigEndian.Uint16(b[2:])), true
	case family == afInet6 && len(b) >= 24:
		return makeEndpoint(family, b[8:24], binary.BigEndian.Uint16(b[2:])), true
	}
	return endpoint{}, false
}

// unixPath reads the path of a sockaddr_un. Of a name in the abstract namespace the leading NUL is left out, as Falco does.
func unixPath(b []byte) string {
	if len(b) < 2 || binary.LittleEndian.Uint16(b) != afUnix {
		return ""
	}
	return unixName(b[2:])
}

func unixName(b []byte) string {
	if len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	name, _, _ := strings.Cut(text(b), "\x00")
	return name
}

// sockPath is the name of the unix socket that the event is about: the one that is connected to, else its own.
func (c *Ctx) sockPath(f *fdInfo) string {
	if k := c.row().kind; k == rowConnect || k == rowBind || k == rowSend && c.Rec.Ret >= 0 {
		if b, ok := c.Rec.Part(event.PartSockAddr); ok {
			if p := unixPath(b); p != "" {
				return p
			}
		}
	}
	return unixName(f.sock.Path[:min(int(f.sock.PathLen), len(f.sock.Path))])
}

// appendTuple appends a socket's ends as Falco names it: the client's first.
func (c *Ctx) appendTuple(dst []byte, f *fdInfo) []byte {
	switch {
	case f.kind == kindUnix && c.row().kind == rowBind:
		return append(dst, c.sockPath(f)...)
	case f.kind == kindUnix:
		if f.sock.Sock != 0 || f.sock.Peer != 0 {
			dst = strconv.AppendUint(dst, f.sock.Sock, 16)
			dst = append(dst, "->"...)
			dst = strconv.AppendUint(dst, f.sock.Peer, 16)
			dst = append(dst, ' ')
		}
		return append(dst, c.sockPath(f)...)
	case f.role == roleListen:
		return f.local.append(dst)
	case f.local.n == 0:
		return dst
	case f.role == roleServer:
		return appendEnds(dst, &f.remote, &f.local)
	}
	return appendEnds(dst, &f.local, &f.remote)
}

func appendEnds(dst []byte, from, to *endpoint) []byte {
	return to.append(append(from.append(dst), "->"...))
}

// appendMessage appends the parameter of an event that is the socket's ends: of a message the one that it comes from first.
func (c *Ctx) appendMessage(dst []byte, f *fdInfo) []byte {
	switch k := c.row().kind; {
	case k != rowSend && k != rowReceive || f.kind == kindUnix || f.local.n == 0:
		return c.appendTuple(dst, f)
	case k == rowSend:
		return appendEnds(dst, &f.local, &f.remote)
	}
	return appendEnds(dst, &f.remote, &f.local)
}

// l4 names the transport protocol.
func (f *fdInfo) l4() string {
	if !f.hasSock || f.local.n == 0 {
		return "<NA>"
	}
	switch {
	case f.sock.Type == sockRaw:
		return "raw"
	case f.sock.Proto == 6:
		return "tcp"
	case f.sock.Proto == 17:
		return "udp"
	case f.sock.Proto == 1:
		return "icmp"
	}
	return "<NA>"
}
