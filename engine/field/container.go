// SPDX-License-Identifier: Apache-2.0

package field

import (
	"falconet/engine/container"
	"falconet/engine/event"
)

// container returns the container that the event happened in; in is false for the host.
func (c *Ctx) container() (info container.Info, in bool) {
	if c.done&cachedBox == 0 {
		c.done |= cachedBox
		key := container.Key{V2: c.Rec.Cgroup, V1: c.Rec.Cgroup1}
		c.box, c.inBox = c.Host.Containers.Lookup(key, c.Rec.PID, func() bool {
			return c.Host.Procs.Alive(c.Rec.PID, c.Rec.Start)
		})
	}
	return c.box, c.inBox
}

// Contained returns the event's container and what is known of it by now; m is nil for the host, and where nothing is.
func (c *Ctx) Contained() (info container.Info, m *container.Metadata) {
	info, in := c.container()
	if !in {
		return info, nil
	}
	box := c.Host.Containers.Box(container.Key{V2: c.Rec.Cgroup, V1: c.Rec.Cgroup1})
	if box == nil || box.Metadata().Have == 0 {
		return info, nil
	}
	return info, box.Metadata()
}

const hostID = "host"

// containerID is container.id: "host" outside of containers, and "" for a process with a pid namespace of its own whose
// cgroup names no container.
func (c *Ctx) containerID() (id string, host bool) {
	if info, in := c.container(); in {
		return info.ID, false
	}
	if p, _ := c.Process(); p.InPidns() {
		return "", false
	}
	return hostID, true
}

// inContainer reads what only processes in containers have.
func inContainer(read func(c *Ctx, info *container.Info) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		if _, in := c.container(); !in {
			return Value{}, false
		}
		return read(c, &c.box)
	}
}

func (c *Ctx) pidnsStart() (uint64, bool) {
	_, img := c.Process()
	return img.Task.PidnsStart, img.HasTask && !img.FromProc && img.Task.PidnsStart != 0
}

func containerFields() []Def {
	onHost := func(read func(c *Ctx) (string, bool)) func(*Ctx, Arg) (Value, bool) {
		return func(c *Ctx, _ Arg) (Value, bool) {
			if _, host := c.containerID(); host {
				return Str(hostID), true
			}
			if _, in := c.container(); !in {
				return Value{}, false
			}
			s, ok := read(c)
			return Str(s), ok
		}
	}
	return []Def{
		{Name: "container.id", Type: event.CharBuf, Flags: Suggested, Example: "container.id != host", Desc: "first 12 characters of the container's id, host outside of containers",
			Get: func(c *Ctx, _ Arg) (Value, bool) { id, _ := c.containerID(); return Str(id), true }},
		{Name: "container.full_id", Type: event.CharBuf, Example: "container.full_id exists", Desc: "the container's whole id",
			Get: inContainer(func(_ *Ctx, i *container.Info) (Value, bool) { return Str(i.FullID), true })},
		{Name: "container.name", Type: event.CharBuf, Flags: Suggested, Example: "container.name = host", Desc: "name of the container, host outside of containers; absent while it is not known",
			Get: onHost(func(c *Ctx) (string, bool) {
				m, ok := c.metadata(container.HasName)
				if !ok { // these runtimes' ids are the names that users gave
					return c.box.FullID, c.box.Named()
				}
				return m.Name, true
			})},
		{Name: "container.type", Type: event.CharBuf, Example: "container.type = docker", Desc: "what runs the container: docker, podman, containerd, cri-o, cri, lxc and so on; host outside of containers",
			Get: onHost(func(c *Ctx) (string, bool) {
				if m, _ := c.metadata(0); m != nil && m.Type != "" {
					return m.Type, true
				}
				return c.box.Type, true
			})},
		{Name: "container.start_ts", Type: event.Uint64, Example: "container.start_ts > 0", Desc: "when the first process of the container's pid namespace was made, in nanoseconds since the epoch",
			Get: inContainer(func(c *Ctx, _ *container.Info) (Value, bool) {
				start, ok := c.pidnsStart()
				return num(event.Uint64, c.namespaced(start)), ok
			})},
		{Name: "container.duration", Type: event.RelTime, Example: "container.duration < 60000000000", Desc: "nanoseconds since the first process of the container's pid namespace was made",
			Get: inContainer(func(c *Ctx, _ *container.Info) (Value, bool) {
				start, ok := c.pidnsStart()
				return num(event.RelTime, uint64(c.Time())-min(c.namespaced(start), uint64(c.Time()))), ok
			})},
	}
}

// Apply lets the host's tables follow a record about process life; others it ignores. It comes before Begin.
func (h *Host) Apply(r *event.Record) {
	h.Procs.Apply(r)
	if b, ok := r.Part(event.PartCgroups); ok {
		h.Containers.Learn(container.Key{V2: r.Cgroup, V1: r.Cgroup1}, b)
	}
	if h.ReadsUsers && (r.Event == execRows[0] || r.Event == execRows[1]) && r.Flags&event.FlagFailed == 0 {
		h.meetGuest(r)
	}
}

var execRows = [2]event.ID{event.ByName("execve")[0], event.ByName("execveat")[0]}

// meetGuest finds out what a container names its users as soon as its first program runs: it may be gone when a rule asks.
func (h *Host) meetGuest(r *event.Record) {
	p, _, ok := h.Procs.Lookup(r.PID, r.Start, r.TS)
	if !ok {
		return
	}
	info, in := h.Containers.Lookup(container.Key{V2: r.Cgroup, V1: r.Cgroup1}, r.PID, func() bool { return h.Procs.Alive(r.PID, r.Start) })
	if in && !h.Guests.Knows(info.FullID) {
		h.Guests.Of(p, info.FullID)
	}
}
