// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// list reads the body of a block that is a list, entry by entry.
type list struct {
	in   *bufio.Reader
	left int64
	buf  []byte
	err  error
}

var errShort = errors.New("entry is longer than its list")

// take returns the next n bytes, valid until the next call; nil when they are not there.
func (l *list) take(n int) []byte {
	if l.err == nil && int64(n) > l.left {
		l.err = errShort
	}
	if l.err != nil {
		return nil
	}
	b, err := l.in.Peek(n)
	if err != nil {
		l.err = cut(err)
		return nil
	}
	l.buf = append(l.buf[:0], b...)
	_, _ = l.in.Discard(n)
	l.left -= int64(n)
	return l.buf
}

func (l *list) skip(n int64) error {
	if l.err == nil && n > l.left {
		l.err = errShort
	}
	for n > 0 && l.err == nil {
		done, err := l.in.Discard(int(min(n, window)))
		n, l.left = n-int64(done), l.left-int64(done)
		if err != nil {
			l.err = cut(err)
		}
	}
	return l.err
}

func (l *list) u8() uint8 {
	if b := l.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (l *list) u16() uint16 {
	if b := l.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (l *list) u32() uint32 {
	if b := l.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (l *list) u64() uint64 {
	if b := l.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// str reads a string behind its length.
func (l *list) str() string { return string(l.take(int(l.u16()))) }

// more reports whether another entry can follow: what is shorter is padding.
func (l *list) more() bool { return l.err == nil && l.left >= 4 }

// entry begins an entry that may say how long it is, in which that number counts too (self) or does not; end, called behind what is known of
// it, passes over the rest.
func (l *list) entry(sized bool, self int64) (left func() int64, end func()) {
	if !sized {
		return func() int64 { return 0 }, func() {}
	}
	size := int64(l.u32()) - self
	from := l.left
	left = func() int64 { return size - (from - l.left) }
	return left, func() {
		switch n := left(); {
		case l.err != nil:
		case n < 0:
			l.err = errors.New("entry is longer than it says")
		default:
			_ = l.skip(n)
		}
	}
}

// section checks the header of a section.
func (l *list) section() error {
	order, major := l.u32(), l.u16()
	_, _ = l.u16(), l.u64()
	switch {
	case l.err != nil:
		return l.err
	case order == magicSwapped:
		return errors.New("capture of a machine with the other byte order")
	case order != magic:
		return fmt.Errorf("section with the magic number %#x", order)
	case major > majorVersion:
		return fmt.Errorf("capture of version %d of the format, of which %d is known", major, majorVersion)
	}
	return nil
}

// Machine is the machine that a capture was made on.
type Machine struct {
	Hostname string
	CPUs     int
	Memory   uint64 // bytes
	MaxPID   uint64
	BootTime int64 // Unix time in nanoseconds, 0 when it is not known
}

func (l *list) machine() (m Machine) {
	m.CPUs = int(l.u32())
	m.Memory, m.MaxPID = l.u64(), l.u64()
	m.Hostname = string(text(l.take(128)))
	m.BootTime = int64(l.u64())
	return m
}

// addrs reads the addresses of interfaces.
func (l *list) addrs(sized bool, add func(netip.Addr)) error {
	for l.more() {
		_, end := l.entry(sized, 0)
		kind, name := l.u16(), int64(l.u16())
		width, speed := 4, int64(8)
		switch kind {
		case 1:
		case 2:
			width = 16
		case 3:
			speed = 0
		case 4:
			width, speed = 16, 0
		default:
			return fmt.Errorf("interface of the unknown kind %d", kind)
		}
		if ip, ok := netip.AddrFromSlice(l.take(width)); ok {
			add(ip)
		}
		_ = l.skip(2*int64(width) + speed + name)
		end()
	}
	return l.err
}

// users reads users and groups.
func (l *list) users(sized bool, user func(id uint32, name, home, shell string), group func(id uint32, name string)) error {
	for l.more() {
		_, end := l.entry(sized, 4)
		if l.u8() == 0 {
			id := l.u32()
			_ = l.u32() // its group
			name, home, shell := l.str(), l.str(), l.str()
			if l.err == nil {
				user(id, name, home, shell)
			}
		} else {
			id, name := l.u32(), l.str()
			if l.err == nil {
				group(id, name)
			}
		}
		end()
	}
	return l.err
}

// listed is a thread as a list has it. Numbers that a version does not have are -1, times 0.
type listed struct {
	tid, pid, ptid, sid, vpgid, vtid, vpid, pgid int64
	comm, exe, exepath, cwd, root                string
	args, env, cgroups                           []byte
	fdlimit, major, minor                        uint64
	flags, uid, gid, vmsize, vmrss, vmswap       uint32
	pidnsStart                                   uint64
	tty, loginuid                                uint32
	exeFlags                                     uint32
	capInh, capPrm, capEff                       uint64
	ino, ctime, mtime                            uint64
}

// procVersions numbers the versions of the list of threads.
var procVersions = map[uint32]int{
	blockProcs1: 1, blockProcs2: 2, blockProcs3: 3, blockProcs4: 4, blockProcs5: 5, blockProcs6: 6, blockProcs7: 7, blockProcs8: 8, blockProcs9: 9,
}

// procs reads a list of threads. Every version but the last has the fields of the one before and some in between; the last has them at
// its end, and entries that say their length.
func (l *list) procs(version int, add func(*listed)) error {
	for l.more() {
		t := listed{sid: -1, vpgid: -1, vtid: -1, vpid: -1, pgid: -1, loginuid: ^uint32(0)}
		left, end := l.entry(version >= 9, 4)
		t.tid, t.pid, t.ptid = int64(l.u64()), int64(l.u64()), int64(l.u64())
		if version >= 6 {
			t.sid = int64(l.u64())
		}
		if version >= 8 {
			t.vpgid = int64(l.u64())
		}
		t.comm, t.exe = l.str(), l.str()
		if version >= 7 {
			t.exepath = l.str()
		}
		t.args, t.cwd = []byte(l.str()), l.str()
		t.fdlimit, t.flags, t.uid, t.gid = l.u64(), l.u32(), l.u32(), l.u32()
		if version >= 2 {
			t.vmsize, t.vmrss, t.vmswap, t.major, t.minor = l.u32(), l.u32(), l.u32(), l.u64(), l.u64()
		}
		if version >= 3 {
			t.env = []byte(l.str())
		}
		if version >= 4 {
			t.vtid, t.vpid = int64(l.u64()), int64(l.u64())
			t.cgroups = []byte(l.str())
		}
		if version >= 5 {
			t.root = l.str()
		}
		if version >= 9 {
			l.appended(&t, left)
		}
		end()
		if l.err == nil {
			add(&t)
		}
	}
	return l.err
}

// appended reads what later versions have added to the end of a thread. Two of the fields came between those that were there, and are
// missing from entries that have no more than the others.
func (l *list) appended(t *listed, left func() int64) {
	const before = 4 + 1 + 3*8
	has := func(n int64) bool { return l.err == nil && left() >= n }
	u64 := func(to *uint64) {
		if has(8) {
			*to = l.u64()
		}
	}
	u32 := func(to *uint32) {
		if has(4) {
			*to = l.u32()
		}
	}
	flag := func(bit uint32) {
		if has(1) && l.u8() != 0 {
			t.exeFlags |= bit
		}
	}
	if left() > before {
		u64(&t.pidnsStart)
		u32(&t.tty)
	}
	u32(&t.loginuid)
	flag(exeWritable)
	u64(&t.capInh)
	u64(&t.capPrm)
	u64(&t.capEff)
	flag(exeUpper)
	u64(&t.ino)
	u64(&t.ctime)
	u64(&t.mtime)
	flag(exeMemfd)
	flag(exeLower)
	if has(8) {
		t.pgid = int64(l.u64())
	}
}

// Bits of the schema's execve_flags.
const (
	exeWritable = 1 << iota
	exeUpper
	exeMemfd
	exeLower
)

// fds reads a list of the descriptors of a thread.
func (l *list) fds(sized bool, add func(tid, fd int64, d *desc)) error {
	tid := int64(l.u64())
	for l.more() {
		left, end := l.entry(sized, 4)
		fd, ino, kind := int64(l.u64()), l.u64(), l.u8()
		d := &desc{ino: ino}
		switch kind {
		case 3, 4, 5, 6:
			l.socket(d, kind)
		case 8:
			s := d.socket(familyUnix)
			s.Sock, s.Peer = l.u64(), l.u64()
			setPath(s, []byte(l.str()))
		case 16:
			d.flags = l.u32()
			d.kind, d.name = kindFile, l.str()
			if left() >= 8 { // there is more behind than the mount's number alone
				_ = l.u32()
			}
			if left() >= 4 {
				d.dev = l.u32()
			}
		case 0:
		default:
			if int(kind) >= len(listedKinds) {
				if sized {
					break
				}
				return fmt.Errorf("descriptor of the unknown kind %d", kind)
			}
			d.kind, d.name = listedKinds[kind].kind, l.str()
			if anon := listedKinds[kind].anon; anon != "" {
				d.name = anon
			}
		}
		end()
		if l.err == nil {
			add(tid, fd, d)
		}
	}
	return l.err
}

// socket reads an internet socket: both ends, or the own one of a socket that is bound, and the protocol.
func (l *list) socket(d *desc, kind uint8) {
	family, width := uint16(familyInet), 4
	if kind == 4 || kind == 6 {
		family, width = familyInet6, 16
	}
	s := d.socket(family)
	copy(s.LAddr[:], l.take(width))
	if kind == 3 || kind == 4 {
		copy(s.RAddr[:], l.take(width))
		s.LPort, s.RPort = l.u16(), l.u16()
	} else {
		s.LPort, s.Bound = l.u16(), 1
	}
	switch l.u8() {
	case 2:
		s.Type, s.Proto = sockStream, protoTCP
		if kind >= 5 {
			s.State = stateListen
		} else {
			s.State = stateEstablished
		}
	case 3:
		s.Type, s.Proto = sockDgram, protoUDP
	case 4:
		s.Type, s.Proto = sockDgram, protoICMP
	case 5:
		s.Type = sockRaw
	}
}

// trim cuts the NULs from the end of a list of strings.
func trim(b []byte) []byte { return bytes.TrimRight(b, "\x00") }
