// SPDX-License-Identifier: Apache-2.0

package container

import (
	"encoding/json"
	"strings"
)

// disk reads what runtimes leave on the host's disk about their containers. It keeps nothing and is safe for concurrent use.
type disk struct {
	host string // where the host's root directory is seen
	on   Enabled
}

// Enabled says which runtimes' containers are looked for. The zero value is none of them.
type Enabled struct {
	Docker, Podman, CRI, LXC, Libvirt, BPM bool
}

// allEnabled looks for every runtime's containers.
var allEnabled = Enabled{Docker: true, Podman: true, CRI: true, LXC: true, Libvirt: true, BPM: true}

// has reports whether containers of a type are looked for.
func (e Enabled) has(kind string) bool {
	switch kind {
	case "docker":
		return e.Docker
	case "podman":
		return e.Podman
	case "cri", "cri-o", "containerd":
		return e.CRI
	case "lxc":
		return e.LXC
	case "libvirt-lxc":
		return e.Libvirt
	}
	return e.BPM
}

func (d *disk) tree(dir string) tree { return tree{d.host, dir} }

// taskDirs is where containerd keeps the bundles of running containers, below its state directory.
var taskDirs = [...]string{"io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"}

// containerdDirs are state directories of containerd: its own, and those of distributions that bring one.
var containerdDirs = [...]string{"/run/containerd", "/run/k3s/containerd", "/run/host-containerd", "/var/snap/microk8s/common/run/containerd", "/run/k0s/containerd"}

// bundle reads the bundle of a container of containerd, nil if there is none.
func (d *disk) bundle(state, namespace, id string) *ociSpec {
	if !goodName(id) {
		return nil
	}
	for _, dir := range taskDirs {
		var s ociSpec
		if d.tree(state).decode(dir+"/"+namespace+"/"+id+"/config.json", &s) == nil {
			return &s
		}
	}
	return nil
}

// find reads all that the disk tells of a container; nil is nothing. The cgroup's path leaves open which runtime some containers
// belong to: then each that it may be is looked for.
func (d *disk) find(info Info) *Metadata {
	if !goodName(info.FullID) {
		return nil
	}
	var asked []func(string) *Metadata
	switch info.Type {
	case "docker":
		asked = append(asked, d.dockerDisk, d.podmanDisk, d.criDisk)
	case "podman":
		asked = append(asked, d.podmanDisk)
	case "containerd":
		asked = append(asked, d.criDisk, d.plainDisk)
	case "cri-o":
		asked = append(asked, d.podmanDisk)
	case "cri":
		asked = append(asked, d.criDisk, d.podmanDisk, d.dockerDisk)
	case "lxc", "libvirt-lxc", "bpm":
		return named(info)
	}
	for _, ask := range asked {
		if m := ask(info.FullID); m != nil {
			return m
		}
	}
	return nil
}

// named is what is known of containers of runtimes that have neither images nor labels, and whose names are those of their cgroups.
func named(info Info) *Metadata { return &Metadata{Have: hasAll, From: FromDisk, Name: info.FullID} }

// criDisk reads a container of containerd's CRI service.
func (d *disk) criDisk(id string) *Metadata {
	if !d.on.CRI {
		return nil
	}
	for _, state := range containerdDirs {
		s := d.bundle(state, "k8s.io", id)
		if s == nil {
			continue
		}
		sandboxID := s.Annotations[annContainerd+"sandbox-id"]
		var sandbox *ociSpec
		if sandboxID != id {
			sandbox = d.bundle(state, "k8s.io", sandboxID)
		}
		m := s.ofContainerd(sandbox)
		if !m.HostNetwork && m.SandboxID != "" {
			d.cni(m)
		}
		if m.HostNetwork {
			m.Have |= HasIP | HasCNI
		}
		return m
	}
	return nil
}

// plainDisk reads a container that containerd runs in its namespace for users.
func (d *disk) plainDisk(id string) *Metadata {
	if !d.on.CRI {
		return nil
	}
	for _, state := range containerdDirs {
		for _, namespace := range d.tree(state).names(taskDirs[0]) {
			if namespace == "k8s.io" || namespace == "moby" || !goodName(namespace) {
				continue
			}
			if s := d.bundle(state, namespace, id); s != nil {
				return s.plain(id)
			}
		}
	}
	return nil
}

// plain takes the bundle of a container that users made with containerd's own tools.
func (s *ociSpec) plain(id string) *Metadata {
	m := s.ofOthers()
	m.Type = "containerd"
	m.Labels = labels(s.Annotations)
	m.Name = cut(id, maxText)
	if name := s.Annotations["nerdctl/name"]; name != "" {
		m.Name = cut(name, maxText)
	}
	m.Have |= HasName
	return m
}

// storageDirs are where containers/storage, which CRI-O and podman share, keeps containers: what lasts, and what does not.
var storageDirs = [...]string{"/var/lib/containers/storage", "/run/containers/storage"}

// podmanDisk reads a container of podman or CRI-O.
func (d *disk) podmanDisk(id string) *Metadata {
	dirs := storageDirs[:]
	if root := d.storageRoot(); root != "" {
		dirs = append([]string{root}, dirs...)
	}
	for _, dir := range dirs {
		t := d.tree(dir)
		var s ociSpec
		if t.decode("overlay-containers/"+id+"/userdata/config.json", &s) != nil {
			continue
		}
		if s.Annotations[annCrio+"ContainerType"] != "" {
			return d.crio(&s)
		}
		return d.podman(t, &s, id)
	}
	return nil
}

// storageRoot reads graphroot from the configuration of containers/storage: a line of TOML.
func (d *disk) storageRoot() string {
	b, err := d.tree("/etc/containers").read("storage.conf")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(key) == "graphroot" {
			if dir := strings.Trim(strings.TrimSpace(value), `"'`); strings.HasPrefix(dir, "/") {
				return dir
			}
		}
	}
	return ""
}

func (d *disk) crio(s *ociSpec) *Metadata {
	if !d.on.CRI {
		return nil
	}
	m := s.ofCrio()
	if m.SandboxID == "" || m.IsSandbox {
		return m
	}
	for _, dir := range storageDirs {
		var box ociSpec
		if goodName(m.SandboxID) && d.tree(dir).decode("overlay-containers/"+m.SandboxID+"/userdata/config.json", &box) == nil {
			pod := box.ofCrio()
			m.PodLabels, m.PodIP, m.PodCNI = pod.PodLabels, pod.PodIP, pod.PodCNI
			m.Have |= HasPodLabels | HasPodNet | HasProbes
			m.IP, m.CNI = pod.PodIP, pod.PodCNI
			m.Have |= HasIP | HasCNI
			m.rights(s, &box)
			break
		}
	}
	return m
}

// podman adds what containers/storage lists of its containers and images to what a bundle tells. The labels are in a database.
func (d *disk) podman(t tree, s *ociSpec, id string) *Metadata {
	if !d.on.Podman {
		return nil
	}
	m := s.ofOthers()
	m.Type = "podman"
	if p := s.Annotations["io.podman.annotations.privileged"]; p != "" {
		m.Privileged = p == "TRUE"
	}
	m.Have &^= HasProbes | HasPod | HasPodLabels | HasPodNet
	if s.Annotations["io.container.manager"] == "libpod" {
		m.Have |= HasPod | HasPodLabels | HasPodNet // pods of podman's own are none of Kubernetes
	}
	var list []struct {
		ID       string   `json:"id"`
		Names    []string `json:"names"`
		Image    string   `json:"image"`
		Metadata string   `json:"metadata"`
	}
	for _, name := range [...]string{"overlay-containers/containers.json", "overlay-containers/volatile-containers.json"} {
		if t.decode(name, &list) != nil {
			continue
		}
		for i := range list {
			c := &list[i]
			if c.ID != id {
				continue
			}
			var meta struct {
				Name  string `json:"name"`
				Image string `json:"image-name"`
			}
			_ = json.Unmarshal([]byte(c.Metadata), &meta)
			if meta.Name == "" && len(c.Names) > 0 {
				meta.Name = c.Names[0]
			}
			m.Name = cut(meta.Name, maxText)
			m.Have |= HasName
			m.setImage(meta.Image)
			m.setImageID(c.Image)
			d.podmanImage(t, c.Image, m)
			return m
		}
	}
	return m
}

func (d *disk) podmanImage(t tree, id string, m *Metadata) {
	var list []struct {
		ID     string   `json:"id"`
		Digest string   `json:"digest"`
		Names  []string `json:"names"`
	}
	if id == "" || t.decode("overlay-images/images.json", &list) != nil {
		return
	}
	for i := range list {
		if list[i].ID != id {
			continue
		}
		m.setDigest("@" + list[i].Digest)
		if m.Have&HasImage == 0 && len(list[i].Names) > 0 {
			m.setImage(list[i].Names[0])
		}
	}
}

// cni reads the result that network plugins gave for a pod's sandbox.
func (d *disk) cni(m *Metadata) {
	t := d.tree("/var/lib/cni/results")
	for _, name := range t.names(".") {
		if !strings.Contains(name, m.SandboxID) || strings.HasSuffix(name, "-lo") {
			continue
		}
		var r struct {
			ContainerID string          `json:"containerId"`
			IfName      string          `json:"ifName"`
			Result      json.RawMessage `json:"result"`
		}
		if t.decode(name, &r) != nil || r.ContainerID != m.SandboxID || r.IfName == "lo" {
			continue
		}
		m.setCNI(string(r.Result))
		return
	}
}

// setCNI takes the result of network plugins, with the address in it, for a container and its pod.
func (m *Metadata) setCNI(result string) {
	m.CNI = cut(result, maxCNI)
	m.PodCNI = m.CNI
	m.setIP(cniAddress(result))
	m.PodIP = m.IP
	m.Have |= HasCNI | HasPodNet
}

// cniAddress finds the first IPv4 address in a CNI result, as plugins write it or as containerd keeps it.
func cniAddress(result string) string {
	var r struct {
		IPs []struct {
			Address string `json:"address"`
		} `json:"ips"`
	}
	_ = json.Unmarshal([]byte(result), &r)
	for _, ip := range r.IPs {
		if address, _, _ := strings.Cut(ip.Address, "/"); address != "" && !strings.Contains(address, ":") {
			return address
		}
	}
	return ""
}
