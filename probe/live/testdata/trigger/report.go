// SPDX-License-Identifier: Apache-2.0

package trigger

// Report is what a trigger did and saw, in its own words: the answers that records are compared with.
type Report struct {
	Self    Self
	Calls   []*Call
	Touches []Touch
	Notes   map[string]string
}

// Self is the process that made the calls, as its own system calls and /proc describe it.
type Self struct {
	PID, TID, PPID int
	UID, GID       int // effective
	LoginUID       uint32
	StartTicks     uint64 // field 22 of /proc/PID/stat
}

// Call is one system call and everything that its record must say.
type Call struct {
	Event         string // evt.type
	NR            int
	TID           int
	Args          [6]uint64
	Ret           int64
	Before, After uint64 // CLOCK_BOOTTIME around the call
	UID, GID      int    // effective, after the call
	Fault         bool   // an argument could not be read
	Truncated     bool   // something is longer than the probe copies
	Ring          bool   // a request of io_uring
	Unknown       bool   // one whose result cannot be known
	Refused       bool   // one that the kernel does not make of its entry
	Loose         bool   // the row may have more than is expected here
	Params, Parts map[string]Want
	File          *File
	Sock          *Sock
	Now           *Now // nil: not known
}

// Want is an expected value of a parameter or of a captured piece.
type Want struct {
	Kind  string   // "number", "range" (N to Max), "bytes", "flags", "absent", "any" (present), "head" (as much as is copied), "gap" (its beginning and its end), "polled", "maybe" (absent, or the bytes)
	N     int64    `json:",omitempty"`
	Max   int64    `json:",omitempty"`
	B     []byte   `json:",omitempty"`
	Flags []string `json:",omitempty"`
}

// File is what fstat, fstatfs and fcntl say of a descriptor.
type File struct {
	Dev, Ino, Nlink, Ctime uint64
	Mode, Magic, Flags     uint32
	Path                   bool // found by its path: there is no open file
}

// Sock is what getsockname, getpeername and getsockopt say of a socket.
type Sock struct {
	Family, Type, Proto, LPort, RPort int
	LAddr, RAddr                      []byte
	State                             int // -1: not known
	Role, Bound                       int // which end of a connection it is: 1 client, 2 server; whether it was bound; -1: not known
	Path                              []byte
	Queue, MaxQueue                   int // -1: not known
}

// Number expects a number; unsigned 64-bit numbers wrap.
func (c *Call) Number(param string, n int64) *Call {
	c.Params[param] = Want{Kind: "number", N: n}
	return c
}

// Bytes expects a string or a buffer.
func (c *Call) Bytes(param, s string) *Call {
	c.Params[param] = Want{Kind: "bytes", B: []byte(s)}
	return c
}

// Range expects a number that moves while one looks at it.
func (c *Call) Range(param string, from, to int64) *Call {
	c.Params[param] = Want{Kind: "range", N: from, Max: to}
	return c
}

// Present expects parameters that other means check.
func (c *Call) Present(params ...string) *Call {
	for _, p := range params {
		c.Params[p] = Want{Kind: "any"}
	}
	return c
}

// Flags expects named flags, and no others.
func (c *Call) Flags(param string, names ...string) *Call {
	c.Params[param] = Want{Kind: "flags", Flags: names}
	return c
}

// Absent expects parameters that could not be read.
func (c *Call) Absent(params ...string) *Call {
	for _, p := range params {
		c.Params[p] = Want{Kind: "absent"}
	}
	return c
}

// Result expects the result of the call in param.
func (c *Call) Result(param string) *Call { return c.Number(param, c.Ret) }

// loose says that the row may have more than the trigger expects.
func (c *Call) loose() *Call {
	c.Loose = true
	return c
}

// Part expects a captured piece.
func (c *Call) Part(kind, s string) *Call {
	c.Parts[kind] = Want{Kind: "bytes", B: []byte(s)}
	return c
}

// Gap expects the beginning and the end of a captured path that is too long, in a record that says that it is cut.
func (c *Call) Gap(kind, s string) *Call {
	c.Parts[kind] = Want{Kind: "gap", B: []byte(s)}
	c.Truncated = true
	return c
}

// NoPart expects pieces that do not exist.
func (c *Call) NoPart(kinds ...string) *Call {
	for _, k := range kinds {
		c.Parts[k] = Want{Kind: "absent"}
	}
	return c
}
