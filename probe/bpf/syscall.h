/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* sys_exit: the dispatcher that every system call of the machine runs through, and the program behind it. */
#pragma once

#include "capture.h"
#include "shared.h"

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

/*
 * The number of a call in its table. The x32 bit selects another calling convention of the same calls; without it the number is the native
 * one. The calls of which memory looks otherwise there have numbers of their own behind all others, and are what the 32-bit table has (x32
 * becomes true), but for the registers.
 */
static __always_inline u32 call_number(u64 nr, bool *x32)
{
	u32 n = nr & ~X32_BIT;

	if (n >= MAX_SYSCALL && (nr & X32_BIT) && n < MAX_SYSCALL + X32_CALLS) {
		*x32 = true;
		n = x32_calls[n & 63];
	}
	return n;
}

/* As the 32-bit table has them, where a position in a file takes two. */
static __always_inline void read_x32_args(struct header *h, struct pt_regs *regs, u64 nr)
{
	u64 position = READ(regs, r10), next = READ(regs, r8);

	h->args[0] = (u32)READ(regs, di);
	h->args[1] = (u32)READ(regs, si);
	h->args[2] = (u32)READ(regs, dx);
	h->args[3] = (u32)position;
	h->args[4] = (u32)next;
	h->args[5] = (u32)READ(regs, r9);
	switch ((u32)nr & ~X32_BIT) {
	case 534: case 535: case 546: case 547: /* preadv, pwritev, and with flags */
		h->args[4] = position >> 32;
		h->args[5] = (u32)next;
	}
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

/* nr is the number in the register. Cheap to leave: a look-up and two comparisons for a call that nobody watches. */
static __always_inline void dispatch(void *ctx, struct pt_regs *regs, u64 nr, s64 ret)
{
	const struct shared_call *shared = NULL;
	struct task_struct *t;
	struct scratch *s;
	struct route *r;
	bool compat, beat = false, x32 = false;
	u32 n = call_number(nr, &x32), slot;

	if (n >= MAX_SYSCALL)
		return;
	r = bpf_map_lookup_elem(&routes, &n);
	if (!r || !(r->native | r->compat | r->flags))
		return;
	t = (void *)bpf_get_current_task();
	compat = x32 || (READ(t, thread_info.status) & TS_COMPAT);
	slot = compat ? r->compat : r->native;
	if (compat && (r->flags & ROUTE_SHARED)) {
		shared = shared_call_of(r, READ(regs, bx));
		if (shared)
			slot = shared->slot;
	}
	if ((r->flags & ROUTE_MARK) && !compat && READ(regs, si) == cookie) {
		beat = is_beat(READ(regs, dx));
		if (beat)
			slot = heartbeat_slot;
	}
	if (!beat && holding && unwanted_failure(ret))
		let_go(t);
	if (!slot || (!beat && (unwanted_failure(ret) || is_self(t))))
		return;
	s = scratch_get();
	if (!s)
		return;
	begin(s, slot, t);
	head(s)->ret = ret;
	head(s)->nr = n;
	if (compat)
		head(s)->flags = FLAG_COMPAT32;
	if (x32)
		read_x32_args(head(s), regs, nr);
	else
		read_args(head(s), regs, compat);
	if (shared)
		plain_call(s, shared);
	bpf_tail_call(ctx, &exit_programs, slot);
	no_program(s);
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
	case OBJ_AT3: fd = ret < 0 ? -1 : descriptor_at(head(s)->args[3]); break;
	}
	if (fd >= 0)
		s->file = (u64)file_of((void *)s->task, fd);
	return true;
}

static __always_inline void capture_syscall(void *ctx, u32 can, struct pace pace)
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
	capture(ctx, s, &exit_programs, slot, can, pace);
	if (can & CAN_HELD)
		let_go((void *)s->task);
}

/* What the dispatcher has begun goes on in this CPU's wide scratch. NULL when the event is not this hook's. */
static __always_inline struct scratch *move_over(struct scratch *begun)
{
	struct scratch *s = wide_get();
	u32 slot = begun->slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	if (!s || !row)
		return NULL;
	if (begun->turns++)
		return s;
	begin(s, slot, (void *)begun->task);
	__builtin_memcpy(head(s), head(begun), sizeof(struct header));
	s->lost = begun->lost;
	if (!syscall_begin(s, row))
		return NULL;
	if (row->io)
		io_begin(s, row->io);
	return s;
}

/* The same for calls that move data. */
static __always_inline void capture_moved(void *ctx, u32 can, struct pace pace)
{
	struct scratch *begun = scratch_get(), *s;

	if (!begun)
		return;
	s = move_over(begun);
	if (!s)
		return;
	capture(ctx, s, &exit_programs, s->slot, can | CAN_DATA | CAN_STRIDE, pace);
	begun->lost = s->lost;
}

/*
 * Calls that move a vector of messages: a record for each. Where the kernel has bpf_loop (5.17: e6f2dd0f8067) its every round is a recipe, a
 * step, or the end of a record, which costs the verifier one round of work; elsewhere a turn does some dozens.
 */
#define MAX_ROUNDS (1 << 17)

static __always_inline bool message_done(struct scratch *s, const struct slot *row)
{
	if (!(row->flags & SLOT_SILENT))
		send(s, false, REC_CAP + DATA_CAP);
	s->next = 0;
	s->mode = 0;
	s->fault = 0;
	s->truncated = 0;
	s->deep = 0;
	s->full = 0;
	head(s)->flags &= FLAG_COMPAT32;
	frame(s, row);
	return !next_message(s);
}

/* What was left of a vector is lost, and counted. */
static __always_inline void messages_left(struct scratch *s, const struct slot *row)
{
	u32 left = s->io.messages - s->io.done;
	struct counters *c = counters_of(row->event);

	if (!left || left > MAX_IOV || (row->flags & SLOT_SILENT))
		return;
	s->lost += left;
	if (c)
		c->scratch_full += left;
}

/* One round. 1 when none is left to do. A global function, see stride.h. */
__noinline int message_round(void)
{
	struct scratch *s = wide_get();
	const struct slot *row;
	u32 slot;

	if (!s)
		return 1;
	slot = s->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return 1;
	if (s->mode)
		step(s, CAN_OBJECT | CAN_DATA);
	else if (s->next < s->recipes)
		part_begin(s, row, CAN_OBJECT | CAN_DATA);
	else
		return message_done(s, row);
	return 0;
}

static long message_of_loop(u32 i, void *unused)
{
	u64 done = message_round();

	/* the compiler knows what the function returns, the verifier, which looks at it by itself, does not */
	keep_mask(done);
	return done & 1;
}

static __always_inline void capture_messages(void)
{
	struct scratch *begun = scratch_get(), *s;
	const struct slot *row;
	u32 slot;

	if (!begun)
		return;
	s = move_over(begun);
	if (!s)
		return;
	slot = s->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return;
	if (bpf_loop(MAX_ROUNDS, message_of_loop, NULL, 0) >= MAX_ROUNDS)
		s->io.done--; /* the one that was begun */
	messages_left(s, row);
	begun->lost = s->lost;
}

static __always_inline void capture_messages_by_turns(void *ctx, u32 rounds)
{
	struct scratch *begun = scratch_get(), *s;
	const struct slot *row;
	u32 slot, i;

	if (!begun)
		return;
	s = move_over(begun);
	if (!s)
		return;
	slot = s->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return;
	for (i = 0; i < rounds; i++) {
		if (message_round())
			break;
	}
	if (i == rounds) {
		if (s->turns++ < TURNS)
			bpf_tail_call(ctx, &exit_programs, slot);
		s->io.done--; /* the one that was begun */
	}
	messages_left(s, row);
	begun->lost = s->lost;
}
