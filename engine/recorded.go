// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"net/netip"

	"falconet/engine/container"
	"falconet/engine/field"
	"falconet/engine/state"
)

// NewRecordedHost returns the state of the host that a recording was made on, as far as the recording tells of it; boot is
// when that was booted, in Unix time. Nothing comes from this one.
func NewRecordedHost[U ~struct{ Name, Home, Shell string }](
	name string, boot int64, users map[uint32]U, groups map[uint32]string, addrs []netip.Addr, maxProcesses int, budget Budget,
) *field.Host {
	named := make(map[uint32]state.User, len(users))
	for id, u := range users {
		named[id] = state.User(u)
	}
	return &field.Host{
		Name: name, RecordedBoot: boot,
		Procs:      state.NewTable(state.Options{MaxProcesses: budget.Processes(maxProcesses), Recorded: true}),
		Users:      state.RecordedUsers(named, groups),
		Addrs:      state.RecordedAddrs(addrs),
		Containers: container.NewRecorded(),
	}
}
