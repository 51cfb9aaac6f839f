/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Building a record: begin, append parts, send. */
#pragma once

#include "maps.h"

/* The compiler drops a mask whose work a comparison before it has done. Older verifiers (5.10, 6.1) do not follow such comparisons
 * as far as the compiler does: hide the value, so that its mask stays. */
#define keep_mask(x) asm volatile("" : "+r"(x))

static __always_inline struct scratch *scratch_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/* The one for calls that move data. */
static __always_inline struct scratch *wide_get(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct wide *wide = bpf_map_lookup_elem(&wides, &cpu);

	return wide ? &wide->s : NULL;
}

static __always_inline struct counters *counters_of(u32 event)
{
	return bpf_map_lookup_elem(&counts, &event);
}

/* The ring for events of this CPU: every CPU that may be has one. */
static __always_inline void *ring_of_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&events, &cpu);
}

static __always_inline struct header *head(struct scratch *s)
{
	return (struct header *)s->rec;
}

/* Where the next part may be written, NULL when the scratch is full. The bound that the comparison gives the verifier holds for
 * any part of up to PATH_CAP bytes, because rec has that much room behind REC_CAP. */
static __always_inline u8 *room(struct scratch *s)
{
	u64 off = s->off;

	if (off > REC_CAP)
		return NULL;
	return s->rec + off;
}

/* Store the length of part i, whose bytes are in place. */
static __always_inline void put(struct scratch *s, u32 i, u32 len)
{
	u32 *lens = (u32 *)(s->rec + sizeof(struct header));

	i &= MAX_PARTS - 1;
	lens[i] = len;
	if (len != PART_ABSENT) {
		s->at[i] = s->off;
		s->off += len & ~PART_TRUNCATED;
	}
	s->mode = 0;
}

static __always_inline void absent(struct scratch *s, u32 i)
{
	put(s, i, PART_ABSENT);
}

/* A part that was asked for and could not be read. */
static __always_inline void faulted(struct scratch *s, u32 i)
{
	s->fault++;
	put(s, i, PART_ABSENT);
}

static __always_inline void put_cut(struct scratch *s, u32 i, u32 len)
{
	s->truncated++;
	put(s, i, len | PART_TRUNCATED);
}

static __always_inline void begin(struct scratch *s, u32 slot, struct task_struct *task)
{
	s->slot = slot;
	s->task = (u64)task;
	s->file = 0;
	s->req = 0;
	s->held = 0;
	s->next = 0;
	s->mode = 0;
	s->turns = 0;
	s->fault = 0;
	s->truncated = 0;
	s->deep = 0;
	s->full = 0;
	head(s)->ts = bpf_ktime_get_boot_ns();
	head(s)->flags = 0;
	head(s)->ret = 0;
	head(s)->nr = 0;
}

/* Once the row is known: where the parts begin. What no recipe stores is absent. */
static __always_inline void frame(struct scratch *s, const struct slot *row)
{
	u32 *lens = (u32 *)(s->rec + sizeof(struct header));
	u32 n = row->parts;

	if (n > MAX_PARTS)
		n = MAX_PARTS;
	head(s)->event = row->event;
	head(s)->parts = n;
	s->recipes = row->recipes;
	s->off = sizeof(struct header) + 4 * n;
	__builtin_memset(lens, 0xff, 4 * MAX_PARTS); /* PART_ABSENT; the parts go over what is too much */
}

static __always_inline u64 cgroup_id(struct task_struct *t)
{
	return READ(t, cgroups, dfl_cgrp, kn, id);
}

#define NO_CONTROLLER ((u64)-1)

/* Where css_set.subsys[] has the i-th of Falco's controllers, in its order. Their numbers are the kernel configuration's. */
static __always_inline u64 controller_offset(u32 i)
{
#define CONTROLLER(name)                                                                                  \
	return bpf_core_enum_value_exists(enum cgroup_subsys_id, name) ?                                  \
		       8 * bpf_core_enum_value(enum cgroup_subsys_id, name) :                             \
		       NO_CONTROLLER
	switch (i) {
	case 0: CONTROLLER(cpuset_cgrp_id);
	case 1: CONTROLLER(cpu_cgrp_id);
	case 2: CONTROLLER(cpuacct_cgrp_id);
	case 3: CONTROLLER(io_cgrp_id);
	case 4: CONTROLLER(memory_cgrp_id);
	}
#undef CONTROLLER
	return NO_CONTROLLER;
}

static __always_inline struct cgroup *controller_cgroup(struct task_struct *t, u64 offset)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups); /* a plain number: the offset is unknown to the verifier */
	struct cgroup_subsys_state *css = NULL;

	if (offset == NO_CONTROLLER)
		return NULL;
	bpf_core_read(&css, sizeof(css), (void *)set + bpf_core_field_offset(set->subsys) + offset);
	return css ? READ(css, cgroup) : NULL;
}

static __always_inline u64 cgroup1_id(struct task_struct *t)
{
	if (v1_controller < 0)
		return 0;
	struct cgroup *c = controller_cgroup(t, controller_offset(v1_controller));

	return c ? READ(c, kn, id) : 0;
}

static __always_inline u32 loginuid_of(struct task_struct *t)
{
	if (!bpf_core_field_exists(t->loginuid)) /* a kernel without audit */
		return (u32)-1;
	return READ(t, loginuid.val);
}

/* Whose record it is. */
static __always_inline void identify(struct header *h, struct task_struct *t)
{
	const struct cred *cred = READ(t, cred);

	h->pid = READ(t, tgid);
	h->tid = READ(t, pid);
	h->ppid = READ(t, real_parent, tgid);
	h->start = READ(t, group_leader, start_boottime);
	h->uid = READ(cred, euid.val);
	h->gid = READ(cred, egid.val);
	h->loginuid = loginuid_of(t);
	h->cgroup = cgroup_id(t);
	h->cgroup1 = cgroup1_id(t);
	h->cpu = bpf_get_smp_processor_id();
}

#define EINPROGRESS 115

/* Of a call that is left out because it failed. A connection under way has not failed. */
static __always_inline bool unwanted_failure(s64 ret)
{
	return drop_failed && ret < 0 && ret != -EINPROGRESS;
}

/* A tail call has come back: the slot has no program. */
static __always_inline void no_program(struct scratch *s)
{
	u32 slot = s->slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);
	struct counters *c = row ? counters_of(row->event) : NULL;

	s->lost++;
	if (c)
		c->no_program++;
}

/* Complete the header and send. Everything that is lost is counted here, where the event is known. */
static __always_inline void send(struct scratch *s, bool to_life, u32 cap)
{
	struct task_struct *t = (void *)s->task;
	struct header *h = head(s);
	void *ring = ring_of_cpu();
	struct counters *c;
	long err;
	u64 len;

	identify(h, t);
	if (s->req) {
		h->uid = s->uid;
		h->gid = s->gid;
	}
	h->lost = s->lost;
	if (s->truncated | s->deep)
		h->flags |= FLAG_TRUNCATED;
	if (s->fault)
		h->flags |= FLAG_FAULT;
	c = counters_of(h->event);
	if (!c)
		return;
	c->fault += s->fault;
	c->truncated += s->truncated;
	c->too_deep += s->deep;
	c->scratch_full += s->full;
	/*
	 * Neither can be: room() bounds every part, and every CPU has a ring; the verifier wants to read it. Both stand here, with no call between
	 * them and the output: verifiers before 6.2 forget the bound of a number that is put aside, and refuse to compare &life with NULL.
	 */
	len = s->off;
	if (!ring || len > cap) {
		s->lost++;
		c->scratch_full++;
		return;
	}
	h->len = len;
	/* Wake-ups are the ring's own: one interrupt when the reader has caught up, none while it is behind. */
	if (to_life)
		err = bpf_ringbuf_output(&life, s->rec, len, 0);
	else
		err = bpf_ringbuf_output(ring, s->rec, len, 0);
	if (err) {
		s->lost++;
		c->ring_full++;
	} else {
		s->lost = 0;
		c->sent++;
	}
}
