// SPDX-License-Identifier: Apache-2.0

package container

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
)

// NewRecorded returns a resolver for a recording: what its records do not tell is looked up nowhere.
func NewRecorded() *Resolver {
	r := NewResolver(os.DevNull)
	r.told = make(map[string]*Box)
	return r
}

// Recordings tell of containers in JSON, as Falco's libraries write it.
type recordedContainer struct {
	ID          string            `json:"id"`
	FullID      string            `json:"full_id"`
	Type        int               `json:"type"`
	Name        string            `json:"name"`
	Image       string            `json:"image"`
	ImageID     string            `json:"imageid"`
	Repository  string            `json:"imagerepo"`
	Tag         string            `json:"imagetag"`
	Digest      string            `json:"imagedigest"`
	Privileged  bool              `json:"privileged"`
	HostPID     bool              `json:"host_pid"`
	HostNetwork bool              `json:"host_network"`
	HostIPC     bool              `json:"host_ipc"`
	IsSandbox   bool              `json:"is_pod_sandbox"`
	State       int               `json:"lookup_state"`
	Mounts      []recordedMount   `json:"Mounts"`
	IP          string            `json:"ip"`
	CNI         string            `json:"cni_json"`
	SandboxID   string            `json:"pod_sandbox_id"`
	Labels      map[string]string `json:"labels"`
	PodLabels   map[string]string `json:"pod_sandbox_labels"`
	Healthcheck *recordedProbe    `json:"Healthcheck,omitempty"`
	Liveness    *recordedProbe    `json:"LivenessProbe,omitempty"`
	Readiness   *recordedProbe    `json:"ReadinessProbe,omitempty"`

	// Ours are what the others have no place for.
	Ours *recordedOurs `json:"falconet,omitempty"`
}

type recordedMount struct {
	Source, Destination, Mode, Propagation string
	RW                                     bool
}

type recordedProbe struct {
	Exe  string   `json:"exe"`
	Args []string `json:"args"`
}

type recordedOurs struct {
	Have         Facts
	From         Source
	Type         string
	InPod        bool
	PodName      string
	PodNamespace string
	PodUID       string
	PodIP        string
	PodCNI       string
}

// recordedTypes are the runtimes by their numbers in recordings.
var recordedTypes = []string{0: "docker", 1: "lxc", 2: "libvirt-lxc", 6: "cri", 7: "containerd", 8: "cri-o", 9: "bpm", 11: "podman"}

// lookedUp is the state of a container of which something was found.
const lookedUp = 1

// Tell takes what a recording says of a container. What is no such thing is passed over.
func (r *Resolver) Tell(text []byte) {
	var all struct {
		Container recordedContainer `json:"container"`
	}
	if json.Unmarshal(text, &all) != nil || all.Container.ID == "" || len(r.told) >= maxBoxes && r.told[all.Container.ID] == nil {
		return
	}
	c := &all.Container
	b := settledBox()
	b.meta.Store(c.metadata())
	r.told[cut(c.ID, maxText)] = b
}

// settledBox is a container of which nothing more will be known.
func settledBox() *Box {
	b := &Box{read: make(chan struct{})}
	close(b.read)
	b.phase.Store(phaseSettled)
	return b
}

// recorded returns what a recording told of a container.
func (r *Resolver) recorded(info Info) *Box {
	if b := r.told[info.ID]; b != nil {
		return b
	}
	return untold
}

var untold = settledBox()

func (c *recordedContainer) metadata() *Metadata {
	m := &Metadata{
		From: FromAPI, Name: cut(c.Name, maxText), Image: cut(c.Image, maxText), ImageID: cut(c.ImageID, maxText), Repository: cut(c.Repository, maxText),
		Tag: cut(c.Tag, maxText), Digest: cut(c.Digest, maxText), Privileged: c.Privileged, HostPID: c.HostPID, HostNetwork: c.HostNetwork, HostIPC: c.HostIPC,
		IsSandbox: c.IsSandbox, SandboxID: cut(c.SandboxID, maxText), Labels: labels(c.Labels), PodLabels: podLabels(c.PodLabels), CNI: cut(c.CNI, maxCNI),
		Healthcheck: c.Healthcheck.probe(), Liveness: c.Liveness.probe(), Readiness: c.Readiness.probe(),
	}
	if c.IP != "0.0.0.0" {
		m.IP = cut(c.IP, maxText)
	}
	room := 0
	for _, mount := range c.Mounts {
		m.addMount(Mount{mount.Source, mount.Destination, mount.Mode, mount.Propagation, mount.RW}, &room)
	}
	if o := c.Ours; o != nil {
		m.Have, m.From, m.Type = o.Have&hasAll, min(o.From, FromAPI), cut(o.Type, maxText)
		m.InPod, m.PodName, m.PodNamespace, m.PodUID = o.InPod, cut(o.PodName, maxText), cut(o.PodNamespace, maxText), cut(o.PodUID, maxText)
		m.PodIP, m.PodCNI = cut(o.PodIP, maxText), cut(o.PodCNI, maxCNI)
		return m
	}
	if c.State != lookedUp {
		return nothing
	}
	m.Have = hasAll
	if c.Type >= 0 && c.Type < len(recordedTypes) {
		m.Type = recordedTypes[c.Type]
	}
	m.InPod = c.SandboxID != "" || c.Labels["io.kubernetes.pod.name"] != ""
	m.PodName, m.PodNamespace, m.PodUID = cut(c.Labels["io.kubernetes.pod.name"], maxText), cut(c.Labels["io.kubernetes.pod.namespace"], maxText), cut(c.Labels["io.kubernetes.pod.uid"], maxText)
	m.PodIP, m.PodCNI = m.IP, m.CNI
	return m
}

func (p *recordedProbe) probe() Probe {
	if p == nil || p.Exe == "" {
		return Probe{}
	}
	args := slices.Clone(p.Args[:min(len(p.Args), maxArgs)])
	for i := range args {
		args[i] = cut(args[i], maxText)
	}
	exe := cut(p.Exe, maxText)
	return Probe{Exe: exe, Args: args, line: strings.Join(append([]string{exe}, args...), " ")}
}

func recordProbe(p Probe) *recordedProbe {
	if p.Exe == "" {
		return nil
	}
	return &recordedProbe{Exe: p.Exe, Args: p.Args}
}

// Recorded returns what a recording says of a container, for Tell.
func Recorded(info Info, m *Metadata) []byte {
	c := recordedContainer{
		ID: info.ID, FullID: info.FullID, Name: m.Name, Image: m.Image, ImageID: m.ImageID, Repository: m.Repository, Tag: m.Tag, Digest: m.Digest,
		Privileged: m.Privileged, HostPID: m.HostPID, HostNetwork: m.HostNetwork, HostIPC: m.HostIPC, IsSandbox: m.IsSandbox, State: lookedUp,
		IP: m.IP, CNI: m.CNI, SandboxID: m.SandboxID, Mounts: []recordedMount{}, Labels: map[string]string{}, PodLabels: map[string]string{},
		Healthcheck: recordProbe(m.Healthcheck), Liveness: recordProbe(m.Liveness), Readiness: recordProbe(m.Readiness),
		Ours: &recordedOurs{m.Have, m.From, m.Type, m.InPod, m.PodName, m.PodNamespace, m.PodUID, m.PodIP, m.PodCNI},
	}
	kind := m.Type
	if kind == "" {
		kind = info.Type
	}
	c.Type = max(slices.Index(recordedTypes, kind), 0)
	if c.IP == "" {
		c.IP = "0.0.0.0"
	}
	for _, l := range m.Labels {
		c.Labels[l.Key] = l.Value
	}
	for _, l := range m.PodLabels {
		c.PodLabels[l.Key] = l.Value
	}
	for _, mount := range m.Mounts {
		c.Mounts = append(c.Mounts, recordedMount{mount.Source, mount.Dest, mount.Mode, mount.Propagation, mount.RW})
	}
	b, err := json.Marshal(map[string]any{"container": c})
	if err != nil {
		return nil // there is nothing in it that cannot be encoded
	}
	return b
}

// Known calls fn with the containers of which something has been found out.
func (r *Resolver) Known(fn func(info Info, m *Metadata)) {
	seen := make(map[Info]bool)
	for _, e := range r.known {
		if !e.in || e.box == nil || seen[e.info] {
			continue
		}
		seen[e.info] = true
		if m := e.box.Metadata(); m.Have != 0 {
			fn(e.info, m)
		}
	}
}
