// SPDX-License-Identifier: Apache-2.0

package state

import (
	"net"
	"net/netip"
	"time"
)

// Addrs holds the addresses of this network namespace's interfaces. It belongs to one goroutine.
type Addrs struct {
	local   map[netip.Addr]struct{}
	checked time.Time
	read    func() ([]net.Addr, error)
}

// NewAddrs reads the interfaces' addresses.
func NewAddrs() *Addrs {
	a := &Addrs{read: net.InterfaceAddrs}
	a.Refresh(time.Now())
	return a
}

// Refresh reads the addresses again, at most every ten seconds however often it is called.
func (a *Addrs) Refresh(now time.Time) {
	if !a.checked.IsZero() && now.Sub(a.checked) < 10*time.Second && !now.Before(a.checked) {
		return
	}
	a.checked = now
	addrs, err := a.read()
	if err != nil {
		return // what was known stays true until something better is known
	}
	a.local = make(map[netip.Addr]struct{}, len(addrs))
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				a.local[ip.Unmap()] = struct{}{}
			}
		}
	}
}

// Local reports whether ip is one of the host's: an interface's or a loopback address.
func (a *Addrs) Local(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.IsLoopback() {
		return true
	}
	_, ok := a.local[ip]
	return ok
}
