// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rewrite opens a path, and another thread writes another over it while the kernel is about it: the first is a FIFO, whose opening waits
// for somebody who opens its other end.
func rewrite(args []string) error {
	if len(args) != 2 || len(args[0]) != len(args[1]) {
		return fmt.Errorf("two paths of one length are wanted")
	}
	if err := unix.Mkfifo(args[0], 0o600); err != nil {
		return fmt.Errorf("make FIFO: %w", err)
	}
	path := append([]byte(args[0]), 0)
	opened := make(chan error)
	cwd := unix.AT_FDCWD
	for range 5 { // more than once, should a thread be late
		copy(path, args[0])
		go func() {
			fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(cwd), uintptr(unsafe.Pointer(&path[0])), unix.O_RDONLY, 0, 0, 0)
			if errno != 0 {
				opened <- fmt.Errorf("openat: %w", errno)
				return
			}
			opened <- unix.Close(int(fd))
		}()
		time.Sleep(200 * time.Millisecond)
		copy(path, args[1])
		fd, err := unix.Open(args[0], unix.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open FIFO: %w", err)
		}
		if err := <-opened; err != nil {
			return err
		}
		if err := unix.Close(fd); err != nil {
			return fmt.Errorf("close FIFO: %w", err)
		}
	}
	time.Sleep(time.Second) // whoever wants to look where the path leads finds this process alive
	return nil
}
