// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	dns := map[string][]netip.Addr{
		"a.example": {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")},
		"b.example": {netip.MustParseAddr("::ffff:10.0.0.1")},
	}
	n := NewNames([]string{"a.example", "b.example", "c.example"})
	n.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		if a, ok := dns[host]; ok {
			return a, nil
		}
		return nil, errors.New("no such host")
	}
	of := func(addr string, want ...string) {
		t.Helper()
		if got := n.Of(netip.MustParseAddr(addr)); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", addr, got, want)
		}
	}
	of("10.0.0.1")
	known := map[string][]netip.Addr{}
	if n.round(t.Context(), known) {
		t.Error("a host that is not found is not looked up again soon")
	}
	of("10.0.0.1", "a.example", "b.example")
	of("::ffff:10.0.0.1", "a.example", "b.example")
	of("2001:db8::1", "a.example")
	of("10.0.0.2")
	dns["c.example"] = []netip.Addr{netip.MustParseAddr("10.0.0.2")}
	delete(dns, "b.example")
	dns["a.example"] = []netip.Addr{netip.MustParseAddr("10.0.0.3")}
	n.round(t.Context(), known)
	of("10.0.0.1", "b.example") // it cannot be found now: what it had stays
	of("10.0.0.2", "c.example")
	of("10.0.0.3", "a.example")
	var nobody *Names
	if nobody.Of(netip.MustParseAddr("10.0.0.1")) != nil {
		t.Error("nothing knows a name")
	}
}
