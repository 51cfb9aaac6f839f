// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// Names holds the addresses of the hosts that rules name. One goroutine runs Run, any may ask Of.
type Names struct {
	hosts  []string
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	byAddr atomic.Pointer[map[netip.Addr][]string]
}

const (
	maxNames     = 1024 // hosts that are looked up
	maxNameAddrs = 256  // addresses of one that are kept
	namesEvery   = 5 * time.Minute
	namesRetry   = 10 * time.Second // at first, where one was not found
	nameTimeout  = 5 * time.Second
)

// NewNames returns a table for the given hosts, which knows nothing before Run.
func NewNames(hosts []string) *Names {
	n := &Names{hosts: hosts[:min(len(hosts), maxNames)]}
	resolver := &net.Resolver{PreferGo: true}
	n.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
		return resolver.LookupNetIP(ctx, "ip", host)
	}
	return n
}

// Of returns which of the hosts have the address. A nil Names knows none. The caller must not change the result.
func (n *Names) Of(a netip.Addr) []string {
	if n == nil {
		return nil
	}
	m := n.byAddr.Load()
	if m == nil {
		return nil
	}
	return (*m)[a.Unmap()]
}

// Run looks the hosts up, again and again, until ctx ends. What a host had is kept while it is not found.
func (n *Names) Run(ctx context.Context) {
	known := make(map[string][]netip.Addr, len(n.hosts))
	for retry := namesRetry; ; retry = min(2*retry, namesEvery) {
		every := retry
		if n.round(ctx, known) {
			every, retry = namesEvery, namesRetry
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// round looks every host up once and reports whether all were found.
func (n *Names) round(ctx context.Context, known map[string][]netip.Addr) bool {
	all := true
	for _, host := range n.hosts {
		one, cancel := context.WithTimeout(ctx, nameTimeout)
		addrs, err := n.lookup(one, host)
		cancel()
		if err != nil {
			all = false
			continue
		}
		known[host] = addrs[:min(len(addrs), maxNameAddrs)]
		n.publish(known)
	}
	return all
}

func (n *Names) publish(known map[string][]netip.Addr) {
	m := make(map[netip.Addr][]string)
	for _, host := range n.hosts {
		for _, a := range known[host] {
			if a = a.Unmap(); !slices.Contains(m[a], host) {
				m[a] = append(m[a], host)
			}
		}
	}
	n.byAddr.Store(&m)
}
