// SPDX-License-Identifier: Apache-2.0

package assets

import _ "embed"

//go:embed probe/probe.o
var probe []byte

// Probe returns the compiled BPF programs of probe/bpf. The caller must not change them.
func Probe() []byte { return probe }
