// SPDX-License-Identifier: Apache-2.0

package event

import "net/netip"

// Listed is a process as the list at the beginning of a capture has it.
type Listed struct {
	Task               TaskFacts
	Exe, ExePath, Cwd  string
	Args, Env, Cgroups string // each of the strings in them ends with a NUL; Args is without the program's own name
	Threads            []uint32
	FDs                []ListedFD
}

// ListedFD is a descriptor as such a list has it.
type ListedFD struct {
	FD            int
	Kind          FileKind
	Name          string // path of a file, address of a unix socket, the kernel's name of what has no path
	Local, Remote netip.AddrPort
	Listens       bool
}
