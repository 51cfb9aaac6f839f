// SPDX-License-Identifier: Apache-2.0

package format

import "strings"

// ContainerInfo is the token that -p replaces.
const ContainerInfo = "%container.info"

const (
	containerFields  = "container_id=%container.id container_name=%container.name"
	containerDetails = "container_id=%container.id container_image=%container.image.repository container_image_tag=%container.image.tag container_name=%container.name"
	kubernetesFields = " k8s_ns=%k8s.ns.name k8s_pod_name=%k8s.pod.name"
	gvisorFields     = "vpid=%proc.vpid vtid=%thread.vtid "
)

// Suffix is what the -p option does to every output: the text that stands in for %container.info, and text behind the output.
type Suffix struct {
	Info   string
	Append string
	// Always appends Info to outputs that do not ask for %container.info.
	Always bool
}

// ParseSuffix reads the value of -p: a short name (c, k, cg, kg and their long forms), or text that goes behind every output.
func ParseSuffix(p string) Suffix {
	switch p {
	case "":
		return Suffix{Info: containerFields}
	case "c", "container":
		return Suffix{Info: containerDetails, Always: true}
	case "cg", "container-gvisor":
		return Suffix{Info: gvisorFields + containerDetails, Always: true}
	case "k", "kubernetes":
		return Suffix{Info: containerDetails + kubernetesFields, Always: true}
	case "kg", "kubernetes-gvisor":
		return Suffix{Info: gvisorFields + containerDetails + kubernetesFields, Always: true}
	}
	return Suffix{Info: containerFields, Append: p}
}

// Apply returns the output of a rule with the suffix in it.
func (s Suffix) Apply(output string) string {
	output = strings.TrimSpace(output)
	switch {
	case strings.Contains(output, ContainerInfo):
		output = strings.ReplaceAll(output, ContainerInfo, s.Info)
	case s.Always:
		output += " " + s.Info
	}
	if s.Append != "" {
		output += " " + s.Append
	}
	return output
}
