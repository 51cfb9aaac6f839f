// SPDX-License-Identifier: Apache-2.0

package container

import "falconet/engine/config"

// OptionsOf are the options that a configuration means: whose containers are looked for, and where. root is the directory in which the host's
// root is seen, "" for this one.
func OptionsOf(c config.ContainerEngines, root string) Options {
	return Options{Root: root, Sockets: c.CRI.Sockets, Enabled: Enabled{
		Docker: c.Docker.Enabled, Podman: c.Podman.Enabled, CRI: c.CRI.Enabled, LXC: c.LXC.Enabled, Libvirt: c.LibvirtLXC.Enabled, BPM: c.BPM.Enabled,
	}}
}
