// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Via names, in the environment of a trigger process, the way by which its calls are made: "" is the plain one of the program's table, "int80"
// that of the 32-bit table, "shared" that table's socketcall for calls on sockets.
const Via = "FALCONET_VIA"

// call32 is a call of the 32-bit table.
type call32 struct {
	nr     int
	socket int // its number among socketcall's, 0 for none
}

// calls32 are calls of the 32-bit table that triggers make, by name. Those of sockets have numbers of their own since Linux 4.3; one
// that has none is known by the number that records of it have.
var calls32 = map[string]call32{
	"open": {5, 0}, "creat": {8, 0}, "unlink": {10, 0}, "chmod": {15, 0}, "rename": {38, 0}, "fchmod": {94, 0}, "openat": {295, 0}, "unlinkat": {301, 0},
	"renameat": {302, 0}, "fchmodat": {306, 0}, "renameat2": {353, 0}, "memfd_create": {356, 0}, "openat2": {437, 0},
	"socket": {359, 1}, "bind": {361, 2}, "connect": {362, 3}, "listen": {363, 4}, "accept": {500, 5}, "getsockname": {367, 6}, "getpeername": {368, 7},
	"socketpair": {360, 8}, "send": {501, 9}, "recv": {502, 10}, "sendto": {369, 11}, "recvfrom": {371, 12}, "shutdown": {373, 13}, "setsockopt": {366, 14},
	"getsockopt": {365, 15}, "sendmsg": {370, 16}, "recvmsg": {372, 17}, "accept4": {364, 18},
}

const (
	sysSocketcall = 102
	sysIPC        = 117
)

// is64 tells the two builds of this program apart.
const is64 = unsafe.Sizeof(uintptr(0)) == 8

// canAccept reports whether there is a call accept, beside accept4.
func (t *T) canAccept() bool { return sysAccept >= 0 && t.via == "" || t.via == "shared" }

// do makes a call and returns its result and the number that its record must have.
func (t *T) do(name string, nr int, a *[6]uintptr) (int64, int) {
	c := calls32[name]
	switch {
	case t.via == "shared" && c.socket != 0:
		return t.raw32(sysSocketcall, &[6]uintptr{uintptr(c.socket), t.words32(a[:]...)}), c.nr
	case t.via != "" && is64:
		if c.nr == 0 {
			fail("no number for %s", name)
		}
		return t.raw32(c.nr, a), c.nr
	}
	return raw(nr, a), nr
}

func raw(nr int, a *[6]uintptr) int64 {
	r, _, errno := unix.RawSyscall6(uintptr(nr), a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return -int64(errno)
	}
	return int64(r)
}

// raw32 makes a call through the 32-bit table.
func (t *T) raw32(nr int, a *[6]uintptr) int64 {
	if is64 {
		return int64(trap(uintptr(nr), a))
	}
	return raw(nr, a)
}

// words32 is a vector of words of 32 bits.
func (t *T) words32(w ...uintptr) uintptr {
	b := make([]byte, 0, 4*len(w))
	for _, v := range w {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return t.bytes(b)
}
