// SPDX-License-Identifier: Apache-2.0

package field

import (
	"reflect"
	"strings"
	"testing"

	"falconet/engine/event"
)

const testTCP, testUDP, testStream, testDatagram = 6, 17, 1, 2

func TestReadAndWrite(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("read")
	h.Ret, h.Args = 5, [6]uint64{3, 0x1000, 4096}
	k.event(h, fileFacts(regular), piece(event.PartPath, "/etc/hosts"), piece(event.PartData, "ab\x00\nz"))
	k.expect("read", map[string]string{
		"fd.num": "3", "fd.name": "/etc/hosts", "fd.type": "file", "fd.directory": "/etc", "evt.buffer": "ab..z", "evt.buflen": "5", "evt.arg.data": "ab..z",
		"evt.rawarg.data": "ab..z", "evt.is_io": "true", "evt.is_io_read": "true", "evt.is_io_write": "false", "evt.io_dir": "read", "evt.category": "file",
		"evt.args": "res=5 data=ab..z fd=3(<f>/etc/hosts) size=4096",
	})
	d, _ := Lookup("evt.buffer")
	if v, ok := d.Get(k.ctx, Arg{}); !ok || v.S != "ab\x00\nz" {
		t.Errorf("evt.buffer is compared as %q", v.S)
	}
	h = header("pwrite")
	h.Ret, h.Args = -9, [6]uint64{77, 0x1000, 7, 1 << 33}
	k.event(h, piece(event.PartData, "nowhere"))
	k.expect("pwrite", map[string]string{
		"evt.type": "pwrite", "fd.num": "77", "fd.name": "", "fd.type": "-", "evt.buffer": "nowhere", "evt.buflen": "-", "evt.io_dir": "write", "evt.res": "EBADF",
		"evt.args": "res=-9(EBADF) data=nowhere fd=77 size=7 pos=8589934592",
	})
	h = header("readv")
	h.Ret, h.Args = 0, [6]uint64{3, 0x1000, 2}
	k.event(h, fileFacts(regular), piece(event.PartPath, "/etc/hosts"))
	k.expect("end of file", map[string]string{"evt.buffer": "-", "evt.buflen": "0", "evt.args": "res=0 size=0 data=NULL fd=3(<f>/etc/hosts)"})
	h = header("writev")
	h.Ret, h.Args = 6, [6]uint64{4, 0x1000, 2}
	k.event(h, fileFacts(event.FileFacts{Kind: uint8(event.KindFIFO)}), piece(event.PartSize, "\x08\x00\x00\x00"), piece(event.PartData, "to you"))
	k.expect("writev to a pipe", map[string]string{"fd.type": "pipe", "evt.category": "ipc", "evt.args": "res=6 data=to you fd=4(<p>) size=8"})
}

func TestConnectionsInUse(t *testing.T) {
	k := newKit(t)
	ipv4 := event.FileFacts{Kind: uint8(event.KindIPv4)}
	s := inet("10.0.0.2:22", "10.0.0.9:5555", testTCP, testStream)
	s.State, s.Role = tcpEstab, uint8(event.RoleServer)
	h := header("write")
	h.Ret, h.Args[0] = 3, 5
	k.event(h, fileFacts(ipv4), sockFacts(s), piece(event.PartData, "abc"))
	k.expect("server", map[string]string{
		"fd.name": "10.0.0.9:5555->10.0.0.2:22", "fd.cip": "10.0.0.9", "fd.sport": "22", "fd.lport": "22", "fd.rip": "10.0.0.9", "fd.l4proto": "tcp",
		"fd.connected": "true", "fd.is_server": "true", "fd.name_changed": "false", "evt.category": "net", "evt.arg.fd": "<4t>10.0.0.9:5555->10.0.0.2:22",
	})
	s.Role = uint8(event.RoleClient)
	h = header("recvfrom")
	h.Ret, h.Args[0] = 3, 5
	k.event(h, fileFacts(ipv4), sockFacts(s), piece(event.PartData, "abc"))
	k.expect("client", map[string]string{
		"fd.name": "10.0.0.2:22->10.0.0.9:5555", "fd.cip": "10.0.0.2", "fd.sport": "5555", "fd.lport": "22", "evt.arg.tuple": "10.0.0.9:5555->10.0.0.2:22",
	})
	s.Role = uint8(event.RoleUnknown)
	k.event(h, fileFacts(ipv4), sockFacts(s), piece(event.PartData, "abc"))
	k.expect("unknown", map[string]string{"fd.name": "10.0.0.2:22->10.0.0.9:5555", "fd.cip": "-", "fd.sport": "-", "fd.connected": "true"})
}

func TestDatagrams(t *testing.T) {
	k := newKit(t)
	ipv4 := fileFacts(event.FileFacts{Kind: uint8(event.KindIPv4)})
	client := inet("10.0.0.2:40000", "0.0.0.0:0", testUDP, testDatagram)
	h := header("sendto")
	h.Ret, h.Args = 3, [6]uint64{5, 0x1000, 3}
	k.event(h, ipv4, sockFacts(client), inetAddr("8.8.8.8:53"), piece(event.PartChanged, "\x01"), piece(event.PartData, "abc"))
	k.expect("question", map[string]string{
		"fd.name": "10.0.0.2:40000->8.8.8.8:53", "fd.sip": "8.8.8.8", "fd.sport": "53", "fd.rip": "8.8.8.8", "fd.cport": "40000", "fd.l4proto": "udp", "fd.is_server": "false",
		"fd.name_changed": "true", "fd.connected": "false", "evt.args": "res=3 data=abc fd=5(<4u>10.0.0.2:40000->8.8.8.8:53) size=3 tuple=10.0.0.2:40000->8.8.8.8:53",
	})
	h = header("recvmsg")
	h.Ret, h.Args[0] = 3, 5
	k.event(h, ipv4, sockFacts(client), inetAddr("8.8.8.8:53"), piece(event.PartChanged, "\x00"), piece(event.PartData, "abc"), piece(event.PartControl, "\x14\x00"))
	k.expect("answer", map[string]string{
		"fd.name": "10.0.0.2:40000->8.8.8.8:53", "fd.sip": "8.8.8.8", "fd.name_changed": "false",
		"evt.args": "res=3 size=3 data=abc tuple=8.8.8.8:53->10.0.0.2:40000 msgcontrol=.. fd=5(<4u>10.0.0.2:40000->8.8.8.8:53)",
	})
	server := inet("0.0.0.0:53", "0.0.0.0:0", testUDP, testDatagram)
	server.Bound = 1
	h = header("recvfrom")
	h.Ret, h.Args[0] = 3, 5
	k.event(h, ipv4, sockFacts(server), inetAddr("10.0.0.2:40000"), piece(event.PartData, "abc"))
	k.expect("served", map[string]string{"fd.name": "10.0.0.2:40000->0.0.0.0:53", "fd.cip": "10.0.0.2", "fd.sport": "53", "fd.rport": "40000", "evt.arg.tuple": "10.0.0.2:40000->0.0.0.0:53"})
	h = header("sendto")
	h.Ret, h.Args[0] = 3, 5
	k.event(h, ipv4, sockFacts(server), inetAddr("10.0.0.2:40000"), piece(event.PartData, "abc"))
	k.expect("serving", map[string]string{"fd.name": "10.0.0.2:40000->0.0.0.0:53", "fd.cip": "10.0.0.2", "evt.arg.tuple": "0.0.0.0:53->10.0.0.2:40000"})
	if got := k.all("fd.ip"); !reflect.DeepEqual(got, []string{"10.0.0.2"}) { // the end that the kernel names
		t.Errorf("fd.ip = %v", got)
	}
	h.Ret = -1
	k.event(h, ipv4, sockFacts(server), piece(event.PartData, "abc"))
	k.expect("refused", map[string]string{"fd.name": "0.0.0.0:53", "fd.cip": "-", "fd.sport": "53", "evt.arg.tuple": "NULL", "evt.buffer": "abc"})
	fresh := inet("0.0.0.0:0", "0.0.0.0:0", testUDP, testDatagram)
	k.event(h, ipv4, sockFacts(fresh))
	k.expect("fresh", map[string]string{"fd.name": "", "fd.cip": "-", "fd.type": "ipv4", "fd.connected": "false"})
	// a message that does not go where the socket is connected to
	h.Ret = 3
	linked := inet("10.0.0.2:40000", "1.1.1.1:53", testUDP, testDatagram)
	k.event(h, ipv4, sockFacts(linked), inetAddr("8.8.8.8:53"))
	k.expect("elsewhere", map[string]string{"fd.rip": "8.8.8.8"})
	k.event(h, ipv4, sockFacts(linked))
	k.expect("connected", map[string]string{"fd.rip": "1.1.1.1", "fd.name": "10.0.0.2:40000->1.1.1.1:53"})
	// a stream keeps its end, whatever address the call was given
	tcp := inet("10.0.0.2:40000", "1.1.1.1:80", testTCP, testStream)
	tcp.Role = uint8(event.RoleClient)
	k.event(h, ipv4, sockFacts(tcp), inetAddr("8.8.8.8:53"))
	k.expect("stream", map[string]string{"fd.rip": "1.1.1.1"})
	unix := event.SockFacts{Family: afUnix, Type: testDatagram, Sock: 0xabc}
	k.event(h, fileFacts(event.FileFacts{Kind: uint8(event.KindUnix)}), sockFacts(unix), piece(event.PartSockAddr, "\x01\x00/dev/log\x00"))
	k.expect("unix", map[string]string{"fd.type": "unix", "fd.name": "abc->0 /dev/log", "fd.sockfamily": "unix", "evt.category": "ipc"})
	if got := k.alt("fd.name"); got != "/dev/log" {
		t.Errorf("second name of a unix socket is %q", got)
	}
}

// TestThrownAway: with MSG_TRUNC a stream's bytes are counted and not handed over, a datagram's are.
func TestThrownAway(t *testing.T) {
	k := newKit(t)
	ipv4 := fileFacts(event.FileFacts{Kind: uint8(event.KindIPv4)})
	h := header("recvfrom")
	h.Ret, h.Args = 3, [6]uint64{5, 0x1000, 3, 0x20}
	for typ, want := range map[uint16]string{testStream: "-", testDatagram: "abc"} {
		k.event(h, ipv4, sockFacts(inet("10.0.0.2:40000", "1.1.1.1:80", 0, typ)), piece(event.PartData, "abc"))
		k.expect("recvfrom", map[string]string{"evt.buffer": want, "evt.arg.data": strings.ReplaceAll(want, "-", "NULL")})
	}
}

// TestFamiliesOfMessages: an address that does not say its family goes where the kernel sends it, and IPv4 may be spoken over IPv6.
func TestFamiliesOfMessages(t *testing.T) {
	k := newKit(t)
	unnamed := func(s string) event.Piece {
		p := inetAddr(s)
		p.Data[0], p.Data[1] = 0, 0
		return p
	}
	const raw = 3
	for _, c := range []struct {
		name, event, local string
		typ                uint16
		addr               event.Piece
		want               string
	}{
		{"IPv4", "sendto", "10.0.0.2:40000", testDatagram, unnamed("8.8.8.8:53"), "10.0.0.2:40000->8.8.8.8:53"},
		{"IPv4 in the vector", "sendmmsg", "10.0.0.2:40000", testDatagram, unnamed("8.8.8.8:53"), "10.0.0.2:40000->8.8.8.8:53"},
		{"raw IPv6", "sendto", "[2001:db8::1]:1", raw, unnamed("[2001:db8::2]:1"), "2001:db8::1:1->2001:db8::2:1"},
		{"IPv6, which goes where it is connected", "sendto", "[2001:db8::1]:1", testDatagram, unnamed("[2001:db8::2]:1"), "2001:db8::1:1->:::0"},
		{"connect", "connect", "10.0.0.2:40000", testDatagram, unnamed("8.8.8.8:53"), "10.0.0.2:40000->0.0.0.0:0"},
		{"IPv4 over IPv6", "sendto", "[::]:40000", testDatagram, inetAddr("8.8.8.8:53"), "0.0.0.0:40000->8.8.8.8:53"},
		{"IPv4 over bound IPv6", "sendto", "[::ffff:10.0.0.2]:40000", testDatagram, inetAddr("8.8.8.8:53"), "10.0.0.2:40000->8.8.8.8:53"},
	} {
		remote, kind := "0.0.0.0:0", event.KindIPv4
		if strings.HasPrefix(c.local, "[") {
			remote, kind = "[::]:0", event.KindIPv6
		}
		h := header(c.event)
		h.Ret, h.Args = 0, [6]uint64{5, 0x1000, 1}
		k.event(h, fileFacts(event.FileFacts{Kind: uint8(kind)}), sockFacts(inet(c.local, remote, testUDP, c.typ)), c.addr)
		k.expect(c.name, map[string]string{"fd.name": c.want})
	}
	h := header("connect")
	k.event(h, fileFacts(event.FileFacts{Kind: uint8(event.KindIPv4)}), sockFacts(inet("10.0.0.2:40000", "0.0.0.0:0", testUDP, testDatagram)), unnamed("8.8.8.8:53"))
	k.expect("disconnected", map[string]string{"fd.connected": "false", "fd.name_changed": "false", "fd.sip": "-", "fd.rip": "-"})
}
