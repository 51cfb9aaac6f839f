// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unseen opens a file while a second thread takes the name away: the file is leased, so that the open waits until the lease ends, and
// before that ends the page with the name is hidden.
func unseen(file string, hide func(page unsafe.Pointer) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGIO)
	lease, err := unix.Open(file, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(lease), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	page, opened, err := openBeside(file)
	if err != nil {
		return err
	}
	<-signals // the open has begun, and waits
	err = hide(page)
	if _, end := unix.FcntlInt(uintptr(lease), unix.F_SETLEASE, unix.F_UNLCK); end != nil {
		err = errors.Join(err, fmt.Errorf("end the lease: %w", end))
	}
	return errors.Join(err, <-opened.err, unix.Close(lease))
}

// unseenFIFO is the same with a pipe that has a name: the open for reading waits for one for writing.
func unseenFIFO(file string) error {
	page, opened, err := openBeside(file)
	if err != nil {
		return err
	}
	if err := waits(opened.tid); err != nil {
		return err
	}
	if err := munmap(page); err != nil {
		return err
	}
	w, err := unix.Open(file, unix.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(<-opened.err, unix.Close(w))
}

// waits returns when a thread waits in openat.
func waits(tid int) error {
	call := fmt.Sprintf("%d ", unix.SYS_OPENAT)
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", tid))
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(b), call) {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

// beside is an open in a thread of its own.
type beside struct {
	tid int
	err chan error // its end
}

// openBeside opens a file for reading in a second thread, by a name in a page of its own.
func openBeside(file string) (page unsafe.Pointer, b beside, err error) {
	page, err = argument(file)
	if err != nil {
		return nil, b, err
	}
	b.err = make(chan error, 1)
	tid := make(chan int)
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		fd, err := openName(page)
		if err == nil {
			err = unix.Close(fd)
		}
		b.err <- err
	}()
	b.tid = <-tid
	return page, b, nil
}

// openName opens the file whose name is at an address.
func openName(name unsafe.Pointer) (fd int, err error) {
	dir := unix.AT_FDCWD
	n, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(name), unix.O_RDONLY, 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// rewrites is how often a name is used while it changes.
const rewrites = 3000

// rewritten opens one name many times while a second thread writes another of the same length over it and back, and says how often it
// was the first file that was opened.
func rewritten(file string, more []string) error {
	other := filepath.Join(filepath.Dir(file), more[0])
	if len(other) != len(file) {
		return fmt.Errorf("%s is not as long as %s", other, file)
	}
	page, err := argument(file)
	if err != nil {
		return err
	}
	var want unix.Stat_t
	if err := unix.Stat(file, &want); err != nil {
		return err
	}
	name := unsafe.Slice((*byte)(page), len(file))
	var over atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !over.Load() {
			copy(name, other)
			copy(name, file)
		}
	}()
	real := 0
	for range rewrites {
		fd, err := openName(page)
		if errors.Is(err, unix.ENOENT) {
			continue // half of one name and half of the other
		}
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		if st.Ino == want.Ino && st.Dev == want.Dev {
			real++
		}
		if err := unix.Close(fd); err != nil {
			return err
		}
	}
	over.Store(true)
	<-stopped
	fmt.Printf("opened=%d\n", real)
	return nil
}
