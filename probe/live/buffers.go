// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
)

// onlineCPUs is where the kernel lists the processors that run.
const onlineCPUs = "/sys/devices/system/cpu/online"

// OnlineCPUs returns how many processors run now.
func OnlineCPUs() (int, error) {
	cpus, err := readCPUs(onlineCPUs)
	return len(cpus), err
}

func readCPUs(file string) ([]int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("list processors: %w", err)
	}
	return parseCPUs(strings.TrimSpace(string(b)))
}

// maxCPUs is more than any kernel is built for.
const maxCPUs = 1 << 16

// parseCPUs reads the kernel's way of writing a set of processors: "0-3,8".
func parseCPUs(list string) (cpus []int, err error) {
	for field := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(field, "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(to)
		}
		if err != nil || first < 0 || last < first || last >= maxCPUs {
			return nil, fmt.Errorf("list processors: %q is no list of numbers", list)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// share gives every processor that may ever run a ring: each of the online ones, in turn, shares one with its neighbours, and those that are
// not online, should they come, go to the rings that are there. each is how many share a ring, 0 for all.
func share(online []int, possible, each int) (ringOf []int, rings int) {
	if each <= 0 || each > len(online) {
		each = max(len(online), 1)
	}
	rings = max((len(online)+each-1)/each, 1)
	ringOf = make([]int, possible)
	for cpu := range ringOf {
		ringOf[cpu] = cpu % rings
	}
	for i, cpu := range online {
		if cpu < possible {
			ringOf[cpu] = i / each
		}
	}
	return ringOf, rings
}

func ringSize(n int) uint32 {
	n = max(n, os.Getpagesize())
	return 1 << bits.Len32(uint32(n-1))
}

// shareRings decides which processors share a ring of events.
func (p *Probe) shareRings(each int) error {
	possible, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("count processors: %w", err)
	}
	online, err := readCPUs(onlineCPUs)
	if err != nil {
		return err
	}
	p.ringOf, p.rings = share(online, possible, each)
	return nil
}

// makeRings makes the rings of events and tells the probe which processor has which.
func (p *Probe) makeRings(spec *ebpf.MapSpec) error {
	for n := range p.rings {
		m, err := ebpf.NewMap(spec)
		if err != nil {
			return fmt.Errorf("make ring %d of %d, of %d bytes: %w", n+1, p.rings, spec.MaxEntries, err)
		}
		p.eventMaps = append(p.eventMaps, m)
		r, err := mapRing(m)
		if err != nil {
			return fmt.Errorf("map events ring: %w", err)
		}
		p.events = append(p.events, r)
	}
	for cpu, n := range p.ringOf {
		if err := p.maps["events"].Put(uint32(cpu), p.eventMaps[n]); err != nil {
			return fmt.Errorf("write ring of processor %d: %w", cpu, err)
		}
	}
	return nil
}

// Rings returns how many rings carry events, the one of process life not counted.
func (p *Probe) Rings() int { return p.rings }
