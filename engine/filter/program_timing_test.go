// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkMatch is one event against conditions of the kinds that rules are made of; none holds.
func BenchmarkMatch(b *testing.B) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("/opt/program-%d", i)
	}
	for _, c := range []struct{ name, text string }{
		{"equal", "evt.rawres = 1"},
		{"prefix", "fd.name startswith /var"},
		{"set", "fd.name in (" + strings.Join(many, ", ") + ")"},
		{"paths", "fd.name pmatch (" + strings.Join(many, ", ") + ")"},
		{"regex", "fd.name regex '.*/[a-z]+[.]so'"},
		{"glob", "fd.name glob /usr/*/lib*.so*"},
		{"transformed", "tolower(fd.name) contains passwd"},
		{"ancestors", "proc.aname in (sshd, systemd)"},
		{"typical", "evt.type in (open, openat) and fd.typechar = f and fd.name startswith /etc and fd.filename in (passwd, group) and not proc.name in (useradd, usermod)"},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx, k := openContext(b), NewCompiler()
			p := compile(b, k, c.text)
			b.ReportAllocs()
			for b.Loop() {
				k.Begin()
				ctx.Begin(ctx.Rec, 2)
				if p.Match(ctx) {
					b.Fatal("it holds")
				}
			}
		})
	}
}

// BenchmarkGroup is one event against many conditions that share most of what they ask, and no two the same path.
func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ctx, k := openContext(b), NewCompiler()
			programs := make([]*Program, n)
			for i := range programs {
				programs[i] = compile(b, k, fmt.Sprintf(
					"evt.type in (open, openat) and fd.typechar = f and not proc.name in (bash, sh) and fd.name startswith /srv/%d", i))
			}
			g := k.Group(programs)
			b.ReportAllocs()
			for b.Loop() {
				k.Begin()
				ctx.Begin(ctx.Rec, 2)
				g.Match(ctx, func(int) bool { b.Fatal("one holds"); return false })
			}
		})
	}
}

// BenchmarkCompile is a condition with a long list, from text to program.
func BenchmarkCompile(b *testing.B) {
	list := strings.Repeat("/usr/bin/program, ", 999) + "/usr/bin/last"
	text := "evt.type in (open, openat) and not (proc.name = x or fd.name in (" + list + "))"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := NewCompiler().Compile(e); err != nil {
			b.Fatal(err)
		}
	}
}
