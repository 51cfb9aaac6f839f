// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"slices"
	"strconv"

	"falconet/engine/event"
)

// Kernel is what the probe counted, by event.
type Kernel []event.Counts

// dropCategory is one of the words by which Falco tells lost events apart.
type dropCategory struct {
	name   string
	events []string
}

var dropCategories = []dropCategory{
	{"clone_fork", []string{"clone", "clone3", "fork", "vfork", "procfork"}},
	{"execve", []string{"execve", "execveat"}},
	{"connect", []string{"connect"}},
	{"open", []string{"open", "creat", "openat", "openat2", "open_by_handle_at"}},
	{"dir_file", []string{"dup", "chmod", "fchmod", "fchmodat", "chown", "lchown", "fchown", "fchownat", "link", "linkat", "mkdir", "mkdirat", "mount", "umount",
		"umount2", "rename", "renameat", "renameat2", "rmdir", "symlink", "symlinkat", "unlink", "unlinkat"}},
	{"other_interest", []string{"bpf", "setpgid", "ptrace", "seccomp", "setns", "setresgid", "setresuid", "setsid", "unshare", "capset", "keyctl"}},
	{"close", []string{"close"}},
	{"proc", []string{"procexit"}},
}

// total adds up everything.
func (k Kernel) total() (sum event.Counters) {
	for _, e := range k {
		for _, c := range e.CPUs {
			sum.Add(c)
		}
	}
	return sum
}

// lostOtherwise is how many events were lost to anything but full buffers.
func lostOtherwise(c event.Counters) uint64 { return c.Lost() - c.RingFull }

// full returns how many events were lost to full buffers, in the order of dropCategories.
func (k Kernel) full() []uint64 {
	out := make([]uint64, len(dropCategories))
	for _, e := range k {
		i := slices.IndexFunc(dropCategories, func(d dropCategory) bool { return slices.Contains(d.events, e.Name) })
		if i < 0 {
			continue
		}
		for _, c := range e.CPUs {
			out[i] += c.RingFull
		}
	}
	return out
}

// byCPU adds up the events of each CPU.
func (k Kernel) byCPU() []event.Counters {
	var out []event.Counters
	for _, e := range k {
		for len(out) < len(e.CPUs) {
			out = append(out, event.Counters{})
		}
		for i, c := range e.CPUs {
			out[i].Add(c)
		}
	}
	return out
}

// probe are the numbers of the probe.
func (m *Metrics) probe(k Kernel) (out []number) {
	sum := k.total()
	if m.conf.KernelEvents {
		out = append(out,
			number{key: "scap.n_evts", name: "falcosecurity_scap_n_evts_total", counter: true, value: sum.Events(), always: true},
			number{key: "scap.n_drops", name: "falcosecurity_scap_n_drops_total", counter: true, value: sum.Lost(), always: true},
			number{key: "scap.n_drops_buffer_total", value: sum.RingFull},
			number{key: "scap.n_drops_scratch_map", name: "falcosecurity_scap_n_drops_scratch_map_total", counter: true, value: sum.ScratchFull},
			number{key: "scap.n_drops_page_faults", name: "falcosecurity_scap_n_drops_page_faults_total", counter: true, value: sum.Fault},
		)
		for r := range event.Reasons() {
			name := "falconet_probe_pieces_lost_total"
			if r.WholeEvent() {
				name = "falconet_probe_events_lost_total"
			}
			out = append(out, number{name: name, counter: true, labels: []string{"reason", r.String()}, value: sum.Of(r)})
		}
		for i, n := range k.full() {
			category := dropCategories[i].name
			out = append(out, number{
				key: "scap.n_drops_buffer_" + category + "_exit", name: "falcosecurity_scap_n_drops_buffer_total", counter: true,
				labels: []string{"drop", category, "dir", "exit"}, value: n,
			})
			if category != "close" && category != "proc" {
				// Entries are not looked at; dashboards ask for them all the same.
				out = append(out, number{name: "falcosecurity_scap_n_drops_buffer_total", counter: true, labels: []string{"drop", category, "dir", "enter"}, value: uint64(0)})
			}
		}
	}
	if m.conf.KernelEventsPerCPU {
		for i, c := range k.byCPU() {
			cpu := strconv.Itoa(i)
			out = append(out,
				number{key: "scap.n_evts_cpu_" + cpu, name: "falcosecurity_scap_n_evts_cpu_total", counter: true, labels: []string{"cpu", cpu}, value: c.Events()},
				number{key: "scap.n_drops_cpu_" + cpu, name: "falcosecurity_scap_n_drops_cpu_total", counter: true, labels: []string{"cpu", cpu}, value: c.Lost()},
			)
		}
	}
	return out
}
