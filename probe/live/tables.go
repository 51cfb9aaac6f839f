// SPDX-License-Identifier: Apache-2.0

package live

import (
	"falconet/engine/event"
)

// The twins of the structures in probe/bpf/abi.h that only the loader writes.

type part struct {
	Kind, Op, Arg, Aux uint8
	Size, Off          uint16
}

const maxParts = 16

type slot struct {
	Event                uint16
	Parts, Object, Flags uint8
	_                    [3]uint8
	Part                 [maxParts]part
}

const (
	slotFailedOnly = 1 << iota
	slotClone
	slotLife
)

type route struct {
	Native, Compat uint16
	Mark           uint32
}

// capture is one slot: what it captures and the program that does.
type capture struct {
	slot
	program string // "" for a hook that has its own
}

// plan is the demand as the probe's tables hold it.
type plan struct {
	slots  []capture // 0 is no slot
	routes [event.MaxSyscall]route

	exec, execveat, fork, exit, heartbeat uint16
	everyThread                           bool
	// rows of tracepoints that are attached when they are asked for, 0 when they are not
	signal, pageFault event.ID
	// what to hold before a call is done, by number, and of which rows
	holds [event.MaxSyscall]route
	held  []*event.Row
}

// markNR is readahead: rare, harmless, and refused at once for a descriptor that does not exist.
const markNR = 187

// stateParts are the pieces that the process table lives on, whatever the rules ask for.
var stateParts = event.PartsOf(event.PartTask, event.PartArgv, event.PartEnv, event.PartCwd, event.PartExe, event.PartCgroups, event.PartExit)

func makePlan(d *event.Demand) *plan {
	p := &plan{slots: make([]capture, 1), everyThread: d.WantsEveryThread()}
	for i := range event.Rows()[1:] {
		row := &event.Rows()[i+1]
		parts, wanted := d.Wants(row.ID)
		switch {
		case row.Name == "heartbeat":
			p.heartbeat = p.add(row, row.Parts, event.AllParts, captureCall)
		case row.Flags&event.Life != 0:
			p.life(row, parts, wanted)
		case row.Name == "signaldeliver" && wanted:
			p.signal = row.ID
		case row.Name == "page_fault" && wanted:
			p.pageFault = row.ID
		case row.ID == event.Generic && wanted:
			p.generic(d, p.add(row, nil, 0, captureCall))
		case wanted:
			id := p.add(row, row.Parts, parts, programFor(row.Parts))
			if isClone(row.Name) {
				p.slots[id].Flags |= slotClone
			}
			p.route(row, id)
			p.hold(row, id, parts)
		}
	}
	p.routes[markNR].Mark = 1
	return p
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

// life places the rows of the tracepoints of process life. An execve that fails has no tracepoint: sys_exit reports it, when a
// rule asks for the event.
func (p *plan) life(row *event.Row, parts event.Parts, wanted bool) {
	id := p.add(row, row.Parts, parts|stateParts, "")
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
		c.Part[i] = part{Kind: uint8(r.Kind), Op: uint8(r.Op), Arg: r.Arg, Aux: r.Aux, Size: r.Size, Off: r.Off}
		if !wanted.Has(r.Kind) && !needed(list, i, wanted) {
			c.Part[i].Op = uint8(event.OpNone)
		}
	}
	p.slots = append(p.slots, c)
	return uint16(len(p.slots) - 1)
}

// needed reports whether a wanted recipe looks at the piece that recipe i captures.
func needed(list []event.Part, i int, wanted event.Parts) bool {
	for _, r := range list {
		if r.Op == event.OpDir && int(r.Aux) == i && wanted.Has(r.Kind) {
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
	for nr := range p.routes {
		if d.WantsSyscall(nr, false) {
			p.routes[nr].Native = id
		}
		if d.WantsSyscall(nr, true) {
			p.routes[nr].Compat = id
		}
	}
}

func isClone(name string) bool {
	return name == "clone" || name == "clone3" || name == "fork" || name == "vfork"
}

// programFor picks the program of sys_exit that has the recipes of a row.
func programFor(parts []event.Part) string {
	for _, p := range parts {
		switch p.Op {
		case event.OpTask, event.OpArgv, event.OpArgvUser, event.OpCgroups:
			return captureProcess
		case event.OpPoll:
			return capturePoll
		}
	}
	return captureCall
}
