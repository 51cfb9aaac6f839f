// SPDX-License-Identifier: Apache-2.0

package field

import "strings"

// The reasons why a field of Falco is not in the table.
const (
	noMetadata = "it needs what container runtimes tell of their containers"
	noEvent    = "no event carries it"
)

// missing are the fields of Falco that the table lacks; a name that ends with a dot stands for all that begin with it.
var missing = []struct{ why, names string }{
	{noMetadata, `container.image container.image. container.privileged container.mounts container.mount container.mount.
		container.healthcheck container.liveness_probe container.readiness_probe container.ip container.cni.json
		container.host_pid container.host_network container.host_ipc container.label container.label. container.labels
		proc.is_container_healthcheck proc.is_container_liveness_probe proc.is_container_readiness_probe k8s.`},
	{noEvent, `evt.buffer syslog.`},
}

// Missing reports whether name is a field of Falco that this program does not have, and why. A rule that uses one is no
// mistake: it can be left out with a warning.
func Missing(name string) (why string, ok bool) {
	if _, ok := fields.byName[name]; ok {
		return "", false
	}
	for _, m := range missing {
		for n := range strings.FieldsSeq(m.names) {
			if name == n || strings.HasSuffix(n, ".") && strings.HasPrefix(name, n) {
				return m.why, true
			}
		}
	}
	return "", false
}
