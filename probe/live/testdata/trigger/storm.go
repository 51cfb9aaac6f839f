// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// storm starts the program FALCONET_IMAGE over and over, from several threads.
func storm(t *T) {
	image, rounds := os.Getenv("FALCONET_IMAGE"), int(number(os.Getenv("FALCONET_COUNT")))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range rounds {
				pid := one(syscall.ForkExec(image, []string{image}, &syscall.ProcAttr{}))
				var ws unix.WaitStatus
				one(unix.Wait4(pid, &ws, 0, nil))
				if ws != 0 {
					fail("%s ended with %x", image, ws)
				}
			}
		})
	}
	wg.Wait()
}

// rush makes FALCONET_COUNT calls of each of several kinds that hardly anybody else makes, in each of several threads, while programs
// start and end, and one of each on each CPU.
func rush(t *T) {
	const threads, programs = 4, 64
	image, count := os.Getenv("FALCONET_IMAGE"), number(os.Getenv("FALCONET_COUNT"))
	special := t.str("none")
	calls := func() {
		_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, 0x7777, ^uintptr(0)>>1, 0, 0, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_USERFAULTFD, 2, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_PIDFD_GETFD, ^uintptr(0), 0, 0)
		_, _, _ = unix.RawSyscall6(unix.SYS_QUOTACTL, 0xff00, special, 0, 0, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_SEMGET, 0, ^uintptr(0), 0)
	}
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			for range count {
				calls()
			}
		})
	}
	for range programs {
		pid := one(syscall.ForkExec(image, []string{image}, &syscall.ProcAttr{}))
		var ws unix.WaitStatus
		one(unix.Wait4(pid, &ws, 0, nil))
	}
	wg.Wait()
	made := threads * count
	for cpu := range runtime.NumCPU() {
		var set unix.CPUSet
		set.Set(cpu)
		if unix.SchedSetaffinity(0, &set) == nil {
			calls()
			made++
		}
	}
	t.report.Notes["made"], t.report.Notes["programs"] = itoa(uint64(made)), itoa(programs)
}

// opens makes calls that hardly anybody else makes: FALCONET_COUNT of each of two kinds, then one on each CPU.
func opens(t *T) {
	name := t.str("name")
	one := func() {
		_, _, _ = unix.RawSyscall(unix.SYS_MEMFD_CREATE, name, 0x8000, 0)
		_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, 0x7777, ^uintptr(0)>>1, 0, 0, 0, 0)
	}
	for range number(os.Getenv("FALCONET_COUNT")) {
		one()
	}
	made := number(os.Getenv("FALCONET_COUNT"))
	for cpu := range runtime.NumCPU() {
		var set unix.CPUSet
		set.Set(cpu)
		if unix.SchedSetaffinity(0, &set) == nil {
			one()
			made++
		}
	}
	t.report.Notes["made"] = itoa(uint64(made))
}
