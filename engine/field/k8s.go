// SPDX-License-Identifier: Apache-2.0

package field

import (
	"falconet/engine/container"
	"falconet/engine/event"
)

// ofPod reads a field from what is known of the container's pod; containers without one have none of them.
func ofPod(want container.Facts, read func(c *Ctx, m *container.Metadata, a Arg) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, a Arg) (Value, bool) {
		m, ok := c.metadata(container.HasPod)
		if !ok || !m.InPod {
			return Value{}, false
		}
		if m, ok = c.metadata(want); !ok {
			return Value{}, false
		}
		return read(c, m, a)
	}
}

func podText(want container.Facts, read func(m *container.Metadata) string) func(*Ctx, Arg) (Value, bool) {
	return ofPod(want, func(_ *Ctx, m *container.Metadata, _ Arg) (Value, bool) {
		s := read(m)
		return Str(s), s != ""
	})
}

func k8sFields() []Def {
	uid := podText(container.HasPod, func(m *container.Metadata) string { return m.PodUID })
	list := []Def{
		{Name: "k8s.ns.name", Type: event.CharBuf, Flags: Suggested, Example: "k8s.ns.name = kube-system", Desc: "namespace of the pod that the process runs in",
			Get: podText(container.HasPod, func(m *container.Metadata) string { return m.PodNamespace })},
		{Name: "k8s.pod.name", Type: event.CharBuf, Flags: Suggested, Example: "k8s.pod.name startswith web-", Desc: "name of the pod that the process runs in",
			Get: podText(container.HasPod, func(m *container.Metadata) string { return m.PodName })},
		{Name: "k8s.pod.id", Type: event.CharBuf, Example: "k8s.pod.id exists", Desc: "uid of the pod, the same as k8s.pod.uid", Get: uid},
		{Name: "k8s.pod.uid", Type: event.CharBuf, Example: "k8s.pod.uid exists", Desc: "uid that Kubernetes gave the pod", Get: uid},
		{Name: "k8s.pod.sandbox_id", Type: event.CharBuf, Example: "k8s.pod.sandbox_id = container.id", Desc: "first 12 characters of the id of the pod's sandbox, the container that holds its namespaces",
			Get: podText(container.HasPod, func(m *container.Metadata) string { return m.SandboxID[:min(12, len(m.SandboxID))] })},
		{Name: "k8s.pod.full_sandbox_id", Type: event.CharBuf, Example: "k8s.pod.full_sandbox_id exists", Desc: "whole id of the pod's sandbox",
			Get: podText(container.HasPod, func(m *container.Metadata) string { return m.SandboxID })},
		{Name: "k8s.pod.label", Type: event.CharBuf, Arg: ArgRequired, Form: ByKey | ByDot, Example: "k8s.pod.label.app = web", Desc: "one label of the pod",
			Get: ofPod(container.HasPodLabels, func(_ *Ctx, m *container.Metadata, a Arg) (Value, bool) {
				s, ok := m.PodLabel(a.Key)
				return Str(s), ok
			})},
		{Name: "k8s.pod.labels", Type: event.CharBuf, Example: "k8s.pod.labels contains 'app:web'", Desc: "labels of the pod as key:value, separated by a comma and a space",
			Get: ofPod(container.HasPodLabels, func(c *Ctx, m *container.Metadata, _ Arg) (Value, bool) { return c.keepLabels(m.PodLabels, ", ") })},
		{Name: "k8s.pod.ip", Type: event.CharBuf, Example: "k8s.pod.ip startswith 10.", Desc: "address of the pod",
			Get: podText(container.HasPodNet, func(m *container.Metadata) string { return m.PodIP })},
		{Name: "k8s.pod.cni.json", Type: event.CharBuf, Example: "k8s.pod.cni.json contains eth0", Desc: "what the network plugin said of the pod's network",
			Get: podText(container.HasPodNet, func(m *container.Metadata) string { return m.PodCNI })},
	}
	// What only the cluster's API server knows of has had no value since Falco stopped asking it.
	gone := func(name, what string, more Def) {
		more.Name, more.Type, more.Flags, more.Get = name, event.CharBuf, Deprecated, never
		more.Desc = what + "; always absent, for only the cluster's API server could tell"
		list = append(list, more)
	}
	labels := func(kind, what string) {
		gone("k8s."+kind+".label", "one label of "+what, Def{Arg: ArgRequired, Form: ByKey | ByDot, Example: "k8s." + kind + ".label.app exists"})
		gone("k8s."+kind+".labels", "labels of "+what, Def{Example: "k8s." + kind + ".labels exists"})
	}
	gone("k8s.ns.id", "id of the pod's namespace", Def{Example: "k8s.ns.id exists"})
	labels("ns", "the pod's namespace")
	for _, k := range [...]struct{ kind, what string }{
		{"rc", "the pod's replication controller"}, {"svc", "a service that the pod answers for"}, {"rs", "the pod's replica set"}, {"deployment", "the pod's deployment"},
	} {
		gone("k8s."+k.kind+".name", "name of "+k.what, Def{Example: "k8s." + k.kind + ".name exists"})
		gone("k8s."+k.kind+".id", "id of "+k.what, Def{Example: "k8s." + k.kind + ".id exists"})
		labels(k.kind, k.what)
	}
	return list
}
