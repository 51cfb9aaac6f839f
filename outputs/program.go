// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// restartEvery is how often a program that keeps ending is started again at most.
	restartEvery = time.Second
	// endWithin is how long a program has, after its input ended, before it is killed when the output is closed.
	endWithin = 2 * time.Second
)

// Program gives lines to a shell command on its standard input.
type Program struct {
	format  Format
	command string
	keep    bool
	run     *running
	started time.Time
	lines   lineWriter
	group   atomic.Int64 // of the processes of the program that runs, 0 for none
	over    atomic.Bool  // it is not to be started any more
}

// running is a program at work.
type running struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan error // gets what Wait returned
}

// NewProgram returns a sink that runs command with /bin/sh -c: once per line, or, with keep, once for all of them.
func NewProgram(f Format, command string, keep bool) (*Program, error) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		return nil, fmt.Errorf("program output needs a shell: %w", err)
	}
	return &Program{format: f, command: command, keep: keep}, nil
}

func (s *Program) start() (*running, error) {
	if s.over.Load() {
		return nil, errors.New("start program output: falconet is about to end")
	}
	cmd := exec.Command("/bin/sh", "-c", s.command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// In a group of its own: what a terminal's ^C ends is us, and we end the program once it has all alerts.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start program output: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start program output: %w", err)
	}
	r := &running{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	s.group.Store(int64(cmd.Process.Pid))
	if s.over.Load() {
		s.Abandon() // it was too late to see the program
	}
	go func() {
		err := cmd.Wait()
		s.group.CompareAndSwap(int64(cmd.Process.Pid), 0)
		r.ended <- err
	}()
	return r, nil
}

// end closes the program's input and waits for it; after limit, unless that is 0, it is killed.
func (r *running) end(limit time.Duration) error {
	var kill <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		kill = timer.C
	}
	closeErr := r.stdin.Close()
	if errors.Is(closeErr, os.ErrClosed) {
		closeErr = nil // it ended by itself
	}
	select {
	case err := <-r.ended:
		if err != nil {
			return fmt.Errorf("run program output: %w", err)
		}
		return closeErr
	case <-kill:
		err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-r.ended
		return errors.Join(errors.New("program output did not end and was killed"), err)
	}
}

// Name returns "program".
func (s *Program) Name() string { return "program" }

// Format returns the format given at construction.
func (s *Program) Format() Format { return s.format }

// Holds returns whether the program is kept: lines are given to it together then.
func (s *Program) Holds() bool { return s.keep }

// Write gives the line to the program.
func (s *Program) Write(l Line) error {
	if s.keep {
		s.lines.add(l)
		return nil
	}
	r, err := s.start()
	if err != nil {
		return later(err)
	}
	_, err = r.stdin.Write(l.Bytes)
	// A program that does not read its input to the end, such as one that only counts, is none the worse for it.
	if errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return errors.Join(err, r.end(0))
}

// Flush writes the gathered lines to the program that is kept, and starts it where it does not run.
func (s *Program) Flush() error {
	if !s.keep || len(s.lines.buf) == 0 {
		return nil
	}
	if s.run != nil {
		select {
		case <-s.run.ended:
			s.run = nil
		default:
		}
	}
	if s.run == nil {
		if pause := restartEvery - time.Since(s.started); pause > 0 && !s.started.IsZero() {
			s.lines.buf = s.lines.buf[:0]
			return &Later{Err: errors.New("program output has ended"), In: pause}
		}
		s.started = time.Now()
		s.lines.torn = false
		r, err := s.start()
		if err != nil {
			s.lines.buf = s.lines.buf[:0]
			return later(err)
		}
		s.run = r
	}
	if err := s.lines.writeTo(s.run.stdin); err != nil {
		ended := s.run
		s.run = nil
		return later(errors.Join(fmt.Errorf("write to program output: %w", err), ended.end(endWithin)))
	}
	return nil
}

// Reopen ends the program that is kept; the next line starts it anew.
func (s *Program) Reopen() error {
	if s.run == nil {
		return nil
	}
	r := s.run
	s.run, s.started = nil, time.Time{}
	return r.end(endWithin)
}

// Abandon kills the program and lets none be started any more.
func (s *Program) Abandon() {
	s.over.Store(true)
	if pid := s.group.Load(); pid > 0 {
		_ = syscall.Kill(-int(pid), syscall.SIGKILL) // it may have ended meanwhile
	}
}

// Close ends the program.
func (s *Program) Close() error { return s.Reopen() }
