// SPDX-License-Identifier: Apache-2.0

package event

// MaxSyscall bounds the system call numbers that the probe looks at; larger ones fail in the kernel with ENOSYS.
const MaxSyscall = 512

// FirstShared is the first of the numbers that stand, in records, for calls of the 32-bit table that have none there: a 32-bit program makes
// them by socketcall or ipc, which are many calls each.
const FirstShared = 500

// sharedNumber returns the number that the kernel has for a call: that of socketcall or ipc for those that have none of their own.
func sharedNumber(r *Record, v uint64) uint64 {
	const socketcall, ipc = 102, 117
	switch {
	case !r.Compat32() || v < FirstShared:
		return v
	case v < FirstShared+firstIPC:
		return socketcall
	}
	return ipc
}

// firstIPC is how many of them are socketcall's.
const firstIPC = 3

type syscallNames struct {
	native, compat [MaxSyscall]string
	byName         map[string]int
}

var names = buildNames()

func buildNames() *syscallNames {
	n := &syscallNames{byName: make(map[string]int, len(syscalls))}
	for i, s := range syscalls {
		if s.nr64 >= 0 {
			n.native[s.nr64] = s.name
		}
		if s.nr32 >= 0 {
			n.compat[s.nr32] = s.name
		}
		n.byName[s.name] = i
	}
	return n
}

// SyscallName returns the name of system call nr in the 64-bit table, or in the 32-bit one when compat is set, and ""
// for a number that has none.
func SyscallName(nr int, compat bool) string {
	if nr < 0 || nr >= MaxSyscall {
		return ""
	}
	if compat {
		return names.compat[nr]
	}
	return names.native[nr]
}

// SyscallNumber returns the numbers of the named call in both tables, -1 where a table has none.
func SyscallNumber(name string) (nr64, nr32 int, ok bool) {
	i, ok := names.byName[name]
	if !ok {
		return -1, -1, false
	}
	return int(syscalls[i].nr64), int(syscalls[i].nr32), true
}

// SyscallNames calls fn with the name and numbers of every system call until fn returns false.
func SyscallNames(fn func(name string, nr64, nr32 int) bool) {
	for _, s := range syscalls {
		if !fn(s.name, int(s.nr64), int(s.nr32)) {
			return
		}
	}
}
