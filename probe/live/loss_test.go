// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strconv"
	"testing"

	"falconet/engine/event"
)

// runProbe runs a probe beside the test; what it returns ends that.
func runProbe(t *testing.T, p *Probe, handle func(*event.Record), settled func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, handle, settled) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func statsOf(t testing.TB, p *Probe) *Stats {
	t.Helper()
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// With a ring of one page and a reader that is held back nearly everything is lost. What was made is what was received and what was counted
// as lost, for each event; the ring of process life does not feel it; and the gaps that records announce add up.
func TestLossIsCounted(t *testing.T) {
	privileged(t)
	d := new(event.Demand)
	names := []string{"memfd_create", "ptrace"}
	for _, name := range names {
		d.Add(event.ByName(name)[0], event.AllParts)
	}
	p := openProbe(t, Options{Demand: d, EventBytes: 1, LifeBytes: 4 << 20, Controller: -1})
	defer p.Close()

	const rounds = 2000
	made, announced, foreign := uint64(0), uint64(0), 0
	received, life := make(map[string]uint64), make(map[string]uint64)
	pids := make(map[uint32]bool)
	handle := func(r *event.Record) {
		announced += uint64(r.Lost)
		if row := r.Row(); row.Flags&event.Life != 0 {
			if pids[r.PID] {
				life[row.Name]++
			}
			return
		}
		if !pids[r.PID] {
			foreign++
		}
		received[r.EventName()]++
	}
	// the second program makes few calls, one on each CPU, and says there what the first one lost
	for _, count := range []int{rounds, 1} {
		cmd := native().command(t, "opens", "FALCONET_COUNT="+strconv.Itoa(count))
		rep := outsideOf(t, cmd)
		pids[uint32(rep.Self.PID)] = true
		n, err := strconv.ParseUint(rep.Notes["made"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		made += n
		p.Drain(handle, func() {})
	}
	stats := statsOf(t, p)
	for _, name := range names {
		c := stats.Event(event.ByName(name)[0])
		only(t, c.Sent, received[name], name+" that were sent")
		if foreign == 0 {
			only(t, received[name]+c.Lost(), made, name+" that were received or lost")
		} else if received[name]+c.Lost() < made {
			t.Errorf("%d %s of %d", received[name]+c.Lost(), name, made)
		}
		if c.RingFull < rounds/2 {
			t.Errorf("only %d %s were lost: the test has no point", c.RingFull, name)
		}
		only(t, c.NoProgram, uint64(0), name+" without a program")
	}
	for _, name := range []string{"execve", "procfork", "procexit"} {
		only(t, life[name], uint64(2), name+" of the two programs")
		c := stats.Event(event.ByName(name)[0])
		only(t, c.Lost(), uint64(0), name+" that were lost")
	}
	total := stats.Total()
	only(t, announced, total.Lost(), "sum of the gaps")
	only(t, p.Malformed(), uint64(0), "number of malformed records")
}

// Faults and cuts are counted where they happen.
func TestPiecesLostAreCounted(t *testing.T) {
	privileged(t)
	p := probe(t)
	sum := func(name string) event.Counters { return statsOf(t, p).Event(event.ByName(name)[0]) }
	before, beforeUnlink := sum("fchmod"), sum("unlinkat")
	s := newSession(t, p)
	s.trigger(native().command(t, "deep"))
	s.trigger(native().command(t, "unlinkat"))
	after, afterUnlink := sum("fchmod"), sum("unlinkat")
	cut, faults, sent := uint64(0), uint64(0), uint64(0)
	for _, r := range s.records {
		switch r.EventName() {
		case "fchmod":
			sent++
			for _, k := range []event.PartKind{event.PartPath, event.PartFSPath} {
				if r.Truncated(k) {
					cut++
				}
			}
		case "unlinkat":
			if r.Flags&event.FlagFault != 0 {
				faults++
			}
		}
	}
	if n := after.TooDeep - before.TooDeep; cut == 0 || n < cut {
		t.Errorf("%d paths were cut, %d counted", cut, n)
	}
	if n := afterUnlink.Fault - beforeUnlink.Fault; faults != 1 || n < faults {
		t.Errorf("%d faults, %d counted", faults, n)
	}
	if n := after.Sent - before.Sent; n < sent || sent == 0 {
		t.Errorf("%d records, %d counted", sent, n)
	}
}
