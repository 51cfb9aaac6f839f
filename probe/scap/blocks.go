// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"encoding/binary"
	"io"
	"net/netip"

	"falconet/engine/event"
)

// blockWriter writes the blocks of a capture. After an error it writes nothing more.
type blockWriter struct {
	out io.Writer
	buf []byte
	n   int64 // bytes written
	err error
}

const minorVersion = 2

// block writes a block, whose body is padded to a multiple of four bytes.
func (w *blockWriter) block(kind uint32, body ...[]byte) {
	w.buf = append(w.buf[:0], 0, 0, 0, 0, 0, 0, 0, 0)
	for _, b := range body {
		w.buf = append(w.buf, b...)
	}
	for len(w.buf)%4 != 0 {
		w.buf = append(w.buf, 0)
	}
	size := uint32(len(w.buf) + 4)
	binary.LittleEndian.PutUint32(w.buf, kind)
	binary.LittleEndian.PutUint32(w.buf[4:], size)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, size)
	if w.err != nil {
		return
	}
	_, w.err = w.out.Write(w.buf)
	w.n += int64(len(w.buf))
}

// fields builds the body of a list.
type fields []byte

func (f *fields) u8(v uint8)   { *f = append(*f, v) }
func (f *fields) u16(v uint16) { *f = binary.LittleEndian.AppendUint16(*f, v) }
func (f *fields) u32(v uint32) { *f = binary.LittleEndian.AppendUint32(*f, v) }
func (f *fields) u64(v uint64) { *f = binary.LittleEndian.AppendUint64(*f, v) }
func (f *fields) raw(b []byte) { *f = append(*f, b...) }

// str appends a string behind its length.
func (f *fields) str(s string) {
	s = s[:min(len(s), maxParam)]
	f.u16(uint16(len(s)))
	*f = append(*f, s...)
}

// sized appends an entry that says how long it is, that number included where self is its size.
func (f *fields) sized(self int, fill func(f *fields)) {
	at := len(*f)
	f.u32(0)
	fill(f)
	binary.LittleEndian.PutUint32((*f)[at:], uint32(len(*f)-at-4+self))
}

func (w *blockWriter) section() {
	var f fields
	f.u32(magic)
	f.u16(majorVersion)
	f.u16(minorVersion)
	f.u64(^uint64(0)) // how long the section is nobody knows yet
	w.block(blockSection, f)
}

func (w *blockWriter) machine(m *Machine) {
	var f fields
	f.u32(uint32(m.CPUs))
	f.u64(m.Memory)
	f.u64(m.MaxPID)
	var name [128]byte
	copy(name[:127], m.Hostname)
	f.raw(name[:])
	f.u64(uint64(m.BootTime))
	f.raw(make([]byte, 3*8))
	w.block(blockMachine, f)
}

func (w *blockWriter) addrs(list []netip.Addr) {
	var f fields
	for _, ip := range list {
		f.sized(0, func(f *fields) {
			kind := uint16(2)
			if ip.Is4() {
				kind = 1
			}
			b := ip.AsSlice()
			f.u16(kind)
			f.u16(0) // the interface's name
			f.raw(b)
			f.raw(make([]byte, 2*len(b)+8)) // mask, broadcast address and speed
		})
	}
	w.block(blockAddrs2, f)
}

func (w *blockWriter) users(users map[uint32]User, groups map[uint32]string) {
	const isUser, isGroup = 0, 1
	var f fields
	for id, u := range users {
		f.sized(4, func(f *fields) {
			f.u8(isUser)
			f.u32(id)
			f.u32(id) // the group, which nothing reads
			f.str(u.Name)
			f.str(u.Home)
			f.str(u.Shell)
		})
	}
	for id, name := range groups {
		f.sized(4, func(f *fields) {
			f.u8(isGroup)
			f.u32(id)
			f.str(name)
		})
	}
	w.block(blockUsers2, f)
}

// thread appends a thread of a process to a list of the last version.
func (f *fields) thread(p *event.Listed, tid uint32, boot uint64) {
	t := &p.Task
	vtid := uint64(t.VTID)
	if tid != t.PID {
		vtid = uint64(tid)
	}
	comm := string(text(t.Comm[:]))
	f.sized(4, func(f *fields) {
		for _, v := range [...]uint64{uint64(tid), uint64(t.PID), uint64(t.PTID), uint64(t.SID), uint64(t.VPGID)} {
			f.u64(v)
		}
		f.str(comm)
		f.str(p.Exe)
		f.str(p.ExePath)
		f.str(p.Args)
		f.str(p.Cwd)
		f.u64(t.FDLimit)
		for _, v := range [...]uint32{0, t.UID, t.GID, t.VMSize, t.VMRSS, t.VMSwap} {
			f.u32(v)
		}
		f.u64(t.FaultsMajor)
		f.u64(t.FaultsMinor)
		f.str(p.Env)
		f.u64(vtid)
		f.u64(uint64(t.VPID))
		f.str(p.Cgroups)
		f.str("/")
		if t.PidnsStart != 0 {
			f.u64(t.PidnsStart + boot)
		} else {
			f.u64(0)
		}
		f.u32(t.TTY)
		f.u32(t.LoginUID)
		bit := func(b uint32) { f.u8(uint8(min(t.ExeFlags&b, 1))) }
		bit(exeWritable)
		f.u64(t.CapInh)
		f.u64(t.CapPrm)
		f.u64(t.CapEff)
		bit(exeUpper)
		f.u64(t.ExeIno)
		f.u64(t.ExeCtime)
		f.u64(t.ExeMtime)
		bit(exeMemfd)
		bit(exeLower)
		f.u64(uint64(t.PGID))
	})
}

// Kinds of descriptors in a list.
const (
	fdIPv4, fdIPv6, fdServer4, fdServer6 = 3, 4, 5, 6
	fdDirectory, fdFIFO, fdUnix          = 2, 7, 8
	fdUnsupported, fdNetlink, fdFile     = 10, 15, 16
	fdMemfd                              = 20
)

// fd appends a descriptor, if it is of a kind that lists know.
func (f *fields) fd(d *event.ListedFD) {
	kind, l4 := uint8(0), uint8(3)
	switch d.Kind {
	case event.KindFile, event.KindChar, event.KindBlock:
		kind = fdFile
	case event.KindDirectory:
		kind = fdDirectory
	case event.KindFIFO:
		kind = fdFIFO
	case event.KindUnix:
		kind = fdUnix
	case event.KindNetlink:
		kind = fdNetlink
	case event.KindMemfd:
		kind = fdMemfd
	case event.KindAnon:
		kind = anonKind(d.Name)
	case event.KindIPv4, event.KindIPv6:
		if d.Remote.IsValid() && d.Remote.Port() != 0 || d.Listens {
			l4 = 2
		}
		kind = fdIPv4
		if !d.Remote.IsValid() || d.Remote.Port() == 0 {
			kind = fdServer4
		}
		if d.Kind == event.KindIPv6 {
			kind += fdIPv6 - fdIPv4
		}
	default:
		return
	}
	f.sized(4, func(f *fields) {
		f.u64(uint64(d.FD))
		f.u64(0) // its inode
		f.u8(kind)
		switch kind {
		case fdIPv4, fdIPv6:
			f.addr(d.Local, kind == fdIPv6)
			f.addr(d.Remote, kind == fdIPv6)
			f.u16(d.Local.Port())
			f.u16(d.Remote.Port())
			f.u8(l4)
		case fdServer4, fdServer6:
			f.addr(d.Local, kind == fdServer6)
			f.u16(d.Local.Port())
			f.u8(l4)
		case fdUnix:
			f.u64(0)
			f.u64(0)
			f.str(d.Name)
		case fdFile:
			f.u32(0) // how it was opened
			f.str(d.Name)
			f.u32(0) // its device
		default:
			f.str(d.Name)
		}
	})
}

func (f *fields) addr(a netip.AddrPort, six bool) {
	if six {
		b := a.Addr().As16()
		f.raw(b[:])
		return
	}
	var b [4]byte
	if a.Addr().Is4() {
		b = a.Addr().As4()
	}
	f.raw(b[:])
}

// anonKind is the kind of an anonymous inode of the kernel's name.
func anonKind(name string) uint8 {
	for kind, l := range listedKinds {
		if l.anon != "" && l.anon == name {
			return uint8(kind)
		}
	}
	return fdUnsupported
}
