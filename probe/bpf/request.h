/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a request of io_uring holds: whose it is, the arguments of the system call that it stands for, its file. See uring.h. */
#pragma once

#include "file.h"
#include "user.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct filename { const char *name, *uptr; };

struct io_uring_cqe { u64 user_data; s32 res; u32 flags; };
struct io_fixed_file { unsigned long file_ptr; };

struct io_ring_ctx {
	unsigned int flags;
	unsigned int compat : 1;
	u32 *sq_array;
	void *sq_sqes;
	unsigned int cached_sq_head, sq_entries;
};

/* 6.13: 7029acd8a950 makes the table of registered files one of nodes */
struct io_file_table___v515 { struct io_fixed_file *files; };
struct io_ring_ctx___v515 { struct io_file_table___v515 file_table; unsigned int nr_user_files; };
struct io_rsrc_node___v613 { unsigned long file_ptr; };
struct io_rsrc_data___v613 { unsigned int nr; struct io_rsrc_node___v613 **nodes; };
struct io_file_table___v613 { struct io_rsrc_data___v613 data; };
struct io_ring_ctx___v613 { struct io_file_table___v613 file_table; };

struct io_kiocb {
	struct file *file;
	u8 opcode;
	u32 flags; /* the lower half of 64 bits since 6.8 */
	struct io_ring_ctx *ctx;
	const struct cred *creds;
};

/* 6.13: f03baece0811 replaces the task by what io_uring knows of it */
struct io_kiocb___task { struct task_struct *task; };
struct io_uring_task { struct task_struct *task; };
struct io_kiocb___tctx { struct io_uring_task *tctx; };

/* 5.19: cef216fc32d7 gathers what goes into the completion */
struct io_kiocb___v515 { u64 user_data; s32 result; };
struct io_cqe { u64 user_data; s32 res; };
struct io_kiocb___v519 { struct io_cqe cqe; };

#pragma clang attribute pop

/* Kernel values: include/uapi/linux/io_uring.h. The first eight flags of a request are those of its submission entry. */
#define SETUP_SQE128 (1 << 10)
#define SETUP_NO_SQARRAY (1 << 16)
#define REQUEST_FIXED_FILE (1 << 0)
#define REQUEST_CQE_SKIP (1 << 6)
#define SQE_SIZE 64
#define FILE_BITS 7UL /* the lower bits of an entry in the table of registered files are flags */

enum kept { KEPT_NOTHING, KEPT, SUBMITTING };

static __always_inline struct task_struct *request_task(const struct io_kiocb *req)
{
	const struct io_kiocb___task *a = (const void *)req;
	const struct io_kiocb___tctx *b = (const void *)req;

	if (bpf_core_field_exists(a->task))
		return READ(a, task);
	return READ(b, tctx, task);
}

static __always_inline u64 request_data(const struct io_kiocb *req)
{
	const struct io_kiocb___v515 *a = (const void *)req;
	const struct io_kiocb___v519 *b = (const void *)req;

	if (bpf_core_field_exists(a->user_data))
		return READ(a, user_data);
	return READ(b, cqe.user_data);
}

static __always_inline s32 request_result(const struct io_kiocb *req)
{
	const struct io_kiocb___v515 *a = (const void *)req;
	const struct io_kiocb___v519 *b = (const void *)req;

	if (bpf_core_field_exists(a->result))
		return READ(a, result);
	return READ(b, cqe.res);
}

/* The file at a place in the ring's table of registered files. */
static __always_inline struct file *registered_file(const struct io_ring_ctx *ring, u32 place)
{
	const struct io_ring_ctx___v515 *a = (const void *)ring;
	const struct io_ring_ctx___v613 *b = (const void *)ring;
	unsigned long v = 0;

	if (bpf_core_field_exists(b->file_table.data)) {
		struct io_rsrc_node___v613 *node = NULL;

		if (place >= READ(b, file_table.data.nr))
			return NULL;
		bpf_probe_read_kernel(&node, sizeof(node), READ(b, file_table.data.nodes) + place);
		if (node)
			v = READ(node, file_ptr);
	} else {
		if (place >= READ(a, nr_user_files))
			return NULL;
		bpf_probe_read_kernel(&v, sizeof(v), READ(a, file_table.files) + place);
	}
	return (void *)(v & ~FILE_BITS);
}

/* The entry that the ring is submitting. User space shares it and may change it: only for what the request does not keep. */
static __always_inline u64 submission_entry(const struct io_ring_ctx *ring)
{
	u32 mask = READ(ring, sq_entries) - 1, flags = READ(ring, flags), at = (READ(ring, cached_sq_head) - 1) & mask;

	if (!(flags & SETUP_NO_SQARRAY))
		bpf_probe_read_kernel(&at, sizeof(at), READ(ring, sq_array) + at);
	at &= mask;
	if (flags & SETUP_SQE128)
		at <<= 1;
	return (u64)READ(ring, sq_sqes) + (u64)at * SQE_SIZE;
}

static __always_inline u64 load_kernel(u64 from, u32 size)
{
	u64 v = 0;

	switch (size) {
	case 1: bpf_probe_read_kernel(&v, 1, (void *)from); break;
	case 2: bpf_probe_read_kernel(&v, 2, (void *)from); break;
	case 4: bpf_probe_read_kernel(&v, 4, (void *)from); break;
	case 8: bpf_probe_read_kernel(&v, 8, (void *)from); break;
	}
	return v;
}

static __always_inline u64 request_arg(const struct io_kiocb *req, const struct request_arg *a)
{
	u64 v = load_kernel((u64)req + a->at, a->size);

	if (a->flags & ARG_NAME)
		return v ? (u64)READ((struct filename *)v, uptr) : 0;
	if (a->also) {
		u64 other = load_kernel((u64)req + a->also, 4);

		if (!(a->flags & ARG_UNLESS))
			v |= other;
		else if (other)
			v = (u32)-1;
	}
	return v & ~(u64)a->clear;
}

/* The arguments as the system call has them. Where the request could not be made from its entry, entry says what was wanted; once it
 * is done, neither the entry nor what was in its place is known: of a descriptor, -1 says so. */
static __always_inline void request_args(struct scratch *s, const struct request *r, u64 entry, bool done)
{
	const struct io_kiocb *req = (void *)s->req;
	u64 now = entry;

	if (!done && !entry)
		now = submission_entry(READ(req, ctx));
	for (u32 i = 0; i < 6; i++) {
		const struct request_arg *a = &r->arg[i];
		u64 v = 0;

		if (!entry && a->size && !(done && (a->flags & ARG_EARLY)))
			v = request_arg(req, a);
		else if (done)
			v = a->flags & ARG_EARLY ? (u32)-1 : 0;
		else
			v = load_kernel(now + a->sqe, a->sqe_size);
		head(s)->args[i] = v;
	}
}

#define NO_PIECE -1000

/* Copy what argument p->arg points to: the kernel's copy where there is one, else what is in user memory. The result is the number of
 * bytes (of a string, with its NUL), an error, or NO_PIECE. */
static __always_inline long request_piece(struct scratch *s, const struct request *r, const struct part *p, u8 *to, u32 cap, bool entry)
{
	u32 n = p->arg < 6 ? p->arg : 0;
	const struct request_arg *a = &r->arg[n];
	u64 from = arg_of(s, n), copy = 0, size;

	if (!entry) {
		if (a->flags & ARG_NAME) {
			copy = load_kernel(s->req + a->at, 8);
			copy = copy ? (u64)READ((struct filename *)copy, name) : 0;
		} else if (a->flags & ARG_COPY) {
			copy = s->req + a->copy;
		}
	}
	switch (p->op) {
	case OP_STR:
		size = copy ? bpf_probe_read_kernel_str(to, cap, (void *)copy) : bpf_probe_read_user_str(to, cap, (void *)from);
		return (long)size < 0 && p->aux ? NO_PIECE : (long)size;
	case OP_MEM:
		size = p->size;
		break;
	case OP_SOCKADDR:
		size = arg_of(s, p->aux);
		if (size > 128) /* sizeof(struct sockaddr_storage): the kernel refuses more */
			size = 128;
		if (!from || !size)
			return NO_PIECE;
		break;
	default:
		return NO_PIECE;
	}
	keep_mask(size);
	size &= 255;
	if (copy ? bpf_probe_read_kernel(to, size, (void *)copy) : bpf_probe_read_user(to, size, (void *)from + p->off))
		return p->op == OP_MEM && p->aux ? NO_PIECE : -14; /* EFAULT */
	return size;
}

/* Put the pieces that are captured early into s->saved. False when there is not room enough for all. */
static __always_inline bool request_save(struct scratch *s, const struct request *r, const struct slot *row, bool entry)
{
	struct saved *v = &s->saved;
	bool whole = true;

	v->used = 0;
	v->fault = 0;
	for (u32 i = 0; i < MAX_PARTS; i++) {
		const struct part *p = &row->part[i];
		u64 at = v->used;
		u32 len;
		long n;

		v->len[i] = PART_ABSENT;
		if (!(r->early >> i & 1) || i >= row->parts || p->op == OP_NONE)
			continue;
		if (at >= SAVED_CAP) {
			whole = false;
			continue;
		}
		keep_mask(at);
		at &= SAVED_CAP - 1;
		n = request_piece(s, r, p, v->bytes + at, SAVED_CAP, entry);
		if (n == NO_PIECE)
			continue;
		if (n < 0) {
			v->fault++;
			continue;
		}
		len = p->op == OP_STR && n ? n - 1 : n;
		v->len[i] = len;
		if (at + len > SAVED_CAP || n == SAVED_CAP) {
			whole = false;
			if (at + len > SAVED_CAP)
				len = SAVED_CAP - at;
			v->len[i] = len | PART_TRUNCATED;
		}
		v->at[i] = at;
		v->used = at + len;
	}
	return whole;
}

static __always_inline void put_saved(struct scratch *s, u32 i)
{
	struct saved *v = &s->saved;
	u64 at, len;
	u8 *to = room(s);

	i &= MAX_PARTS - 1;
	at = v->at[i];
	len = v->len[i];
	if (!to || len == PART_ABSENT) {
		absent(s, i);
		return;
	}
	if (len & PART_TRUNCATED)
		s->truncated++;
	keep_mask(at);
	bpf_probe_read_kernel(to, len & (2 * SAVED_CAP - 1), v->bytes + (at & (SAVED_CAP - 1)));
	put(s, i, len & (PART_TRUNCATED | (2 * SAVED_CAP - 1)));
}

static __always_inline void put_piece(struct scratch *s, const struct request *r, u32 i, const struct part *p)
{
	u8 *to = room(s);
	long n;

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	n = request_piece(s, r, p, to, PATH_CAP, false);
	if (n == NO_PIECE)
		absent(s, i);
	else if (n < 0)
		faulted(s, i);
	else if (n == PATH_CAP)
		put_cut(s, i, n - 1);
	else
		put(s, i, p->op == OP_STR && n ? n - 1 : n);
}

/* Part i, where a request has it in another way than a system call. */
static __always_inline bool request_part(struct scratch *s, u32 i, const struct part *p)
{
	u32 at = s->request;
	const struct request *r = bpf_map_lookup_elem(&requests, &at);
	struct io_kiocb *req = (void *)s->req;
	bool early;

	if (!r || p->op == OP_NONE)
		return false;
	i &= MAX_PARTS - 1;
	early = r->early >> i & 1;
	if (p->op == OP_QUEUE)
		put_queue(s, i, READ(req, file));
	else if (early && s->kept == SUBMITTING)
		put_piece(s, r, i, p);
	else if (early && s->kept == KEPT)
		put_saved(s, i);
	else if (s->kept == SUBMITTING && (r->filled >> i & 1))
		absent(s, i);
	else if (early || (s->afar && (r->user >> i & 1)))
		faulted(s, i);
	else
		return false;
	return true;
}
