/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The descriptors that poll waits for, one a step: what the call found of each, and what is behind it. */
#pragma once

#include "file.h"
#include "user.h"

#define MAX_POLL 250 /* they fit into PATH_CAP */

struct poll_entry { s32 fd; u16 events, revents; }; /* struct pollfd of the kernel's interface */

static __always_inline void poll_begin(struct scratch *s, u64 from, u32 n)
{
	s->vector = from;
	s->left = n;
	s->begun = s->off;
	s->mode = MODE_POLL;
}

static __always_inline void poll_done(struct scratch *s, bool cut)
{
	u64 len = s->off - s->begun;

	s->off = s->begun;
	if (cut)
		put_cut(s, s->current, len);
	else
		put(s, s->current, len);
}

static __always_inline void poll_step(struct scratch *s)
{
	struct poll_facts *to = (void *)room(s);
	struct poll_entry p;
	struct file *f;

	if (!s->left) {
		poll_done(s, false);
		return;
	}
	if (!to || s->off - s->begun >= MAX_POLL * sizeof(*to)) {
		poll_done(s, true);
		return;
	}
	if (bpf_probe_read_user(&p, sizeof(p), (void *)s->vector)) {
		s->fault++;
		poll_done(s, true);
		return;
	}
	to->fd = p.fd;
	to->revents = p.revents;
	to->kind = KIND_UNKNOWN;
	to->found = 0;
	__builtin_memset(to->name, 0, sizeof(to->name));
	f = file_of((void *)s->task, p.fd);
	if (f) {
		to->found = 1;
		to->kind = file_kind(f);
		if (to->kind == KIND_ANON)
			bpf_probe_read_kernel(to->name, sizeof(to->name), READ(f, f_path.dentry, d_name.name));
	}
	s->off += sizeof(*to);
	s->vector += sizeof(p);
	s->left--;
}
