// SPDX-License-Identifier: Apache-2.0

package field

import (
	"reflect"
	"testing"

	"falconet/engine/event"
)

var regular = event.FileFacts{Dev: 8<<20 | 1, Ino: 99, Kind: uint8(event.KindFile), Layer: 1}

func TestOpenedFile(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("openat")
	h.Ret, h.Args = 5, [6]uint64{0xffffff9c, 0, 0o101, 0o755}
	k.event(h, piece(event.PartName, "../etc//./shadow"), piece(event.PartDir, "/var/tmp"), fileFacts(regular),
		piece(event.PartPath, "/etc/shadow"), piece(event.PartFSPath, "/root/etc/shadow"))
	k.expect("open", map[string]string{
		"fd.num": "5", "fd.type": "file", "fd.typechar": "f", "fd.name": "/etc/shadow", "fd.directory": "/etc",
		"fd.filename": "shadow", "fd.nameraw": "../etc/./shadow", "fd.fspath": "/root/etc/shadow", "fd.dev": "801",
		"fd.dev.major": "8", "fd.dev.minor": "1", "fd.ino": "99", "fd.is_upper_layer": "true",
		"fd.is_lower_layer": "false", "fd.containername": "host:/etc/shadow", "fd.containerdirectory": "host:/etc",
		"fd.uid": "425", "fd.cip": "-", "fd.sockfamily": "-", "fd.l4proto": "<NA>", "fd.connected": "false",
		"evt.is_open_write": "true", "evt.is_open_read": "false", "evt.is_open_exec": "true", "evt.is_open_create": "false",
		"fs.path.name": "/etc/shadow", "fs.path.nameraw": "../etc/./shadow", "fs.path.source": "-",
		"evt.abspath": "/var/etc/shadow", "evt.category": "file", "evt.res": "SUCCESS", "proc.cwd": "/var/tmp/",
		"evt.args": "fd=5(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=../etc//./shadow(/var/etc/shadow) " +
			"flags=32774(O_CREAT|O_WRONLY|FD_UPPER_LAYER) mode=0755 dev=801 ino=99",
		"evt.arg.flags": "O_CREAT|O_WRONLY|FD_UPPER_LAYER", "evt.arg.name": "/var/etc/shadow", "evt.arg.mode": "0755",
		"evt.arg.fd": "<f>/etc/shadow", "evt.arg[1]": "AT_FDCWD", "evt.rawarg.name": "../etc//./shadow", "evt.rawarg.fd": "5",
		"evt.arg.tuple": "-",
	})
	for name, want := range map[string]string{
		"fd.name": "/var/etc/shadow", "fd.directory": "/var/etc", "fd.filename": "shadow", "fs.path.name": "/var/etc/shadow",
	} {
		if got := k.alt(name); got != want {
			t.Errorf("second %s = %q, want %q", name, got, want)
		}
	}
}

func TestSamePathHasNoSecondSpelling(t *testing.T) {
	k := newKit(t)
	h := header("open")
	h.Ret = 3
	k.event(h, piece(event.PartName, "/etc/shadow"), fileFacts(regular), piece(event.PartPath, "/etc/shadow"))
	if got := k.alt("fd.name"); got != "-" {
		t.Errorf("got %q", got)
	}
	if got := k.alt("fs.path.name"); got != "-" {
		t.Errorf("fs.path.name: got %q", got)
	}
}

func TestFailedOpen(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("openat")
	h.Ret, h.Args = -13, [6]uint64{7, 0, 0}
	k.event(h, piece(event.PartName, "x/../shadow"), piece(event.PartDir, "/etc"))
	k.expect("failed open", map[string]string{
		"fd.num": "-1", "fd.typechar": "f", "fd.type": "-", "fd.name": "/etc/shadow", "fd.directory": "/etc",
		"fd.filename": "shadow", "evt.res": "EACCES", "evt.rawres": "-13", "evt.failed": "true", "fs.path.name": "-",
		"evt.is_open_read": "true", "evt.count.error": "1", "evt.count.error.file": "1", "evt.count.error.other": "-",
		"evt.arg.fd": "EACCES", "evt.arg.dirfd": "<d>/etc", "fd.uid": "-",
		"evt.args": "fd=-13(EACCES) dirfd=7(<d>/etc) name=x/../shadow(/etc/shadow) flags=1(O_RDONLY) mode=0 dev=0 ino=0",
	})
	if got := k.alt("fd.name"); got != "-" {
		t.Errorf("second fd.name = %q", got)
	}
	// Neither the directory nor the working directory is known.
	h.PID, h.TID, h.Start = 999, 999, 9*second
	k.event(h, piece(event.PartName, "a/../b"))
	k.expect("unknown directory", map[string]string{"fd.name": "<UNKNOWN>/b"})
	h = header("open")
	h.Ret = -2
	k.event(h, piece(event.PartName, "b")) // from the process's last known directory
	k.expect("no directory", map[string]string{"fd.name": "/home/cat/b"})
	k.event(h)
	k.expect("no name", map[string]string{"fd.name": "", "fd.directory": "-", "evt.arg.name": "NULL"})
}

func TestKindsOfDescriptor(t *testing.T) {
	k := newKit(t)
	for _, c := range []struct {
		kind             event.FileKind
		path             string
		typ, char        string
		directory, fname string
	}{
		{event.KindFile, "/a/b", "file", "f", "/a", "b"},
		{event.KindDirectory, "/a/b", "directory", "d", "/a/b", "-"},
		{event.KindDirectory, "/", "directory", "d", "/", "-"},
		{event.KindChar, "/dev/null", "file", "f", "/dev", "null"},
		{event.KindFIFO, "/run/fifo", "file", "f", "/run", "fifo"},
		{event.KindFIFO, "", "pipe", "p", "-", "-"},
		{event.KindMemfd, "memfd:x", "memfd", "m", "-", "-"},
		{event.KindAnon, "[eventpoll]", "eventpoll", "l", "-", "-"},
		{event.KindAnon, "anon_inode:bpf-map", "bpf", "b", "-", "-"},
		{event.KindAnon, "[pidfd]", "pidfd", "P", "-", "-"},
		{event.KindAnon, "[new]", "<NA>", "o", "-", "-"},
		{event.KindPacket, "", "<NA>", "o", "-", "-"},
		{event.FileKind(200), "", "<NA>", "o", "-", "-"},
	} {
		f := regular
		f.Kind = uint8(c.kind)
		h := header("fchmod")
		h.Args = [6]uint64{9, 0o4755}
		k.event(h, fileFacts(f), piece(event.PartPath, c.path))
		k.expect(c.path, map[string]string{
			"fd.num": "9", "fd.type": c.typ, "fd.typechar": c.char, "fd.name": c.path, "fd.directory": c.directory, "fd.filename": c.fname,
		})
	}
	k.expect("fchmod", map[string]string{"evt.arg.mode": "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID", "fd.nameraw": ""})
}

func TestSockets(t *testing.T) {
	k := newKit(t)
	ipv4, ipv6 := event.FileFacts{Kind: uint8(event.KindIPv4)}, event.FileFacts{Kind: uint8(event.KindIPv6)}
	const tcp, udp, stream, dgram = 6, 17, 1, 2
	h := header("connect")
	h.Args[0] = 4
	out := inet("10.0.0.2:40000", "93.184.216.34:443", tcp, stream)
	out.State = tcpEstab
	k.event(h, fileFacts(ipv4), sockFacts(out), inetAddr("93.184.216.34:443"))
	k.expect("connect", map[string]string{
		"fd.type": "ipv4", "fd.typechar": "4", "fd.name": "10.0.0.2:40000->93.184.216.34:443", "fd.cip": "10.0.0.2",
		"fd.sip": "93.184.216.34", "fd.lip": "10.0.0.2", "fd.rip": "93.184.216.34", "fd.cport": "40000", "fd.sport": "443",
		"fd.lport": "40000", "fd.rport": "443", "fd.l4proto": "tcp", "fd.sockfamily": "ip", "fd.is_server": "false",
		"fd.connected": "true", "fd.name_changed": "true", "fd.sproto": "443", "fd.cnet": "10.0.0.2", "fd.filename": "-",
		"evt.args":      "res=0 tuple=10.0.0.2:40000->93.184.216.34:443 fd=4(<4t>10.0.0.2:40000->93.184.216.34:443) addr=93.184.216.34:443",
		"evt.arg.tuple": "10.0.0.2:40000->93.184.216.34:443", "evt.arg.addr": "93.184.216.34:443", "evt.category": "net",
	})
	if got, want := k.all("fd.ip"), []string{"10.0.0.2", "93.184.216.34"}; !reflect.DeepEqual(got, want) {
		t.Errorf("fd.ip = %v", got)
	}
	if got, want := k.all("fd.port"), []string{"40000", "443"}; !reflect.DeepEqual(got, want) {
		t.Errorf("fd.port = %v", got)
	}

	h.Ret = -einprogress
	k.event(h, fileFacts(ipv4), sockFacts(inet("0.0.0.0:0", "0.0.0.0:0", tcp, stream)), inetAddr("127.0.0.1:80"))
	k.expect("connecting", map[string]string{"fd.sip": "127.0.0.1", "fd.sport": "80", "fd.name": "0.0.0.0:0->127.0.0.1:80", "fd.is_server": "true", "evt.res": "EINPROGRESS"})
	h.Ret = -111
	k.event(h, fileFacts(ipv4), sockFacts(inet("0.0.0.0:0", "0.0.0.0:0", udp, dgram)), inetAddr("8.8.8.8:53"))
	k.expect("refused", map[string]string{
		"fd.sip": "-", "fd.name": "0.0.0.0:0->8.8.8.8:53", "evt.res": "ECONNREFUSED", "fd.l4proto": "udp", "fd.connected": "false", "fd.name_changed": "false",
	})

	h = header("accept4")
	h.Ret = 6
	k.event(h, fileFacts(ipv6), sockFacts(inet("[2001:db8::1]:22", "[2001:db8::2]:5555", tcp, stream)))
	k.expect("accept", map[string]string{
		"fd.type": "ipv6", "fd.name": "2001:db8::2:5555->2001:db8::1:22", "fd.cip": "2001:db8::2", "fd.sip": "2001:db8::1",
		"fd.lip": "2001:db8::1", "fd.rport": "5555", "fd.is_server": "true", "fd.num": "6",
	})
	k.event(h, fileFacts(ipv6), sockFacts(inet("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:5555", tcp, stream)))
	k.expect("mapped", map[string]string{"fd.type": "ipv4", "fd.name": "10.0.0.9:5555->10.0.0.1:22", "fd.cip": "10.0.0.9"})
	h.Ret = -11
	k.event(h)
	k.expect("nobody there", map[string]string{"fd.num": "-1", "fd.typechar": "4", "fd.type": "-", "fd.name": "", "evt.count.error.net": "1"})

	h = header("bind")
	h.Args[0] = 4
	k.event(h, fileFacts(ipv6), sockFacts(inet("[::]:8080", "[::]:0", tcp, stream)), inetAddr("[::]:8080"))
	k.expect("bind", map[string]string{
		"fd.name": ":::8080", "fd.sport": "8080", "fd.sip": "::", "fd.cip": "-", "fd.lip": "-", "fd.is_server": "true", "fd.name_changed": "true", "evt.arg.addr": ":::8080",
	})
	if got := k.all("fd.port"); !reflect.DeepEqual(got, []string{"8080"}) {
		t.Errorf("fd.port of a bound socket = %v", got)
	}
}

func TestUnixSockets(t *testing.T) {
	k := newKit(t)
	h := header("connect")
	s := event.SockFacts{Family: afUnix, Type: 1, Sock: 0xffff888812345678, Peer: 0xffff88880000ab00}
	k.event(h, fileFacts(event.FileFacts{Kind: uint8(event.KindUnix)}), sockFacts(s), piece(event.PartSockAddr, "\x01\x00/run/docker.sock\x00\x00"))
	k.expect("unix", map[string]string{
		"fd.type": "unix", "fd.typechar": "u", "fd.name": "ffff888812345678->ffff88880000ab00 /run/docker.sock",
		"fd.sockfamily": "unix", "fd.sip": "-", "evt.arg.addr": "/run/docker.sock", "fd.l4proto": "<NA>",
	})
	if got := k.alt("fd.name"); got != "/run/docker.sock" {
		t.Errorf("second name: %q", got)
	}
	if got := k.all("fd.ip"); got != nil {
		t.Errorf("fd.ip = %v", got)
	}
	h = header("bind")
	k.event(h, sockFacts(s), piece(event.PartSockAddr, "\x01\x00\x00hidden"))
	k.expect("abstract", map[string]string{"fd.name": "hidden"})
	k.event(h, sockFacts(s), piece(event.PartSockAddr, "\x10\x00\x00"))
	k.expect("netlink", map[string]string{"evt.arg.addr": "family 16"})
}

func TestPathCalls(t *testing.T) {
	k := newKit(t)
	h := header("renameat2")
	h.Args = [6]uint64{5, 0, 0xffffff9c, 0, 1}
	k.event(h, piece(event.PartName, "a"), piece(event.PartDir, "/tmp"), piece(event.PartName2, "..//b"), piece(event.PartDir2, "/usr/bin"))
	k.expect("rename", map[string]string{
		"fs.path.source": "/tmp/a", "fs.path.target": "/usr/b", "fs.path.sourceraw": "a", "fs.path.targetraw": "../b",
		"fs.path.name": "-", "evt.abspath.src": "/tmp/a", "evt.abspath.dst": "/usr/b", "evt.abspath": "-",
		"evt.arg.olddirfd": "<d>/tmp", "evt.arg.newdirfd": "AT_FDCWD", "evt.arg.flags": "RENAME_NOREPLACE", "fd.name": "-",
	})
	h.Ret = -1
	k.event(h, piece(event.PartName, "/a"), piece(event.PartName2, "/b"))
	k.expect("failed rename", map[string]string{"fs.path.source": "-", "fs.path.targetraw": "-", "evt.abspath.src": "/a"})

	h = header("unlinkat")
	h.Args = [6]uint64{5, 0, 0x200}
	k.event(h, piece(event.PartName, "x"), piece(event.PartDir, "/srv"))
	k.expect("unlinkat", map[string]string{
		"fs.path.name": "/srv/x", "fd.num": "5", "fd.name": "/srv", "fd.type": "directory", "evt.arg.flags": "AT_REMOVEDIR", "evt.abspath": "/srv/x",
	})
	h = header("fchmod")
	k.event(h, fileFacts(regular), piece(event.PartPath, "/bin/su"))
	k.expect("fchmod", map[string]string{"fs.path.name": "/bin/su", "fs.path.nameraw": "/bin/su", "fs.path.source": "-", "fs.path.targetraw": "-"})
	h = header("memfd_create")
	h.Ret = 3
	k.event(h, piece(event.PartName, "x"), fileFacts(event.FileFacts{Kind: uint8(event.KindMemfd)}), piece(event.PartPath, "memfd:x"))
	k.expect("memfd", map[string]string{"fd.name": "memfd:x", "fd.type": "memfd", "fs.path.name": "-", "evt.abspath": "-"})
	if got := k.alt("fd.name"); got != "x" {
		t.Errorf("second name of a memfd: %q", got)
	}
}

func TestClean(t *testing.T) {
	c := NewCtx(&Host{})
	for _, p := range []struct{ dir, name, want string }{
		{"", "/", "/"}, {"", "/a/b", "/a/b"}, {"", "//a", "/a"}, {"", "/a/", "/a"}, {"", "/a/./b", "/a/b"},
		{"", "/..", "/"}, {"", "/../../a", "/a"}, {"", "/a/b/../..", "/"}, {"", "/a/...", "/a/..."},
		{"/", "a", "/a"}, {"/x/", "a", "/x/a"}, {"/x", "", "/x"}, {"/x", "../../..", "/"}, {"/x/y", "..", "/x"},
		{"<UNKNOWN>", "a/b", "<UNKNOWN>/a/b"}, {"<UNKNOWN>", "../x", "<UNKNOWN>/x"},
		{"/x/<UNKNOWN>/y", "../../z", "/x/z"},
	} {
		if got := c.clean([]byte(p.dir), []byte(p.name), false); got != p.want {
			t.Errorf("%q + %q = %q, want %q", p.dir, p.name, got, p.want)
		}
	}
	for _, p := range []struct{ dir, name, want string }{
		{"<UNKNOWN>", "../x", "<UNKNOWN>/x"}, {"/a/b<UNKNOWN>c/d", "e", "/a/b<UNKNOWN>c/d/e"}, {"/a/b<UNKNOWN>c/d", "../e", "/a/b<UNKNOWN>c/e"},
		{"/a/b<UNKNOWN>c/d", "../../../../e", "<UNKNOWN>/e"}, {"<UNKNOWN>/d", "../..", "<UNKNOWN>"},
	} {
		if got := c.clean([]byte(p.dir), []byte(p.name), true); got != p.want {
			t.Errorf("%q with a gap + %q = %q, want %q", p.dir, p.name, got, p.want)
		}
	}
	for path, want := range map[string][2]string{
		"/a/b": {"/a", "b"}, "/a": {"/", "a"}, "/": {"/", "/"}, "/a/": {"/a/", "/"}, "a": {"/", "/"},
	} {
		if d, b := dirname(path), basename(path); d != want[0] || b != want[1] {
			t.Errorf("%q splits into %q and %q", path, d, b)
		}
	}
}
