// SPDX-License-Identifier: Apache-2.0

package engine

import "testing"

func TestBudget(t *testing.T) {
	for mb, want := range map[int64][4]int{256: {4096, 16 << 20, 8 << 20, 16 << 20}, 64: {1024, 4 << 20, 2 << 20, 4 << 20}, 1 << 20: {65536, 256 << 20, 64 << 20, 64 << 20}} {
		b := Budget(mb << 20)
		n, bytes := b.Containers()
		if got := [...]int{n, bytes, b.Held(), b.Guests()}; got != want {
			t.Errorf("%d MB: %v, want %v", mb, got, want)
		}
	}
	for _, c := range []struct {
		mb                 int64
		limit              int
		processes, inBytes int
	}{{256, 262144, 32768, 16 << 20}, {256, 1000, 1000, 16 << 20}, {4096, 262144, 262144, 64 << 20}, {4096, 0, 524288, 64 << 20}, {1, 0, 1024, 64 << 10}} {
		b := Budget(c.mb << 20)
		if p, g := b.Processes(c.limit), b.Guests(); p != c.processes || g != c.inBytes {
			t.Errorf("%d MB and at most %d: %d processes, %d bytes of containers", c.mb, c.limit, p, g)
		}
	}
}
