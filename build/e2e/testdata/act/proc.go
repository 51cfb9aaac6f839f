// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// memfd goes on as a copy of a program in memory.
func memfd(args []string) error {
	fd, err := inMemory(args[0])
	if err != nil {
		return err
	}
	return unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), args, os.Environ())
}

// inMemory copies a program into a memfd. The descriptor stays open.
func inMemory(file string) (fd int, err error) {
	program, err := os.ReadFile(file)
	if err != nil {
		return -1, err
	}
	if fd, err = unix.MemfdCreate("act", 0); err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	for len(program) > 0 {
		n, err := unix.Write(fd, program)
		if err != nil {
			return -1, fmt.Errorf("copy the program: %w", err)
		}
		program = program[n:]
	}
	return fd, nil
}

// attach attaches to a child that waits for its input to end.
func attach() error {
	runtime.LockOSThread() // a tracer is a thread
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child, err := os.StartProcess(self, []string{self, "cat", "/dev/stdin"}, &os.ProcAttr{Files: []*os.File{in, os.Stdout, os.Stderr}})
	if err != nil {
		return err
	}
	err = unix.PtraceAttach(child.Pid)
	if err == nil {
		_, err = unix.Wait4(child.Pid, nil, 0, nil)
		err = errors.Join(err, unix.PtraceDetach(child.Pid))
		// Where the child stopped for another reason first, the stop of the attachment is still to come: this takes it back.
		err = errors.Join(err, unix.Kill(child.Pid, unix.SIGCONT))
	}
	out.Close()
	in.Close()
	if _, werr := child.Wait(); werr != nil {
		err = errors.Join(err, werr)
	}
	return err
}

// attachFail tries to attach to a process that cannot be.
func attachFail() error {
	runtime.LockOSThread()
	if err := unix.PtraceAttach(1 << 30); !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("attach to no process: %v", err)
	}
	return nil
}

// shell starts a shell as one who has got into a service does: its standard input is the connection.
func shell(args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	there, err := l.Accept()
	if err != nil {
		return err
	}
	f, err := there.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	if err := here.Close(); err != nil { // the shell finds the end of its input
		return err
	}
	return runShell(args, f)
}

// pipeShell starts a shell that reads from a pipe, as scripts do all day.
func pipeShell(args []string) error {
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return runShell(args, in)
}

func runShell(args []string, in *os.File) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, os.Stdout, os.Stderr
	return cmd.Run()
}
