/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Hooks before the end of a call. At its beginning, for what a descriptor stands for: in the call's own function where the kernel allows it,
 * else at sys_enter, through which every call of the machine runs. Inside it, where the kernel has found the object that a path names.
 * Each program begins its capture and goes on with it by a tail call to itself.
 */
#pragma once

#include "syscall.h"

#define THREAD_SIZE 16384 /* of kernels that have no bpf_task_pt_regs */

/* The registers that a task entered the kernel with. */
static __always_inline struct pt_regs *entry_registers(struct task_struct *t)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) /* 5.15: dd6e10fbd9fb */
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return (void *)((u64)READ(t, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs));
}

/* Cheap to leave: at sys_enter every call of the machine asks. */
static __always_inline struct route *hold_route(u32 n)
{
	struct route *r = n < MAX_SYSCALL ? bpf_map_lookup_elem(&holds, &n) : NULL;

	return r && (r->native | r->compat) ? r : NULL;
}

/* The scratch of a call that is to be held; NULL for one that nobody asks for, or for want of room. */
static __always_inline struct scratch *hold_begin(struct task_struct *t, struct pt_regs *regs, u64 nr, bool inside)
{
	u32 n = nr & ~X32_BIT, slot;
	const struct slot *row;
	struct counters *c;
	struct scratch *s;
	struct route *r;
	bool compat;

	r = hold_route(n);
	if (!r)
		return NULL;
	compat = READ(t, thread_info.status) & TS_COMPAT;
	slot = compat ? r->compat : r->native;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!slot || !row || (row->object == OBJ_INSIDE) != inside)
		return NULL;
	if (is_self(t)) {
		self.held++;
		return NULL;
	}
	s = bench_take(t);
	if (!s) {
		c = counters_of(row->event);
		if (c)
			c->unheld++;
		return NULL;
	}
	begin(s, slot, t);
	s->whole = 0;
	s->object_mount = s->object_dentry = s->second_mount = s->second_dentry = 0;
	head(s)->nr = n;
	if (compat)
		head(s)->flags = FLAG_COMPAT32;
	read_args(head(s), regs, compat);
	frame(s, row);
	return s;
}

/* The capture that a tail call is to go on with. */
static __always_inline struct scratch *hold_again(struct task_struct *t)
{
	struct scratch *s = bench_of(t);

	return s && !s->whole && s->turns ? s : NULL;
}

static __always_inline void hold_parts(void *ctx, struct scratch *s, void *programs)
{
	u32 slot = s->slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	if (!row)
		return;
	capture_parts(ctx, s, row, programs, 0, CAN_HOLD, ((struct pace){1, 2, 24}));
	s->whole = 1;
}

/* A descriptor in a register, at the beginning of its call. */
static __always_inline void on_enter(void *ctx, void *programs, struct pt_regs *regs, u64 nr)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	const struct slot *row;
	struct file *f = NULL;
	struct scratch *s;
	u32 slot;

	if (!hold_route(nr & ~X32_BIT))
		return;
	s = hold_again(t);
	if (!s) {
		s = hold_begin(t, regs, nr, false);
		if (!s)
			return;
		slot = s->slot;
		row = bpf_map_lookup_elem(&slots, &slot);
		if (!row)
			return;
		switch (row->object) {
		case OBJ_ARG0: f = file_of(t, head(s)->args[0]); break;
		case OBJ_ARG1: f = file_of(t, head(s)->args[1]); break;
		}
		if (f) {
			s->file = (u64)f;
			s->object_mount = s->second_mount = (u64)READ(f, f_path.mnt);
			s->object_dentry = s->second_dentry = (u64)READ(f, f_path.dentry);
		}
	}
	hold_parts(ctx, s, programs);
}

/* An object, or two, that the kernel has found for the paths of a call. */
static __always_inline void on_object(void *ctx, void *programs, struct vfsmount *mount, struct dentry *dentry, struct vfsmount *mount2, struct dentry *dentry2)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct scratch *s = hold_again(t);
	struct pt_regs *regs;

	/* A worker of io_uring makes no calls: the registers are those that the thread had which it was made from, in the middle of any call. */
	if (READ(t, flags) & (PF_IO_WORKER | PF_KTHREAD))
		return;
	if (!s) {
		regs = entry_registers(t);
		s = hold_begin(t, regs, READ(regs, orig_ax), true);
		if (!s)
			return;
		s->object_mount = (u64)mount;
		s->object_dentry = (u64)dentry;
		s->second_mount = (u64)mount2;
		s->second_dentry = (u64)dentry2;
	}
	hold_parts(ctx, s, programs);
}
