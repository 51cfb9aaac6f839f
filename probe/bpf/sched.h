/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Process life: new processes, new images, the end. */
#pragma once

#include "capture.h"

/* sched_process_exec: the new image is in place, its arguments are on its stack and the kernel's copy of the name in bprm. */
static __always_inline void on_exec(void *ctx, struct task_struct *t, struct linux_binprm *bprm)
{
	struct linux_binprm___fd *fd = (void *)bprm;
	struct scratch *s = scratch_get();
	bool by_fd = bpf_core_field_exists(fd->fdpath) && READ(fd, fdpath);

	if (!s)
		return;
	begin(s, by_fd ? execveat_slot : exec_slot, t);
	head(s)->nr = by_fd ? 322 : 59;
	/* exec leaves TS_COMPAT as the new image needs it, which is what later calls go by: the call itself is not known */
	s->name = (u64)READ(bprm, filename);
	s->file = (u64)READ(t, mm, exe_file);
	__builtin_memset(head(s)->args, 0, sizeof(head(s)->args));
	bpf_tail_call(ctx, &exec_programs, 0);
	no_program(s);
}

static __always_inline void capture_exec(void *ctx)
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
	if (!s->turns)
		frame(s, row);
	capture(ctx, s, &exec_programs, 0, CAN_PROCESS | CAN_NAME | CAN_STRIDE, ((struct pace){1, 1, 64}));
}

/* One part and no walk: the records of fork and exit. */
static __always_inline bool life_begin(struct scratch *s, u32 slot, struct task_struct *t)
{
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	begin(s, slot, t);
	if (!row)
		return false;
	frame(s, row);
	__builtin_memset(head(s)->args, 0, sizeof(head(s)->args));
	return true;
}

static __always_inline void on_fork(struct task_struct *child)
{
	struct scratch *s = scratch_get();

	if (!s || READ(child, pid) != READ(child, tgid)) /* a thread is no process */
		return;
	if (!life_begin(s, fork_slot, child))
		return;
	put_task(s, 0);
	send(s, true, REC_ROOM);
}

#define SIBLINGS 16
#define ANCESTORS 16

/* A thread of a process that is not about to end, 0 for none. */
static __always_inline u32 thread_alive(struct signal_struct *signal, struct task_struct *but)
{
	struct list_head *head = (void *)signal + bpf_core_field_offset(signal->thread_head), *at = READ(signal, thread_head.next);

	for (int i = 0; i < SIBLINGS && at != head; i++) {
		struct task_struct *p = (void *)at - bpf_core_field_offset(struct task_struct, thread_node);

		if (p != but && !(READ(p, flags) & PF_EXITING))
			return READ(p, pid);
		at = READ(at, next);
	}
	return 0;
}

/* Who inherits the children of a thread that ends: another thread of the process, else the nearest subreaper, else the
 * namespace's init (find_new_reaper of kernel/exit.c). 0 when there are no children. */
static __always_inline u32 reaper_of(struct task_struct *t)
{
	struct signal_struct *signal = READ(t, signal), *above;
	struct list_head *none = (void *)t + bpf_core_field_offset(t->children);
	struct task_struct *init, *a;
	struct pid *pid = READ(t, thread_pid);
	u32 level = READ(pid, level) & 31, tid;
	void *upid = (void *)pid + bpf_core_field_offset(pid->numbers) + level * bpf_core_type_size(struct upid);

	if (READ(t, children.next) == none)
		return 0;
	tid = thread_alive(signal, t);
	if (tid)
		return tid;
	init = READ((struct upid *)upid, ns, child_reaper);
	if (BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper)) {
		a = READ(t, real_parent);
		above = NULL;
		for (int i = 0; i < ANCESTORS && a && a != init; i++) {
			above = READ(a, signal);
			if (BPF_CORE_READ_BITFIELD_PROBED(above, is_child_subreaper))
				break;
			above = NULL;
			a = READ(a, real_parent);
		}
		tid = above ? thread_alive(above, NULL) : 0;
		if (tid)
			return tid;
	}
	return READ(init, pid);
}

/* Whether this thread is the last of its process: do_exit has taken it off signal->live before the tracepoint. Of threads that do so
 * at one time all find nobody left, and the first to come here is the last. */
static __always_inline bool is_last(struct task_struct *t)
{
	struct ended key = {};
	u32 value = 0;

	if (READ(t, signal, live.counter))
		return false;
	key.start = READ(t, group_leader, start_boottime);
	key.tgid = READ(t, tgid);
	/* an int: before 6.4 the upper half of the result means nothing */
	return (int)bpf_map_update_elem(&endings, &key, &value, BPF_NOEXIST) != -17; /* EEXIST */
}

static __always_inline bool every_thread(void)
{
	u32 slot = exit_slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	return row && (row->flags & SLOT_THREADS);
}

static __always_inline void on_exit(struct task_struct *t)
{
	bool group_dead = is_last(t);
	struct scratch *s = scratch_get();
	struct exit_facts *r;
	u8 *to;

	if (holding)
		let_go(t);
	if (!s || (!group_dead && !every_thread()))
		return;
	if (!life_begin(s, exit_slot, t))
		return;
	if (group_dead)
		head(s)->flags |= FLAG_GROUP_DEAD;
	to = room(s);
	if (!to)
		return;
	r = (void *)to;
	r->code = READ(t, exit_code);
	r->reaper = reaper_of(t);
	put(s, 0, sizeof(*r));
	send(s, true, REC_ROOM);
}
