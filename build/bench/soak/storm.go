// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// plan says what is started.
type plan struct{ processes, containers, samples, threads int }

// storm starts processes. Samples and containers are spread evenly between the others.
type storm struct {
	plan
	dir  string // also the root of the host as falconet sees it
	tiny string
	boxes
	sampled
}

func newStorm(p plan) (s *storm, err error) {
	dir, err := os.MkdirTemp("", "falconet-soak-")
	if err != nil {
		return nil, err
	}
	s = &storm{plan: p, dir: dir, tiny: filepath.Join(dir, "soak-end")}
	if err := errors.Join(os.WriteFile(s.tiny, tinyProgram(), 0o755), s.boxes.setUp(dir), s.sampled.setUp(dir)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *storm) close() error { return errors.Join(s.boxes.close(), os.RemoveAll(s.dir)) }

// rate starts n processes and returns how many there were in a second.
func (s *storm) rate(n int) (float64, error) {
	n = max(n, 1)
	begin := time.Now()
	_, err := s.run(n, func(int) {})
	return float64(n) / time.Since(begin).Seconds(), err
}

// run starts n processes, each of which has ended when it returns, and returns what is true of those that are looked at. It calls
// progress now and then, from any goroutine, with how many have been started.
func (s *storm) run(n int, progress func(done int)) (truth []fact, err error) {
	var wg sync.WaitGroup
	var next, stop atomic.Int64
	var mu sync.Mutex
	step := max(s.processes/rowCount, 1)
	for range s.threads {
		wg.Go(func() {
			for stop.Load() == 0 {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f, failed := s.start(i)
				mu.Lock()
				if failed != nil {
					err = errors.Join(err, failed)
					stop.Store(1)
				}
				if f != nil {
					truth = append(truth, *f)
				}
				mu.Unlock()
				if (i+1)%step == 0 {
					progress(i + 1)
				}
			}
		})
	}
	wg.Wait()
	return truth, err
}

// start starts process number i, which is one to look at or not.
func (s *storm) start(i int) (*fact, error) {
	nth := func(i, count int) bool { return i*count/s.processes != (i+1)*count/s.processes }
	switch {
	case nth(i, s.containers):
		return s.box(i, s.tiny)
	case nth(i+s.processes/max(2*s.samples, 1), s.samples): // half a step aside of them
		return s.sample(i, s.tiny)
	}
	_, err := startAndWait(s.tiny, []string{"soak-end"}, &syscall.ProcAttr{})
	return nil, err
}

// startAndWait starts a program as vfork and execve do and returns its pid when it has ended.
func startAndWait(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil && (!status.Exited() || status.ExitStatus() != 0) {
		err = fmt.Errorf("%s ended with %#x", path, uint32(status))
	}
	return pid, err
}
