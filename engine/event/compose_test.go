// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"slices"
	"testing"
)

// kernels are numbers as the kernel has them: bits, small ones, and those that mean something to some call.
func kernels() []uint64 {
	list := []uint64{0, 3, 5, 9, 10, 0x400, 0x405, 0x4200, 0x4205, 0o4010000, kernelOTmpfile | 2, kernelOCreat | 1}
	for b := range 32 {
		list = append(list, 1<<b)
	}
	return list
}

// Whatever number the kernel's registers and structures make of a parameter, a record that is composed of that number reads the same.
func TestComposeNumbers(t *testing.T) {
	from, c := NewComposer(), NewComposer()
	for id := range Rows()[1:] {
		row := RowOf(ID(id + 1))
		for i := range row.Params {
			p := &row.Params[i]
			w := &p.view
			if w.kind != viewArg && (w.kind != viewPart || w.size == 0) {
				continue
			}
			for _, k := range kernels() {
				for range 2 { // the second time it is remembered
					from.Begin(Header{Event: row.ID})
					if w.kind == viewArg {
						from.rec.Args[w.arg] = k
					} else {
						store(from.room(w.part, int(w.off)+int(w.size))[w.off:], w.size, k)
					}
					v, ok := from.rec.Uint(i)
					c.Begin(Header{Event: row.ID})
					if ok && !c.SetUint(i, v) {
						got, _ := c.Record().Uint(i)
						t.Errorf("%s.%s = %#x (of the kernel's %#x) reads %#x", row.Name, p.Name, v, k, got)
					}
				}
			}
		}
	}
}

// Parameters that are calculated have a place where a number can be put, if the call before them has.
func TestComposeCalculated(t *testing.T) {
	c := NewComposer()
	for id := range Rows()[1:] {
		row := RowOf(ID(id + 1))
		for i := range row.Params {
			p := &row.Params[i]
			// what quotactl is about depends on its command, and whether it counts on yet another number
			if p.view.kind != viewCalc || p.Type == Dynamic || len(row.NR64) == 0 || row.Name == "quotactl" {
				continue
			}
			for _, v := range []uint64{0, 1} {
				c.Begin(Header{Event: row.ID})
				for name, v := range map[string]uint64{"nsops": 2, "cmd": semCommands[semSetVal]} {
					if i, ok := row.Param(name); ok {
						c.SetUint(i, v)
					}
				}
				if !c.SetUint(i, v) {
					t.Errorf("%s.%s = %d has no place", row.Name, p.Name, v)
				}
			}
		}
	}
}

// What is composed of the parts is a record like the probe's.
func TestComposeAppend(t *testing.T) {
	c := NewComposer()
	open := ByName("openat")[0]
	row := RowOf(open)
	c.Begin(Header{Event: open, PID: 7})
	for name, v := range map[string]uint64{"fd": 3, "dirfd": ^uint64(99), "flags": 1<<1 | 1<<2, "mode": 0o644} {
		i, _ := row.Param(name)
		if name != "mode" {
			c.SetUint(i, v)
		}
	}
	mode, _ := row.Param("mode") // means something only with the flags
	if !c.SetUint(mode, 0o644) {
		t.Error("mode does not read back")
	}
	name, _ := row.Param("name")
	c.SetBytes(name, []byte("etc/x"))
	c.Put(PartDir, []byte("/"))
	var r Record
	if err := r.Reset(c.Append(nil)); err != nil {
		t.Fatal(err)
	}
	for i := range row.Params {
		want, wantOK := c.Record().Uint(i)
		if got, ok := r.Uint(i); got != want || ok != wantOK {
			t.Errorf("%s: %#x, %v; want %#x, %v", row.Params[i].Name, got, ok, want, wantOK)
		}
	}
	if b, ok := r.Bytes(name); !ok || !bytes.Equal(b, []byte("etc/x")) || r.PID != 7 || r.Ret != 3 {
		t.Errorf("name %q, pid %d, result %d", b, r.PID, r.Ret)
	}
	if b, ok := r.Part(PartDir); !ok || string(b) != "/" {
		t.Errorf("directory %q, %v", b, ok)
	}
}

// A call's parameters are set together, as a capture has them: the register of one is not taken for another's.
func TestComposeTogether(t *testing.T) {
	for _, test := range []struct {
		row    string
		values map[string]uint64
	}{
		{"prlimit", map[string]uint64{"res": 0, "newcur": 100, "newmax": 200, "oldcur": 300, "oldmax": 400, "pid": 5, "resource": 7}},
		{"setrlimit", map[string]uint64{"res": 0, "cur": 100, "max": 200, "resource": 7}},
		{"prctl", map[string]uint64{"res": 0, "option": 1, "arg2_int": 9}},
		{"socket", map[string]uint64{"fd": 4, "domain": 10, "type": 2, "proto": 17}},
		{"pipe2", map[string]uint64{"res": 0, "fd1": 5, "fd2": 6, "ino": 77}},
		{"openat", map[string]uint64{"fd": 4, "dirfd": 3, "flags": 1, "dev": 0x801, "ino": 12}},
		{"getresuid", map[string]uint64{"res": 0, "ruid": 1, "euid": 2, "suid": 3}},
		{"ppoll", map[string]uint64{"res": 1, "timeout": 5_000_000_007, "sigmask": 3}},
	} {
		c := NewComposer()
		row := RowOf(ByName(test.row)[0])
		for range 2 { // the second time places are remembered
			c.Begin(Header{Event: row.ID})
			for i := range row.Params {
				if v, ok := test.values[row.Params[i].Name]; ok {
					c.SetUint(i, v)
				}
			}
			for i := range row.Params {
				want, ok := test.values[row.Params[i].Name]
				if got, _ := c.Record().Uint(i); ok && got != want {
					t.Errorf("%s.%s = %d, want %d", test.row, row.Params[i].Name, got, want)
				}
			}
		}
	}
}

func TestPollEvents(t *testing.T) {
	for _, schema := range []uint16{0, 1, 2, 0x8, 0x41, 0x7ff} {
		f := PollFacts{FD: 1, Revents: PollEvents(schema)}
		if got, ok := Poll(slices.Clone(BytesOf(&f)), 0); !ok || got.Revents != schema {
			t.Errorf("%#x reads %#x", schema, got.Revents)
		}
	}
}
