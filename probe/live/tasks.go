// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// ErrNoIterator is returned by Tasks on a kernel that refused the task iterator.
var ErrNoIterator = errors.New("this kernel has no task iterator")

// Tasks calls fn with the facts of every process that runs now.
func (p *Probe) Tasks(fn func(*event.TaskFacts)) error {
	if p.iter == nil {
		return ErrNoIterator
	}
	from, err := iterate(p.iter)
	if err != nil {
		return fmt.Errorf("start task iterator: %w", err)
	}
	defer func() { _ = from.Close() }()
	in := bufio.NewReaderSize(from, 64<<10)
	b := make([]byte, unsafe.Sizeof(event.TaskFacts{}))
	for {
		if _, err := io.ReadFull(in, b); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read task iterator: %w", err)
		}
		if f, ok := event.DecodeTask(b); ok {
			fn(&f)
		}
	}
}

// iterate starts an iterator: reading what it writes lets it run.
func iterate(program *ebpf.Program) (io.ReadCloser, error) {
	it, err := link.AttachIter(link.IterOptions{Program: program})
	if err != nil {
		return nil, err
	}
	defer func() { _ = it.Close() }()
	return it.Open()
}

// findRoles lets the probe find out which ends of their connections sockets are that are older than it. Without, their
// fields are absent.
func (p *Probe) findRoles(o *loader) {
	lost := func(err error) {
		p.refused = append(p.refused, fmt.Errorf("the roles of sockets that are connected already are not known: %w", err))
	}
	program, err := o.program("old_sockets", false)
	if err != nil {
		lost(err)
		return
	}
	defer func() { _ = program.Close() }()
	for range 2 { // the second time all that listen are known
		run, err := iterate(program)
		if err == nil {
			_, err = io.Copy(io.Discard, run)
			_ = run.Close()
		}
		if err != nil {
			lost(err)
			return
		}
	}
}
