// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"net/netip"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"
)

// Listing is what is known of a host at a moment.
type Listing struct {
	Users     map[uint32]state.User
	Groups    map[uint32]string
	Addrs     []netip.Addr
	Processes []event.Listed

	Containers [][]byte // as recordings tell of them
}

// List returns what is known of the host and of its processes as they were at a time since boot, see state.Table.List.
func List(h *field.Host, at uint64, descriptors bool) (l Listing) {
	l.Users, l.Groups = h.Users.All()
	l.Addrs = h.Addrs.All()
	l.Processes = h.Procs.List(at, descriptors)
	h.Containers.Known(func(info container.Info, m *container.Metadata) {
		l.Containers = append(l.Containers, container.Recorded(info, m))
	})
	return l
}
