// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

// Which trigger makes the calls of each row.
func init() {
	for trigger, names := range map[string][]string{
		"ids": {
			"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid",
		},
		"namespaces": {"setns", "unshare"},
		"jail":       {"chroot"},
		"session":    {"setsid", "setpgid"},
		"capset":     {"capset"},
		"prctl":      {"prctl"},
		"limits":     {"getrlimit", "setrlimit", "prlimit"},
		"pidfd":      {"pidfd_open", "pidfd_getfd"},
		"kill":       {"kill", "tkill", "tgkill"},
		"brk":        {"brk"},
		"mmap":       {"mmap", "munmap"},
		"protect":    {"mprotect"},
		"lock":       {"mlock", "mlock2", "munlock", "mlockall", "munlockall"},
		"userfault":  {"userfaultfd"},
		"semaphores": {"semget", "semctl"},
		"futex":      {"futex"},
		"nanosleep":  {"nanosleep"},
		"seccomp":    {"seccomp"},
		"bpf":        {"bpf"},
		"modules":    {"init_module", "finit_module", "delete_module"},
		"fsconfig":   {"fsconfig"},
		"keys":       {"keyctl"},
		"quota":      {"quotactl"},
	} {
		for _, name := range names {
			rowTests[name] = callsOnce(name, trigger)
		}
	}
	rowTests["mmap2"] = only32("mmap2", "mmap")
	rowTests["semop"] = only64("semop", "semaphores")
}

// made are the events of triggers that have run and were checked, by table and trigger.
var made = make(map[string]map[string]bool)

// callsOnce is calls for a trigger of many rows: it runs for the first of them, where everything that it does is checked.
func callsOnce(name, trigger string) func(*testing.T) {
	return func(t *testing.T) {
		eachArch(t, func(t *testing.T, a arch) {
			key := a.name + trigger
			if made[key] == nil {
				s := newSession(t, probe(t))
				rep := s.trigger(a.command(t, trigger))
				s.check(rep, a.compat)
				made[key] = make(map[string]bool)
				for _, c := range rep.Calls {
					made[key][c.Event] = true
				}
			}
			if !made[key][name] {
				t.Errorf("trigger %s makes no %s", trigger, name)
			}
		})
	}
}

// only64 and only32 are calls for rows that one table has alone.
func only64(name, trigger string) func(*testing.T) {
	return func(t *testing.T) {
		privileged(t)
		native().calls(t, name, trigger)
	}
}

func only32(name, trigger string) func(*testing.T) {
	return func(t *testing.T) {
		privileged(t)
		compat(t).calls(t, name, trigger)
	}
}
