/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is gone when a call returns: the file of a descriptor that was closed, the target of an unlink. It is captured before, into a
 * scratch that belongs to the task until its call ends: these hooks may sleep, be preempted and nest in time, so that one for each CPU would
 * not do. (5.10 has no storage of its own for tasks that these programs could use.)
 *
 * What is held counts only for the very call that it was held for: same thread, same number, same registers. It is let go at the end of
 * the call, or of the thread.
 */
#pragma once

#include "file.h"

/* What to hold for a call, by its number. Only numbers that a rule asks for have a slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SYSCALL);
	__type(key, u32);
	__type(value, struct route);
} holds SEC(".maps");

struct holder { u64 task, start; }; /* thread and process id, which may come again; when the thread began */

/* The loader sizes these: as many calls at a time as there are benches. It fills free_benches with their numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct holder);
	__type(value, u32);
} held SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} benches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__uint(value_size, 4);
} free_benches SEC(".maps");

static __always_inline struct holder holder_of(struct task_struct *t)
{
	struct holder k = { .task = (u64)READ(t, tgid) << 32 | (u32)READ(t, pid), .start = READ(t, start_boottime) };

	return k;
}

static __always_inline struct scratch *bench_of(struct task_struct *t)
{
	struct holder k = holder_of(t);
	u32 *n = bpf_map_lookup_elem(&held, &k);

	return n ? bpf_map_lookup_elem(&benches, n) : NULL;
}

/* The bench where the thread's call is to be held, what an earlier call may have left there included; NULL when all are taken. */
static __always_inline struct scratch *bench_take(struct task_struct *t)
{
	struct holder k = holder_of(t);
	u32 *had = bpf_map_lookup_elem(&held, &k), n;

	if (had)
		return bpf_map_lookup_elem(&benches, had);
	if (bpf_map_pop_elem(&free_benches, &n))
		return NULL;
	if (bpf_map_update_elem(&held, &k, &n, BPF_ANY)) {
		bpf_map_push_elem(&free_benches, &n, 0);
		return NULL;
	}
	return bpf_map_lookup_elem(&benches, &n);
}

static __always_inline void let_go(struct task_struct *t)
{
	struct holder k = holder_of(t);
	u32 *had = bpf_map_lookup_elem(&held, &k), n;

	if (!had)
		return;
	n = *had;
	/* who deletes it gives it back */
	if (!bpf_map_delete_elem(&held, &k))
		bpf_map_push_elem(&free_benches, &n, 0);
}

/* At the end of a call: what was held for it. */
static __always_inline void find_held(struct scratch *s)
{
	struct scratch *b = bench_of((void *)s->task);
	struct header *h = head(s), *was;

	if (!b || !b->whole)
		return;
	was = head(b);
	if (was->nr != h->nr || (was->flags ^ h->flags) & FLAG_COMPAT32)
		return;
	for (int i = 0; i < 6; i++)
		if (was->args[i] != h->args[i])
			return;
	s->held = (u64)b;
	s->deep += b->deep;
	s->full += b->full;
}

/* Copy a piece that was held. */
static __always_inline void put_held(struct scratch *s, u32 i, u32 of)
{
	struct scratch *b = (void *)s->held;
	u8 *to = room(s);
	u32 size = PART_ABSENT;
	u16 at = 0;
	u64 len;

	of &= MAX_PARTS - 1;
	if (b && to) {
		bpf_probe_read_kernel(&size, sizeof(size), b->rec + sizeof(struct header) + 4 * of);
		bpf_probe_read_kernel(&at, sizeof(at), &b->at[of]);
	}
	if (size == PART_ABSENT) {
		absent(s, i);
		return;
	}
	len = size;
	keep_mask(len);
	len &= PATH_CAP - 1;
	bpf_probe_read_kernel(to, len, b->rec + at);
	if (size & PART_TRUNCATED)
		put_cut(s, i, len);
	else
		put(s, i, len);
}

static __always_inline u8 inode_kind(struct inode *i)
{
	switch (READ(i, i_mode) & S_IFMT) {
	case S_IFDIR: return KIND_DIRECTORY;
	case S_IFIFO: return KIND_FIFO;
	case S_IFCHR: return KIND_CHAR;
	case S_IFBLK: return KIND_BLOCK;
	case S_IFREG:
	case S_IFSOCK: return KIND_FILE;
	}
	return KIND_UNKNOWN; /* a symbolic link itself */
}

/* Facts of an object with or without a file. */
static __always_inline void put_object(struct scratch *s, u32 i)
{
	struct dentry *d = (void *)s->object_dentry;
	struct file_facts *r;
	struct inode *inode;
	u8 *to = room(s);

	if (s->file) {
		put_file(s, i);
		return;
	}
	inode = d ? READ(d, d_inode) : NULL;
	if (!inode || !to) { /* what a call is about to make has none yet */
		absent(s, i);
		return;
	}
	r = (void *)to;
	inode_facts(r, inode);
	r->fmode = r->fflag = 0;
	r->kind = inode_kind(inode);
	put(s, i, sizeof(*r));
}
