// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"testing"

	"falconet/engine/config"

	"golang.org/x/sys/unix"
)

func TestNeeded(t *testing.T) {
	all := Set(1<<41 - 1)
	for _, tc := range []struct {
		name     string
		writes   bool
		have     Set
		change   func(*config.Config)
		want     string
		children bool
	}{
		{"nothing but the probe", false, all, func(*config.Config) {}, "DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a file", false, all, func(c *config.Config) { c.Outputs.File.Enabled = true }, "DAC_OVERRIDE DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a recording", true, all, func(*config.Config) {}, "DAC_OVERRIDE DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"captures around alerts", false, all, func(c *config.Config) { c.Capture.Enabled = true }, "DAC_OVERRIDE DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a spool", false, all, func(c *config.Config) { c.Outputs.HTTP.Enabled, c.Outputs.HTTP.Spool.Path = true, "/x" }, "DAC_OVERRIDE DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a spool of an output that is off", false, all, func(c *config.Config) { c.Outputs.HTTP.Spool.Path = "/x" }, "DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a file of numbers", false, all, func(c *config.Config) { c.Metrics.Enabled, c.Metrics.OutputFile = true, "/x" }, "DAC_OVERRIDE DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a port of the privileged", false, all, func(c *config.Config) { c.Web.Enabled, c.Web.ListenPort = true, 80 }, "DAC_READ_SEARCH NET_BIND_SERVICE SYS_PTRACE PERFMON BPF", false},
		{"another port", false, all, func(c *config.Config) { c.Web.Enabled = true }, "DAC_READ_SEARCH SYS_PTRACE PERFMON BPF", false},
		{"a program", false, all, func(c *config.Config) { c.Outputs.Program.Enabled = true }, "DAC_READ_SEARCH KILL SYS_PTRACE PERFMON BPF", true},
		{"without CAP_BPF", false, all &^ Of(unix.CAP_BPF), func(*config.Config) {}, "DAC_READ_SEARCH SYS_PTRACE SYS_ADMIN PERFMON", false},
		{"little", false, Of(unix.CAP_BPF, unix.CAP_PERFMON), func(c *config.Config) { c.Outputs.File.Enabled = true }, "PERFMON BPF", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config.Default()
			tc.change(c)
			n := Needed(c, tc.writes, tc.have)
			if n.Keep.String() != tc.want || n.Children != tc.children {
				t.Errorf("needed are %q, by children %t; want %q, %t", n.Keep, n.Children, tc.want, tc.children)
			}
		})
	}
}
