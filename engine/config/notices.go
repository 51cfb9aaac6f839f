// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// notices returns one line for everything that a user asked for and does not get.
func notices(c *Config) []string {
	var out []string
	add := func(when bool, text string) {
		if when {
			out = append(out, text)
		}
	}
	add(c.Engine.Kind == "kmod" || c.Engine.Kind == "ebpf",
		"engine.kind: "+c.Engine.Kind+" is a driver of Falco; falconet brings a probe of its own and uses that")
	add(c.Engine.Kind == "gvisor", "engine.kind: gvisor: there are no events from gVisor here; the host's kernel is watched")
	add(c.Engine.Kind != "gvisor" && (c.Engine.Gvisor.Config != "" || c.Engine.Gvisor.Root != ""),
		"engine.gvisor: there are no events from gVisor here; the key has no effect")
	add(c.GRPC.Server.Enabled, "grpc.enabled: there is no gRPC server here; the key has no effect")
	add(c.Metrics.Jemalloc, "metrics.jemalloc_stats_enabled: jemalloc is not used here; the key has no effect")

	var plugins []string
	for _, name := range c.wantedPlugins() {
		// Its metadata is built in, whatever the library is called.
		if name != "container" {
			plugins = append(plugins, name)
		}
	}
	add(len(plugins) > 0, "load_plugins: plugins are shared libraries, which a static binary does not load; left out: "+strings.Join(plugins, ", "))
	return out
}

// wantedPlugins returns the names of the plugins to load: all that are described, or those that load_plugins lists when it is there.
func (c *Config) wantedPlugins() []string {
	if c.Plugins.Load != nil {
		return c.Plugins.Load
	}
	var names []string
	for _, p := range c.Plugins.Plugins {
		names = append(names, p.Name)
	}
	return names
}

// retired returns what to say of a key that Falco had before 0.40, "" for any other: such keys are ignored, not refused.
func retired(path string) string {
	switch path {
	case "outputs", "outputs.rate", "outputs.max_burst", "outputs_queue.recovery", "metadata_download", "webserver.k8s_audit_endpoint":
		return "is a key of old releases of Falco that does nothing any more; it is ignored"
	case "syscall_buf_size_preset", "syscall_drop_failed_exit", "modern_bpf":
		return "is a key of old releases of Falco whose successor is below engine; it is ignored"
	}
	return ""
}
