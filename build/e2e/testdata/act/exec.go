// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Each of these says which process will run the program.

// fexec goes on as a copy of a program in memory, by its descriptor alone.
func fexec(args []string) error {
	fd, err := inMemory(args[0])
	if err != nil {
		return err
	}
	empty, err := unix.BytePtrFromString("")
	if err != nil {
		return err
	}
	argv, err := vector(args)
	if err != nil {
		return err
	}
	env, err := vector(os.Environ())
	if err != nil {
		return err
	}
	fmt.Printf("pid=%d\n", os.Getpid())
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(empty)), uintptr(unsafe.Pointer(&argv[0])),
		uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return fmt.Errorf("execveat: %w", errno)
}

// vector is an argument vector of the kernel's interface.
func vector(list []string) ([]*byte, error) {
	out := make([]*byte, 0, len(list)+1)
	for _, s := range list {
		p, err := unix.BytePtrFromString(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return append(out, nil), nil
}

// vfork runs a program. The runtime makes processes that borrow its memory until they run another program, as vfork does.
func vfork(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Printf("pid=%d\n", cmd.Process.Pid)
	return cmd.Wait()
}

// threadExec goes on as a program that another thread than the first runs: the kernel ends the first and gives its number to the other.
func threadExec(args []string) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			failed <- fmt.Errorf("this is the first thread")
			return
		}
		fmt.Printf("pid=%d\n", os.Getpid())
		failed <- unix.Exec(args[0], args, os.Environ())
	}()
	return <-failed
}
