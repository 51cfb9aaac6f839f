// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sysOpen386 = 5
	map32bit   = 0x40
)

// trap makes a system call by int 0x80: the kernel takes it for that of a 32-bit program. Arguments are cut to 32 bits.
func trap(nr, a, b, c uintptr) (ret int32)

// int80 opens a file through the 32-bit gate. The name is in low memory, where a 32-bit call can see it.
func int80(args []string) error {
	name := args[0]
	size := uintptr(unix.Getpagesize())
	flags := unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	if unsafe.Sizeof(size) == 8 {
		flags |= map32bit
	}
	low, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return fmt.Errorf("map low memory: %w", err)
	}
	if len(name) >= int(size) {
		return fmt.Errorf("name is too long")
	}
	copy(unsafe.Slice((*byte)(low), size), name)
	fd := trap(sysOpen386, uintptr(low), unix.O_RDONLY, 0)
	if fd < 0 {
		return fmt.Errorf("open through int 0x80: %w", unix.Errno(-fd))
	}
	return unix.Close(int(fd))
}

func creat(args []string) error {
	name, err := unix.BytePtrFromString(args[0])
	if err != nil {
		return err
	}
	fd, _, errno := unix.Syscall(unix.SYS_CREAT, uintptr(unsafe.Pointer(name)), 0o644, 0)
	if errno != 0 {
		return fmt.Errorf("creat: %w", errno)
	}
	return unix.Close(int(fd))
}

func openat2(args []string) error {
	fd, err := unix.Openat2(unix.AT_FDCWD, args[0], &unix.OpenHow{Flags: unix.O_RDONLY})
	if err != nil {
		return fmt.Errorf("openat2: %w", err)
	}
	return unix.Close(fd)
}
