/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Tracepoints that say it all in a few numbers, attached only when a rule asks for them: signals and page faults. */
#pragma once

#include "syscall.h"

/*
 * The record is built in the ring, not in the scratch: a page fault may come from the read of user memory that another program is in
 * the middle of.
 */
static __always_inline void report(u16 event, u64 a, u64 b, u64 c, u64 d)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct counters *count = counters_of(event);
	struct scratch *s = scratch_get();
	void *ring = ring_of_cpu();
	struct header *h = NULL;

	if (!s || !count || is_self(t))
		return;
	if (ring)
		h = bpf_ringbuf_reserve(ring, sizeof(*h), 0);
	if (!h) {
		s->lost++;
		count->ring_full++;
		return;
	}
	__builtin_memset(h, 0, sizeof(*h));
	h->len = sizeof(*h);
	h->event = event;
	h->ts = bpf_ktime_get_boot_ns();
	identify(h, t);
	h->args[0] = a;
	h->args[1] = b;
	h->args[2] = c;
	h->args[3] = d;
	h->lost = s->lost;
	s->lost = 0;
	count->sent++;
	bpf_ringbuf_submit(h, 0);
}

/* The kernel has no information for a signal that ends the process: it passes a small number for the pointer. */
static __always_inline void on_signal(int signal, struct kernel_siginfo *info)
{
	bool known = (u64)info > 2;
	int sender = known ? READ(info, _sifields._kill._pid) : 0;
	int code = known ? READ(info, si_code) : 0x80; /* SI_KERNEL */
	struct task_struct *t = (void *)bpf_get_current_task();

	report(signal_event, (u32)sender, READ(t, pid), signal, (u32)code);
}

static __always_inline void on_page_fault(u64 address, struct pt_regs *regs, u64 error)
{
	report(page_fault_event, address, READ(regs, ip), error, 0);
}
