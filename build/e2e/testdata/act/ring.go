// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The same numbers in every system call table; the rest is include/uapi/linux/io_uring.h.
const (
	sysRingSetup = 425
	sysRingEnter = 426

	ringPolled    = 1 << 1
	ringGetEvents = 1 << 0
	ringWakeup    = 1 << 1
	ringOpenat    = 18
	ringSymlinkat = 38
	ringAsync     = 1 << 4
)

// ring opens a file for reading through io_uring, and leaves it at that: args are the name and how ("plain", "polled": the kernel's
// thread submits; "async": a worker of the kernel's opens). With a third argument it makes a symbolic link of that name instead.
func ring(args []string) error {
	// struct io_uring_params
	var p struct {
		sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
		_                                                    [3]uint32
		head, tail, mask, entries, sqFlags, dropped, array   uint32
		_                                                    [3]uint32
		cqHead, cqTail, cqMask, cqEntries2, overflow, cqes   uint32
		_                                                    [4]uint32
	}
	how := args[1]
	if how == "polled" {
		p.flags, p.idle = ringPolled, 1000
	}
	fd, _, errno := unix.Syscall(sysRingSetup, 2, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return fmt.Errorf("io_uring_setup: %w", errno)
	}
	area := func(off int64, n uint32) ([]byte, error) {
		return unix.Mmap(int(fd), off, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	queue, err := area(0, p.array+4*p.sqEntries)
	if err != nil {
		return err
	}
	done, err := area(0x8000000, p.cqes+16*p.cqEntries)
	if err != nil {
		return err
	}
	entries, err := area(0x10000000, 64*p.sqEntries)
	if err != nil {
		return err
	}
	name, err := unix.BytePtrFromString(args[0])
	if err != nil {
		return err
	}
	// struct io_uring_sqe: operation, flags, descriptor, name
	entries[0] = ringOpenat
	if how == "async" {
		entries[1] = ringAsync
	}
	*(*int32)(unsafe.Pointer(&entries[4])) = unix.AT_FDCWD
	*(*uint64)(unsafe.Pointer(&entries[16])) = uint64(uintptr(unsafe.Pointer(name)))
	if len(args) > 2 {
		to, err := unix.BytePtrFromString(args[2])
		if err != nil {
			return err
		}
		entries[0] = ringSymlinkat
		*(*uint64)(unsafe.Pointer(&entries[8])) = uint64(uintptr(unsafe.Pointer(to)))
		defer runtime.KeepAlive(to)
	}
	defer runtime.KeepAlive(name)
	atomic.AddUint32((*uint32)(unsafe.Pointer(&queue[p.tail])), 1)
	if _, _, errno := unix.Syscall6(sysRingEnter, fd, 1, 1, ringGetEvents|ringWakeup, 0, 0); errno != 0 {
		return fmt.Errorf("io_uring_enter: %w", errno)
	}
	if res := *(*int32)(unsafe.Pointer(&done[p.cqes+8])); res < 0 {
		return fmt.Errorf("ask a ring: %w", unix.Errno(-res))
	}
	return nil
}
