// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"net/netip"

	"falconet/engine/container"
	"falconet/engine/field"
	"falconet/engine/state"
)

// Recording is what a recording tells of its machine beside records.
type Recording struct {
	Hostname string
	Users    map[uint32]state.User
	Groups   map[uint32]string
	Addrs    []netip.Addr
}

// NewRecordedHost returns the state of the host that a recording was made on. Nothing of it comes from this one.
func NewRecordedHost(r Recording, maxProcesses int) *field.Host {
	return &field.Host{
		Name:       r.Hostname,
		Procs:      state.NewTable(state.Options{MaxProcesses: maxProcesses, Recorded: true}),
		Users:      state.RecordedUsers(r.Users, r.Groups),
		Addrs:      state.RecordedAddrs(r.Addrs),
		Containers: container.NewRecorded(),
	}
}
