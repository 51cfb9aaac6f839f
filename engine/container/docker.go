// SPDX-License-Identifier: Apache-2.0

package container

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// dockerConfig is the part of docker's config.v2.json, and of its answer to an inspection, that is of use. Docker writes the file
// when a container is made and again when it has started.
type dockerConfig struct {
	ID     string
	Name   string
	Image  string // id
	Config struct {
		Image       string
		Labels      map[string]string
		Env         []string
		Healthcheck *struct{ Test []string }
	}
	NetworkSettings *dockerNetworks
	MountPoints     map[string]dockerMount // in the file
	Mounts          []dockerMount          // in the answer
	HostConfig      *dockerHost            // in the answer; a file of its own on the disk
}

type dockerNetworks struct {
	IPAddress string
	Networks  map[string]*struct{ IPAddress string }
}

type dockerMount struct {
	Source, Destination, Mode, Relabel, Propagation string
	RW                                              bool
}

type dockerHost struct {
	Privileged                    bool
	PidMode, NetworkMode, IpcMode string
}

// dockerDisk reads what docker keeps of a container.
func (d *disk) dockerDisk(id string) *Metadata {
	if !d.on.Docker {
		return nil
	}
	for _, t := range d.dockerRoots(id) {
		var c dockerConfig
		if t.decode("containers/"+id+"/config.v2.json", &c) != nil || c.ID != id {
			continue
		}
		var host dockerHost
		if t.decode("containers/"+id+"/hostconfig.json", &host) == nil {
			c.HostConfig = &host
		}
		m := c.metadata()
		m.From = FromDisk
		d.dockerDigest(t, c.Image, m)
		return m
	}
	return nil
}

// dockerRoots lists where docker may keep its containers: where it does by default, where its configuration says, and where the
// files lie that it mounts into the container.
func (d *disk) dockerRoots(id string) []tree {
	dirs := []string{"/var/lib/docker"}
	var conf struct {
		DataRoot string `json:"data-root"`
		Graph    string `json:"graph"`
	}
	if d.tree("/etc/docker").decode("daemon.json", &conf) == nil {
		dirs = append(dirs, conf.DataRoot, conf.Graph)
	}
	if spec := d.bundle("/run/docker/containerd/daemon", "moby", id); spec != nil {
		dirs = append(dirs, dockerRootOf(spec, id))
	} else if spec := d.bundle("/run/containerd", "moby", id); spec != nil {
		dirs = append(dirs, dockerRootOf(spec, id))
	}
	var out []tree
	for i, dir := range dirs {
		if strings.HasPrefix(dir, "/") && !slices.Contains(dirs[:i], dir) {
			out = append(out, d.tree(dir))
		}
	}
	return out
}

func dockerRootOf(spec *ociSpec, id string) string {
	for _, m := range spec.Mounts {
		if root, ok := strings.CutSuffix(m.Source, "/containers/"+id+"/hostname"); ok && m.Destination == "/etc/hostname" {
			return root
		}
	}
	return ""
}

// dockerDigest finds the digest by which an image was pulled.
func (d *disk) dockerDigest(t tree, image string, m *Metadata) {
	for _, driver := range t.names("image") {
		var all struct{ Repositories map[string]map[string]string }
		if !goodName(driver) || t.decode("image/"+driver+"/repositories.json", &all) != nil {
			continue
		}
		m.Have |= HasDigest // there is none where the list has none
		for repo, refs := range all.Repositories {
			for ref, id := range refs {
				if id == image && strings.Contains(ref, "@") && (m.Digest == "" || repo == m.Repository) {
					m.setDigest(ref)
				}
			}
		}
		if m.Have&HasImage == 0 {
			m.setImage(anyName(all.Repositories, image))
		}
	}
}

func anyName(all map[string]map[string]string, image string) string {
	best := ""
	for _, refs := range all {
		for ref, id := range refs {
			if id == image && !strings.Contains(ref, "@") && (best == "" || ref < best) {
				best = ref
			}
		}
	}
	return best
}

func (c *dockerConfig) metadata() *Metadata {
	m := &Metadata{Have: HasName | HasLabels | HasMounts | HasProbes | HasCNI, Type: "docker"}
	m.Name = cut(strings.TrimPrefix(c.Name, "/"), maxText)
	m.setImage(c.Config.Image)
	m.setImageID(c.Image)
	m.Labels = labels(c.Config.Labels)
	if h := c.Config.Healthcheck; h != nil && len(h.Test) > 1 {
		switch h.Test[0] {
		case "CMD":
			m.Healthcheck = newProbe(h.Test[1:])
		case "CMD-SHELL":
			m.Healthcheck = newProbe([]string{"/bin/sh", "-c", h.Test[1]})
		}
	}
	if n := c.NetworkSettings; n != nil {
		m.setIP(n.IPAddress)
		for _, net := range n.Networks {
			if net != nil {
				m.setIP(net.IPAddress)
			}
		}
	}
	room := 0
	for _, p := range sortedValues(c.MountPoints) {
		mode := p.Mode
		if mode == "" {
			mode = p.Relabel // the file's name for what was written after the last colon
		}
		m.addMount(Mount{p.Source, p.Destination, mode, p.Propagation, p.RW}, &room)
	}
	for _, p := range c.Mounts {
		m.addMount(Mount{p.Source, p.Destination, p.Mode, p.Propagation, p.RW}, &room)
	}
	if h := c.HostConfig; h != nil {
		m.Have |= HasRights
		m.Privileged, m.HostPID, m.HostNetwork, m.HostIPC = h.Privileged, h.PidMode == "host", h.NetworkMode == "host", h.IpcMode == "host"
		if h.NetworkMode == "host" || h.NetworkMode == "none" || strings.HasPrefix(h.NetworkMode, "container:") {
			m.Have |= HasIP // it has none of its own
		}
	}
	m.kubeLabels(c.Config.Labels)
	return m
}

func (m *Metadata) setIP(ip string) {
	if ip != "" && m.IP == "" && len(ip) <= 64 {
		m.IP = strings.Clone(ip)
		m.Have |= HasIP
	}
}

// kubeLabels takes what Kubernetes says of a pod in the labels of its containers.
func (m *Metadata) kubeLabels(l map[string]string) {
	m.Have |= HasPod
	m.PodUID = cut(l["io.kubernetes.pod.uid"], maxText)
	m.PodName = cut(l["io.kubernetes.pod.name"], maxText)
	m.PodNamespace = cut(l["io.kubernetes.pod.namespace"], maxText)
	m.InPod = m.PodUID != "" || m.PodName != ""
	if id := l["io.kubernetes.sandbox.id"]; id != "" {
		m.SandboxID = cut(id, maxText)
	}
	if !m.InPod {
		m.Have |= HasPodLabels | HasPodNet
	}
	if l["io.kubernetes.container.name"] != "" {
		m.probesOf(l["annotation.kubectl.kubernetes.io/last-applied-configuration"], l["io.kubernetes.container.name"])
	}
}

// probesOf finds a container's probes in the configuration that was last applied to its pod.
func (m *Metadata) probesOf(applied, name string) {
	type probe struct {
		Exec struct {
			Command []string `json:"command"`
		} `json:"exec"`
	}
	var pod struct {
		Spec struct {
			Containers []struct {
				Name      string `json:"name"`
				Liveness  probe  `json:"livenessProbe"`
				Readiness probe  `json:"readinessProbe"`
			} `json:"containers"`
		} `json:"spec"`
	}
	if applied == "" || len(applied) > maxFile || json.NewDecoder(bytes.NewReader([]byte(applied))).Decode(&pod) != nil {
		return
	}
	for _, c := range pod.Spec.Containers {
		if c.Name == name || name == "" {
			m.Liveness, m.Readiness = newProbe(c.Liveness.Exec.Command), newProbe(c.Readiness.Exec.Command)
			return
		}
	}
}

// sortedValues returns the values of a map in the order of their keys.
func sortedValues[V any](m map[string]V) []V {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}
