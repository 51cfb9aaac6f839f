// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/json"
	"strings"
)

// The calls of the container runtime interface of Kubernetes, and of containerd's own, that are made.
const (
	callContainer = "/runtime.v1.RuntimeService/ContainerStatus"
	callSandbox   = "/runtime.v1.RuntimeService/PodSandboxStatus"
	callVersion   = "/runtime.v1.RuntimeService/Version"
	callPlain     = "/containerd.services.containers.v1.Containers/Get"
	callImage     = "/containerd.services.images.v1.Images/Get"
)

// The numbers of the fields in the messages of the container runtime interface.
const (
	statusOf   = 1 // ContainerStatusResponse, PodSandboxStatusResponse
	infoOf     = 2
	askID      = 1 // requests
	askVerbose = 2

	ctrID, ctrMeta, ctrImage, ctrImageRef = 1, 2, 8, 9
	ctrLabels, ctrAnnotations, ctrMounts  = 12, 13, 14
	ctrImageID                            = 17 // ContainerStatus

	podID, podMeta, podNetwork, podLinux = 1, 2, 5, 6
	podLabelsOf, podAnnotations          = 7, 8 // PodSandboxStatus

	versionName = 2 // VersionResponse.runtime_name
)

// cri asks a runtime of Kubernetes for a container or, when it is none, for the sandbox of that id.
func (s *socket) cri(ctx context.Context, info Info) (*Metadata, error) {
	b, err := s.call(ctx, callContainer, message(nil).text(askID, info.FullID).flag(askVerbose))
	if err != nil {
		pod, podErr := s.call(ctx, callSandbox, message(nil).text(askID, info.FullID).flag(askVerbose))
		if podErr != nil {
			return nil, err
		}
		m := &Metadata{From: FromAPI, Have: HasProbes, Type: s.runtime(ctx, info)}
		m.pod(pod, info.FullID)
		m.IsSandbox, m.Name, m.Labels = true, m.PodName, m.PodLabels
		m.Have |= HasName | HasLabels
		return m, nil
	}
	st := b.sub(statusOf)
	m := &Metadata{From: FromAPI, Have: HasName | HasLabels | HasPod | HasProbes, Type: s.runtime(ctx, info)}
	m.Name = cut(string(st.sub(ctrMeta).sub(1)), maxText)
	list := st.pairs(ctrLabels)
	m.kubeLabels(list)
	m.Labels = labels(list)
	m.InPod = true
	m.Have &^= HasPodLabels | HasPodNet
	m.criImage(st)
	m.criMounts(st)
	sandbox := m.verbose(b.pairs(infoOf)["info"])
	annotations := st.pairs(ctrAnnotations)
	if sandbox == "" {
		sandbox = annotations["io.kubernetes.cri-o.SandboxID"]
	}
	if sandbox != "" {
		m.SandboxID = cut(sandbox, maxText)
		if pod, err := s.call(ctx, callSandbox, message(nil).text(askID, sandbox).flag(askVerbose)); err == nil {
			m.pod(pod, info.FullID)
		}
	}
	return m, nil
}

// runtime returns the type of a container of this socket.
func (s *socket) runtime(ctx context.Context, info Info) string {
	b, err := s.call(ctx, callVersion, nil)
	if err != nil {
		return info.Type
	}
	switch name := string(b.sub(versionName)); name {
	case "containerd", "cri-o":
		return name
	}
	return info.Type
}

func (m *Metadata) criImage(st message) {
	m.setImage(string(st.sub(ctrImage).sub(1)))
	ref := string(st.sub(ctrImageRef))
	if id := string(st.sub(ctrImageID)); id != "" {
		m.setImageID(id)
	} else if isImageID(ref) {
		m.setImageID(ref)
	}
	m.Have |= HasDigest // the reference has it, if there is one
	m.setDigest(ref)
	if m.Have&HasImage == 0 {
		m.setImage(ref)
	}
}

func (m *Metadata) criMounts(st message) {
	m.Have |= HasMounts
	room := 0
	_ = st.fields(func(f int, b message, _ uint64) {
		if f != ctrMounts {
			return
		}
		mount := Mount{RW: true, Propagation: "private"}
		_ = b.fields(func(f int, b message, n uint64) {
			switch f {
			case 1:
				mount.Dest = string(b)
			case 2:
				mount.Source = string(b)
			case 3:
				mount.RW = n == 0
			case 5:
				mount.Propagation = [...]string{"private", "rslave", "rshared"}[min(n, 2)]
			}
		})
		m.addMount(mount, &room)
	})
}

// verbose takes what runtimes add to their answers when asked to, and returns the sandbox's id.
func (m *Metadata) verbose(info string) (sandbox string) {
	var v struct {
		SandboxID string   `json:"sandboxID"`
		Spec      *ociSpec `json:"runtimeSpec"`
		Config    struct {
			Linux struct {
				Security *struct {
					Privileged bool `json:"privileged"`
					Options    struct {
						Network, PID, IPC int
					} `json:"namespace_options"`
				} `json:"security_context"`
			} `json:"linux"`
		} `json:"config"`
	}
	if info == "" || json.Unmarshal([]byte(info), &v) != nil {
		return ""
	}
	const node = 2 // the namespace of the host
	switch sec := v.Config.Linux.Security; {
	case sec != nil:
		m.Have |= HasRights
		m.Privileged = sec.Privileged
		m.HostNetwork, m.HostPID, m.HostIPC = sec.Options.Network == node, sec.Options.PID == node, sec.Options.IPC == node
	case v.Spec != nil:
		m.rights(v.Spec, nil)
	}
	if v.Spec != nil && v.SandboxID == "" {
		v.SandboxID = v.Spec.Annotations["io.kubernetes.cri-o.SandboxID"]
	}
	return v.SandboxID
}

// pod takes the answer about the sandbox of container id, which may be that itself.
func (m *Metadata) pod(answer message, id string) {
	st := answer.sub(statusOf)
	meta := st.sub(podMeta)
	m.InPod = true
	m.PodName, m.PodUID, m.PodNamespace = cut(string(meta.sub(1)), maxText), cut(string(meta.sub(2)), maxText), cut(string(meta.sub(3)), maxText)
	m.SandboxID = cut(string(st.sub(podID)), maxText)
	m.PodLabels = podLabels(st.pairs(podLabelsOf))
	m.Have |= HasPod | HasPodLabels | HasPodNet | HasIP | HasCNI
	m.PodIP = cut(string(st.sub(podNetwork).sub(1)), 64)
	m.IP = m.PodIP
	var v struct {
		CNI   json.RawMessage `json:"cniResult"`
		Image string          `json:"image"`
	}
	if json.Unmarshal([]byte(answer.pairs(infoOf)["info"]), &v) == nil {
		if string(v.CNI) != "null" {
			m.PodCNI = cut(string(v.CNI), maxCNI)
			m.CNI = m.PodCNI
		}
		if m.SandboxID == id {
			m.setImage(v.Image)
		}
	}
	const network = 1
	if st.sub(podLinux).sub(1).sub(2).number(network) == 2 {
		m.HostNetwork = true
	}
	m.probesOf(st.pairs(podAnnotations)["kubectl.kubernetes.io/last-applied-configuration"], m.Name)
}

// number returns the last field of that number as a number.
func (m message) number(field int) (out uint64) {
	_ = m.fields(func(f int, _ message, n uint64) {
		if f == field {
			out = n
		}
	})
	return out
}

// plain asks containerd for a container that users made with its own tools.
func (s *socket) plain(ctx context.Context, info Info) (*Metadata, error) {
	const namespace = "default"
	b, err := s.call(ctx, callPlain, message(nil).text(1, info.FullID), "Containerd-Namespace", namespace)
	if err != nil {
		return nil, err
	}
	c := b.sub(1)
	m := &Metadata{From: FromAPI, Type: "containerd", Have: HasName | HasLabels | HasPod | HasPodLabels | HasPodNet | HasProbes}
	list := c.pairs(2)
	m.Name = cut(info.FullID, maxText)
	if name := list["nerdctl/name"]; name != "" {
		m.Name = cut(name, maxText)
	}
	m.Labels = labels(list)
	ref := string(c.sub(3))
	m.setImage(ref)
	m.Have |= HasImage | HasDigest | HasImageID
	if image, err := s.call(ctx, callImage, message(nil).text(1, ref), "Containerd-Namespace", namespace); err == nil {
		if digest := string(image.sub(1).sub(3).sub(2)); strings.Contains(digest, ":") {
			m.setDigest("@" + digest)
			m.setImageID(digest)
		}
	}
	return m, nil
}
