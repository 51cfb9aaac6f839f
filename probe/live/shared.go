// SPDX-License-Identifier: Apache-2.0

package live

import "falconet/engine/event"

// sharedCall is the twin of struct shared_call in probe/bpf/abi.h.
type sharedCall struct {
	Slot, NR      uint16
	From          [6]uint8
	Memory, Words uint8
	Result        uint8
	Version       uint8
}

const (
	maxShared  = 128
	sharedMany = 32

	sourceMemory = 8
	sourceNone   = 15
)

// sharedNumber is a number of the 32-bit table whose registers are not the arguments of a call.
type sharedNumber struct {
	nr, first int // the place of its first call in the table
	flags     uint16
}

var (
	socketcall = sharedNumber{102, 0, routeShared | routeMany}
	ipc        = sharedNumber{117, sharedMany, routeShared | routeMany | routeVersions}
	oldMmap    = sharedNumber{90, 3 * sharedMany, routeShared}
	oldSelect  = sharedNumber{82, 3*sharedMany + 1, routeShared}
)

// The registers of a call of the 32-bit table, in order. Those of ipc are named as the kernel does.
const (
	regFirst = iota + 1
	regSecond
	regThird
	regPtr
	regFifth
)

// word is the n-th word of the memory that a call points to.
func word(n uint8) uint8 { return sourceMemory + n }

// sharing is one call of such a number: which, and what its arguments are made of.
type sharing struct {
	of      *sharedNumber
	which   int // the first register, with a version above
	call    string
	args    []uint8
	memory  uint8 // the register that points to the words among args
	result  uint8 // the register that points to what the plain call returns
	version uint8 // the argument that may have a version among its bits
}

var sharings = buildSharings()

func buildSharings() []sharing {
	words := func(n uint8) (args []uint8) {
		for i := range n {
			args = append(args, word(i))
		}
		return args
	}
	all := []sharing{{of: &oldMmap, call: "mmap", args: words(6)}, {of: &oldSelect, call: "select", args: words(5)}}
	// socketcall(call, args): all arguments are in memory
	for i, c := range []struct {
		name string
		n    uint8
	}{
		{"socket", 3}, {"bind", 3}, {"connect", 3}, {"listen", 2}, {"accept", 3}, {"getsockname", 3}, {"getpeername", 3}, {"socketpair", 4}, {"send", 4}, {"recv", 4},
		{"sendto", 6}, {"recvfrom", 6}, {"shutdown", 2}, {"setsockopt", 5}, {"getsockopt", 5}, {"sendmsg", 3}, {"recvmsg", 3}, {"accept4", 4}, {"recvmmsg", 5}, {"sendmmsg", 4},
	} {
		all = append(all, sharing{of: &socketcall, which: 1 + i, call: c.name, args: words(c.n), memory: regFirst})
	}
	// ipc(call, first, second, third, ptr, fifth)
	for _, s := range []sharing{
		{which: 1, call: "semop", args: []uint8{regFirst, regPtr, regSecond}},
		{which: 2, call: "semget", args: []uint8{regFirst, regSecond, regThird}},
		{which: 3, call: "semctl", args: []uint8{regFirst, regSecond, regThird, word(0)}, memory: regPtr, version: 2},
		{which: 4, call: "semtimedop", args: []uint8{regFirst, regPtr, regSecond, regFifth}},
		{which: 11, call: "msgsnd", args: []uint8{regFirst, regPtr, regSecond, regThird}},
		{which: 12, call: "msgrcv", args: []uint8{regFirst, word(0), regSecond, word(1), regThird}, memory: regPtr},
		{which: 13, call: "msgget", args: []uint8{regFirst, regSecond}},
		{which: 14, call: "msgctl", args: []uint8{regFirst, regSecond, regPtr}, version: 1},
		{which: 21, call: "shmat", args: []uint8{regFirst, regPtr, regSecond}, result: regThird},
		{which: 22, call: "shmdt", args: []uint8{regPtr}},
		{which: 23, call: "shmget", args: []uint8{regFirst, regSecond, regThird}},
		{which: 24, call: "shmctl", args: []uint8{regFirst, regSecond, regPtr}, version: 1},
	} {
		s.of = &ipc
		latest := s
		latest.which += sharedMany
		if s.call == "msgrcv" {
			latest.args, latest.memory = []uint8{regFirst, regPtr, regSecond, regFifth, regThird}, 0
		}
		all = append(all, s, latest)
	}
	return all
}

// share fills in the calls that share a number, and the numbers themselves where one of their calls is asked for.
func (p *plan) share() {
	for i := range sharings {
		s := &sharings[i]
		c := &p.shared[s.of.first+s.which]
		c.Slot, c.NR = p.slotOfShared(s.call)
		for n := range c.From {
			if c.From[n] = sourceNone; n < len(s.args) {
				c.From[n] = s.args[n]
			}
			if c.From[n] >= sourceMemory && c.From[n] < sourceNone {
				c.Words++
			}
		}
		c.Memory, c.Result, c.Version = s.memory, s.result, s.version
		if r := &p.routes[s.of.nr]; c.Slot != 0 || r.Compat != 0 { // of the latter, what is no call remains
			r.Flags |= s.of.flags
			r.Shared = uint16(s.of.first)
		}
	}
}

// slotOfShared returns the slot of a call of the 32-bit table that need not have a number there, and the number of its records.
func (p *plan) slotOfShared(call string) (slot, number uint16) {
	nr64, nr32, _ := event.SyscallNumber(call)
	if nr32 >= 0 {
		number = uint16(nr32)
	}
	for _, id := range append(event.ByName(call), event.ByNumber(nr64, false)) {
		if id != event.Generic {
			return p.rows[id], number
		}
	}
	if p.want.WantsSyscall(nr32, true) {
		slot = p.rows[event.Generic]
	}
	return slot, number
}
