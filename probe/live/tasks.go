// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"falconet/engine/event"

	"github.com/cilium/ebpf/link"
)

// ErrNoIterator is returned by Tasks on a kernel that refused the task iterator.
var ErrNoIterator = errors.New("this kernel has no task iterator")

// Tasks calls fn with the facts of every process that runs now.
func (p *Probe) Tasks(fn func(*event.TaskFacts)) error {
	if p.iter == nil {
		return ErrNoIterator
	}
	it, err := link.AttachIter(link.IterOptions{Program: p.iter})
	if err != nil {
		return fmt.Errorf("attach task iterator: %w", err)
	}
	defer func() { _ = it.Close() }()
	from, err := it.Open()
	if err != nil {
		return fmt.Errorf("open task iterator: %w", err)
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
