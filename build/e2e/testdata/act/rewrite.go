// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rewrite opens a path while another thread writes over it. The paths differ in the last letter: one store makes one of the other.
func rewrite(args []string) error {
	if len(args) != 3 || len(args[0]) != len(args[1]) {
		return fmt.Errorf("two paths of one length and a number are wanted")
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("read number: %w", err)
	}
	path, last := append([]byte(args[0]), 0), len(args[0])-1
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !over.Load(); i++ {
			path[last] = args[i/64%2][last] // either stands for a while
		}
	}()
	cwd := unix.AT_FDCWD
	for range count {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(cwd), uintptr(unsafe.Pointer(&path[0])), unix.O_RDONLY, 0, 0, 0)
		if errno != 0 {
			return fmt.Errorf("openat: %w", errno)
		}
		if err := unix.Close(int(fd)); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	over.Store(true)
	<-done
	return nil
}
