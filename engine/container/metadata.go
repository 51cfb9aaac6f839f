// SPDX-License-Identifier: Apache-2.0

package container

import (
	"slices"
	"strings"
)

// Facts says which groups of a Metadata's members are known. A member whose group is known and that is empty is empty; of any
// other nothing can be said.
type Facts uint32

// The groups of facts.
const (
	HasName      Facts = 1 << iota // Name
	HasImage                       // Image, Repository, Tag
	HasImageID                     // ImageID
	HasDigest                      // Digest
	HasLabels                      // Labels
	HasMounts                      // Mounts
	HasRights                      // Privileged, HostPID, HostNetwork, HostIPC
	HasIP                          // IP
	HasCNI                         // CNI
	HasProbes                      // Healthcheck, Liveness, Readiness
	HasPod                         // InPod, and where that holds PodName, PodNamespace, PodUID, SandboxID
	HasPodLabels                   // PodLabels
	HasPodNet                      // PodIP, PodCNI

	hasAll = 1<<iota - 1
)

// Source says where facts come from.
type Source uint8

// The sources, in the order in which they are asked.
const (
	FromNowhere Source = iota
	FromDisk           // files that a runtime left on the disk
	FromAPI            // a runtime's socket
)

// String returns "", "disk" or "api".
func (s Source) String() string { return [...]string{"", "disk", "api"}[s] }

// Label is a key with its value.
type Label struct{ Key, Value string }

// Mount is one mount that a container was started with.
type Mount struct {
	Source, Dest, Mode, Propagation string
	RW                              bool
}

// Probe is a command by which the health of a container is looked at. The zero Probe is none.
type Probe struct {
	Exe  string
	Args []string
	line string
}

// String is the command as one line, "NONE" for none.
func (p Probe) String() string {
	if p.Exe == "" {
		return "NONE"
	}
	return p.line
}

// Metadata is what is known of a container. It is never changed once a Box returns it.
type Metadata struct {
	Have Facts
	From Source // the source of name and image, or of what else is known
	Type string // the runtime, where a source knows it better than the cgroup's path; else ""

	Name                                    string
	Image, ImageID, Repository, Tag, Digest string
	Labels                                  []Label // sorted by key
	Mounts                                  []Mount
	Privileged                              bool
	HostPID, HostNetwork, HostIPC           bool
	IP, CNI                                 string
	Healthcheck, Liveness, Readiness        Probe

	InPod, IsSandbox              bool
	PodName, PodNamespace, PodUID string
	SandboxID                     string // whole
	PodLabels                     []Label
	PodIP, PodCNI                 string
}

// The bounds of what is kept of a container, whatever a runtime says.
const (
	maxText    = 4096
	maxCNI     = 16 << 10
	maxLabels  = 256
	maxMounts  = 256
	labelBytes = 16 << 10 // of all labels of one list
	mountBytes = 32 << 10
	maxArgs    = 64
)

// cut bounds a text. It is copied, so that no short text keeps a whole file in memory.
func cut(s string, n int) string { return strings.Clone(s[:min(len(s), n)]) }

// labels sorts and bounds; what finds no room is left out. Kubernetes' annotations, which runtimes list as labels, are none.
func labels(m map[string]string) []Label {
	var out []Label
	for k, v := range m {
		if k != "" && len(k)+len(v) <= maxText && !strings.HasPrefix(k, "annotation.") {
			out = append(out, Label{k, v})
		}
	}
	slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Key, b.Key) })
	room := labelBytes
	for i := range out {
		if room -= len(out[i].Key) + len(out[i].Value); room < 0 || i >= maxLabels {
			return out[:i:i]
		}
		out[i] = Label{strings.Clone(out[i].Key), strings.Clone(out[i].Value)}
	}
	return out
}

// podLabels is labels without those that Kubernetes adds itself.
func podLabels(m map[string]string) []Label {
	return slices.DeleteFunc(labels(m), func(l Label) bool { return strings.HasPrefix(l.Key, "io.kubernetes.") })
}

// addMount appends a mount as long as there is room.
func (m *Metadata) addMount(mount Mount, room *int) {
	if *room == 0 {
		*room = mountBytes
	}
	size := len(mount.Source) + len(mount.Dest) + len(mount.Mode) + len(mount.Propagation)
	if len(m.Mounts) >= maxMounts || size > maxText || size >= *room {
		return
	}
	*room -= size
	m.Mounts = append(m.Mounts, Mount{
		strings.Clone(mount.Source), strings.Clone(mount.Dest), strings.Clone(mount.Mode), strings.Clone(mount.Propagation), mount.RW,
	})
}

// setImage takes an image's reference: a name with an optional registry, tag and digest.
func (m *Metadata) setImage(ref string) {
	if ref == "" || isImageID(ref) {
		return
	}
	m.Have |= HasImage
	m.Image = cut(ref, maxText)
	name, digest, ok := strings.Cut(m.Image, "@")
	if ok && m.Digest == "" {
		m.Digest = digest
		m.Have |= HasDigest
	}
	m.Repository, m.Tag = name, ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		m.Repository, m.Tag = name[:i], name[i+1:]
	}
}

// isImageID reports whether a reference is no name but the id of an image.
func isImageID(ref string) bool {
	id := strings.TrimPrefix(ref, "sha256:")
	return len(id) == idLen && isHex(id)
}

// setImageID takes an image's id, with or without the name of the hash.
func (m *Metadata) setImageID(id string) {
	if id = strings.TrimPrefix(id, "sha256:"); id != "" && len(id) <= maxText {
		m.ImageID = strings.Clone(id)
		m.Have |= HasImageID
	}
}

// setDigest takes a reference with a digest: NAME@sha256:HEX.
func (m *Metadata) setDigest(ref string) {
	if _, digest, ok := strings.Cut(ref, "@"); ok && digest != "" {
		m.Digest = cut(digest, maxText)
		m.Have |= HasDigest
	}
}

func newProbe(words []string) Probe {
	if len(words) == 0 {
		return Probe{}
	}
	p := Probe{Exe: cut(words[0], maxText)}
	for _, w := range words[1:min(len(words), maxArgs)] {
		p.Args = append(p.Args, cut(w, maxText))
	}
	p.line = strings.Join(append([]string{p.Exe}, p.Args...), " ")
	return p
}

// find looks for a key in a sorted list.
func find(list []Label, key string) (value string, ok bool) {
	if i, ok := slices.BinarySearchFunc(list, key, func(l Label, k string) int { return strings.Compare(l.Key, k) }); ok {
		return list[i].Value, true
	}
	return "", false
}

// Label returns the value of a label of the container.
func (m *Metadata) Label(key string) (value string, ok bool) { return find(m.Labels, key) }

// PodLabel returns the value of a label of the container's pod.
func (m *Metadata) PodLabel(key string) (value string, ok bool) { return find(m.PodLabels, key) }

// merge returns m with the facts of o that it lacks. Neither is changed.
func (m *Metadata) merge(o *Metadata) *Metadata {
	if m == nil {
		return o
	}
	out := *m
	lacks := func(f Facts) bool { return m.Have&f == 0 && o.Have&f != 0 }
	if o.Type != "" && out.Type == "" {
		out.Type = o.Type
	}
	if lacks(HasName) {
		out.Name = o.Name
	}
	if lacks(HasImage) {
		out.Image, out.Repository, out.Tag = o.Image, o.Repository, o.Tag
	}
	if lacks(HasImageID) {
		out.ImageID = o.ImageID
	}
	if lacks(HasDigest) {
		out.Digest = o.Digest
	}
	if lacks(HasLabels) {
		out.Labels = o.Labels
	}
	if lacks(HasMounts) {
		out.Mounts = o.Mounts
	}
	if lacks(HasRights) {
		out.Privileged, out.HostPID, out.HostNetwork, out.HostIPC = o.Privileged, o.HostPID, o.HostNetwork, o.HostIPC
	}
	if lacks(HasIP) {
		out.IP = o.IP
	}
	if lacks(HasCNI) {
		out.CNI = o.CNI
	}
	if lacks(HasProbes) {
		out.Healthcheck, out.Liveness, out.Readiness = o.Healthcheck, o.Liveness, o.Readiness
	}
	if lacks(HasPod) {
		out.InPod, out.IsSandbox, out.PodName, out.PodNamespace, out.PodUID, out.SandboxID = o.InPod, o.IsSandbox, o.PodName, o.PodNamespace, o.PodUID, o.SandboxID
	}
	if lacks(HasPodLabels) {
		out.PodLabels = o.PodLabels
	}
	if lacks(HasPodNet) {
		out.PodIP, out.PodCNI = o.PodIP, o.PodCNI
	}
	if lacks(HasName) || lacks(HasImage) {
		out.From = o.From
	}
	out.Have |= o.Have
	return &out
}
