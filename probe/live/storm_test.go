// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// outsideOf runs a trigger while nobody reads the rings.
func outsideOf(t *testing.T, cmd *exec.Cmd) *trigger.Report {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var rep trigger.Report
	if err := json.Unmarshal(out, &rep); err != nil {
		t.Fatal(err)
	}
	return &rep
}

// images writes a chain of programs: each opens a file of its own name three times and executes the next; the last one ends.
func images(t *testing.T, dir string, n int) (first string, want []string) {
	next := ""
	for i := n; i > 0; i-- {
		name := fmt.Sprintf("image%d", i)
		a := newAsm(64)
		at := a.str(dir + "/" + name)
		for range 3 {
			a.sys(syscall.SYS_OPEN, at, 0, 0)
		}
		if next != "" {
			a.sys(syscall.SYS_EXECVE, a.str(next), a.words(a.str(next), 0), 0)
		}
		a.exit(0)
		next = a.file(t, dir, name)
		want = append([]string{"execve " + next, "open " + next, "open " + next, "open " + next}, want...)
	}
	return next, append(append([]string{"procfork"}, want...), "procexit")
}

// A storm of programs that open and execute, from several threads on all CPUs: whatever ring a record went through, each process's
// records are delivered in the order in which it did things, so that every open finds the image that made it.
func TestStormIsInOrder(t *testing.T) {
	privileged(t)
	for _, each := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d CPUs a ring", each), func(t *testing.T) { stormInOrder(t, each) })
	}
}

func stormInOrder(t *testing.T, each int) {
	d := new(event.Demand)
	d.Add(event.ByName("open")[0], event.AllParts)
	p := openProbe(t, Options{Demand: d, EventBytes: 8 << 20, LifeBytes: 4 << 20, CPUsPerRing: each, Controller: -1})
	defer p.Close()
	first, want := images(t, workDir(t), 4)
	const rounds, threads = 60, 4

	type process struct {
		did   []string
		times []uint64
	}
	seen := make(map[key]*process)
	var mu sync.Mutex
	ended := make(chan int, 1<<16)
	// the test's own copy of what the handler sees, by process
	stop := runProbe(t, p, func(r *event.Record) {
		mu.Lock()
		defer mu.Unlock()
		k := key{r.PID, r.Start}
		if seen[k] == nil {
			seen[k] = new(process)
		}
		did := r.EventName()
		if b, ok := r.Part(event.PartPath); ok {
			did += " " + string(b)
		} else if b, ok := r.Part(event.PartExe); ok {
			did += " " + string(b)
		}
		seen[k].did = append(seen[k].did, did)
		seen[k].times = append(seen[k].times, r.TS)
		if did == "procexit" {
			ended <- int(r.PID)
		}
	}, func() {})
	rep := outsideOf(t, native().command(t, "storm", "FALCONET_IMAGE="+first, "FALCONET_COUNT="+strconv.Itoa(rounds)))
	for deadline := time.After(patience); ; {
		select {
		case pid := <-ended:
			if pid != rep.Self.PID {
				continue
			}
		case <-deadline:
			t.Fatal("the storm does not end")
		}
		break
	}
	stop()
	total := statsOf(t, p).Total()
	only(t, total.Lost(), uint64(0), "number of lost events")
	whole := 0
	for k, v := range seen {
		if !slices.IsSorted(v.times) {
			t.Errorf("process %d is delivered as of %v", k.pid, v.times)
		}
		if len(v.did) < 2 || v.did[1] != want[1] {
			continue // another process of this machine
		}
		whole++
		if !slices.Equal(v.did, want) {
			t.Errorf("process %d did %q", k.pid, v.did)
		}
	}
	only(t, whole, rounds*threads, "number of processes")
}
