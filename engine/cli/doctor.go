// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

func (c *command) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "say what works on this machine, what is lost and what to do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := append(environment(), c.Doctor(cmd.Context())...)
			return c.printChecks(checks, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (c *command) printChecks(checks []Check, asJSON bool) error {
	failed := 0
	var b bytes.Buffer
	for _, k := range checks {
		if k.Status == "fail" {
			failed++
		}
		fmt.Fprintf(&b, "%-5s %-20s %s\n", k.Status, k.Name, oneLine(k.Detail))
		if k.Advice != "" {
			fmt.Fprintf(&b, "%-26s -> %s\n", "", k.Advice)
		}
	}
	var err error
	if asJSON {
		err = c.writeJSON(checks)
	} else {
		err = c.write(b.Bytes())
	}
	if err == nil && failed > 0 {
		return errReported
	}
	return err
}

// environment looks at what a probe needs of the machine.
func environment() []Check {
	return []Check{kernel(), typeInformation(), lockdown(), capabilities(), tracefs(), cgroups(), pidNamespace()}
}

func kernel() Check {
	k := Check{Name: "kernel", Status: "ok"}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return Check{Name: "kernel", Status: "fail", Detail: err.Error()}
	}
	k.Detail = unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
	var major, minor int
	if _, err := fmt.Sscanf(k.Detail, "%d.%d", &major, &minor); err == nil && (major < 5 || major == 5 && minor < 8) {
		k.Status, k.Advice = "fail", "ring buffers need Linux 5.8 or later"
	}
	return k
}

func typeInformation() Check {
	info, err := os.Stat("/sys/kernel/btf/vmlinux")
	if err != nil {
		return Check{"type information", "fail", "no /sys/kernel/btf/vmlinux", "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, and mount /sys"}
	}
	return Check{Name: "type information", Status: "ok", Detail: fmt.Sprintf("BTF, %d KiB", info.Size()>>10)}
}

func lockdown() Check {
	b, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err != nil {
		return Check{Name: "lockdown", Status: "ok", Detail: "none"}
	}
	if strings.Contains(string(b), "[confidentiality]") {
		return Check{"lockdown", "fail", "confidentiality: programs may not read kernel memory", "boot with lockdown=integrity or without lockdown"}
	}
	return Check{Name: "lockdown", Status: "ok", Detail: strings.TrimSpace(string(b))}
}

// capabilityNames are the capabilities that are of use, by number (include/uapi/linux/capability.h).
var capabilityNames = []struct {
	bit  uint
	name string
	use  string
}{
	{39, "CAP_BPF", "load programs"}, {38, "CAP_PERFMON", "trace"}, {19, "CAP_SYS_PTRACE", "read /proc of other users"},
	{24, "CAP_SYS_RESOURCE", "raise the memory lock limit on kernels before 5.11"},
}

func capabilities() Check {
	k := Check{Name: "capabilities", Status: "ok"}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Check{"capabilities", "warn", err.Error(), "mount /proc"}
	}
	var effective uint64
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			effective, _ = strconv.ParseUint(strings.TrimSpace(v), 16, 64)
		}
	}
	const sysAdmin = 1 << 21
	var missing []string
	for _, c := range capabilityNames {
		if effective&(1<<c.bit) == 0 && (effective&sysAdmin == 0 || c.bit < 38) {
			missing = append(missing, c.name+" ("+c.use+")")
			if c.bit >= 38 {
				k.Status = "fail"
			}
		}
	}
	switch {
	case len(missing) == 0:
		k.Detail = "all that is needed"
	default:
		k.Detail, k.Advice = "without "+strings.Join(missing, ", "), "run as root, or give these capabilities"
		if k.Status == "ok" {
			k.Status = "warn"
		}
	}
	return k
}

func tracefs() Check {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events"); err == nil {
			return Check{Name: "tracefs", Status: "ok", Detail: dir}
		}
	}
	return Check{Name: "tracefs", Status: "ok", Detail: "not mounted, and not needed"}
}

func cgroups() Check {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return Check{Name: "cgroups", Status: "ok", Detail: "v2"}
	}
	if _, err := os.Stat("/sys/fs/cgroup/unified"); err == nil {
		return Check{Name: "cgroups", Status: "ok", Detail: "hybrid: v1 controllers, v2 at /sys/fs/cgroup/unified"}
	}
	if _, err := os.Stat("/sys/fs/cgroup"); err == nil {
		return Check{Name: "cgroups", Status: "ok", Detail: "v1"}
	}
	return Check{"cgroups", "warn", "/sys/fs/cgroup is not mounted", "mount it, so that containers that run already are recognised"}
}

// pidNamespace tells whether /proc shows the host's processes: the kernel's threads are children of process 2 there.
func pidNamespace() Check {
	b, err := os.ReadFile("/proc/2/comm")
	if err == nil && strings.TrimSpace(string(b)) == "kthreadd" {
		return Check{Name: "pid namespace", Status: "ok", Detail: "the host's"}
	}
	return Check{"pid namespace", "warn", "not the host's: what /proc alone knows of running processes is missing", "run the container with --pid=host"}
}
