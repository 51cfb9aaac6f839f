// SPDX-License-Identifier: Apache-2.0

package live

import "falconet/engine/event"

// sharedCall is the twin of struct shared_call in probe/bpf/abi.h.
type sharedCall struct {
	Slot, NR      uint16
	From          [6]uint8
	Memory, Words uint8
	Result        uint8
	_             uint8
}

const (
	maxShared = 96 // thirds: socketcall, ipc, ipc with a version

	sourceMemory = 8
	sourceNone   = 15
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

// sharing is one call that socketcall or ipc stands for: its place in the table and what its arguments are made of.
type sharing struct {
	place  int
	call   string
	args   []uint8
	memory uint8 // the register that points to the words among args
	result uint8 // the register that points to what the plain call returns
}

var sharings = buildSharings()

func buildSharings() []sharing {
	var all []sharing
	// socketcall(call, args): all arguments are in memory
	for i, c := range []struct {
		name string
		n    uint8
	}{
		{"socket", 3}, {"bind", 3}, {"connect", 3}, {"listen", 2}, {"accept", 3}, {"getsockname", 3}, {"getpeername", 3}, {"socketpair", 4}, {"send", 4}, {"recv", 4},
		{"sendto", 6}, {"recvfrom", 6}, {"shutdown", 2}, {"setsockopt", 5}, {"getsockopt", 5}, {"sendmsg", 3}, {"recvmsg", 3}, {"accept4", 4}, {"recvmmsg", 5}, {"sendmmsg", 4},
	} {
		s := sharing{place: 1 + i, call: c.name, memory: regFirst}
		for n := range c.n {
			s.args = append(s.args, word(n))
		}
		all = append(all, s)
	}
	// ipc(call, first, second, third, ptr, fifth)
	const ipc, versioned = maxShared / 3, 2 * maxShared / 3
	for _, s := range []sharing{
		{place: 1, call: "semop", args: []uint8{regFirst, regPtr, regSecond}},
		{place: 2, call: "semget", args: []uint8{regFirst, regSecond, regThird}},
		{place: 3, call: "semctl", args: []uint8{regFirst, regSecond, regThird, word(0)}, memory: regPtr},
		{place: 4, call: "semtimedop", args: []uint8{regFirst, regPtr, regSecond, regFifth}},
		{place: 11, call: "msgsnd", args: []uint8{regFirst, regPtr, regSecond, regThird}},
		{place: 12, call: "msgrcv", args: []uint8{regFirst, word(0), regSecond, word(1), regThird}, memory: regPtr},
		{place: 13, call: "msgget", args: []uint8{regFirst, regSecond}},
		{place: 14, call: "msgctl", args: []uint8{regFirst, regSecond, regPtr}},
		{place: 21, call: "shmat", args: []uint8{regFirst, regPtr, regSecond}, result: regThird},
		{place: 22, call: "shmdt", args: []uint8{regPtr}},
		{place: 23, call: "shmget", args: []uint8{regFirst, regSecond, regThird}},
		{place: 24, call: "shmctl", args: []uint8{regFirst, regSecond, regPtr}},
	} {
		old, latest := s, s
		old.place += ipc
		latest.place += versioned
		if s.call == "msgrcv" {
			latest.args, latest.memory = []uint8{regFirst, regPtr, regSecond, regFifth, regThird}, 0
		}
		all = append(all, old, latest)
	}
	return all
}

// share fills in the calls that share a number, and the numbers themselves where one of their calls is asked for.
func (p *plan) share() {
	const socketcall, ipc = 102, 117
	for i := range sharings {
		s := &sharings[i]
		c := &p.shared[s.place]
		c.Slot, c.NR = p.slotOfShared(s.call)
		for n := range c.From {
			if c.From[n] = sourceNone; n < len(s.args) {
				c.From[n] = s.args[n]
			}
			if c.From[n] >= sourceMemory && c.From[n] < sourceNone {
				c.Words++
			}
		}
		c.Memory, c.Result = s.memory, s.result
		nr := ipc
		if s.place < maxShared/3 {
			nr = socketcall
		}
		if c.Slot != 0 || p.routes[nr].Compat != 0 { // of the latter, what is no call remains
			p.routes[nr].Flags |= routeMany
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
