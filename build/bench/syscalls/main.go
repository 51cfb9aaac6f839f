// SPDX-License-Identifier: Apache-2.0

// Command syscalls measures what falconet costs those who do not interest it: the time of a getpid, which no rule asks for, and
// of an open and close of a file that no rule names, with and without falconet, in one run.
//
//	go run ./build/bench/syscalls [-bin build/bin/falconet] [-rules FILE] [-rounds 7]
//
// Rounds with and without take turns, so that a machine that changes its speed changes it for both; the medians are compared.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"falconet/build/bench/running"

	"golang.org/x/sys/unix"
)

// subject is one thing whose time is taken.
type subject struct {
	name  string
	calls int // in one batch
	run   func(calls int) error
	off   []float64 // nanoseconds a call, one a round
	on    []float64
}

// batches are measured in a round; the round's result is their median.
const batches = 9

func main() {
	bin := flag.String("bin", "build/bin/falconet", "the falconet to measure")
	rules := flag.String("rules", "embedded", "its rules: a file, or the word embedded")
	rounds := flag.Int("rounds", 7, "how often to measure with and without")
	flag.Parse()
	if err := measure(*bin, *rules, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "syscalls:", err)
		os.Exit(1)
	}
}

func measure(bin, rules string, rounds int) error {
	if rounds < 1 {
		return errors.New("rounds must be 1 or more")
	}
	dir, err := os.MkdirTemp("", "falconet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if rules != "embedded" {
		if rules, err = filepath.Abs(rules); err != nil {
			return err
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	subjects := []*subject{
		{name: "getpid", calls: 500_000, run: getpids},
		{name: "open+close", calls: 50_000, run: func(calls int) error { return opens(file, calls) }},
	}
	for range rounds {
		for _, s := range subjects {
			if err := s.round(&s.off); err != nil {
				return err
			}
		}
		f, err := running.Start(running.Options{Bin: bin, Dir: dir, Files: []string{rules}})
		if err != nil {
			return err
		}
		for _, s := range subjects {
			err = errors.Join(err, s.round(&s.on))
		}
		if err := errors.Join(err, f.Stop()); err != nil {
			return err
		}
	}
	fmt.Printf("%-12s %12s %12s %12s %8s\n", "", "without ns", "with ns", "added ns", "ratio")
	for _, s := range subjects {
		off, on := median(s.off), median(s.on)
		fmt.Printf("%-12s %12.1f %12.1f %12.1f %8.3f\n", s.name, off, on, on-off, on/off)
	}
	return nil
}

// pin keeps the calling thread on one CPU. It returns how to undo that, which has to be done before a program is started: a child
// has the CPUs of the thread that starts it, and falconet may use all.
func pin() (func(), error) {
	runtime.LockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, fmt.Errorf("read CPU affinity: %w", err)
	}
	cpu := 0
	for !all.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return nil, fmt.Errorf("set CPU affinity: %w", err)
	}
	return func() {
		unix.SchedSetaffinity(0, &all) // as it was: cannot be refused
		runtime.UnlockOSThread()
	}, nil
}

// round takes the time of the subject's batches.
func (s *subject) round(to *[]float64) error {
	unpin, err := pin()
	if err != nil {
		return err
	}
	defer unpin()
	var took []float64
	for range batches {
		begin := time.Now()
		if err := s.run(s.calls); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		took = append(took, float64(time.Since(begin).Nanoseconds())/float64(s.calls))
	}
	*to = append(*to, median(took))
	return nil
}

func getpids(calls int) error {
	for range calls {
		syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	}
	return nil
}

func opens(file string, calls int) error {
	for range calls {
		fd, err := unix.Openat(unix.AT_FDCWD, file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.Close(fd); err != nil {
			return err
		}
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
