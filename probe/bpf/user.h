/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Pieces that are in user memory: strings, structures, addresses, the arguments of an image. */
#pragma once

#include "path.h"

static __always_inline u64 arg_of(struct scratch *s, u32 n)
{
	/* 8 slots would need no mask; 6 exist, and the recipes never name another */
	return head(s)->args[n < 6 ? n : 0];
}

/* A descriptor that a call has left in memory. */
static __always_inline s32 descriptor_at(u64 from)
{
	s32 fd = -1;

	bpf_probe_read_user(&fd, sizeof(fd), (void *)from);
	return fd;
}

/* optional: the address is an address in some calls only, so that one that cannot be read means nothing */
static __always_inline void unreadable(struct scratch *s, u32 i, bool optional)
{
	if (optional)
		absent(s, i);
	else
		faulted(s, i);
}

static __always_inline void put_string(struct scratch *s, u32 i, u64 from, bool kernel, bool optional)
{
	u8 *to = room(s);
	long n;

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	n = kernel ? bpf_probe_read_kernel_str(to, PATH_CAP, (void *)from) : bpf_probe_read_user_str(to, PATH_CAP, (void *)from);
	if (n < 0)
		unreadable(s, i, optional);
	else if (n == PATH_CAP)
		put_cut(s, i, n - 1);
	else
		put(s, i, n ? n - 1 : 0); /* older kernels count the NUL of every string but the empty one */
}

static __always_inline void put_user(struct scratch *s, u32 i, u64 from, u32 size, bool optional)
{
	u8 *to = room(s);

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	size &= 255; /* the largest piece of this kind is a sockaddr of 128 bytes */
	if (!bpf_probe_read_user(to, size, (void *)from))
		put(s, i, size);
	else
		unreadable(s, i, optional);
}

/* The head of a buffer of len bytes. */
static __always_inline void put_buffer(struct scratch *s, u32 i, u64 from, u64 len, u32 most)
{
	u8 *to = room(s);
	bool cut = len > most;

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	if (!from || !len) {
		absent(s, i);
		return;
	}
	if (cut)
		len = most;
	keep_mask(len);
	len &= PATH_CAP - 1;
	if (bpf_probe_read_user(to, len, (void *)from))
		faulted(s, i);
	else if (cut)
		put_cut(s, i, len);
	else
		put(s, i, len);
}

static __always_inline void put_sockaddr(struct scratch *s, u32 i, u64 from, u32 size)
{
	if (size > 128) /* sizeof(struct sockaddr_storage): the kernel refuses more */
		size = 128;
	if (!from || !size)
		absent(s, i);
	else
		put_user(s, i, from, size, false);
}

/* The arguments or the environment of an image, from its own memory: one run of NUL-terminated strings. */
static __always_inline void put_image(struct scratch *s, u32 i, bool env)
{
	/* a variable of its own: within BPF_CORE_READ the scratch would be taken for a kernel type too */
	struct task_struct *t = (void *)s->task;
	struct mm_struct *mm = READ(t, mm);
	u64 from, end, len;
	u8 *to = room(s);

	if (!mm || !to) {
		absent(s, i);
		return;
	}
	from = env ? READ(mm, env_start) : READ(mm, arg_start);
	end = env ? READ(mm, env_end) : READ(mm, arg_end);
	len = end - from;
	if (end <= from) {
		put(s, i, 0);
		return;
	}
	if (len >= PATH_CAP) {
		if (bpf_probe_read_user(to, PATH_CAP - 1, (void *)from))
			faulted(s, i);
		else
			put_cut(s, i, PATH_CAP - 1);
		return;
	}
	keep_mask(len);
	if (bpf_probe_read_user(to, len & (PATH_CAP - 1), (void *)from))
		faulted(s, i);
	else
		put(s, i, len);
}

/* The strings of a pointer vector, one a step (a failed execve has them nowhere else). */
static __always_inline void vector_begin(struct scratch *s, u64 from)
{
	if (!from) {
		put(s, s->current, 0);
		return;
	}
	s->vector = from;
	s->begun = s->off;
	s->mode = MODE_VECTOR;
}

static __always_inline void vector_done(struct scratch *s, bool cut)
{
	u64 len = s->off - s->begun;

	s->off = s->begun;
	if (cut)
		put_cut(s, s->current, len);
	else
		put(s, s->current, len);
}

static __always_inline void vector_step(struct scratch *s)
{
	u64 at = s->vector, string = 0, used = s->off - s->begun, left;
	bool compat = head(s)->flags & FLAG_COMPAT32;
	u8 *to = room(s);
	long n;

	if (!to || used >= PATH_CAP - 2) { /* a NUL alone would be a string that was not there */
		vector_done(s, true);
		return;
	}
	if (bpf_probe_read_user(&string, compat ? 4 : 8, (void *)at)) {
		s->fault++;
		vector_done(s, true);
		return;
	}
	if (!string) {
		vector_done(s, false);
		return;
	}
	left = PATH_CAP - 1 - used;
	keep_mask(left);
	left &= PATH_CAP - 1;
	n = bpf_probe_read_user_str(to, left, (void *)string);
	if (n < 0) {
		s->fault++;
		vector_done(s, true);
		return;
	}
	if (!n) { /* an empty string, on older kernels */
		*to = 0;
		n = 1;
	}
	s->off += n;
	s->vector = at + (compat ? 4 : 8);
}
