// SPDX-License-Identifier: Apache-2.0

package field

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"falconet/engine/event"
)

func TestDefinitions(t *testing.T) {
	for i, d := range All() {
		if d.ID != i {
			t.Errorf("%s has ID %d at %d", d.Name, d.ID, i)
		}
		if got, ok := Lookup(d.Name); !ok || got != d {
			t.Errorf("%s is not found by its name", d.Name)
		}
		if d.Get == nil || d.Desc == "" || d.Type == event.None {
			t.Errorf("%s is incomplete", d.Name)
		}
		if !strings.Contains(d.Example, d.Name) {
			t.Errorf("the example of %s is %q", d.Name, d.Example)
		}
		if (d.Arg == ArgNone) != (d.Form == 0) || d.Arg == ArgNone && d.Multi != nil && d.Flags&AllDiffer == 0 {
			t.Errorf("%s: argument mode and form disagree", d.Name)
		}
		if strings.HasSuffix(d.Desc, ".") {
			t.Errorf("%s: the description ends with a full stop", d.Name)
		}
		for _, name := range d.Needs.Params {
			if err := checkParam(Arg{Key: name}); err != nil {
				t.Errorf("%s needs a parameter that no event has: %v", d.Name, err)
			}
		}
	}
}

func TestScan(t *testing.T) {
	for _, c := range []struct {
		text, name, key string
		n               int
		bad             string
	}{
		{text: "proc.name", name: "proc.name", n: 9},
		{text: "proc.name)", name: "proc.name", n: 9},
		{text: "proc.namefoo", name: "proc.name", n: 9},
		{text: "proc.name.", name: "proc.name", n: 9},
		{text: "proc.name[1]", name: "proc.name", n: 9},
		{text: "proc.aname[2] x", name: "proc.aname", key: "2", n: 13},
		{text: "proc.aname", name: "proc.aname", n: 10},
		{text: "proc.env[A_B]", name: "proc.env", key: "A_B", n: 13},
		{text: "proc.env['A B']", name: "proc.env", key: "A B", n: 15},
		{text: "evt.arg.flags,", name: "evt.arg", key: "flags", n: 13},
		{text: "evt.arg.flags.", name: "evt.arg", key: "flags", n: 13},
		{text: "evt.arg[0]", name: "evt.arg", key: "0", n: 10},
		{text: "evt.rawarg.fd", name: "evt.rawarg", key: "fd", n: 13},
		{text: "evt.args", name: "evt.args", n: 8},
		{text: "evt.abspath.dst", name: "evt.abspath", key: "dst", n: 15},
		{text: "evt.type.is.open", name: "evt.type.is", key: "open", n: 16},
		{text: "thread.cgroup.cpu", name: "thread.cgroup", key: "cpu", n: 17},
		{text: "evt.arg.nosuchthing", bad: "no event has a parameter"},
		{text: "evt.arg", bad: "needs an argument"},
		{text: "evt.rawarg[0]", bad: "needs an argument"},
		{text: "proc.aname[x]", bad: "no index"},
		{text: "proc.aname[]", bad: "no index"},
		{text: "proc.aname[-1]", bad: "no index"},
		{text: "proc.aname[99999999999]", bad: "no index"},
		{text: "proc.aname[1", bad: "no closing bracket"},
		{text: "evt.type.is.nosuchcall", bad: "unknown event type"},
		{text: "nosuch.field", bad: "nonexistent field 'nosuch.field'"},
		{text: "", bad: "nonexistent field"},
		{text: "%", bad: "nonexistent field"},
	} {
		d, a, n, err := Scan(c.text)
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.bad)
			}
			if strings.Contains(c.bad, "nonexistent") && !errors.Is(err, ErrUnknown) {
				t.Errorf("%q: not an unknown field: %v", c.text, err)
			}
			continue
		}
		if err != nil || d.Name != c.name || a.Key != c.key || a.Present != (c.key != "") || n != c.n {
			t.Errorf("%q: %v, %+v, %d, %v", c.text, d, a, n, err)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name, arg string
		hasArg    bool
		want, key string
	}{
		{"proc.name", "", false, "proc.name", ""},
		{"proc.aname", "3", true, "proc.aname", "3"},
		{"evt.arg.flags", "", false, "evt.arg", "flags"},
		{"evt.abspath.src", "", false, "evt.abspath", "src"},
		{"proc.namefoo", "", false, "", ""},
		{"proc.name.x", "", false, "", ""},
		{"proc.name", "1", true, "", ""},
		{"evt.abspath.x", "", false, "", ""},
		{"evt.arg", "", false, "", ""},
		{"fd.name", "", true, "", ""},
	} {
		d, a, err := Resolve(c.name, c.arg, c.hasArg)
		if (err == nil) != (c.want != "") || err == nil && (d.Name != c.want || a.Key != c.key) {
			t.Errorf("%s[%s]: %v, %+v, %v", c.name, c.arg, d, a, err)
		}
	}
	if d, a, _ := Resolve("evt.rawarg.flags", "", false); d.ValueType(a) != event.Flags32 {
		t.Errorf("evt.rawarg.flags is %s", d.ValueType(a))
	}
	if d, _ := Lookup("proc.name"); d.ValueType(Arg{}) != event.CharBuf {
		t.Error("proc.name is no text")
	}
}

func TestPartsFor(t *testing.T) {
	openat, setuid, connect := event.RowOf(event.ByName("openat")[0]), event.RowOf(event.ByName("setuid")[0]), event.RowOf(event.ByName("connect")[0])
	for _, c := range []struct {
		field string
		row   *event.Row
		want  event.Parts
	}{
		{"proc.name", openat, 0},
		{"fd.name", openat, event.PartsOf(event.PartPath, event.PartFile, event.PartName, event.PartDir)},
		{"fd.name", setuid, 0},
		{"fd.name", connect, event.PartsOf(event.PartFile, event.PartSock, event.PartSockAddr)},
		{"fd.fspath", openat, event.PartsOf(event.PartFSPath)},
		{"evt.is_open_read", openat, event.PartsOf(event.PartFile)},
		{"evt.arg.name", openat, event.PartsOf(event.PartName, event.PartDir)},
		{"evt.arg.mode", openat, 0},
		{"evt.rawarg.ino", openat, event.PartsOf(event.PartFile)},
		{"evt.args", setuid, 0},
		{"evt.category", openat, 0},
	} {
		d, a, _, err := Scan(c.field)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.PartsFor(c.row, a); got != c.want {
			t.Errorf("%s of %s: %b, want %b", c.field, c.row.Name, got, c.want)
		}
	}
	args, _ := Lookup("evt.args")
	for i, p := range openat.Params {
		if got := args.PartsFor(openat, Arg{}); got&p.Needs() != p.Needs() {
			t.Errorf("evt.args does not ask for what parameter %d needs", i)
		}
	}
}

// withArgs returns the arguments that a field can be read with.
func withArgs(d *Def) (list []Arg) {
	if d.Arg != ArgRequired {
		list = append(list, Arg{})
	}
	if d.Form&ByIndex != 0 {
		for i := range 4 {
			list = append(list, Arg{Present: true, IsIndex: true, Index: i})
		}
	}
	for _, key := range []string{"name", "flags", "fd", "tuple", "addr", "data", "args", "open", "HOME", "cpu", "src", "dst"} {
		if a := (Arg{Present: true, Key: key}); d.Form&(ByKey|ByDot|DotOnly) != 0 && d.check(a) == nil {
			list = append(list, a)
		}
	}
	return list
}

// TestHostileRecords reads every field of records whose every piece may be missing, cut or junk.
func TestHostileRecords(t *testing.T) {
	k := newKit(t)
	k.family()
	rnd := rand.New(rand.NewPCG(1, 2))
	junk := func() []byte {
		b := make([]byte, []int{0, 1, 2, 3, 8, 16, 40, 260, 300, 5000}[rnd.IntN(10)])
		for i := range b {
			b[i] = []byte{0, '/', '.', 1, 2, 10, 'a', 0xff}[rnd.IntN(8)]
		}
		return b
	}
	for round := range 40 {
		for i := range event.Rows()[1:] {
			row := &event.Rows()[i+1]
			h := header(row.Name)
			h.Event, h.NR = row.ID, uint16(rnd.IntN(600))
			h.Ret, h.Flags = int64(rnd.IntN(10))-5, uint8(rnd.IntN(64))
			h.PID, h.PPID = uint32(rnd.IntN(50)), uint32(rnd.IntN(50))
			for j := range h.Args {
				h.Args[j] = rnd.Uint64() >> rnd.IntN(64)
			}
			var pieces []event.Piece
			for _, p := range row.Parts {
				if rnd.IntN(3) > 0 {
					pieces = append(pieces, event.Piece{Kind: p.Kind, Data: junk()})
				}
			}
			k.event(h, pieces...)
			readAll(k.ctx)
		}
		if round%8 == 0 {
			k.host.Procs.Tick()
		}
	}
}

func readAll(c *Ctx) {
	for _, d := range All() {
		for _, a := range withArgs(d) {
			if v, ok := d.Get(c, a); ok {
				Render(nil, c, d, v)
				JSONValue(c, d, v)
			}
			if d.Alt != nil {
				d.Alt(c, a)
			}
		}
		if d.Multi != nil {
			d.Multi(c, func(v Value) bool { Render(nil, c, d, v); return true })
		}
	}
}

// mayAllocate are fields that ask the operating system.
var mayAllocate = map[string]bool{"proc.nthreads": true, "proc.nchilds": true, "evt.arg_mismatch": true}

func asksSystem(d *Def) bool { return mayAllocate[d.Name] || d.Cost >= askProc }

func TestExtractorsDoNotAllocate(t *testing.T) {
	k := newKit(t)
	k.family()
	check := func(r *event.Record) {
		t.Helper()
		for _, d := range All() {
			for _, a := range withArgs(d) {
				if asksSystem(d) {
					continue
				}
				if n := testing.AllocsPerRun(10, func() {
					k.ctx.Begin(r, 1)
					d.Get(k.ctx, a)
					if d.Alt != nil {
						d.Alt(k.ctx, a)
					}
				}); n != 0 {
					t.Errorf("%s%v of %s allocates %v times", d.Name, a, r.Row().Name, n)
				}
			}
		}
	}
	h := header("openat")
	h.Ret, h.Args = 5, [6]uint64{0xffffff9c, 0, 0o101, 0o755}
	open := k.record(h, piece(event.PartName, "../x"), piece(event.PartDir, "/tmp"), fileFacts(regular), piece(event.PartPath, "/x"))
	check(open)
	h = header("connect")
	check(k.record(h, fileFacts(event.FileFacts{Kind: uint8(event.KindIPv4)}), sockFacts(inet("10.0.0.2:1", "10.0.0.3:2", 6, 1)), inetAddr("10.0.0.3:2")))

	// What Multi yields goes through a function of the caller's.
	d, _ := Lookup("proc.aname")
	ip, _ := Lookup("fd.ip")
	hits := 0
	yield := func(v Value) bool { hits += len(v.S); return true }
	if n := testing.AllocsPerRun(10, func() {
		k.ctx.Begin(open, 1)
		d.Multi(k.ctx, yield)
		ip.Multi(k.ctx, yield)
	}); n != 0 || hits == 0 {
		t.Errorf("walking ancestors allocates %v times", n)
	}
}
