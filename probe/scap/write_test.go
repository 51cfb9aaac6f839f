// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"encoding/binary"
)

// capture is a capture file being made by a test.
type capture struct{ bytes.Buffer }

func newCapture() *capture {
	c := &capture{}
	c.block(blockSection, le(uint32(magic), uint16(1), uint16(2), int64(-1)))
	return c
}

// le makes little-endian bytes: of numbers their own width, of strings theirs, of str a string behind its length.
func le(values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		case str:
			b = append(binary.LittleEndian.AppendUint16(b, uint16(len(v))), v...)
		default:
			var err error
			if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
				panic(err)
			}
		}
	}
	return b
}

// str is a string that stands behind its length.
type str string

// block appends a block, padded as blocks are.
func (c *capture) block(kind uint32, body []byte) {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(len(body) + blockFrame)
	c.Write(le(kind, size, body, size))
}

func (c *capture) machine(hostname string) {
	name := make([]byte, 128)
	copy(name, hostname)
	c.block(blockMachine, le(uint32(2), uint64(1<<30), uint64(32768), name, uint64(1e18), uint64(0), uint64(0), uint64(0)))
}

// proc is a thread for the lists.
type proc struct {
	tid, pid, ptid                     int64
	comm, exe, exepath, args, cwd, env string
	uid, gid                           uint32
	cgroups                            string
}

// procs appends a list of threads in one of its versions.
func (c *capture) procs(version int, list ...proc) {
	var body []byte
	for _, p := range list {
		b := le(p.tid, p.pid, p.ptid)
		if version >= 6 {
			b = append(b, le(int64(1))...)
		}
		if version >= 8 {
			b = append(b, le(int64(2))...)
		}
		b = append(b, le(str(p.comm), str(p.exe))...)
		if version >= 7 {
			b = append(b, le(str(p.exepath))...)
		}
		b = append(b, le(str(p.args), str(p.cwd), int64(1024), uint32(0), p.uid, p.gid)...)
		if version >= 2 {
			b = append(b, le(uint32(100), uint32(50), uint32(0), uint64(1), uint64(2))...)
		}
		if version >= 3 {
			b = append(b, le(str(p.env))...)
		}
		if version >= 4 {
			b = append(b, le(p.tid, p.pid, str(p.cgroups))...)
		}
		if version >= 5 {
			b = append(b, le(str("/"))...)
		}
		if version >= 9 {
			b = append(b, le(uint64(7), uint32(34816), uint32(1000), uint8(1), uint64(1), uint64(2), uint64(3), uint8(0), uint64(99), uint64(5), uint64(6), uint8(0), uint8(1), int64(4))...)
			b = append(le(uint32(len(b)+4)), b...)
		}
		body = append(body, b...)
	}
	kind := uint32(0)
	for k, v := range procVersions {
		if v == version {
			kind = k
		}
	}
	c.block(kind, body)
}

// users appends a list of one user and one group.
func (c *capture) users(sized bool, uid uint32, name, home, shell string, gid uint32, group string) {
	user := le(uint8(0), uid, gid, str(name), str(home), str(shell))
	grp := le(uint8(1), gid, str(group))
	if !sized {
		c.block(blockUsers1, append(user, grp...))
		return
	}
	c.block(blockUsers2, le(uint32(len(user)+4), user, uint32(len(grp)+4), grp))
}

// addr appends a list of one IPv4 address.
func (c *capture) addr(sized bool, ip [4]byte, name string) {
	b := le(uint16(1), uint16(len(name)), ip[:], uint32(0), uint32(0), uint64(0), name)
	if !sized {
		c.block(blockAddrs1, b)
		return
	}
	c.block(blockAddrs2, le(uint32(len(b)), b))
}

// fd is a descriptor for the lists: what follows number and inode.
type fd struct {
	fd   int64
	kind uint8
	rest []byte
}

func (c *capture) fds(sized bool, tid int64, list ...fd) {
	body := le(tid)
	for _, f := range list {
		b := le(f.fd, uint64(f.fd+1000), f.kind, f.rest)
		if sized {
			b = append(le(uint32(len(b)+4)), b...)
		}
		body = append(body, b...)
	}
	kind := uint32(blockFDs1)
	if sized {
		kind = blockFDs2
	}
	c.block(kind, body)
}

// event appends an event of the kind of block given.
func (c *capture) event(kind uint32, ts uint64, tid int64, number uint16, params ...[]byte) {
	var lengths, data []byte
	for _, p := range params {
		if s := schemaOf(number); s != nil && s.large {
			lengths = le(lengths, uint32(len(p)))
		} else {
			lengths = le(lengths, uint16(len(p)))
		}
		data = append(data, p...)
	}
	header := le(ts, tid, uint32(eventHeader1+len(lengths)+len(data)), number)
	if kind != blockEvent1 && kind != blockFlagged1 {
		header = le(ts, tid, uint32(eventHeader2+len(lengths)+len(data)), number, uint32(len(params)))
	}
	body := le(uint16(0))
	if kind == blockFlagged1 || kind == blockFlagged2 || kind == blockFlaggedL {
		body = le(body, uint32(0))
	}
	c.block(kind, le(body, header, lengths, data))
}

// zero is a string as events have it.
func zero(s string) []byte { return append([]byte(s), 0) }

// numberOf is the number of the newest type of event with a name, at the beginning of a call or its end.
func numberOf(name string, enter bool) uint16 {
	for i := len(schemas) - 1; i >= 0; i-- {
		if s := &schemas[i]; s.name == name && s.enter == enter {
			return s.number
		}
	}
	panic("no event " + name)
}
