// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"falconet/engine/event"
)

// Finding is one thing that Diagnose looked at.
type Finding struct {
	Name   string
	OK     bool
	Minor  bool   // should it not be OK, most is seen all the same
	Detail string // what was seen, or what is lost
	Advice string // what to do about it, "" when nothing is to be done
}

// Status is one word for it.
func (f *Finding) Status() string {
	switch {
	case f.OK:
		return "ok"
	case f.Minor:
		return "warn"
	}
	return "fail"
}

// proofTime bounds the wait for a record that is expected.
const proofTime = 5 * time.Second

// Diagnose loads a probe, makes every hook fire once and says what came back. Attaching is no proof: some kernels attach programs that
// never run. command is a program that starts, opens a file and ends by itself.
func Diagnose(ctx context.Context, o Options, command ...string) []Finding {
	var d event.Demand
	d.AddAll()
	o.Demand = &d
	began := time.Now()
	p, err := Open(o)
	if err != nil {
		return []Finding{{Name: "probe", Detail: err.Error(), Advice: "without the probe nothing is seen: run as root on a kernel from 5.10 on with BTF"}}
	}
	defer p.Close()
	out := []Finding{{Name: "probe", OK: true, Detail: fmt.Sprintf("%d programs loaded and attached in %s", p.loadedPrograms(), time.Since(began).Round(time.Millisecond))}}
	for _, h := range p.hooks {
		if h.spelling == rawTracepoint && !h.raw {
			out = append(out, Finding{Name: h.tracepoint, OK: true, Detail: "raw tracepoint: this kernel refuses the BTF one, which is faster"})
		}
	}
	for _, err := range p.refused {
		out = append(out, Finding{Name: "refused program", Minor: true, Detail: err.Error(), Advice: "report this with the kernel's version; everything else works"})
	}
	out = append(append(out, p.heldFindings()...), p.proveIterator())
	return append(out, p.proveHooks(ctx, command)...)
}

func (p *Probe) loadedPrograms() (n int) {
	for _, h := range p.hooks {
		n += len(h.progs)
	}
	return n + len(p.holders)
}

func (p *Probe) proveIterator() Finding {
	f := Finding{Name: "running processes", Minor: true}
	n := 0
	if err := p.Tasks(func(*event.TaskFacts) { n++ }); err != nil {
		f.Detail, f.Advice = err.Error(), "processes that run already are read from /proc instead: mount it, and share the host's pid namespace"
		return f
	}
	f.OK, f.Detail = n > 0, fmt.Sprintf("the kernel's iterator lists %d", n)
	return f
}

// proveHooks starts a process and waits for what its life must leave in the rings.
func (p *Probe) proveHooks(ctx context.Context, command []string) []Finding {
	seen := make(map[string]bool)
	var pid uint32
	note := func(r *event.Record) {
		if r.PID == pid {
			seen[r.EventName()] = true
		}
		seen[traced(r)] = true
	}
	if err := p.Start(); err != nil {
		return []Finding{{Name: "events", Detail: err.Error()}}
	}
	requests := p.proveRequests()
	p.Beat()
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	if err := child.Start(); err != nil {
		return []Finding{{Name: "events", Detail: "start a process to look at: " + err.Error()}}
	}
	ns := uint32(child.Process.Pid)
	waitErr := child.Wait()
	// for a signal that is somebody else's than our own
	victim := exec.CommandContext(ctx, command[0], command[1:]...)
	if victim.Start() == nil {
		_ = victim.Process.Kill()
		_ = victim.Wait()
	}
	// in a pid namespace of our own the kernel knows the child by another number: it is the one whose number in here is ours
	find := func(r *event.Record) {
		if t, ok := r.Task(); ok && (t.VPID == ns || t.PID == ns) && pid == 0 && r.EventName() == "procfork" {
			pid = r.PID
		}
		note(r)
	}
	for end := time.Now().Add(proofTime); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.Drain(find, func() {})
		if p.Beats() > 0 && seen["procfork"] && seen["execve"] && seen["procexit"] && p.missing(seen) == 0 {
			break
		}
	}
	out := []Finding{{Name: "sys_exit", OK: p.Beats() > 0, Detail: "system calls are seen, and records come through the ring buffer"}}
	if !out[0].OK {
		out[0].Detail, out[0].Advice = "our own heartbeat did not come back", "system call events are lost on this kernel"
	}
	for _, h := range []struct{ name, event, loses string }{
		{"sched_process_fork", "procfork", "new processes are not seen before they run a program"},
		{"sched_process_exec", "execve", "started programs are not seen"},
		{"sched_process_exit", "procexit", "the end of processes is not seen"},
	} {
		f := Finding{Name: h.name, OK: seen[h.event], Detail: "fired and delivered"}
		if !f.OK {
			f.Detail, f.Advice = h.loses, "the hook is attached but did not fire"
		}
		out = append(out, f)
	}
	for _, h := range p.hooks {
		if !h.reports() {
			continue
		}
		f := Finding{Name: h.tracepoint, OK: seen[h.tracepoint], Detail: "fired and delivered"}
		if !f.OK {
			f.Detail, f.Advice = h.loses+" are not seen", "the hook is attached but did not fire"
		}
		out = append(out, f)
	}
	opened := Finding{Name: "paths", OK: seen["openat"] || seen["open"], Detail: "an opened file was reported"}
	if !opened.OK {
		opened.Detail = strings.TrimSpace(fmt.Sprintf("the process that was started for this reported no file (%v)", waitErr))
	}
	return append(out, requests, opened)
}

// traced is the tracepoint that a record without a system call comes from, "" for others. Which of the two hooks reported a page fault
// is in the processor's error code, where a bit says that a program was running.
func traced(r *event.Record) string {
	const user = 4
	switch {
	case r.Row().Name == "signaldeliver":
		return "signal_deliver"
	case r.Row().Name == "page_fault" && r.Args[2]&user != 0:
		return "page_fault_user"
	case r.Row().Name == "page_fault":
		return "page_fault_kernel"
	}
	return ""
}

// missing counts the hooks that make events of their own and from which nothing has come.
func (p *Probe) missing(seen map[string]bool) (n int) {
	for _, h := range p.hooks {
		if h.reports() && !seen[h.tracepoint] {
			n++
		}
	}
	return n
}

// reports says whether a hook makes events of its own. Those of io_uring make the events of calls.
func (l *loaded) reports() bool { return l.late && !isRequestHook(l.dispatcher) }
