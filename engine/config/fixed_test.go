// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFixed(t *testing.T) {
	c := mustLoad(t, "engine: {modern_ebpf: {buf_size_preset: 4}}")
	next := mustLoad(t, `
engine: {modern_ebpf: {buf_size_preset: 5, cpus_for_each_buffer: 2}}
falco_libs: {snaplen: 100}
container_engines: {cri: {sockets: [/x]}}
outputs_queue: {capacity: 7}
log_level: debug
json_output: true
rules_files: [x]
metrics: {enabled: true}
`)
	got, want := c.Fixed(next), []string{
		"container_engines.cri.sockets", "engine.modern_ebpf.buf_size_preset", "falco_libs.snaplen", "log_level", "outputs_queue.capacity",
	}
	if !slices.Equal(got, want) {
		t.Errorf("fixed are %q, want %q", got, want)
	}
	if got := c.Fixed(c); len(got) > 0 {
		t.Errorf("of the same %q are fixed", got)
	}
	// A key that is misspelt in the list would be none that can differ.
	var keys []string
	for _, p := range schema().props {
		keys = append(keys, p.path)
	}
	for _, f := range fixed {
		if top, _, _ := strings.Cut(f, "."); !slices.Contains(keys, top) {
			t.Errorf("there is no key %s", f)
		}
	}
}

// followed are the keys, each with all below it, that take effect at a reload. Who follows them has a test that every one of them makes a
// difference: outputs of those that outputs and vitals depend on, cli of the others.
var followed = []string{
	"config_files", "watch_config_files", "rules_files", "rules_file", "rules", "rule_matching", "priority", "append_output", "static_fields", "base_syscalls",
	"load_plugins", "plugins", "buffer_format_base64", "json_output", "json_include_output_property", "json_include_message_property", "json_include_tags_property",
	"json_include_output_fields_property", "time_format_iso_8601", "buffered_outputs", "output_timeout", "stdout_output", "syslog_output", "file_output",
	"program_output", "http_output", "webserver", "metrics", "syscall_event_drops",
}

// TestEveryKeyOnReload: a key either takes effect at a reload, or is named as one that does not, or is without effect.
func TestEveryKeyOnReload(t *testing.T) {
	within := func(list []string, key string) bool {
		return slices.ContainsFunc(list, func(f string) bool { return key == f || strings.HasPrefix(key, f+".") })
	}
	idle := make(map[string]bool)
	var look func(p *prop)
	look = func(p *prop) {
		for _, c := range p.props {
			idle[c.path] = c.idle()
			look(c)
		}
	}
	look(schema())
	Default().Each(func(key string, _ reflect.Value) {
		if _, known := idle[key]; !known {
			t.Errorf("%s is no key", key)
		}
		is, does := within(fixed, key), within(followed, key)
		if is && does || !is && !does && !idle[key] {
			t.Errorf("%s: fixed %t, takes effect at a reload %t, without effect %t", key, is, does, idle[key])
		}
	})
}
