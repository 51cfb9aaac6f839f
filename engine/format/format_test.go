// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
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

func TestAppend(t *testing.T) {
	c := openContext(t)
	f := func(in, want string) {
		t.Helper()
		p, err := Parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			return
		}
		if got := string(p.Append(nil, c)); got != want {
			t.Errorf("%q prints %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("plain text", "plain text")
	f("*%evt.num:%evt.type", "7:openat")
	f("%evt.type.", "openat.")
	f("(%evt.res)", "(ENOENT)")
	f("%fd.name", "/a/B\n")
	f("%evt.arg.name|%evt.arg[2]", "/a/B\n|/a/B\n")
	f("%toupper(evt.type) %basename(fd.name)", "OPENAT B\n")
	f("%tolower(toupper(evt.type))", "openat")
	f("[%10evt.type][%3evt.type]", "[openat    ][ope]")
	f("%fd.sip", "<NA>")
	f("%container.image.repository:%k8s.pod.label[app] x", "<NA>:<NA> x")
	f("%toupper(container.image.tag).", "<NA>.")
	f("%evt.arg.nosuch. %evt.arg[nosuch]!", "<NA>. <NA>!")
	f("[%6container.image.tag]", "[<NA>  ]")
	f(`%join("->", (evt.type, evt.num)).`, "openat->7.")
	f(`[%12toupper(concat(evt.type, "-x"))]`, "[OPENAT-X    ]")
	f(`%join(",", (evt.type, fd.sip)) %len((evt.type, "b"))`, "<NA> 2")
	f(`%concat(evt.type, container.image.tag)!`, "<NA>!")
	f(`%getopt(("-n", "-t", "x"), "nt:") %getopt(("-t", "x"), "t:")[t]`, "(n,t,x) x")
}

func TestErrors(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := Parse(in)
		var e *Error
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
	f("a %", "invalid formatting token at character 3: a percent sign at the end")
	f("a %nosuch.field", "invalid formatting token at character 3: nonexistent field 'nosuch.field'")
	f("%toupper(evt.type", "invalid formatting token at character 18: expecting ')' to close the transformer")
	f("%99999evt.type", "invalid formatting token at character 5: the width is larger than 4096")
	f(`%join("-")`, `invalid formatting token at character 1: join() takes a separator and a list, like join("-", (proc.name, proc.pid))`)
	f("%fd.net", "invalid formatting token at character 1: field fd.net can be compared but not printed")
}

func TestFields(t *testing.T) {
	c := openContext(t)
	p, err := Parse("%evt.num %toupper(evt.type) %evt.arg[2] %fd.sip %evt.num %container.image.tag %join(\"-\", (evt.res, evt.type))")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, f := range p.Fields(c) {
		got[f.Name] = f.Value
	}
	want := map[string]any{"evt.num": uint64(7), "evt.type": "openat", "evt.arg[2]": "/a/B\n", "fd.sip": nil, "container.image.tag": nil, "evt.res": "ENOENT"}
	if len(got) != len(want) {
		t.Errorf("fields are %v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v (%T), want %v", k, got[k], got[k], v)
		}
	}
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

func FuzzParse(f *testing.F) {
	for _, s := range []string{"%evt.num %proc.aname[2] %toupper(proc.name)", "*%10fd.name.", "%evt.arg.flags,%evt.arg[1]", "%%", "%k8s.pod.label[x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		c := openContext(t)
		p.Append(nil, c)
		p.Fields(c)
	})
}
