// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os/exec"
	"path/filepath"
	"testing"

	"falconet/engine/event"
)

// now compares what a record says of its thread with what /proc said right after the call.
func (k *checker) now() {
	k.t.Helper()
	got, ok := k.r.Now()
	want := k.c.Now
	if want == nil {
		return // somebody else's call, or one of a process that had no /proc
	}
	if !ok && k.c.Truncated {
		return // the paths of the call took all steps
	}
	if !ok {
		k.errorf("piece now is absent")
		return
	}
	for _, v := range []struct {
		what      string
		got, want uint64
	}{
		{"inheritable", got.CapInh, want.CapInh}, {"permitted", got.CapPrm, want.CapPrm}, {"effective", got.CapEff, want.CapEff},
		{"limit", got.FDLimit, want.FDLimit}, {"pgid", uint64(got.PGID), uint64(want.PGID)}, {"vpgid", uint64(got.VPGID), uint64(want.VPGID)},
		{"sid", uint64(got.SID), uint64(want.SID)}, {"vpid", uint64(got.VPID), uint64(want.VPID)}, {"vtid", uint64(got.VTID), uint64(want.VTID)},
		{"tty", uint64(got.TTY), uint64(want.TTY)},
	} {
		if v.got != v.want {
			k.errorf("%s now is %d instead of %d", v.what, v.got, v.want)
		}
	}
	if got.FaultsMinor > want.FaultsMinor || got.FaultsMajor > want.FaultsMajor {
		k.errorf("%d and %d faults, no more than %d and %d", got.FaultsMinor, got.FaultsMajor, want.FaultsMinor, want.FaultsMajor)
	}
}

// TestHere: any call can carry the working directory, whatever it is about.
func TestHere(t *testing.T) {
	privileged(t)
	d := new(event.Demand)
	for _, name := range []string{"chdir", "openat", "setuid"} {
		d.Add(event.ByName(name)[0], event.PartsOf(event.PartHere, event.PartMemory))
	}
	d.AddSyscall("sync")
	d.Add(event.Generic, event.PartsOf(event.PartHere))
	p := openProbe(t, Options{Demand: d, EventBytes: 1 << 20, LifeBytes: 1 << 20})
	defer p.Close()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	s := newSession(t, p)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "cat /etc/hostname >/dev/null; sync; read x; :")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	s.start(cmd)
	for _, name := range []string{"openat", "sync"} {
		r := s.await(name, func(r *event.Record) bool {
			b, ok := r.Part(event.PartHere)
			return r.EventName() == name && ok && string(b) == dir
		})
		if m, ok := r.Memory(); name == "openat" && (!ok || m.Size == 0 || m.RSS > m.Size) {
			t.Errorf("memory of %s: %+v, %v", name, m, ok)
		}
	}
}
