// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// proveRequests makes a request of io_uring and looks whether the programs ran. What they report of our own process is nothing, so
// that the kernel's count of their runs has to do for a proof.
func (p *Probe) proveRequests() Finding {
	f := Finding{Name: "io_uring", Minor: true}
	var programs []*ebpf.Program
	for _, h := range p.hooks {
		if h.dispatcher == requestSubmit || h.dispatcher == requestComplete {
			programs = append(programs, h.progs[h.dispatcher])
		}
	}
	if len(programs) != 2 {
		f.Detail, f.Advice = "requests are not seen", "what a process does through io_uring is lost on this kernel; forbid it there (sysctl kernel.io_uring_disabled=2, from 6.6 on)"
		return f
	}
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		f.Detail = "count runs: " + err.Error()
		return f
	}
	defer stats.Close()
	before := runs(programs)
	if err := noRequest(); err != nil {
		f.OK, f.Detail = true, fmt.Sprintf("cannot be used here, so nothing is proven: %v", err)
		return f
	}
	after := runs(programs)
	for i := range programs {
		if after[i] == before[i] {
			f.Detail, f.Advice = "the hooks are attached but did not fire", "what a process does through io_uring is lost on this kernel"
			return f
		}
	}
	f.OK, f.Detail = len(p.requests.limits) == 0, "requests are reported as the system calls that they stand for"
	for _, limit := range p.requests.limits {
		f.Detail += "; " + strings.TrimPrefix(limit, "io_uring: ")
	}
	return f
}

func runs(programs []*ebpf.Program) []uint64 {
	out := make([]uint64, len(programs))
	for i, prog := range programs {
		if s, err := prog.Stats(); err == nil {
			out[i] = s.RunCount
		}
	}
	return out
}

// noRequest sends a request that does nothing (IORING_OP_NOP, a submission entry of zeros) through a ring of its own.
func noRequest() error {
	// struct io_uring_params of include/uapi/linux/io_uring.h
	var p struct {
		sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
		_                                                    [3]uint32
		head, tail, mask, entries, sqFlags, dropped, array   uint32
		_                                                    [13]uint32
	}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(fd))
	const entriesAt, entrySize = 0x10000000, 64
	queue, err := unix.Mmap(int(fd), 0, int(p.array+4*p.sqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map its queue: %w", err)
	}
	entries, err := unix.Mmap(int(fd), entriesAt, int(entrySize*p.sqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return errors.Join(fmt.Errorf("map its entries: %w", err), unix.Munmap(queue))
	}
	*(*uint32)(unsafe.Pointer(&queue[p.tail]))++
	const getEvents = 1
	if _, _, errno = unix.Syscall6(unix.SYS_IO_URING_ENTER, fd, 1, 1, getEvents, 0, 0); errno != 0 {
		err = errno
	}
	return errors.Join(err, unix.Munmap(entries), unix.Munmap(queue))
}
