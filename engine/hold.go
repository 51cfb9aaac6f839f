// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"falconet/engine/alert"
	"falconet/engine/field"
	"falconet/engine/rules"
)

// Some of what a rule asks of a container may be on its way from a runtime's socket when the event comes. Such an event is kept for a
// moment, whether a rule matched it or not, and matched again when the rest is known: what is not known makes a positive comparison
// fail and a negative one hold, and either may be wrong. When the time is over, what is known has to do, and alerts say so.

// held is an event that waits.
type held struct {
	ctx   *field.Ctx
	until time.Time
}

// maxHeld bounds how many events wait. How much memory their records take the host bounds.
const maxHeld = 2048

// unknownMark is the field that alerts have that were made without what they asked of a container.
const unknownMark = "container.metadata"

// hold keeps the event that the engine has just matched; ok is false if it must not wait.
func (e *Engine) hold() (ok bool) {
	size := len(e.ctx.Rec.Raw())
	if e.patience <= 0 {
		return false
	}
	if len(e.held) >= maxHeld || e.heldBytes+size > e.host.HoldBytes {
		e.unheld.Add(1)
		return false
	}
	e.heldBytes += size
	e.held = append(e.held, held{ctx: e.ctx.Freeze(), until: time.Now().Add(e.patience)})
	e.holds.Add(1)
	e.waiting.Store(int64(len(e.held)))
	return true
}

// release lets go of the events that have waited long enough, or for what is known now; all of them with all.
func (e *Engine) release(all bool) {
	if len(e.held) == 0 {
		return
	}
	changed := false
	select {
	case <-e.host.Containers.Changed():
		changed = true
	default:
	}
	now := time.Now()
	if !changed && !all && now.Before(e.held[0].until) {
		return
	}
	kept := e.held[:0]
	for i := range e.held {
		h := &e.held[i]
		late := all || !now.Before(h.until)
		if !late && !changed {
			kept = append(kept, *h)
			continue
		}
		e.batch = e.batch[:0]
		h.ctx.Again()
		e.rules.Match(h.ctx, func(r *rules.Rule) { e.batch = append(e.batch, e.render(h.ctx, r)) })
		lacks, waiting := h.ctx.Lacking()
		if waiting && !late {
			kept = append(kept, *h)
			continue
		}
		if waiting {
			e.timeouts.Add(1)
		}
		mark(e.batch, lacks, waiting)
		e.send(e.batch)
		e.heldBytes -= len(h.ctx.Rec.Raw())
	}
	clear(e.held[len(kept):])
	e.held = kept
	e.waiting.Store(int64(len(kept)))
}

// mark makes alerts say that something was asked of a container that is not known, and whether it may still become known.
func mark(alerts []*alert.Alert, lacks, waiting bool) {
	if !lacks {
		return
	}
	for _, a := range alerts {
		state := "none"
		if waiting {
			state = "pending"
			a.Message += " (not all of the container is known yet)"
		}
		addField(a, unknownMark, state)
	}
}
