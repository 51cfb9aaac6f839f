/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * io_uring: a request appears as the system call that it stands for, in the same row, once it is done.
 *
 * Two tracepoints tell of a request. When it has been submitted (io_uring_submit_req, before 6.3 io_uring_submit_sqe), the kernel has
 * made it from its entry in the shared queue, and holds its own copy of every name. When it is completed (io_uring_complete), the result
 * and the objects are there, but the names are freed, and user memory that held arguments may be used for something else: a program
 * needs to leave it alone only until the submission. So arguments, names and addresses are captured at submission, into a table keyed by
 * the request, and the record is made at completion: of the request's task, with the credentials that it was submitted with, and with
 * the file that it holds, wherever the completion runs.
 *
 * The system call's arguments are where each kernel's structures have them: the loader finds the members in the kernel's type
 * information and writes what this file reads to the table requests. What a request does not keep is read from the entry.
 *
 * Some requests have no completion that could be told to be theirs:
 * - With IOSQE_CQE_SKIP_SUCCESS only a failure is completed. Such a request is reported when it is submitted.
 * - A completion that finds the shared queue full (io_uring_cqe_overflow), every completion before 5.18, and all but the last one of a
 *   request that is completed more than once name the ring and what user space calls the request, but not the request.
 *   Usually there is one of that name; of several, the one with that result is meant. When too many have one name, those
 *   for which there is no room are reported when they are submitted.
 * - When the table is full, or a name too long for it, and the call leaves no object to know it by, likewise.
 * What is reported at submission has no result: it says so (FLAG_UNKNOWN), and is counted. A request that could not be made
 * from its entry has no submission; io_uring_req_failed (with the request since 5.18) tells of it, and what is known is the entry.
 */
#pragma once

#include "capture.h"

const volatile bool submit_second;    /* io_uring_submit_sqe names the ring first (before 6.0) */
const volatile bool failed_third;     /* so does io_uring_req_failed */
const volatile bool complete_by_name; /* io_uring_complete has no request */
const volatile bool complete_entry;   /* io_uring_complete has the result in an entry, as later kernels than 6.12 do */
/* Flags of a request whose place is the kernel's own affair: it has credentials; it is one that had no completion but for its failure. */
const volatile u32 request_creds, request_skipped;

/* An argument of the tracepoint, where which one depends: the compiler must not make one load of several, from a place that depends. */
#define FROM(ctx, n) ({ u64 __v = (ctx)[n]; asm volatile("" : "+r"(__v)); __v; })

#define CQE_MORE (1 << 1)
#define CQE_NOTIF (1 << 3)

#define FMODE_STREAM 0x200000

static __always_inline bool request_of_self(struct task_struct *t)
{
	return self.tgid == READ(t, tgid) && self.start == READ(t, group_leader, start_boottime);
}

/* The slot that a request leads to, 0 for none; *at becomes the operation's entry that has it. */
static __always_inline u32 request_slot(const struct io_kiocb *req, u32 *at, bool *compat)
{
	const struct io_ring_ctx *ring;
	const struct request *r;
	u32 i = (READ(req, opcode) & 127) * 2;

	for (u32 end = i + 2; i < end; i++) {
		u32 key = i;

		r = bpf_map_lookup_elem(&requests, &key);
		if (!r || !(r->slot[0] | r->slot[1]))
			continue;
		ring = READ(req, ctx);
		*compat = BPF_CORE_READ_BITFIELD_PROBED(ring, compat);
		*at = i;
		return r->slot[*compat];
	}
	return 0;
}

static __always_inline void request_begin(struct scratch *s, const struct io_kiocb *req, const struct request *r, u32 at, u32 slot, struct task_struct *t, bool compat)
{
	const struct cred *cred;

	begin(s, slot, t);
	s->req = (u64)req;
	s->request = at;
	s->afar = false;
	s->kept = KEPT_NOTHING;
	cred = READ(req, flags) & request_creds ? READ(req, creds) : READ(t, cred);
	s->uid = READ(cred, euid.val);
	s->gid = READ(cred, egid.val);
	head(s)->nr = r->nr[compat];
	head(s)->flags = compat ? FLAG_IO_URING | FLAG_COMPAT32 : FLAG_IO_URING;
}

static __always_inline void forget_name(u64 ring, u64 data, u64 req)
{
	struct named key = {ring, data};
	struct namesakes *n = bpf_map_lookup_elem(&pending_names, &key);
	u64 left = 0;

	if (!n)
		return;
	for (u32 i = 0; i < NAMESAKES; i++) {
		if (n->req[i] == req)
			n->req[i] = 0;
		left |= n->req[i];
	}
	if (!left)
		bpf_map_delete_elem(&pending_names, &key);
}

/* Submissions of one ring do not run at one time: a place that is free stays so until it is taken here. */
static __always_inline bool remember_name(u64 ring, u64 data, u64 req)
{
	struct named key = {ring, data};
	struct namesakes *n = bpf_map_lookup_elem(&pending_names, &key), alone = {{req}};

	if (!n)
		return !bpf_map_update_elem(&pending_names, &key, &alone, BPF_ANY);
	for (u32 i = 0; i < NAMESAKES; i++) {
		if (!n->req[i]) {
			n->req[i] = req;
			return true;
		}
	}
	return false;
}

/* Keep s->saved until the completion. False when its completion could not be told to be the request's. */
static __always_inline bool request_remember(struct scratch *s)
{
	struct saved *old = bpf_map_lookup_elem(&pending, &s->req);

	if (old) /* of a request that was here before and whose end was not seen */
		forget_name(old->ring, old->data, s->req);
	if (bpf_map_update_elem(&pending, &s->req, &s->saved, BPF_ANY)) {
		__sync_fetch_and_add(&requests_full, 1);
		return false;
	}
	if (remember_name(s->saved.ring, s->saved.data, s->req) || !complete_by_name)
		return true;
	bpf_map_delete_elem(&pending, &s->req);
	return false;
}

static __always_inline void count_unmatched(u32 slot)
{
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);
	struct counters *c = row ? counters_of(row->event) : NULL;

	if (c)
		c->unmatched++;
}

/* Argument n. The compiler must not conclude a bound that the verifier cannot see. */
static __always_inline u64 arg_at(struct scratch *s, u32 n)
{
	keep_mask(n);
	return arg_of(s, n & 7);
}

/* The file that argument n names. The request takes one along, from its submission on. */
static __always_inline struct file *argument_file(struct scratch *s, const struct io_kiocb *req, const struct request *r, u32 n)
{
	bool own = r->file == n + 1, fixed;

	if (own && s->kept != SUBMITTING)
		return READ(req, file);
	fixed = own ? READ(req, flags) & REQUEST_FIXED_FILE : r->fixed && arg_at(s, r->fixed - 1) >> 31 & 1;
	return fixed ? registered_file(READ(req, ctx), arg_at(s, n)) : file_of((void *)s->task, arg_at(s, n));
}

/* failed: no request could be made from the entry. */
static __always_inline void on_submit(void *ctx, const struct io_kiocb *req, bool failed, u64 entry)
{
	u32 at = 0, slot;
	bool compat = false, whole;
	struct task_struct *t;
	const struct request *r;
	const struct slot *row;
	struct scratch *s;

	slot = request_slot(req, &at, &compat);
	if (!slot)
		return;
	t = request_task(req);
	s = scratch_get();
	r = bpf_map_lookup_elem(&requests, &at);
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!s || !r || !row || request_of_self(t))
		return;
	request_begin(s, req, r, at, slot, t, compat);
	request_args(s, r, entry, false);
	whole = request_save(s, r, row, entry);
	s->saved.ring = (u64)READ(req, ctx);
	s->saved.data = request_data(req);
	s->saved.start = READ(t, group_leader, start_boottime);
	s->saved.tgid = READ(t, tgid);
	s->saved.uid = s->uid;
	s->saved.gid = s->gid;
	__builtin_memcpy(s->saved.args, head(s)->args, sizeof(s->saved.args));
	if (!(READ(req, flags) & REQUEST_CQE_SKIP)) {
		/* a name is not needed where the kernel's object says more */
		if ((whole || failed || row->object == OBJ_RET) && request_remember(s))
			return;
		if (!r->early && !complete_by_name) /* then the completion knows as much */
			return;
	}
	if (failed) {
		count_unmatched(slot);
		return;
	}
	s->kept = SUBMITTING;
	head(s)->flags |= FLAG_UNKNOWN;
	if (row->object >= OBJ_ARG0 && row->object <= OBJ_ARG5)
		s->file = (u64)argument_file(s, req, r, row->object - OBJ_ARG0);
	bpf_tail_call(ctx, &request_programs, slot);
	no_program(s);
}

/* The request that a completion without one is of. */
static __always_inline struct io_kiocb *request_named(u64 ring, u64 data, s32 res, bool *sure)
{
	struct named key = {ring, data};
	struct namesakes *n = bpf_map_lookup_elem(&pending_names, &key);
	u64 first = 0, match = 0;
	u32 all = 0;

	if (!n)
		return NULL;
	for (u32 i = 0; i < NAMESAKES; i++) {
		u64 req = n->req[i];

		if (!req)
			continue;
		all++;
		if (!first)
			first = req;
		if (!match && request_result((void *)req) == res)
			match = req;
	}
	*sure = all == 1 || match;
	return (void *)(match ? match : first);
}

static __always_inline void request_object(struct scratch *s, const struct io_kiocb *req, const struct request *r, const struct slot *row, s32 res)
{
	u32 place = 0, object = row->object;

	if (object >= OBJ_ARG0 && object <= OBJ_ARG5) {
		s->file = (u64)argument_file(s, req, r, object - OBJ_ARG0);
		return;
	}
	if (object == OBJ_NONE || res < 0)
		return;
	if (r->direct)
		place = load_kernel((u64)req + r->direct, 4);
	if (object == OBJ_AT0) {
		if (!place && !s->afar)
			s->file = (u64)file_of((void *)s->task, descriptor_at(arg_of(s, 0)));
		return;
	}
	if (place) /* counted from 1; the last number of all lets the kernel choose */
		s->file = (u64)registered_file(READ(req, ctx), place == (u32)-1 ? res : place - 1);
	else if (res || object == OBJ_RET)
		s->file = (u64)file_of((void *)s->task, res);
}

/* req is 0 for a completion that names none. */
static __always_inline void on_complete(void *ctx, u64 ring, struct io_kiocb *req, u64 data, s32 res, u32 cflags)
{
	struct task_struct *t, *now = (void *)bpf_get_current_task();
	bool compat = false, sure = true, again = !req && (cflags & CQE_MORE);
	const struct request *r;
	const struct slot *row;
	struct saved *saved;
	struct scratch *s;
	u32 at = 0, slot;
	u64 key;

	if (!req) {
		if (cflags & CQE_NOTIF)
			return;
		req = request_named(ring, data, res, &sure);
		if (!req)
			return;
	}
	slot = request_slot(req, &at, &compat);
	if (!slot)
		return;
	key = (u64)req;
	saved = bpf_map_lookup_elem(&pending, &key);
	t = request_task(req);
	s = scratch_get();
	r = bpf_map_lookup_elem(&requests, &at);
	if (!s || !r || request_of_self(t))
		return;
	if (!saved) {
		if (r->early) /* reported when it was submitted */
			return;
		if (res < 0) { /* whether the request holds anything of this call is not known */
			if (!(READ(req, flags) & request_skipped))
				count_unmatched(slot);
			return;
		}
	}
	request_begin(s, req, r, at, slot, t, compat);
	if (saved) {
		bpf_probe_read_kernel(&s->saved, sizeof(s->saved), saved);
		__builtin_memcpy(head(s)->args, s->saved.args, sizeof(s->saved.args));
		s->kept = KEPT;
		s->fault = s->saved.fault;
		s->uid = s->saved.uid;
		s->gid = s->saved.gid;
		if (!again) {
			forget_name(s->saved.ring, s->saved.data, key);
			bpf_map_delete_elem(&pending, &key);
		}
	} else {
		request_args(s, r, 0, true);
	}
	if (r->position) { /* with a position the call is another; a stream has none */
		struct file *f = READ(req, file);

		at &= ~1;
		if (arg_of(s, r->position) != (u64)-1 && !(f && (READ(f, f_mode) & FMODE_STREAM)))
			at |= 1;
		s->request = at;
		r = bpf_map_lookup_elem(&requests, &at);
		if (!r)
			return;
		slot = r->slot[compat];
		s->slot = slot;
		head(s)->nr = r->nr[compat];
	}
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!slot || !row)
		return;
	if (sure && unwanted_failure(res))
		return;
	s->afar = READ(t, mm) != READ(now, mm);
	if (sure) {
		head(s)->ret = res;
		request_object(s, req, r, row, res);
	} else {
		head(s)->flags |= FLAG_UNKNOWN;
	}
	bpf_tail_call(ctx, &request_programs, slot);
	no_program(s);
}

/* io_uring_complete in its three forms. */
static __always_inline void on_complete_hook(u64 *ctx)
{
	u64 ring = ctx[0], req = 0, data, res, cflags;

	if (complete_by_name) {
		data = FROM(ctx, 1);
		res = FROM(ctx, 2);
		cflags = FROM(ctx, 3);
	} else if (!complete_entry) {
		req = FROM(ctx, 1);
		data = FROM(ctx, 2);
		res = FROM(ctx, 3);
		cflags = FROM(ctx, 4);
	} else {
		struct io_uring_cqe *cqe = (void *)FROM(ctx, 2);

		req = FROM(ctx, 1);
		data = READ(cqe, user_data);
		/* user space shares the entry */
		res = req ? request_result((void *)req) : READ(cqe, res);
		cflags = READ(cqe, flags);
	}
	on_complete(ctx, ring, (void *)req, data, res, cflags);
}

static __always_inline void capture_request(void *ctx)
{
	struct scratch *s = scratch_get();
	const struct slot *row;
	struct counters *c;
	u32 slot;

	if (!s)
		return;
	slot = s->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return;
	if (!s->turns) {
		frame(s, row);
		c = counters_of(row->event);
		if (c && (head(s)->flags & FLAG_UNKNOWN))
			c->unknown++;
	}
	capture(ctx, s, &request_programs, slot, CAN_CALL | CAN_REQUEST | CAN_STRIDE, ((struct pace){1, 1, 48}));
}

/* A request that moves data goes on in this CPU's wide scratch, as calls do that move data. */
static __always_inline struct scratch *request_over(struct scratch *begun, const struct slot *row)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct wide *wide = bpf_map_lookup_elem(&wides, &cpu);
	struct scratch *s;

	if (!wide)
		return NULL;
	s = &wide->s;
	if (begun->turns++)
		return s;
	begin(s, begun->slot, (void *)begun->task);
	__builtin_memcpy(head(s), head(begun), sizeof(struct header));
	s->lost = begun->lost;
	s->file = begun->file;
	s->req = begun->req;
	s->request = begun->request;
	s->uid = begun->uid;
	s->gid = begun->gid;
	s->kept = begun->kept;
	s->afar = begun->afar;
	s->fault = begun->fault;
	bpf_probe_read_kernel(&s->saved, sizeof(s->saved), &begun->saved);
	frame(s, row);
	if (s->afar) /* what names the data is in memory that is not at hand */
		return s;
	io_begin(s, row->io);
	if ((row->io & IO_WRITES) && (head(s)->flags & FLAG_UNKNOWN))
		s->io.want = EVERYTHING;
	return s;
}

static __always_inline void capture_request_data(void *ctx)
{
	struct scratch *begun = scratch_get(), *s;
	const struct slot *row;
	struct counters *c;
	u32 slot;

	if (!begun)
		return;
	slot = begun->slot;
	row = bpf_map_lookup_elem(&slots, &slot);
	if (!row)
		return;
	if (!begun->turns) {
		c = counters_of(row->event);
		if (c && (head(begun)->flags & FLAG_UNKNOWN))
			c->unknown++;
	}
	s = request_over(begun, row);
	if (!s)
		return;
	capture(ctx, s, &request_programs, slot, CAN_OBJECT | CAN_DATA | CAN_REQUEST | CAN_STRIDE, ((struct pace){1, 2, 24}));
	begun->lost = s->lost;
}
