// SPDX-License-Identifier: Apache-2.0

package field

import (
	"falconet/engine/event"
	"falconet/engine/state"
)

// Sessions, groups, capabilities and limits change while an image runs. The event carries them when a rule reads them; where it cannot they
// are those that the image began with.

var (
	partsOfNow  = Needs{Parts: event.PartsOf(event.PartNow)}
	needsMemory = Needs{Parts: event.PartsOf(event.PartMemory)}
)

// now returns what the record says of the thread as it was at the event.
func (c *Ctx) now() (*event.NowFacts, bool) {
	if c.done&cachedNow == 0 {
		c.done |= cachedNow
		c.hasNow = c.facts(event.PartNow, event.BytesOf(&c.nowFacts))
		if !c.hasNow && c.facts(event.PartTask, event.BytesOf(&c.task)) && c.task.TID == c.Rec.TID {
			c.hasNow, c.nowFacts = true, nowOf(&c.task)
		}
	}
	return &c.nowFacts, c.hasNow
}

func nowOf(t *event.TaskFacts) event.NowFacts {
	return event.NowFacts{
		CapInh: t.CapInh, CapPrm: t.CapPrm, CapEff: t.CapEff, FDLimit: t.FDLimit, FaultsMajor: t.FaultsMajor, FaultsMinor: t.FaultsMinor,
		PGID: t.PGID, VPGID: t.VPGID, SID: t.SID, VPID: t.VPID, VTID: t.VTID, TTY: t.TTY,
	}
}

// latest is now, else what the process's image began with; false where neither is known.
func (c *Ctx) latest() (*event.NowFacts, bool) {
	if now, ok := c.now(); ok {
		return now, true
	}
	p, img := c.Process()
	if !p.Known() || !img.HasTask {
		return nil, false
	}
	c.nowFacts = nowOf(&img.Task)
	return &c.nowFacts, true
}

// ofNow reads a field from what changes of the task.
func ofNow(read func(t *event.NowFacts) Value) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		t, ok := c.latest()
		if !ok {
			return Value{}, false
		}
		return read(t), true
	}
}

// memory returns how much memory the image has, or had when it was captured.
func (c *Ctx) memory(i *state.Image) (m event.MemoryFacts, ok bool) {
	if c.facts(event.PartMemory, event.BytesOf(&c.mem)) {
		return c.mem, true
	}
	return event.MemoryFacts{Size: i.Task.VMSize, RSS: i.Task.VMRSS, Swap: i.Task.VMSwap}, i.HasTask
}

func ofMemory(read func(m *event.MemoryFacts) uint32) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		_, img := c.Process()
		m, ok := c.memory(img)
		return num(event.Uint64, uint64(read(&m))), ok
	}
}
