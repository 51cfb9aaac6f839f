// SPDX-License-Identifier: Apache-2.0

package state

import (
	"net"
	"net/netip"
	"time"
)

// RecordedUsers are the users and groups of a recording. They never change.
func RecordedUsers(users map[uint32]User, groups map[uint32]string) *Users {
	return &Users{users: users, groups: groups} // without files there is nothing to read again
}

// RecordedAddrs are the addresses of a recorded machine. They never change.
func RecordedAddrs(addrs []netip.Addr) *Addrs {
	a := &Addrs{read: func() ([]net.Addr, error) {
		list := make([]net.Addr, 0, len(addrs))
		for _, ip := range addrs {
			list = append(list, &net.IPNet{IP: ip.AsSlice()})
		}
		return list, nil
	}}
	a.Refresh(time.Now())
	return a
}
