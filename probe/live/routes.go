// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// routeTable is a table of routes in memory that is shared with the kernel: a route changes in one store, so that a call on its way goes by
// the old one or by the new one.
type routeTable struct {
	mem   []byte
	words *[event.MaxSyscall]uint64
}

func mapRoutes(m *ebpf.Map) (*routeTable, error) {
	const size = event.MaxSyscall * int(unsafe.Sizeof(route{}))
	mem, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map routes: %w", err)
	}
	return &routeTable{mem: mem, words: (*[event.MaxSyscall]uint64)(unsafe.Pointer(&mem[0]))}, nil
}

// set makes the routes those of a plan.
func (t *routeTable) set(routes *[event.MaxSyscall]route) {
	for nr := range routes {
		t.put(nr, routes[nr])
	}
}

// keep takes out the routes that a plan does not have.
func (t *routeTable) keep(routes *[event.MaxSyscall]route) {
	for nr := range routes {
		if routes[nr] == (route{}) {
			t.put(nr, route{})
		}
	}
}

func (t *routeTable) put(nr int, r route) {
	word := binary.NativeEndian.Uint64((*[unsafe.Sizeof(r)]byte)(unsafe.Pointer(&r))[:])
	if atomic.LoadUint64(&t.words[nr]) != word {
		atomic.StoreUint64(&t.words[nr], word)
	}
}

func (t *routeTable) close() {
	if t != nil {
		_ = unix.Munmap(t.mem)
	}
}
