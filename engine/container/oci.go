// SPDX-License-Identifier: Apache-2.0

package container

import (
	"encoding/json"
	"slices"
	"strings"
)

// ociSpec is the part of a runtime bundle's config.json that is of use. Every runtime that starts containers by runc, crun or the like
// writes one before the container's first process is made.
type ociSpec struct {
	Process struct {
		Capabilities struct {
			Bounding []string `json:"bounding"`
		} `json:"capabilities"`
	} `json:"process"`
	Mounts      []ociMount        `json:"mounts"`
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		Namespaces []struct {
			Type string `json:"type"`
			Path string `json:"path"`
		} `json:"namespaces"`
		Resources struct {
			Devices []struct {
				Allow  bool   `json:"allow"`
				Type   string `json:"type"`
				Access string `json:"access"`
			} `json:"devices"`
		} `json:"resources"`
		CgroupsPath string `json:"cgroupsPath"`
	} `json:"linux"`
}

type ociMount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options"`
}

// shares reports whether the container has no namespace of a kind for itself, but the host's.
func (s *ociSpec) shares(kind string) bool {
	for _, n := range s.Linux.Namespaces {
		if n.Type == kind {
			return false
		}
	}
	return true
}

// privileged reports whether the container was given every device and the power over the system, which is what runtimes do for one
// that shall be privileged; no member of the file says it.
func (s *ociSpec) privileged() bool {
	if !slices.Contains(s.Process.Capabilities.Bounding, "CAP_SYS_ADMIN") || !slices.Contains(s.Process.Capabilities.Bounding, "CAP_SYS_MODULE") {
		return false
	}
	for _, d := range s.Linux.Resources.Devices {
		if d.Allow && (d.Type == "" || d.Type == "a") && d.Access == "rwm" {
			return true
		}
	}
	return false
}

// rights takes what the file says of namespaces and privileges. sandbox is the file of the container's pod, nil without one: its
// containers join the sandbox's namespaces, which may be the host's.
func (m *Metadata) rights(s, sandbox *ociSpec) {
	m.Have |= HasRights
	m.Privileged = s.privileged()
	m.HostPID = s.shares("pid")
	m.HostNetwork, m.HostIPC = s.shares("network"), s.shares("ipc")
	if sandbox != nil {
		m.HostNetwork = m.HostNetwork || sandbox.shares("network")
		m.HostIPC = m.HostIPC || sandbox.shares("ipc")
		m.HostPID = m.HostPID || s.joins("pid") && sandbox.shares("pid")
	}
}

// joins reports whether the container enters a namespace that is there already.
func (s *ociSpec) joins(kind string) bool {
	for _, n := range s.Linux.Namespaces {
		if n.Type == kind {
			return n.Path != ""
		}
	}
	return false
}

// mounts takes the directories of the host that are mounted into the container; those that a runtime makes for itself are left out.
func (m *Metadata) mounts(s *ociSpec) {
	m.Have |= HasMounts
	room := 0
	for _, o := range s.Mounts {
		if o.Type != "bind" || slices.Contains([]string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm", "/run/.containerenv", "/run/secrets"}, o.Destination) {
			continue
		}
		mount := Mount{Source: o.Source, Dest: o.Destination, RW: !slices.Contains(o.Options, "ro")}
		for _, opt := range o.Options {
			switch strings.TrimPrefix(opt, "r") {
			case "private", "shared", "slave", "unbindable":
				mount.Propagation = opt
			}
		}
		m.addMount(mount, &room)
	}
}

// The prefixes of annotations by which the runtimes of Kubernetes describe containers.
const (
	annContainerd = "io.kubernetes.cri."
	annCrio       = "io.kubernetes.cri-o."
)

// ofContainerd takes the annotations of containerd's CRI service. sandbox may be nil.
func (s *ociSpec) ofContainerd(sandbox *ociSpec) *Metadata {
	a := func(name string) string { return s.Annotations[annContainerd+name] }
	m := &Metadata{From: FromDisk, Type: "containerd", Have: HasPod}
	m.InPod, m.IsSandbox = true, a("container-type") == "sandbox"
	m.PodName, m.PodNamespace = cut(a("sandbox-name"), maxText), cut(a("sandbox-namespace"), maxText)
	m.PodUID, m.SandboxID = cut(a("sandbox-uid"), maxText), cut(a("sandbox-id"), maxText)
	name := a("container-name")
	if m.IsSandbox {
		name = m.PodName
	}
	if name != "" {
		m.Name = cut(name, maxText)
		m.Have |= HasName
	}
	m.setImage(a("image-name"))
	m.mounts(s)
	if m.IsSandbox || sandbox != nil {
		m.rights(s, sandbox)
	}
	return m
}

// ofCrio takes the annotations of CRI-O, which tell everything.
func (s *ociSpec) ofCrio() *Metadata {
	a := func(name string) string { return s.Annotations[annCrio+name] }
	object := func(name string) map[string]string {
		var out map[string]string
		_ = json.Unmarshal([]byte(a(name)), &out) // what is no object has no members
		return out
	}
	m := &Metadata{From: FromDisk, Type: "cri-o", Have: HasLabels}
	list := object("Labels")
	m.kubeLabels(list)
	m.Labels = labels(list)
	m.InPod, m.IsSandbox = true, a("ContainerType") == "sandbox"
	m.Have &^= HasPodLabels | HasPodNet
	m.SandboxID = cut(a("SandboxID"), maxText)
	if m.PodNamespace == "" {
		m.PodNamespace = cut(a("Namespace"), maxText)
	}
	var meta struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal([]byte(a("Metadata")), &meta)
	if meta.Name != "" {
		m.Name = cut(meta.Name, maxText)
		m.Have |= HasName
	}
	ref := a("ImageName")
	if ref == "" || isImageID(ref) {
		ref = a("UserRequestedImage")
	}
	if ref == "" {
		ref = a("Image")
	}
	m.setImage(ref)
	m.setImageID(a("Image"))
	m.setDigest(a("ImageRef"))
	if isImageID(a("ImageRef")) {
		m.setImageID(a("ImageRef"))
	}
	m.mounts(s)
	m.rights(s, nil)
	if a("PrivilegedRuntime") == "true" && m.IsSandbox {
		m.Privileged = true
	}
	if m.IsSandbox {
		m.PodLabels = podLabels(list)
		m.PodIP, m.PodCNI = cut(a("IP.0"), 64), cut(a("CNIResult"), maxCNI)
		m.Have |= HasPodLabels | HasPodNet | HasProbes
		m.HostNetwork = m.HostNetwork || a("HostNetwork") == "true"
	}
	m.probesOf(object("Annotations")["kubectl.kubernetes.io/last-applied-configuration"], m.Name)
	return m
}

// ofOthers takes what any bundle tells. Its annotations are the labels, where the runtime (containerd's command line) puts them there.
func (s *ociSpec) ofOthers() *Metadata {
	m := &Metadata{From: FromDisk, Have: HasPod | HasPodLabels | HasPodNet | HasProbes}
	m.mounts(s)
	m.rights(s, nil)
	return m
}
