// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strings"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/state"
)

// metadata returns what is known of the event's container, if any of the given facts is among it. Where it is not, because it is still
// being found out or because nobody could tell, the event is marked: see Lacking.
func (c *Ctx) metadata(want container.Facts) (*container.Metadata, bool) {
	if _, in := c.container(); !in {
		return nil, false
	}
	key := container.Key{V2: c.Rec.Cgroup, V1: c.Rec.Cgroup1}
	box := c.pinned
	if box == nil {
		if box = c.Host.Containers.Box(key); box == nil {
			return nil, false
		}
	}
	settled := box.Settled() // before its metadata is taken: what comes between makes no difference then
	m := box.Metadata()
	if m.Have&want == want && want != 0 {
		return m, true
	}
	if !settled {
		c.Host.Containers.Await(box)
		settled, m = box.Settled(), box.Metadata()
		if m.Have&want == want {
			return m, true
		}
	}
	c.lacking |= want &^ m.Have
	c.lacks, c.waits = box, c.waits || !settled
	return m, want == 0
}

// Lacking reports whether something was asked of the event's container since Begin that is not known, and whether it may still become known.
func (c *Ctx) Lacking() (lacks, waits bool) { return c.lacking != 0, c.waits }

// ofContainer reads a field from what is known of the container.
func ofContainer(want container.Facts, read func(m *container.Metadata, a Arg) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, a Arg) (Value, bool) {
		m, ok := c.metadata(want)
		if !ok {
			return Value{}, false
		}
		return read(m, a)
	}
}

// containerText is ofContainer for text; an empty one is absent.
func containerText(want container.Facts, read func(m *container.Metadata) string) func(*Ctx, Arg) (Value, bool) {
	return ofContainer(want, func(m *container.Metadata, _ Arg) (Value, bool) {
		s := read(m)
		return Str(s), s != ""
	})
}

// containerRight is ofContainer for what only the runtimes have that follow docker's model.
func containerRight(read func(m *container.Metadata) bool) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		m, ok := c.metadata(container.HasRights)
		if !ok || c.box.Named() {
			return Value{}, false
		}
		return boolean(read(m)), true
	}
}

// mount finds one mount: by its place, or by a pattern of what key returns.
func (c *Ctx) mount(a Arg, key func(m *container.Mount) string) *container.Mount {
	m, ok := c.metadata(container.HasMounts)
	switch {
	case !ok:
		return nil
	case a.IsIndex:
		if a.Index >= len(m.Mounts) {
			return nil
		}
		return &m.Mounts[a.Index]
	}
	for i := range m.Mounts {
		if Glob(a.Key, key(&m.Mounts[i]), false) {
			return &m.Mounts[i]
		}
	}
	return nil
}

func mountText(key, read func(m *container.Mount) string) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, a Arg) (Value, bool) {
		m := c.mount(a, key)
		if m == nil {
			return Value{}, false
		}
		return Str(read(m)), true
	}
}

// appendMount writes a mount as source:destination:mode:rdwr:propagation.
func appendMount(b []byte, m *container.Mount) []byte {
	for i, s := range [...]string{m.Source, m.Dest, m.Mode, trueFalse(m.RW), m.Propagation} {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, s...)
	}
	return b
}

func trueFalse(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// keepLabels writes labels as key:value, separated by a comma and a space or by sep.
func (c *Ctx) keepLabels(list []container.Label, sep string) (Value, bool) {
	c.scratch = c.scratch[:0]
	for i := range list {
		if i > 0 {
			c.scratch = append(c.scratch, sep...)
		}
		c.scratch = append(append(append(c.scratch, list[i].Key...), ':'), list[i].Value...)
	}
	return Str(c.keep(c.scratch)), len(list) > 0
}

const mountForms = ByIndex | ByKey

func metadataFields() []Def {
	source := func(m *container.Mount) string { return m.Source }
	dest := func(m *container.Mount) string { return m.Dest }
	return []Def{
		{Name: "container.image", Type: event.CharBuf, Example: "container.image startswith docker.io/", Desc: "image that the container was made from, as its runtime names it",
			Get: containerText(container.HasImage, func(m *container.Metadata) string { return m.Image })},
		{Name: "container.image.id", Type: event.CharBuf, Example: "container.image.id exists", Desc: "id of the container's image, without the name of the hash",
			Get: containerText(container.HasImageID, func(m *container.Metadata) string { return m.ImageID })},
		{Name: "container.image.repository", Type: event.CharBuf, Flags: Suggested, Example: "container.image.repository endswith /nginx", Desc: "name of the container's image with its registry, without tag and digest",
			Get: containerText(container.HasImage, func(m *container.Metadata) string { return m.Repository })},
		{Name: "container.image.tag", Type: event.CharBuf, Flags: Suggested, Example: "container.image.tag = latest", Desc: "tag of the container's image",
			Get: containerText(container.HasImage, func(m *container.Metadata) string { return m.Tag })},
		{Name: "container.image.digest", Type: event.CharBuf, Example: "container.image.digest startswith sha256:", Desc: "digest by which the registry knows the container's image",
			Get: containerText(container.HasDigest, func(m *container.Metadata) string { return m.Digest })},
		{Name: "container.privileged", Type: event.Bool, Example: "container.privileged = true", Desc: "the container was started with all privileges",
			Get: containerRight(func(m *container.Metadata) bool { return m.Privileged })},
		{Name: "container.host_pid", Type: event.Bool, Example: "container.host_pid = true", Desc: "the container uses the host's pid namespace",
			Get: containerRight(func(m *container.Metadata) bool { return m.HostPID })},
		{Name: "container.host_network", Type: event.Bool, Example: "container.host_network = true", Desc: "the container uses the host's network namespace",
			Get: containerRight(func(m *container.Metadata) bool { return m.HostNetwork })},
		{Name: "container.host_ipc", Type: event.Bool, Example: "container.host_ipc = true", Desc: "the container uses the host's ipc namespace",
			Get: containerRight(func(m *container.Metadata) bool { return m.HostIPC })},
		{Name: "container.mounts", Type: event.CharBuf, Example: "container.mounts contains /var/run/docker.sock", Desc: "what is mounted into the container, separated by commas, each as source:destination:mode:rdwr:propagation",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				m, ok := c.metadata(container.HasMounts)
				if !ok {
					return Value{}, false
				}
				c.scratch = c.scratch[:0]
				for i := range m.Mounts {
					if i > 0 {
						c.scratch = append(c.scratch, ',')
					}
					c.scratch = appendMount(c.scratch, &m.Mounts[i])
				}
				return Str(c.keep(c.scratch)), true
			}},
		{Name: "container.mount", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount[/etc*] exists", Desc: "one mount, by index or by a pattern of its source, as source:destination:mode:rdwr:propagation",
			Get: func(c *Ctx, a Arg) (Value, bool) {
				m := c.mount(a, source)
				if m == nil {
					return Value{}, false
				}
				c.scratch = appendMount(c.scratch[:0], m)
				return Str(c.keep(c.scratch)), true
			}},
		{Name: "container.mount.source", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount.source[/host] = /", Desc: "source of one mount, by index or by a pattern of its destination", Get: mountText(dest, source)},
		{Name: "container.mount.dest", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount.dest[/var/log*] startswith /logs", Desc: "destination of one mount, by index or by a pattern of its source", Get: mountText(source, dest)},
		{Name: "container.mount.mode", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount.mode[/etc] = ro", Desc: "options that one mount was written with, by index or by a pattern of its source",
			Get: mountText(source, func(m *container.Mount) string { return m.Mode })},
		{Name: "container.mount.rdwr", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount.rdwr[/etc] = true", Desc: "true when one mount can be written to, else false; by index or by a pattern of its source",
			Get: mountText(source, func(m *container.Mount) string { return trueFalse(m.RW) })},
		{Name: "container.mount.propagation", Type: event.CharBuf, Arg: ArgRequired, Form: mountForms, Example: "container.mount.propagation[/mnt] = rshared", Desc: "propagation of one mount, by index or by a pattern of its source",
			Get: mountText(source, func(m *container.Mount) string { return m.Propagation })},
		{Name: "container.healthcheck", Type: event.CharBuf, Example: "container.healthcheck != NONE", Desc: "command by which docker looks after the container's health, NONE without one",
			Get: probeText(func(m *container.Metadata) container.Probe { return m.Healthcheck })},
		{Name: "container.liveness_probe", Type: event.CharBuf, Example: "container.liveness_probe != NONE", Desc: "command by which Kubernetes finds out whether the container lives, NONE without one",
			Get: probeText(func(m *container.Metadata) container.Probe { return m.Liveness })},
		{Name: "container.readiness_probe", Type: event.CharBuf, Example: "container.readiness_probe != NONE", Desc: "command by which Kubernetes finds out whether the container is ready, NONE without one",
			Get: probeText(func(m *container.Metadata) container.Probe { return m.Readiness })},
		{Name: "container.ip", Type: event.CharBuf, Example: "container.ip startswith 10.", Desc: "address of the container, or of its pod",
			Get: containerText(container.HasIP, func(m *container.Metadata) string { return m.IP })},
		{Name: "container.cni.json", Type: event.CharBuf, Example: "container.cni.json contains eth0", Desc: "what the network plugin said of the container's network",
			Get: containerText(container.HasCNI, func(m *container.Metadata) string { return m.CNI })},
		{Name: "container.label", Type: event.CharBuf, Arg: ArgRequired, Form: ByKey | ByDot, Example: "container.label.team = web", Desc: "one label of the container",
			Get: ofContainer(container.HasLabels, func(m *container.Metadata, a Arg) (Value, bool) {
				s, ok := m.Label(a.Key)
				return Str(s), ok
			})},
		{Name: "container.labels", Type: event.CharBuf, Example: "container.labels contains team:web", Desc: "labels of the container as key:value, separated by commas",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				m, ok := c.metadata(container.HasLabels)
				if !ok {
					return Value{}, false
				}
				return c.keepLabels(m.Labels, ",")
			}},
		{Name: "container.metadata", Type: event.CharBuf, Flags: Ours, Example: "container.metadata = disk", Desc: "where the metadata of the container came from: disk, or api when a runtime's socket had to be asked; pending while it is still being found out, none when nobody could tell",
			Get: metadataState},
	}
}

// metadataState is container.metadata.
func metadataState(c *Ctx, _ Arg) (Value, bool) {
	if _, in := c.container(); !in {
		return Value{}, false
	}
	m, ok := c.metadata(container.HasName)
	switch {
	case m == nil:
		return Value{}, false
	case ok && m.From != container.FromNowhere:
		return Str(m.From.String()), true
	case c.waits:
		return Str("pending"), true
	}
	return Str("none"), true
}

func probeText(read func(m *container.Metadata) container.Probe) func(*Ctx, Arg) (Value, bool) {
	return ofContainer(container.HasProbes, func(m *container.Metadata, _ Arg) (Value, bool) { return Str(read(m).String()), true })
}

// inProbe reports whether the process, or one that it descends from within the container, was started as a probe.
func inProbe(read func(m *container.Metadata) *container.Probe) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		p, img := c.Process()
		if !p.Known() {
			return Value{}, false
		}
		m, ok := c.metadata(container.HasProbes)
		if !ok {
			return boolean(false), true
		}
		probe := read(m)
		for n := 0; probe.Exe != "" && p != nil && n < maxAncestors; n++ {
			if n > 0 {
				img = p.At(c.Rec.TS)
			}
			if isProbe(img, probe) {
				return boolean(true), true
			}
			p = c.next(p, n)
		}
		return boolean(false), true
	}
}

func isProbe(img *state.Image, p *container.Probe) bool {
	if img.NArgs != len(p.Args) || img.Exe != p.Exe && img.ExePath != p.Exe && img.Comm != p.Exe[strings.LastIndexByte(p.Exe, '/')+1:] {
		return false
	}
	for i, want := range p.Args {
		if got, _ := img.Arg(i); got != want {
			return false
		}
	}
	return true
}

func probeFields() []Def {
	return []Def{
		{Name: "proc.is_container_healthcheck", Type: event.Bool, Cost: 60, Example: "proc.is_container_healthcheck = false", Desc: "the process belongs to the command by which docker looks after the container's health",
			Get: inProbe(func(m *container.Metadata) *container.Probe { return &m.Healthcheck })},
		{Name: "proc.is_container_liveness_probe", Type: event.Bool, Cost: 60, Example: "proc.is_container_liveness_probe = false", Desc: "the process belongs to the command by which Kubernetes finds out whether the container lives",
			Get: inProbe(func(m *container.Metadata) *container.Probe { return &m.Liveness })},
		{Name: "proc.is_container_readiness_probe", Type: event.Bool, Cost: 60, Example: "proc.is_container_readiness_probe = false", Desc: "the process belongs to the command by which Kubernetes finds out whether the container is ready",
			Get: inProbe(func(m *container.Metadata) *container.Probe { return &m.Readiness })},
	}
}

// Freeze returns a context of the same event that stays good when c begins others: the record is copied, and what the tables say of the
// process and its parent now is kept. Again must be called before it is read.
func (c *Ctx) Freeze() *Ctx {
	r := new(event.Record)
	if err := r.Reset(append([]byte(nil), c.Rec.Raw()...)); err != nil {
		panic("BUG: a record that was good is not: " + err.Error())
	}
	f := &Ctx{Rec: r, Host: c.Host, Num: c.Num, first: c.first, last: c.last, delta: c.delta, pinned: c.lacks}
	f.proc, f.img = c.Process()
	f.parent = c.Parent()
	f.box, f.inBox = c.container()
	return f
}

// Again makes a frozen context forget the values that were read, so that fields are read anew.
func (c *Ctx) Again() {
	c.done = cachedProc | cachedParent | cachedBox
	c.lacking, c.waits, c.guessed = 0, false, false
	c.arena = c.arena[:0]
}
