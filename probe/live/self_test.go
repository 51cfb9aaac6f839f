// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"runtime"
	"testing"
	"time"

	"falconet/engine/event"

	"golang.org/x/sys/unix"
)

// The probe reports nothing of its own process, whichever thread calls, and everything of our children.
func TestSelfIsExcluded(t *testing.T) {
	privileged(t)
	p := probe(t)
	s := newSession(t, p)
	own := 0
	count := func(r *event.Record) {
		// clones and execs of ours are the beginning of children: their other side reports them
		if int(r.PID) == os.Getpid() {
			own++
			t.Logf("%s of thread %d", r.EventName(), r.TID)
		}
		s.take(r)
	}
	path := workDir(t) + "/file"
	for range 4 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // a thread that ends here: its end is no event either
			_ = os.WriteFile(path, nil, 0o600)
			_ = os.Chmod(path, 0o644)
			_ = os.Remove(path)
			_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		}()
		<-done
	}
	rep := s.trigger(native().command(t, "generic"))
	p.Drain(count, func() {})
	if own != 0 {
		t.Errorf("%d calls of our own were reported", own)
	}
	s.check(rep, false)
}

// Only the loader knows the cookie: the same call by another process neither beats nor changes who is excluded.
func TestCookieOfAnother(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) {
		p := probe(t)
		s := newSession(t, p)
		before := p.Beats()
		rep := s.trigger(a.command(t, "cookie"))
		only(t, p.Beats(), before, "number of heartbeats")
		// it is a call like any other
		s.check(rep, a.compat)
		// and we are still who is excluded
		heartbeat(t)
		_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		p.Drain(func(r *event.Record) {
			if int(r.PID) == os.Getpid() {
				t.Errorf("our own %s was reported", r.EventName())
			}
		}, func() {})
	})
}

// What a demand leaves out is not reported; life is, whatever is asked.
func TestDemandIsAll(t *testing.T) {
	privileged(t)
	d := new(event.Demand)
	d.Add(event.ByName("chmod")[0], event.PartsOf(event.PartName))
	d.AddSyscall("umask")
	p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: -1})
	defer p.Close()
	s := newSession(t, p)
	for _, name := range []string{"chmod", "generic", "thread"} {
		s.trigger(native().command(t, name))
	}
	seen := make(map[string]int)
	for _, r := range s.records {
		seen[r.EventName()]++
		if r.EventName() == "chmod" {
			if _, ok := r.Part(event.PartDir); ok {
				t.Error("a piece that nobody asked for")
			}
		}
		if r.Row().Name == "procexit" && r.Flags&event.FlagGroupDead == 0 {
			t.Error("the end of a thread")
		}
		if r.Cgroup1 != 0 {
			t.Errorf("v1 cgroup %d without a controller", r.Cgroup1)
		}
	}
	for name, want := range map[string]int{"chmod": 4, "umask": 1, "execve": 3, "procexit": 3} {
		if seen[name] < want {
			t.Errorf("%d %s events of %d", seen[name], name, want)
		}
		delete(seen, name)
	}
	delete(seen, "procfork")
	if len(seen) != 0 {
		t.Errorf("nobody asked for %v", seen)
	}
}

// Run wakes up for an event by itself, and ends with its context.
func TestRunDelivers(t *testing.T) {
	privileged(t)
	d := new(event.Demand)
	d.Add(event.ByName("memfd_create")[0], event.AllParts)
	p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: -1})
	defer p.Close()
	seen := make(chan string, 1<<16)
	settled := make(chan struct{}, 1<<16)
	stop := runProbe(t, p, func(r *event.Record) {
		if r.EventName() == "memfd_create" && r.Ret >= 0 {
			b, _ := r.Part(event.PartName)
			seen <- string(b)
		}
	}, func() { settled <- struct{}{} })
	cmd := native().command(t, "memfd")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"payload", "", "a/b c"} {
		select {
		case got := <-seen:
			only(t, got, want, "name")
		case <-time.After(patience):
			t.Fatal("nothing was delivered")
		}
	}
	for range 2 {
		p.Beat()
		select {
		case <-settled:
		case <-time.After(patience):
			t.Fatal("nothing was settled")
		}
	}
	stop()
	only(t, p.Malformed(), uint64(0), "number of malformed records")
}
