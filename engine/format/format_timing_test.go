// SPDX-License-Identifier: Apache-2.0

package format

import "testing"

const typical = "A file was read (file=%fd.name directory=%fd.directory type=%evt.type result=%evt.res process=%proc.name " +
	"parent=%proc.pname command=%proc.cmdline user=%user.name uid=%user.uid container=%container.id upper=%toupper(proc.name))"

func BenchmarkAppend(b *testing.B) {
	t, err := Parse(typical)
	if err != nil {
		b.Fatal(err)
	}
	c := openContext(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		c.Begin(c.Rec, 7)
		dst = t.Append(dst[:0], c)
	}
}

func BenchmarkFields(b *testing.B) {
	t, err := Parse(typical)
	if err != nil {
		b.Fatal(err)
	}
	c := openContext(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Begin(c.Rec, 7)
		t.Fields(c)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(typical); err != nil {
			b.Fatal(err)
		}
	}
}
