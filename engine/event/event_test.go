// SPDX-License-Identifier: Apache-2.0

package event

import (
	"testing"
	"unsafe"
)

func TestHeaderSize(t *testing.T) {
	if got := unsafe.Sizeof(Header{}); got != HeaderSize {
		t.Fatalf("Header takes %d bytes, HeaderSize says %d", got, HeaderSize)
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	for _, r := range Rows()[1:] {
		kinds := map[PartKind]bool{}
		for _, p := range r.Parts {
			if kinds[p.Kind] {
				t.Errorf("%s captures %s twice", r.Name, p.Kind)
			}
			kinds[p.Kind] = true
			if p.Op == OpDir && r.Parts[p.Aux].Op != OpStr {
				t.Errorf("%s: the directory part refers to %s", r.Name, r.Parts[p.Aux].Kind)
			}
		}
		if len(r.Parts) > maxParts || len(r.Failed) > maxParts {
			t.Errorf("%s has too many parts", r.Name)
		}
		for _, p := range r.Params {
			for k := PartNone + 1; k < partKinds; k++ {
				if p.Needs().Has(k) && !kinds[k] {
					t.Errorf("%s.%s reads %s, which is not captured", r.Name, p.Name, k)
				}
			}
			if (p.Type.IsFlags() || p.Type.IsEnum()) && p.Flags == nil {
				t.Errorf("%s.%s has no flag set", r.Name, p.Name)
			}
		}
	}
}

func openRecord(t *testing.T, pieces ...Piece) *Record {
	t.Helper()
	id := ByName("openat")[0]
	h := Header{Event: id, Ret: 3, NR: 257}
	h.Args = [6]uint64{0xffffff9c, 0x1000, 0o102, 0o100644}
	var r Record
	if err := r.Reset(Encode(nil, h, pieces...)); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestRecord(t *testing.T) {
	f := FileFacts{Dev: 8<<20 | 300, Ino: 7, FMode: fmodeCreated, Layer: 1}
	r := openRecord(t, Piece{Kind: PartName, Data: []byte("x/y")}, Piece{Kind: PartDir, Data: []byte("/tmp")}, Piece{Kind: PartFile, Data: BytesOf(&f)})
	for name, want := range map[string]int64{
		"fd": 3, "dirfd": -100, "flags": 3 | 4 | schemaOCreated | schemaUpperLayer, "mode": 0o644,
		"dev": 300&0xff | 8<<8 | (300&^0xff)<<12, "ino": 7,
	} {
		i, ok := r.Row().Param(name)
		if got, have := r.Int(i); !ok || !have || got != want {
			t.Errorf("%s = %d, %v, want %d", name, got, have, want)
		}
	}
	i, _ := r.Row().Param("name")
	if b, ok := r.Bytes(i); string(b) != "x/y" || !ok {
		t.Errorf("name = %q, %v", b, ok)
	}
	if _, ok := r.Part(PartFSPath); ok {
		t.Error("a part that was not given is there")
	}
	if allocs := testing.AllocsPerRun(100, func() {
		if err := r.Reset(r.data); err != nil {
			t.Fatal(err)
		}
		r.Int(2)
		r.Bytes(i)
	}); allocs != 0 {
		t.Errorf("reading a record allocates %v times", allocs)
	}
}

func TestResetRefusesHostileFraming(t *testing.T) {
	good := Encode(nil, Header{Event: ByName("openat")[0]}, Piece{Kind: PartName, Data: []byte("name")})
	var r Record
	for n := range good {
		if err := r.Reset(good[:n]); err == nil {
			t.Fatalf("%d of %d bytes were accepted", n, len(good))
		}
	}
	for i := range good {
		b := append([]byte(nil), good...)
		b[i] ^= 0xff
		if r.Reset(b) == nil { // must not panic when read
			for p := range r.Row().Params {
				r.Uint(p)
				r.Bytes(p)
			}
		}
	}
}

func TestSyscallNames(t *testing.T) {
	if got := SyscallName(257, false); got != "openat" {
		t.Errorf("257 is %q", got)
	}
	if got := SyscallName(295, true); got != "openat" {
		t.Errorf("295 of the 32-bit table is %q", got)
	}
	if ByNumber(162, false) != Generic || ByNumber(257, false) != ByName("openat")[0] {
		t.Error("numbers do not lead to their rows")
	}
}
