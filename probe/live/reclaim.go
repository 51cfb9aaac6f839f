// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
)

// saved is the twin of the structure in probe/bpf/maps.h.
type saved struct {
	Ring, Data, Start uint64
	Args              [6]uint64
	TGID, UID, GID    uint32
	Fault, Used, _    uint32
	At, Len           [maxParts]uint16
	Bytes             [512]byte
}

// reclaimEvery is how often the table of requests is looked at, if it has been full since the last time.
const reclaimEvery = 10 * time.Second

// reclaim keeps the table of io_uring's requests from filling up with those of processes that have ended: the kernel does not complete the
// request that another one took along, when that one failed and had asked for no completion.
func (p *Probe) reclaim(ctx context.Context) {
	tick := time.NewTicker(reclaimEvery)
	defer tick.Stop()
	var seen uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		if full, err := p.timesFull(); err == nil && full != seen {
			seen = full
			_ = p.forgetEnded() // the next time it is full is the next chance
		}
		p.mu.Unlock()
	}
}

// timesFull is how many requests have found the table full.
func (p *Probe) timesFull() (uint64, error) {
	b, err := p.maps[".data.requests"].LookupBytes(uint32(0))
	if err != nil || len(b) < 8 {
		return 0, fmt.Errorf("read probe state: %w", err)
	}
	return binary.LittleEndian.Uint64(b), nil
}

// forgetEnded takes the requests of processes that have ended out of the table.
func (p *Probe) forgetEnded() error {
	type process struct {
		tgid  uint32
		start uint64
	}
	type request struct {
		of   process
		name [2]uint64
	}
	all := make(map[uint64]request)
	var key uint64
	var v saved
	for it := p.maps["pending"].Iterate(); it.Next(&key, &v); {
		all[key] = request{process{v.TGID, v.Start}, [2]uint64{v.Ring, v.Data}}
	}
	alive := make(map[process]bool)
	if err := p.Tasks(func(f *event.TaskFacts) { alive[process{f.PID, f.Start}] = true }); err != nil {
		return err
	}
	for key, r := range all {
		if alive[r.of] {
			continue
		}
		err := p.maps["pending"].Delete(key)
		if nameErr := p.maps["pending_names"].Delete(r.name); !errors.Is(nameErr, ebpf.ErrKeyNotExist) {
			err = errors.Join(err, nameErr)
		}
		if err != nil {
			return fmt.Errorf("forget request: %w", err)
		}
	}
	return nil
}
