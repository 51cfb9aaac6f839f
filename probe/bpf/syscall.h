/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* sys_exit: the dispatcher that every system call of the machine runs through, and the program behind it. */
#pragma once

#include "capture.h"

#define MARK_LEARN 1
#define MARK_BEAT 2

/* The loader tells who it is, or that it is alive, by a call that nobody else can make: the cookie is random. */
static __always_inline bool is_beat(u64 what)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	if (what == MARK_LEARN && !self.tgid) {
		self.start = READ(t, group_leader, start_boottime);
		self.tgid = bpf_get_current_pid_tgid() >> 32;
	}
	return what == MARK_BEAT;
}

static __always_inline bool is_self(struct task_struct *t)
{
	/* the start time tells us from a later process with our number, should these programs outlive us */
	return self.tgid == (u32)(bpf_get_current_pid_tgid() >> 32) && self.start == READ(t, group_leader, start_boottime);
}

static __always_inline void read_args(struct header *h, struct pt_regs *regs, bool compat)
{
	if (compat) {
		h->args[0] = (u32)READ(regs, bx);
		h->args[1] = (u32)READ(regs, cx);
		h->args[2] = (u32)READ(regs, dx);
		h->args[3] = (u32)READ(regs, si);
		h->args[4] = (u32)READ(regs, di);
		h->args[5] = (u32)READ(regs, bp);
	} else {
		h->args[0] = READ(regs, di);
		h->args[1] = READ(regs, si);
		h->args[2] = READ(regs, dx);
		h->args[3] = READ(regs, r10);
		h->args[4] = READ(regs, r8);
		h->args[5] = READ(regs, r9);
	}
}

#define OLD_MMAP 90 /* of the 32-bit table: its arguments are in memory, and its register points to them */

static __always_inline void read_args_in_memory(struct header *h)
{
	u32 args[6];

	if (bpf_probe_read_user(args, sizeof(args), (void *)h->args[0]))
		return;
	for (int i = 0; i < 6; i++)
		h->args[i] = args[i];
}

/* nr is the number in the register. Cheap to leave: a look-up and two comparisons for a call that nobody watches. */
static __always_inline void dispatch(void *ctx, struct pt_regs *regs, u64 nr, s64 ret)
{
	struct task_struct *t;
	struct scratch *s;
	struct route *r;
	/* the x32 bit selects another calling convention of the same calls; without it the number is the native one */
	u32 n = nr & ~0x40000000u, slot;
	bool compat, beat = false;

	if (n >= MAX_SYSCALL)
		return;
	r = bpf_map_lookup_elem(&routes, &n);
	if (!r || !(r->native | r->compat | r->mark))
		return;
	t = (void *)bpf_get_current_task();
	compat = READ(t, thread_info.status) & TS_COMPAT;
	slot = compat ? r->compat : r->native;
	if (r->mark && !compat && READ(regs, si) == cookie) {
		beat = is_beat(READ(regs, dx));
		if (beat)
			slot = heartbeat_slot;
	}
	if (!slot || (!beat && is_self(t)))
		return;
	s = scratch_get();
	if (!s)
		return;
	begin(s, slot, t);
	head(s)->ret = ret;
	head(s)->nr = n;
	if (compat)
		head(s)->flags = FLAG_COMPAT32;
	read_args(head(s), regs, compat);
	if (compat && n == OLD_MMAP)
		read_args_in_memory(head(s));
	bpf_tail_call(ctx, &exit_programs, slot);
	/* still here: the slot has no program */
	s->lost++;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);
	struct counters *c = row ? counters_of(row->event) : NULL;
	if (c)
		c->no_program++;
}

/* A descriptor that a call has left in memory. */
static __always_inline s32 descriptor_at(u64 from)
{
	s32 fd = -1;

	bpf_probe_read_user(&fd, sizeof(fd), (void *)from);
	return fd;
}

/* First turn of a capture at sys_exit: find the event's file. False when the event is not this hook's. */
static __always_inline bool syscall_begin(struct scratch *s, const struct slot *row)
{
	s64 ret = head(s)->ret;
	s32 fd = -1;

	if ((row->flags & SLOT_FAILED_ONLY) && ret >= 0)
		return false;
	if (row->flags & SLOT_FAILED_ONLY)
		head(s)->flags |= FLAG_FAILED;
	if ((row->flags & SLOT_CLONE) && ret == 0)
		head(s)->flags |= FLAG_CHILD;
	frame(s, row);
	switch (row->object) {
	case OBJ_RET: fd = ret < 0 ? -1 : (s32)ret; break;
	case OBJ_RET_POSITIVE: fd = ret <= 0 ? -1 : (s32)ret; break;
	case OBJ_ARG0: fd = head(s)->args[0]; break;
	case OBJ_ARG1: fd = head(s)->args[1]; break;
	case OBJ_ARG2: fd = head(s)->args[2]; break;
	case OBJ_ARG3: fd = head(s)->args[3]; break;
	case OBJ_ARG4: fd = head(s)->args[4]; break;
	case OBJ_ARG5: fd = head(s)->args[5]; break;
	case OBJ_AT0: fd = ret < 0 ? -1 : descriptor_at(head(s)->args[0]); break;
	}
	if (fd >= 0)
		s->file = (u64)file_of((void *)s->task, fd);
	return true;
}

static __always_inline void capture_syscall(void *ctx, u32 can, u32 recipes, u32 steps)
{
	struct scratch *s = scratch_get();
	const struct slot *row;
	u32 slot;

	if (!s)
		return;
	slot = s->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return;
	if (!s->turns) {
		if (!syscall_begin(s, row))
			return;
		if (can & CAN_HELD)
			find_held(s);
	}
	capture(ctx, s, &exit_programs, slot, can, recipes, steps);
	if (can & CAN_HELD)
		let_go((void *)s->task);
}
