// SPDX-License-Identifier: Apache-2.0

package live

import (
	"testing"

	"golang.org/x/sys/unix"

	"falconet/engine/event"
)

// Where failed calls are left out they do not reach a ring; calls that succeed do, and connections under way, and our own heartbeat.
func TestDropFailed(t *testing.T) {
	privileged(t)
	p := openProbe(t, Options{Demand: everyRow(), EventBytes: 1 << 20, LifeBytes: 1 << 20, DropFailed: true, Controller: -1})
	defer p.Close()
	s := newSession(t, p)
	s.trigger(native().command(t, "openat"))
	s.trigger(native().command(t, "execfail"))
	s.trigger(native().command(t, "inet"))
	opened, connected := 0, 0
	for _, r := range s.records {
		switch {
		case r.Ret < 0 && r.Ret != -int64(unix.EINPROGRESS):
			t.Errorf("%s with result %d", r.EventName(), r.Ret)
		case r.EventName() == "openat":
			opened++
		case r.EventName() == "connect":
			connected++
		}
	}
	if opened == 0 || connected == 0 {
		t.Errorf("%d calls of openat, %d of connect", opened, connected)
	}
	only(t, statsOf(t, p).Event(event.ByName("procexit")[0]).Lost(), uint64(0), "process ends that were lost")
	p.Beat()
	p.Drain(func(*event.Record) {}, func() {})
	only(t, p.Beats(), uint64(1), "number of heartbeats")
}
