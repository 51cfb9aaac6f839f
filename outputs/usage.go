// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage reads what this program and its host take.
type usage struct {
	root  string // of the host
	start time.Time
}

// numbers returns what can be read.
func (u *usage) numbers(mb bool) (out []number) {
	memory := func(key, name string, bytes uint64, inKB bool) {
		n := number{key: key + "_mb", name: name, value: bytes}
		shown := n
		shown.name = ""
		switch {
		case mb:
			shown.value = float64(bytes) / (1 << 20)
		case inKB:
			shown.key, shown.value = key+"_kb", bytes>>10
		default:
			shown.key, shown.value = key+"_bytes", bytes
		}
		n.key = ""
		out = append(out, n, shown)
	}
	share := func(key, name string, ratio float64) {
		out = append(out, number{key: key, value: float64(int(ratio*1000)) / 10}, number{name: name, value: ratio})
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err == nil {
		if wall := time.Since(u.start); wall > 0 {
			share("falco.cpu_usage_perc", "falcosecurity_falco_cpu_usage_ratio", float64(r.Utime.Nano()+r.Stime.Nano())/float64(wall))
		}
	}
	status := keyValues("/proc/self/status")
	memory("falco.memory_rss", "falcosecurity_falco_memory_rss_bytes", status["VmRSS"]<<10, true)
	memory("falco.memory_vsz", "falcosecurity_falco_memory_vsz_bytes", status["VmSize"]<<10, true)
	memory("falco.memory_pss", "falcosecurity_falco_memory_pss_bytes", keyValues("/proc/self/smaps_rollup")["Pss"]<<10, true)
	if n, ok := cgroupMemory(); ok {
		memory("falco.container_memory_used", "falcosecurity_falco_container_memory_used_bytes", n, false)
	}
	if idle, all, running, ok := u.hostCPU(); ok {
		share("falco.host_cpu_usage_perc", "falcosecurity_falco_host_cpu_usage_ratio", 1-float64(idle)/float64(all))
		out = append(out, number{key: "falco.host_procs_running", name: "falcosecurity_falco_host_procs_running_total", value: running})
	}
	mem := keyValues(filepath.Join(u.root, "/proc/meminfo"))
	if total := mem["MemTotal"]; total > 0 {
		memory("falco.host_memory_used", "falcosecurity_falco_host_memory_used_bytes", (total-min(total, mem["MemFree"]+mem["Buffers"]+mem["Cached"]))<<10, true)
	}
	if b, err := os.ReadFile(filepath.Join(u.root, "/proc/sys/fs/file-nr")); err == nil {
		if f := strings.Fields(string(b)); len(f) > 0 {
			if n, err := strconv.ParseUint(f[0], 10, 64); err == nil {
				out = append(out, number{key: "falco.host_open_fds", name: "falcosecurity_falco_host_open_fds_total", value: n})
			}
		}
	}
	return out
}

// hostCPU returns the time that the host's CPUs have spent idle and in all, in ticks, and how many tasks run.
func (u *usage) hostCPU() (idle, all, running uint64, ok bool) {
	b, err := os.ReadFile(filepath.Join(u.root, "/proc/stat"))
	if err != nil {
		return 0, 0, 0, false
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case len(f) > 5 && f[0] == "cpu":
			for i, text := range f[1:min(len(f), 9)] { // guests are in user time already
				n, err := strconv.ParseUint(text, 10, 64)
				if err != nil {
					return 0, 0, 0, false
				}
				all += n
				if i == 3 || i == 4 { // idle, and idle but for I/O
					idle += n
				}
			}
		case len(f) == 2 && f[0] == "procs_running":
			running, _ = strconv.ParseUint(f[1], 10, 64)
		}
	}
	return idle, all, running, all > 0
}

// cgroupMemory returns what the cgroup of this program has in memory.
func cgroupMemory() (uint64, bool) {
	paths := []string{"/sys/fs/cgroup/memory/memory.usage_in_bytes"}
	if b, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(b)) {
			if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				paths = []string{filepath.Join("/sys/fs/cgroup", dir, "memory.current"), "/sys/fs/cgroup/memory.current", paths[0]}
			}
		}
	}
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
				return n, true
			}
		}
	}
	return 0, false
}

// keyValues reads lines "Key: number".
func keyValues(path string) map[string]uint64 {
	out := map[string]uint64{}
	b, err := os.ReadFile(path)
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(b)) {
		key, rest, ok := strings.Cut(line, ":")
		if f := strings.Fields(rest); ok && len(f) > 0 {
			if n, err := strconv.ParseUint(f[0], 10, 64); err == nil {
				out[key] = n
			}
		}
	}
	return out
}

// fileSum returns the SHA-256 of a file, in hexadecimal digits.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("sum up file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("sum up file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
