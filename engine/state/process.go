// SPDX-License-Identifier: Apache-2.0

// Package state keeps what the kernel's objects do not tell at the moment of an event: the processes with their images
// and lineage, and the names of users and groups.
package state

import (
	"bytes"
	"strings"

	"falconet/engine/event"
)

// Image is one version of a process: the program that ran in it and the task's facts as they were captured with it. An
// Image never changes once it is in a table.
type Image struct {
	Since    uint64 // nanoseconds since boot; 0 when it was there before the table began
	Exe      string // argv[0]
	ExePath  string // the kernel's path of the program, seen from the process's root; "" when unknown
	Comm     string
	CmdLine  string // comm and the arguments, joined by spaces
	Cwd      string // working directory when the image was captured, with a trailing slash; "" when unknown
	ExeGap   bool   // of ExePath a part is not known
	CwdGap   bool   // of Cwd
	Env      string // environment, variables separated by NUL
	Cgroups  string // "controller=path", separated by NUL
	NArgs    int    // arguments without argv[0]
	LenArgs  int    // sum of their lengths
	HasTask  bool   // whether Task was captured
	FromProc bool   // Task is from /proc, which does not tell ExeFlags, PidnsStart and Stdio
	Task     event.TaskFacts

	args    string // arguments without argv[0], NUL separated
	threads int    // as /proc told, 0 when it was not asked
	prev    *Image // the version before this one, until older events have passed
}

// Args returns the arguments without argv[0], joined by spaces.
func (i *Image) Args() string {
	if len(i.CmdLine) <= len(i.Comm) {
		return ""
	}
	return i.CmdLine[len(i.Comm)+1:]
}

// Arg returns argument n, counted from 0 without argv[0].
func (i *Image) Arg(n int) (string, bool) {
	if n < 0 || n >= i.NArgs {
		return "", false
	}
	rest := i.args
	for ; n > 0; n-- {
		_, rest, _ = strings.Cut(rest, "\x00")
	}
	arg, _, _ := strings.Cut(rest, "\x00")
	return arg, true
}

// Getenv returns the value of an environment variable.
func (i *Image) Getenv(name string) (string, bool) {
	for rest := i.Env; rest != ""; {
		var v string
		v, rest, _ = strings.Cut(rest, "\x00")
		if len(v) > len(name) && v[len(name)] == '=' && v[:len(name)] == name {
			return v[len(name)+1:], true
		}
	}
	return "", false
}

// argLimit and envLimit bound what is kept of arguments and environment, as Falco's documentation has it.
const (
	argLimit = 4096
	envLimit = 4096
)

// setArgv takes the argument vector, NUL separated, after Comm was set. NULs after the last argument end it.
func (i *Image) setArgv(argv []byte) {
	argv = argv[:min(len(argv), argLimit)]
	if n := len(argv); n > 0 && argv[n-1] == 0 {
		argv = argv[:n-1]
	}
	exe, rest, more := strings.Cut(string(argv), "\x00")
	i.Exe, i.args = exe, rest
	i.NArgs, i.LenArgs = 0, 0
	if more {
		i.NArgs = strings.Count(rest, "\x00") + 1
		i.LenArgs = len(rest) - (i.NArgs - 1)
	}
	i.setCmdLine()
}

func (i *Image) setCmdLine() {
	if i.NArgs == 0 {
		i.CmdLine = i.Comm
		return
	}
	var b strings.Builder
	b.Grow(len(i.Comm) + 1 + len(i.args))
	b.WriteString(i.Comm)
	b.WriteByte(' ')
	for n := range len(i.args) {
		if i.args[n] == 0 {
			b.WriteByte(' ')
		} else {
			b.WriteByte(i.args[n])
		}
	}
	i.CmdLine = b.String()
}

func (i *Image) setTask(f *event.TaskFacts) {
	i.Task, i.HasTask = *f, true
	if comm := commOf(f); comm != i.Comm {
		i.Comm = comm
		i.setCmdLine()
	}
}

func commOf(f *event.TaskFacts) string {
	comm, _, _ := strings.Cut(string(f.Comm[:]), "\x00")
	return comm
}

// directory gives a working directory the trailing slash that Falco prints.
func directory(path string) string {
	if path == "" || strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}

func (i *Image) env() string     { return i.Env }
func (i *Image) cgroups() string { return i.Cgroups }

// shared is trimNUL for what mostly is as it was in the image before, which then keeps it for both: of a fork that is its parent's.
func shared(before *Image, of func(*Image) string, b []byte) string {
	if before != nil && of(before) == string(bytes.TrimRight(b, "\x00")) {
		return of(before)
	}
	return trimNUL(b)
}

func trimNUL(b []byte) string { return strings.TrimRight(string(b), "\x00") }

// Process is one process of a Table. Its methods may be called until the table's next Tick.
type Process struct {
	PID   uint32 // in the initial pid namespace
	Start uint64 // start_boottime of the group leader, in nanoseconds

	img     *Image
	former  int  // images behind img
	coarse  bool // Start is rounded down to a clock tick, as /proc tells it
	stub    bool // nothing was found out about it
	dead    bool
	expired bool // dead, and only kept for its children
	gone    bool // no longer in the table

	ppid        uint32
	parent      *Process
	exParent    *Process // parent before parentSince
	parentSince uint64
	sought      bool // the parent was looked for in /proc

	child, nextSib, prevSib *Process
	older                   *Process // the process that had this pid before
	next, prev              *Process // order of insertion
	seen                    uint64   // cycle of the last look-up

	root   rootKey // of the image rootOf; the zero one is not known
	rootOf *Image
}

// At returns the image that ran in the process at ts, nanoseconds since boot; never nil.
func (p *Process) At(ts uint64) *Image {
	img := p.img
	for img.prev != nil && img.Since > ts {
		img = img.prev
	}
	return img
}

// Known reports whether anything but the ids is known of the process.
func (p *Process) Known() bool { return !p.stub }

// InPidns reports whether the process is in a pid namespace of its own.
func (p *Process) InPidns() bool {
	t := &p.img.Task
	return p.img.HasTask && (t.Flags&event.TaskInPidns != 0 || t.VPID != 0 && t.VPID != t.PID)
}
