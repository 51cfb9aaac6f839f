// SPDX-License-Identifier: Apache-2.0

// Package state keeps what the kernel's objects do not tell at the moment of an event: the processes with their images
// and lineage, and the names of users and groups.
package state

import "falconet/engine/event"

// Image is one version of a process: the program that ran in it and the task's facts as they were captured with it. An
// Image never changes once it is in a table, so it may be kept while its event is handled.
type Image struct {
	Since    uint64 // nanoseconds since boot; 0 when it was there before the table began
	Exe      string // argv[0]
	ExePath  string // the kernel's path of the program, seen from the process's root
	Comm     string
	CmdLine  string // comm and the arguments, joined by spaces
	Cwd      string // working directory when the image was captured, with a trailing slash; "" when unknown
	Env      string // environment, each variable followed by NUL
	Cgroups  string // "controller=path", each followed by NUL
	NArgs    int    // arguments without argv[0]
	LenArgs  int    // sum of their lengths
	HasTask  bool   // whether Task was captured
	Task     event.TaskFacts
	args     string // arguments without argv[0], NUL separated
	prev     *Image
	replaced uint64 // cycle in which the next image took its place
}

// Process is one process of a Table.
type Process struct {
	PID   uint32
	Start uint64 // start_boottime of the group leader, in nanoseconds

	img *Image
}
