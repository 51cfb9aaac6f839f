// SPDX-License-Identifier: Apache-2.0

package container

import "sync"

// room bounds the memory that what is known of containers takes: runtimes say what users wrote, and users write much.
type room struct {
	bytes int // at most

	mu   sync.Mutex
	kept int
}

// limit says how many containers are kept, and how many bytes of what is known of them, about.
func (s *Store) limit(containers, bytes int) { s.max, s.bytes = containers, bytes }

func (r *room) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept > r.bytes
}

// keep takes what is known of a container by now, unless it has left.
func (s *Store) keep(b *Box, m *Metadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.dropped {
		return
	}
	size := m.size()
	s.kept += size - b.size
	b.size = size
	b.meta.Store(m)
}

// evict makes the container leave that has been there longest, of those that were not asked for since they were last looked at.
func (s *Store) evict() {
	for {
		b := s.order[s.head]
		s.order[s.head] = nil
		s.head++
		if b.used {
			b.used = false
			s.order = append(s.order, b)
			continue
		}
		delete(s.boxes, b.Info)
		s.evictions.Add(1)
		s.mu.Lock()
		b.dropped = true
		s.kept -= b.size
		b.size = 0
		b.meta.Store(nil) // cgroups still point here: the next look-up finds out again
		s.mu.Unlock()
		b.phase.Store(phaseSettled)
		return
	}
}

// size is how many bytes m takes, about.
func (m *Metadata) size() int {
	const fixed, each = 700, 64
	n := fixed + len(m.Name) + len(m.Image) + len(m.ImageID) + len(m.Digest) + len(m.IP) + len(m.CNI) + len(m.PodName) + len(m.PodNamespace) + len(m.PodUID) +
		len(m.SandboxID) + len(m.PodIP)
	if m.PodCNI != m.CNI {
		n += len(m.PodCNI)
	}
	for _, list := range [...][]Label{m.Labels, m.PodLabels} {
		for _, l := range list {
			n += each + len(l.Key) + len(l.Value)
		}
	}
	for _, p := range m.Mounts {
		n += each + len(p.Source) + len(p.Dest) + len(p.Mode) + len(p.Propagation)
	}
	for _, p := range [...]Probe{m.Healthcheck, m.Liveness, m.Readiness} {
		n += 2 * len(p.line)
	}
	return n
}
