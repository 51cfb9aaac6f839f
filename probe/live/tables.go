// SPDX-License-Identifier: Apache-2.0

package live

import (
	"slices"

	"falconet/engine/event"
)

// The twins of the structures in probe/bpf/abi.h that only the loader writes.

type part struct {
	At, Op, Arg, Aux uint8
	Size, Off        uint16
}

const maxParts = 16

type slot struct {
	Event          uint16
	Parts, Recipes uint8
	Object, Flags  uint8
	IO             uint8
	_              uint8
	Part           [maxParts]part
}

const (
	slotFailedOnly = 1 << iota
	slotClone
	slotLife
	slotSilent
	slotThreads
)

type route struct {
	Native, Compat uint16
	Flags, Shared  uint16
}

const (
	routeMark = 1 << iota
	routeShared
	routeMany
	routeVersions
)

// capture is one slot: what it captures and the program that does.
type capture struct {
	slot
	program string // "" for a hook that has its own
}

// plan is the demand as the probe's tables hold it.
type plan struct {
	slots  []capture // 0 is no slot
	routes [event.MaxSyscall]route
	shared [maxShared]sharedCall

	exec, execveat, fork, exit, heartbeat uint16
	everyThread                           bool
	roles                                 bool // which end of a connection a socket is, is asked for
	peers                                 bool // whether a socket talks to another than before, is asked for
	signal, pageFault                     bool // the tracepoints of these events are asked for

	rows map[event.ID]uint16 // slots of rows that sys_exit reports
	want *event.Demand
	// what to hold before a call is done, by number, and of which rows
	holds [event.MaxSyscall]route
	held  []*event.Row
}

// markNR is readahead: rare, harmless, and refused at once for a descriptor that does not exist.
const markNR = 187

func makePlan(d *event.Demand) *plan {
	p := &plan{slots: make([]capture, 1), everyThread: d.WantsEveryThread(), peers: wantsPeers(d), rows: make(map[event.ID]uint16), want: d}
	for i := range event.Rows()[1:] {
		row := &event.Rows()[i+1]
		parts, wanted := d.Wants(row.ID)
		silent := p.peers && row.Captures(event.PartChanged)
		if silent { // whom a socket talks to is known when all calls are seen that talk
			parts |= event.PartsOf(event.PartChanged)
		}
		switch {
		case row.Name == "heartbeat":
			p.heartbeat = p.add(row, row.Parts, event.AllParts, captureCall)
		case row.Flags&event.Life != 0:
			p.life(row, parts, wanted)
		case row.Name == "signaldeliver":
			p.signal = wanted
		case row.Name == "page_fault":
			p.pageFault = wanted
		case row.ID == event.Generic && wanted:
			p.rows[row.ID] = p.add(row, row.Parts, parts, captureCall)
			p.generic(d, p.rows[row.ID])
		case wanted:
			id := p.add(row, row.Parts, parts, programFor(row))
			if isClone(row.Name) {
				p.slots[id].Flags |= slotClone
			}
			p.rows[row.ID] = id
			p.route(row, id)
			p.hold(row, id, parts)
		case silent:
			id := p.add(row, row.Parts, parts, programFor(row))
			p.slots[id].Flags |= slotSilent
			p.rows[row.ID] = id
			p.route(row, id)
		}
	}
	p.routes[markNR].Flags |= routeMark
	p.share()
	return p
}

func wantsPeers(d *event.Demand) bool {
	return slices.ContainsFunc(event.Rows()[1:], func(row event.Row) bool {
		parts, wanted := d.Wants(row.ID)
		return wanted && parts.Has(event.PartChanged) && row.Captures(event.PartChanged)
	})
}

// hold prepares what an event loses before its end, if any of it was asked for.
func (p *plan) hold(row *event.Row, id uint16, parts event.Parts) {
	if parts&row.HeldParts() == 0 {
		return
	}
	p.slots[id].program = captureHeld
	held := p.add(row, row.Held, parts, "")
	p.slots[held].Object = uint8(row.HeldFrom)
	for _, nr := range row.NR64 {
		p.holds[nr].Native = held
	}
	for _, nr := range row.NR32 {
		p.holds[nr].Compat = held
	}
	p.held = append(p.held, row)
}

// life places the rows of the tracepoints of process life, which the process table lives on, whatever the rules ask for: all pieces are
// captured, so that their slots never change. An execve that fails has no tracepoint: sys_exit reports it, when a rule asks for the event.
func (p *plan) life(row *event.Row, parts event.Parts, wanted bool) {
	id := p.add(row, row.Parts, event.AllParts, "")
	p.slots[id].Flags |= slotLife
	switch row.Name {
	case "execve":
		p.exec = id
	case "execveat":
		p.execveat = id
	case "procfork":
		p.fork = id
	case "procexit":
		p.exit = id
	}
	if wanted && row.Failed != nil {
		failed := p.add(row, row.Failed, parts, captureProcess)
		p.slots[failed].Flags |= slotFailedOnly
		p.route(row, failed)
	}
}

func (p *plan) add(row *event.Row, list []event.Part, wanted event.Parts, program string) uint16 {
	c := capture{program: program}
	c.Event, c.Parts, c.Object = uint16(row.ID), uint8(len(list)), uint8(row.Object)
	for i, r := range list {
		if wanted.Has(r.Kind) || needed(list, i, wanted) {
			c.Part[c.Recipes] = part{At: uint8(i), Op: uint8(r.Op), Arg: r.Arg, Aux: r.Aux, Size: r.Size, Off: r.Off}
			c.Recipes++
		}
	}
	c.Parts = 0 // of those behind the last that is wanted a record says nothing
	if c.Recipes > 0 {
		c.Parts = c.Part[c.Recipes-1].At + 1
	}
	if row.IO != event.IONone && c.keeps(event.OpData, event.OpSize, event.OpPeer, event.OpControl) {
		c.IO = uint8(row.IO)
	}
	p.roles = p.roles || slices.ContainsFunc(c.Part[:c.Recipes], func(r part) bool { return r.Op == uint8(event.OpSock) && r.Aux != 0 })
	p.slots = append(p.slots, c)
	return uint16(len(p.slots) - 1)
}

// keeps reports whether a slot has one of the recipes.
func (c *capture) keeps(ops ...event.Op) bool {
	return slices.ContainsFunc(c.Part[:c.Recipes], func(p part) bool { return slices.Contains(ops, event.Op(p.Op)) })
}

// needed reports whether a wanted recipe looks at the piece that recipe i captures.
func needed(list []event.Part, i int, wanted event.Parts) bool {
	for _, r := range list {
		if (r.Op == event.OpDir || r.Op == event.OpChanged) && int(r.Aux) == i && wanted.Has(r.Kind) {
			return true
		}
	}
	return false
}

func (p *plan) route(row *event.Row, id uint16) {
	for _, nr := range row.NR64 {
		p.routes[nr].Native = id
	}
	for _, nr := range row.NR32 {
		p.routes[nr].Compat = id
	}
}

func (p *plan) generic(d *event.Demand, id uint16) {
	for nr := range event.FirstShared { // those behind have no number
		if d.WantsSyscall(nr, false) {
			p.routes[nr].Native = id
		}
		if d.WantsSyscall(nr, true) {
			p.routes[nr].Compat = id
		}
	}
}

// slotsOf returns the slots and the numbers of a system call, in the native table and in the 32-bit one; slot 0 where nobody asks for it.
func (p *plan) slotsOf(call string) (slots, numbers [2]uint16) {
	nr64, nr32, _ := event.SyscallNumber(call)
	for i, nr := range []int{nr64, nr32} {
		if nr < 0 {
			continue
		}
		numbers[i] = uint16(nr)
		if id := event.ByNumber(nr, i == 1); id != event.Generic {
			slots[i] = p.rows[id]
		} else if p.want.WantsSyscall(nr, i == 1) {
			slots[i] = p.rows[event.Generic]
		}
	}
	return slots, numbers
}

// wantsRequests reports whether io_uring can make an event of the demand.
func (p *plan) wantsRequests() bool {
	for i := range operations {
		for _, call := range []string{operations[i].call, operations[i].positioned} {
			if slots, _ := p.slotsOf(call); slots != [2]uint16{} {
				return true
			}
		}
	}
	return false
}

func isClone(name string) bool {
	return name == "clone" || name == "clone3" || name == "fork" || name == "vfork"
}

// programFor picks the program of sys_exit that has the recipes of a row.
func programFor(row *event.Row) string {
	if row.IO&^event.IOWrites == event.IOMessages {
		return captureMessages
	}
	for _, p := range row.Parts {
		switch p.Op {
		case event.OpTask, event.OpArgv, event.OpArgvUser, event.OpCgroups:
			return captureProcess
		case event.OpData, event.OpSize, event.OpPeer, event.OpControl, event.OpOption:
			return captureData
		case event.OpPoll:
			return capturePoll
		}
	}
	return captureCall
}
