// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command init is the first process of a throw-away virtual machine: it prepares the machine, runs the plan's steps, writes
// a verdict for each on a serial port of its own, and powers off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"falconet/build/kernels/guest"
)

func main() {
	if os.Getpid() != 1 {
		if err := runPlan(); err != nil {
			fmt.Fprintln(os.Stderr, "init:", err)
			os.Exit(1)
		}
		return
	}
	err := prepare()
	if err == nil {
		err = superviseSelf()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
	}
	unix.Sync()
	// A machine that cannot power off resets; the starter gave it -no-reboot, so it ends as well.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// superviseSelf runs this program a second time for the plan, and reaps whatever is orphaned meanwhile: a process that
// waits for "any child" cannot also wait for its own through os/exec.
func superviseSelf() error {
	proc, err := os.StartProcess("/init", []string{"init"}, &os.ProcAttr{
		Env:   []string{"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root", "TERM=dumb"},
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return fmt.Errorf("start the plan's runner: %w", err)
	}
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case pid == proc.Pid:
			if ws.ExitStatus() != 0 {
				return fmt.Errorf("the plan's runner ended with %d", ws.ExitStatus())
			}
			return nil
		}
	}
}

func runPlan() error {
	text, err := os.ReadFile(guest.PlanPath)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	var plan guest.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return fmt.Errorf("parse plan: %w", err)
	}
	out, err := openPort(guest.OutputPort)
	if err != nil {
		return err
	}
	verdicts, err := openPort(guest.VerdictPort)
	if err != nil {
		return err
	}
	report := func(v guest.Verdict) error {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		// What has not left the port is lost with the machine.
		drain(out)
		if _, err := verdicts.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("write verdict: %w", err)
		}
		drain(verdicts)
		return nil
	}
	if plan.Hostname != "" {
		if err := unix.Sethostname([]byte(plan.Hostname)); err != nil {
			return fmt.Errorf("set host name: %w", err)
		}
	}
	for _, name := range plan.Modules {
		if err := loadModule(guest.ModulesDir + "/" + name); err != nil {
			if err := report(guest.Verdict{Step: "module " + name, Code: 127, Note: err.Error()}); err != nil {
				return err
			}
		}
	}
	for _, step := range plan.Steps {
		if err := report(runStep(step, out)); err != nil {
			return err
		}
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	return report(guest.Verdict{Done: true, Kernel: unix.ByteSliceToString(uts.Release[:])})
}

// runStep runs one program to its end. Its output goes through a pipe: a program must not find a terminal here.
func runStep(step guest.Step, out *os.File) guest.Verdict {
	v := guest.Verdict{Step: step.Name}
	start := time.Now()
	cmd := exec.Command(step.Argv[0], step.Argv[1:]...)
	cmd.Env = append(os.Environ(), step.Env...)
	cmd.Dir = "/"
	if step.Dir != "" {
		cmd.Dir = step.Dir
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A child that outlives the step keeps the pipe open; it must not keep the machine.
	cmd.WaitDelay = 2 * time.Second
	// Not the file itself, or the program would be handed the port.
	cmd.Stdout = struct{ io.Writer }{out}
	cmd.Stderr = cmd.Stdout
	var late atomic.Bool
	err := cmd.Start()
	if err == nil {
		if step.Seconds > 0 {
			timer := time.AfterFunc(time.Duration(step.Seconds)*time.Second, func() {
				late.Store(true)
				_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
			})
			defer timer.Stop()
		}
		err = cmd.Wait()
	}
	v.Millis = time.Since(start).Milliseconds()
	var exit *exec.ExitError
	switch {
	case cmd.ProcessState == nil:
		v.Code, v.Note = 127, err.Error()
	case errors.As(err, &exit) || err == nil || errors.Is(err, exec.ErrWaitDelay):
		ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
		v.Code = ws.ExitStatus()
		if ws.Signaled() {
			v.Code = 128 + int(ws.Signal())
			v.Note = "killed by " + ws.Signal().String()
		}
	default:
		v.Code, v.Note = 127, err.Error()
	}
	if late.Load() {
		v.Note = fmt.Sprintf("killed after %d s", step.Seconds)
	}
	return v
}

// openPort opens a serial port as a plain byte stream: no newline translation.
func openPort(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/"+name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("read settings of %s: %w", name, err)
	}
	tio.Iflag, tio.Oflag, tio.Lflag = 0, 0, 0
	tio.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	tio.Ispeed, tio.Ospeed = unix.B115200, unix.B115200
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, tio); err != nil {
		return nil, fmt.Errorf("make %s raw: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// drain waits until a port's bytes are out. A failure costs bytes of output at worst, and those are missed by who reads them.
func drain(port *os.File) {
	_ = unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1)
}
