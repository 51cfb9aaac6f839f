// SPDX-License-Identifier: Apache-2.0

// Package live is the probe in a running kernel: it turns a demand into constants and tables, loads the programs, attaches them
// and delivers their records in time order.
//
// A Probe owns its programs, maps and links; Close ends them all, and the kernel ends them too when the process dies, because nothing is
// pinned. Run must be called from one goroutine; Stats, Beat and Close may be called from any. Nothing is lost in silence: what the
// kernel side could not deliver is counted per event and per CPU (Stats), and the first record after a gap says how long the gap was.
package live
