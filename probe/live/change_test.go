// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"
)

// names are the events of which a session has records, sorted, those of process life left out.
func (s *session) names() []string {
	seen := make(map[string]bool)
	for _, r := range s.records {
		if r.Row().Flags&event.Life == 0 {
			seen[r.EventName()] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// threadsEnded is how many threads ended that were not the last of their process.
func (s *session) threadsEnded() (n int) {
	for _, r := range s.records {
		if r.Row().Name == "procexit" && r.Flags&event.FlagGroupDead == 0 {
			n++
		}
	}
	return n
}

// A probe that was opened for little captures everything after it was widened, as one does that was opened for everything, and after it was
// narrowed nothing but the little; and that again.
func TestChange(t *testing.T) {
	privileged(t)
	probe(t) // finds the v1 controller
	little := demandOf(event.PartsOf(event.PartName), "chmod")
	p := openProbe(t, Options{Demand: little, EventBytes: 32 << 20, LifeBytes: 4 << 20, Controller: shared.controller})
	defer p.Close()
	everything := []string{
		"openat", "execfail", "inet", "renameat2", "thread", "close", "dup2", "unlink", "several", "chmod", "datagrams", "ring-files", "ring-net",
	}
	quiet := func() {
		t.Helper()
		for _, name := range []string{"openat", "close", "chmod", "thread", "several"} {
			s := newSession(t, p)
			rep := s.trigger(native().command(t, name))
			s.end(rep.Self.PID)
			var want []string
			if name == "chmod" {
				want = []string{"chmod"}
			}
			only(t, strings.Join(s.names(), " "), strings.Join(want, " "), "events of "+name+" that nobody asks for")
			only(t, s.threadsEnded(), 0, "number of threads whose end nobody asks for")
			for _, r := range s.records {
				if _, has := r.Part(event.PartDir); has && r.EventName() == "chmod" {
					t.Error("chmod has a piece that nobody asks for")
				}
			}
		}
		for _, h := range p.holders {
			if h.link != nil {
				t.Errorf("%s is attached, and nobody asks", h.at)
			}
		}
		for _, h := range p.hooks {
			if h.late && h.link != nil {
				t.Errorf("%s is attached, and nobody asks", h.tracepoint)
			}
		}
		taken, err := p.taken()
		if err != nil || len(taken) != 0 {
			t.Errorf("%d calls are held, and nobody asks: %v", len(taken), err)
		}
	}
	quiet()
	for range 3 {
		if err := p.Widen(everyRequest()); err != nil {
			t.Fatal(err)
		}
		for _, name := range everything {
			s := newSession(t, p)
			rep := s.trigger(native().command(t, name))
			s.check(rep, false)
			s.end(rep.Self.PID)
			if name == "thread" && s.threadsEnded() == 0 {
				t.Error("no thread ends")
			}
		}
		if err := p.Narrow(little); err != nil {
			t.Fatal(err)
		}
		p.Drain(func(*event.Record) {}, func() {})
		quiet()
	}
	for _, err := range p.Refused() {
		t.Log(err)
	}
	total := statsOf(t, p).Total()
	t.Logf("%d events, %d for which a ring had no room", total.Sent, total.RingFull)
	only(t, total.Lost()-total.RingFull, uint64(0), "number of events lost to anything but what others on the machine do")
	only(t, p.Malformed(), uint64(0), "number of malformed records")
}

// While a probe is widened and narrowed again and again, every event that is asked for all the time is reported once.
func TestChangeUnderLoad(t *testing.T) {
	privileged(t)
	a, b := demandOf(0, "ptrace", "semget"), demandOf(event.AllParts, flooded...)
	for _, name := range []string{"openat", "close", "signaldeliver", "sendmmsg"} {
		b.Add(event.ByName(name)[0], event.AllParts)
	}
	b.EveryThread()
	p := openProbe(t, Options{Demand: a, EventBytes: 64 << 20, LifeBytes: 8 << 20, Controller: -1})
	defer p.Close()
	image, _ := images(t, workDir(t), 1)
	rounds := strconv.Itoa(floodCalls(t) / 40)
	counts := make(map[string]uint64)
	last := make(map[uint32]uint64)
	var now struct { // the process that makes calls
		sync.Mutex
		pid   uint32
		ended chan struct{}
	}
	stop := runProbe(t, p, func(r *event.Record) {
		now.Lock()
		defer now.Unlock()
		if r.PID != now.pid {
			return
		}
		counts[r.EventName()]++
		if r.TS < last[r.TID] {
			t.Error("a record comes before an older one of its thread")
		}
		last[r.TID] = r.TS
		if r.Row().Name == "procexit" && r.Flags&event.FlagGroupDead != 0 {
			close(now.ended)
		}
	}, func() {})
	changes, made := 0, uint64(0)
	change := func() {
		if err := p.Widen(b); err != nil {
			t.Fatal(err)
		}
		if err := p.Narrow(a); err != nil {
			t.Fatal(err)
		}
		changes++
	}
	for changes < 5 { // on a machine that is emulated one may take longer than all calls of a process
		cmd := native().command(t, "rush", "FALCONET_IMAGE="+image, "FALCONET_COUNT="+rounds)
		var out strings.Builder
		cmd.Stdout = &out
		ended := make(chan struct{})
		now.Lock() // before it makes its first call
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		now.pid, now.ended = uint32(cmd.Process.Pid), ended
		now.Unlock()
		for over := false; !over; {
			change()
			select {
			case <-ended:
				over = true
			default:
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		var rep trigger.Report
		if err := json.Unmarshal([]byte(out.String()), &rep); err != nil {
			t.Fatal(err)
		}
		made += note(t, &rep, "made")
	}
	stop()
	t.Logf("%d changes, %d calls of each kind: %v", changes, made, counts)
	only(t, counts["ptrace"], made, "number of ptrace")
	only(t, counts["semget"], made, "number of semget")
	if n := counts["quotactl"]; n > made || n == 0 && changes > 5 {
		t.Errorf("quotactl was reported %d times of %d", n, made)
	}
	only(t, statsOf(t, p).Total().Lost(), uint64(0), "number of lost events")
}
