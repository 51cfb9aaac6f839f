// SPDX-License-Identifier: Apache-2.0

package config

import (
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
