// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"
	"testing"

	"falconet/engine/alert"
)

// manyRules is a rule set of n rules that look at opened files.
func manyRules(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(ruleText(fmt.Sprintf("R%d", i), fmt.Sprintf("evt.type in (open, openat, openat2) and fd.name startswith /none%d and not proc.name in (a, b)", i)))
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	f := File{Name: "f", Data: []byte(manyRules(1000))}
	for b.Loop() {
		if s, _ := Load(Options{MinPriority: alert.Debug}, f); s == nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			s := mustLoad(b, Options{}, manyRules(n))
			c := context(b, nrOpenat, "/x")
			b.ReportAllocs()
			for b.Loop() {
				c.Begin(c.Rec, 1)
				s.Match(c, func(*Rule) { b.Fatal("a rule matches") })
			}
		})
	}
}
