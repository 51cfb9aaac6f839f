// SPDX-License-Identifier: Apache-2.0

package format

import (
	"testing"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"
)

func openContext(t testing.TB) *field.Ctx {
	t.Helper()
	h := event.Header{Event: event.ByName("openat")[0], NR: 257, Ret: -2, PID: 1 << 21, TID: 1 << 21, Args: [6]uint64{^uint64(99), 0, 0, 0}}
	var r event.Record
	if err := r.Reset(event.Encode(nil, h, event.Piece{Kind: event.PartName, Data: []byte("/a/B\n")})); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	c := field.NewCtx(&field.Host{
		Procs: state.NewTable(state.Options{Root: root}), Users: state.NewUsers(root), Addrs: state.NewAddrs(), Containers: container.NewResolver(root),
	})
	c.Begin(&r, 7)
	return c
}

func TestSuffix(t *testing.T) {
	f := func(p, output, want string) {
		t.Helper()
		if got := ParseSuffix(p).Apply(output); got != want {
			t.Errorf("-p %q makes of %q\n%q", p, output, got)
		}
	}
	f("", "x %container.info", "x container_id=%container.id container_name=%container.name")
	f("", "x", "x")
	f("more=%evt.num", "x", "x more=%evt.num")
	f("c", "x", "x "+containerDetails)
	f("k", "x (%container.info)", "x ("+containerDetails+kubernetesFields+")")
	f("cg", "x", "x vpid=%proc.vpid vtid=%thread.vtid "+containerDetails)
}

func TestAppendAllocatesNothing(t *testing.T) {
	p, err := Parse(typical)
	if err != nil {
		t.Fatal(err)
	}
	c := openContext(t)
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		c.Begin(c.Rec, 7)
		dst = p.Append(dst[:0], c)
	}); n != 0 {
		t.Errorf("%q takes %v allocations", dst, n)
	}
}
