// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// threads open a file each in every link of a chain.
const threads = 3

func init() {
	runtime.LockOSThread() // main stays on the first thread, so that every other goroutine is on another
}

// chain runs a storm: one process for each program img-N-0 of the directory, all at the same time. Such a process opens files
// that are named after it, from several threads, and goes on as img-N-1, and so on as long as there is such a program.
func chain(args []string) error {
	first, err := filepath.Glob(filepath.Join(args[0], "img-*-0"))
	if err != nil {
		return err
	}
	if len(first) == 0 {
		return errors.New("no programs to run")
	}
	errs := make(chan error, len(first))
	for _, path := range first {
		go func() {
			cmd := exec.Command(path, "--chain")
			cmd.Stderr = os.Stderr
			errs <- cmd.Run()
		}()
	}
	for range first {
		err = errors.Join(err, <-errs)
	}
	return err
}

// link is one program of a chain.
func link() error {
	dir, name := filepath.Split(os.Args[0])
	var n, k int
	if _, err := fmt.Sscanf(name, "img-%d-%d", &n, &k); err != nil {
		return fmt.Errorf("read the name of the program: %w", err)
	}
	var wg sync.WaitGroup
	errs := make([]error, threads)
	for t := range threads {
		wg.Go(func() {
			runtime.LockOSThread()
			f, err := os.Open(fmt.Sprintf("%sopen-%d-%d-%d", dir, n, k, t))
			if err == nil {
				err = f.Close()
			}
			errs[t] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	next := fmt.Sprintf("%simg-%d-%d", dir, n, k+1)
	if _, err := os.Stat(next); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// Any thread may call execve: the kernel makes it the first one.
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		failed <- syscall.Exec(next, []string{next, "--chain"}, os.Environ())
	}()
	return <-failed
}
