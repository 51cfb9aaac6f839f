// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"falconet/engine/event"
)

// action is what a call does to the tables.
type action uint8

const (
	doesNothing action = iota
	doesExec
	doesClone
	doesExit
	doesOpen
	doesClose
	doesDup
	doesControl // fcntl, which may duplicate
	doesSocket
	doesPair
	doesConnect
	doesAccept
	doesBind
	doesListen
	doesSend
	doesReceive
	doesPipe
	doesAnon
	doesMemfd
	doesChdir
	doesFchdir
	doesIDs
	doesSession
	doesOption
	doesCloseRange
)

var actions = map[string]action{
	"execve": doesExec, "execveat": doesExec, "clone": doesClone, "clone3": doesClone, "fork": doesClone, "vfork": doesClone, "procexit": doesExit,
	"open": doesOpen, "openat": doesOpen, "openat2": doesOpen, "creat": doesOpen, "open_by_handle_at": doesOpen,
	"close": doesClose, "close_range": doesCloseRange, "dup": doesDup, "dup2": doesDup, "dup3": doesDup, "fcntl": doesControl,
	"socket": doesSocket, "socketpair": doesPair, "connect": doesConnect, "accept": doesAccept, "accept4": doesAccept, "bind": doesBind, "listen": doesListen,
	"send": doesSend, "sendto": doesSend, "sendmsg": doesSend, "sendmmsg": doesSend,
	"recv": doesReceive, "recvfrom": doesReceive, "recvmsg": doesReceive, "recvmmsg": doesReceive,
	"pipe": doesPipe, "pipe2": doesPipe, "memfd_create": doesMemfd,
	"eventfd": doesAnon, "eventfd2": doesAnon, "signalfd": doesAnon, "signalfd4": doesAnon, "timerfd_create": doesAnon, "inotify_init": doesAnon,
	"inotify_init1": doesAnon, "epoll_create": doesAnon, "epoll_create1": doesAnon, "pidfd_open": doesAnon, "userfaultfd": doesAnon,
	"io_uring_setup": doesAnon, "bpf": doesAnon,
	"chdir": doesChdir, "fchdir": doesFchdir,
	"setuid": doesIDs, "setreuid": doesIDs, "setresuid": doesIDs, "setgid": doesIDs, "setregid": doesIDs, "setresgid": doesIDs,
	"setsid": doesSession, "getsockopt": doesOption, "setsockopt": doesOption,
}

// anonNames are the names that the kernel gives to what has none.
var anonNames = map[string]string{
	"eventfd": "anon_inode:[eventfd]", "eventfd2": "anon_inode:[eventfd]", "signalfd": "anon_inode:[signalfd]", "signalfd4": "anon_inode:[signalfd]",
	"timerfd_create": "anon_inode:[timerfd]", "inotify_init": "anon_inode:inotify", "inotify_init1": "anon_inode:inotify",
	"epoll_create": "anon_inode:[eventpoll]", "epoll_create1": "anon_inode:[eventpoll]", "pidfd_open": "anon_inode:[pidfd]",
	"userfaultfd": "anon_inode:[userfaultfd]", "io_uring_setup": "anon_inode:[io_uring]", "bpf": "anon_inode:bpf-prog",
}

// follow changes the tables as a call did that returned ret and did not fail.
func (s *Source) follow(th *thread, e *raw, ret int64) {
	t, p := s.tables, th.proc
	f := p.files
	own := func() *desc { // the descriptor that the event is about, made if nothing has told of it
		fd, ok := s.value("fd")
		if !ok {
			return nil
		}
		if f.byFD[fd] == nil {
			t.set(f, fd, &desc{})
		}
		return f.byFD[fd]
	}
	switch e.kind.does {
	case doesOpen:
		t.set(f, ret, s.opened(p, e))
	case doesCloseRange:
		s.closeRange(f)
	case doesDup:
		old, _ := s.value("oldfd")
		if d := f.byFD[old]; d != nil {
			t.set(f, ret, d)
		} else {
			t.close(f, ret)
		}
	case doesControl:
		const dup, dupCloexec = 1, 28 // the schema's numbers
		if cmd, _ := s.value("cmd"); cmd == dup || cmd == dupCloexec {
			if old, _ := s.value("fd"); f.byFD[old] != nil {
				t.set(f, ret, f.byFD[old])
			}
		}
	case doesSocket:
		d := &desc{}
		family, _ := s.value("domain")
		kind, _ := s.value("type")
		proto, _ := s.value("proto")
		k := d.socket(uint16(family))
		k.Type, k.Proto = uint16(kind&0xff), protocol(kind&0xff, proto)
		t.set(f, ret, d)
	case doesPair:
		s.pair(f)
	case doesConnect:
		if d := own(); d != nil {
			s.connected(d, e, th)
		}
	case doesAccept:
		t.set(f, ret, s.accepted(e, th))
	case doesBind:
		if d := own(); d != nil {
			s.bound(d)
		}
	case doesListen:
		if d := own(); d != nil && d.sock != nil && d.sock.Family != familyUnix {
			d.sock.State = stateListen
			t.serving[d.sock.LPort] = true
		}
	case doesPipe:
		ino, _ := s.value("ino")
		for _, name := range [2]string{"fd1", "fd2"} {
			if fd, ok := s.value(name); ok && fd >= 0 {
				t.set(f, fd, &desc{kind: event.KindFIFO, ino: uint64(ino)})
			}
		}
	case doesAnon:
		if e.kind.name != "bpf" || ret > 0 {
			t.set(f, ret, &desc{kind: event.KindAnon, name: anonNames[e.kind.name]})
		}
	case doesMemfd:
		t.set(f, ret, &desc{kind: event.KindMemfd, name: "memfd:" + s.str("name")})
	case doesChdir:
		if dir := absolute(p.cwd, s.str("path")); dir != "" {
			p.cwd = dir
		}
	case doesFchdir:
		if fd, ok := s.value("fd"); ok {
			p.cwd = p.directory(fd)
		}
	case doesIDs:
		s.credentials(p)
	case doesSession:
		p.SID = uint32(ret)
	}
}

// protocol is that of a socket whose call left the choice to its type.
func protocol(kind, proto int64) uint16 {
	switch {
	case proto != 0:
		return uint16(proto)
	case kind == sockStream:
		return protoTCP
	case kind == sockDgram:
		return protoUDP
	}
	return 0
}

// opened is the descriptor that an open made.
func (s *Source) opened(p *process, e *raw) *desc {
	const directory = 1 << 10 // the schema's O_DIRECTORY
	d := &desc{kind: kindFile}
	flags, _ := s.value("flags")
	if b, ok := e.named("flags"); ok { // with what only the kernel's file tells
		if v, ok := number(b, false); ok {
			flags = int64(v)
		}
	}
	d.flags = uint32(flags)
	if d.flags&directory != 0 {
		d.kind = event.KindDirectory
	}
	if b, ok := e.named("dev"); ok {
		v, _ := number(b, false)
		d.dev = uint32(v)
	}
	if b, ok := e.named("ino"); ok {
		d.ino, _ = number(b, false)
	}
	name := s.str("name")
	if e.kind.name == "open_by_handle_at" {
		b, _ := e.named("path")
		name = string(text(b))
	}
	dir := p.cwd
	if fd, ok := s.value("dirfd"); ok {
		dir = p.directory(fd)
	}
	d.name = absolute(dir, name)
	return d
}

// named returns a parameter of the event itself.
func (e *raw) named(name string) ([]byte, bool) {
	i, ok := e.kind.byName[name]
	if !ok {
		return nil, false
	}
	return e.param(i)
}

func (s *Source) closeRange(f *files) {
	const cloexec = 4
	first, _ := s.value("first")
	last, _ := s.value("last")
	if flags, _ := s.value("flags"); flags&cloexec != 0 {
		return
	}
	for fd := range f.byFD {
		if fd >= first && fd <= last {
			s.tables.close(f, fd)
		}
	}
}

func (s *Source) pair(f *files) {
	source, _ := s.value("source")
	peer, _ := s.value("peer")
	for i, name := range [2]string{"fd1", "fd2"} {
		fd, ok := s.value(name)
		if !ok || fd < 0 {
			continue
		}
		d := &desc{}
		k := d.socket(familyUnix)
		if k.Sock, k.Peer = uint64(source), uint64(peer); i == 1 {
			k.Sock, k.Peer = k.Peer, k.Sock
		}
		s.tables.set(f, fd, d)
	}
}

// credentials follows the calls that set user and group: the effective one counts.
func (s *Source) credentials(p *process) {
	set := func(to *uint32, names ...string) {
		for _, name := range names {
			if v, ok := s.value(name); ok && uint32(v) != ^uint32(0) {
				*to = uint32(v)
				return
			}
		}
	}
	set(&p.UID, "euid", "uid")
	set(&p.GID, "egid", "gid")
}
