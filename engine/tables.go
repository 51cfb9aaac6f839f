// SPDX-License-Identifier: Apache-2.0

package engine

// Tables tells of each table how many entries it has, and how many left or were
// refused because there was no room. It may be called from any goroutine.
func (e *Engine) Tables(tell func(name string, entries, evictions uint64)) {
	procs, cgroups := e.host.Procs.Stats(), e.host.Containers.Stats()
	boxes, guests := e.host.Containers.StoreStats(), e.host.Guests.Stats()
	tell("processes", procs.Processes, procs.Evictions)
	tell("cgroups", cgroups.Entries, cgroups.Evictions)
	tell("containers", boxes.Containers, boxes.Evictions+boxes.Refused)
	tell("container_users", guests.Roots, guests.Evictions)
	tell("held_events", uint64(e.waiting.Load()), e.unheld.Load())
}

// Metadata tells where what is known of containers came from, by the number of containers. It may be called from any goroutine.
func (e *Engine) Metadata(tell func(from string, containers uint64)) {
	s := e.host.Containers.StoreStats()
	tell("disk", s.FromDisk)
	tell("api", s.FromAPI)
	tell("none", s.Failed)
}
