// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// flooded are the calls of the flood, one of each kind in turn.
var flooded = []string{"ptrace", "userfaultfd", "pidfd_getfd", "quotactl", "semget"}

// floodThreads is how many threads make them.
const floodThreads = 4

// count is what a test has itself seen of a flood.
type count struct {
	cpus      map[string]map[uint16]uint64 // by event and CPU
	life      map[uint32]map[string]int    // by process, of the programs that ran meanwhile
	times     map[uint32]uint64            // of the last record, by thread
	pids      map[uint32]bool              // whose calls are counted
	foreign   map[string]uint64
	announced uint64
	disorder  int
	ended     chan uint32
}

func (c *count) take(r *event.Record) {
	c.announced += uint64(r.Lost)
	name := r.EventName()
	if r.Row().Flags&event.Life != 0 {
		if name == "procfork" && c.pids[r.PPID] {
			c.life[r.PID] = make(map[string]int)
		}
		if c.life[r.PID] != nil {
			c.life[r.PID][name]++
		}
		if name == "procexit" {
			c.ended <- r.PID
		}
		return
	}
	if !c.pids[r.PID] {
		c.foreign[name]++
	}
	if r.TS < c.times[r.TID] {
		c.disorder++
	}
	c.times[r.TID] = r.TS
	if c.cpus[name] == nil {
		c.cpus[name] = make(map[uint16]uint64)
	}
	c.cpus[name][r.CPU]++
}

// floodCalls is how many calls a flood makes in all, about: two million where nothing else is said, as in emulated machines.
func floodCalls(t *testing.T) int {
	text := os.Getenv("FALCONET_FLOOD")
	if text == "" {
		return 2_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Millions of calls from several threads, with the smallest buffers and a reader that sleeps until a good part is lost: of every event type
// what was received and what was counted as lost is what was made, and of process life nothing is lost.
func TestCount(t *testing.T) {
	for _, each := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("%d CPUs a ring", each), func(t *testing.T) {
			privileged(t)
			flood(t, each)
		})
	}
}

func flood(t *testing.T, each int) {
	d := new(event.Demand)
	for _, name := range flooded {
		d.Add(event.ByName(name)[0], event.AllParts)
	}
	p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 4 << 20, CPUsPerRing: each, Controller: -1})
	defer p.Close()
	image, _ := images(t, workDir(t), 1)
	rounds := floodCalls(t) / floodThreads / len(flooded)
	cmd := native().command(t, "rush", "FALCONET_IMAGE="+image, "FALCONET_COUNT="+strconv.Itoa(rounds))
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := false
	defer func() {
		if !waited {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	c := &count{
		cpus: make(map[string]map[uint16]uint64), life: make(map[uint32]map[string]int), times: make(map[uint32]uint64),
		foreign: make(map[string]uint64), ended: make(chan uint32, 1<<16),
	}
	// the reader sleeps until two fifths of what is made are lost
	least := uint64(rounds * floodThreads * len(flooded) * 2 / 5)
	for deadline := time.Now().Add(10 * patience); ; time.Sleep(time.Millisecond) {
		total := statsOf(t, p).Total()
		if total.Lost() >= least {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d are lost while nobody reads", total.Lost(), least)
		}
	}
	pid := uint32(cmd.Process.Pid)
	c.pids = map[uint32]bool{pid: true}
	stop := runProbe(t, p, c.take, func() {})
	err := cmd.Wait()
	waited = true
	if err != nil {
		t.Fatal(err)
	}
	var rep trigger.Report
	if err := json.Unmarshal([]byte(out.String()), &rep); err != nil {
		t.Fatal(err)
	}
	c.until(t, pid)
	stop()

	// calls on each CPU say there what was lost before
	last := outsideOf(t, native().command(t, "rush", "FALCONET_IMAGE="+image, "FALCONET_COUNT=1"))
	c.pids[uint32(last.Self.PID)] = true
	p.Drain(c.take, func() {})
	c.check(t, p, note(t, &rep, "made")+note(t, last, "made"), note(t, &rep, "programs")+note(t, last, "programs"))
}

func note(t *testing.T, r *trigger.Report, name string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(r.Notes[name], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for the end of a process to be delivered.
func (c *count) until(t *testing.T, pid uint32) {
	t.Helper()
	for deadline := time.After(10 * patience); ; {
		select {
		case ended := <-c.ended:
			if ended == pid {
				return
			}
		case <-deadline:
			t.Fatal("the flood's end is not seen")
		}
	}
}

func (c *count) check(t *testing.T, p *Probe, made, programs uint64) {
	t.Helper()
	stats := statsOf(t, p)
	var received, lost uint64
	for _, name := range flooded {
		id := event.ByName(name)[0]
		sum := stats.Event(id)
		got := uint64(0)
		for cpu, n := range c.cpus[name] {
			got += n
			for known, perCPU := range stats.Events() {
				if known == id {
					only(t, n, perCPU[cpu].Sent, fmt.Sprintf("%s received of CPU %d", name, cpu))
				}
			}
		}
		if c.foreign[name] == 0 {
			only(t, got+sum.Lost(), made, name+" that were received or lost")
		} else if got+sum.Lost() < made {
			t.Errorf("%d %s of %d", got+sum.Lost(), name, made)
		}
		received, lost = received+got, lost+sum.Lost()
	}
	t.Logf("%d rings: %d made, %d received, %d lost (%d%%)", p.Rings(), made*uint64(len(flooded)), received, lost, 100*lost/(received+lost))
	if lost*10 < (received+lost)*3 {
		t.Error("less than 30% are lost: the test has no point")
	}
	if received == 0 {
		t.Error("nothing is received: the test has no point")
	}
	only(t, c.disorder, 0, "number of records before older ones of their thread")
	only(t, uint64(len(c.life)), programs, "number of programs")
	for pid, life := range c.life {
		if life["procfork"] != 1 || life["execve"] != 1 || life["procexit"] != 1 {
			t.Errorf("of the life of process %d there is %v", pid, life)
		}
	}
	for _, name := range []string{"procfork", "execve", "procexit"} {
		sum := stats.Event(event.ByName(name)[0])
		only(t, sum.Lost(), uint64(0), name+" that were lost")
	}
	only(t, len(stats.Missed), 0, "number of programs that were left out at times")
	total := stats.Total()
	only(t, c.announced, total.Lost(), "sum of the gaps")
	only(t, p.Malformed(), uint64(0), "number of malformed records")
}
