/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The cgroup paths of Falco's controllers, as "name=path" strings: one directory a step. */
#pragma once

#include "path.h"

#define CONTROLLERS 5

static __always_inline void cgroup_begin(struct scratch *s)
{
	s->begun = s->off;
	s->controller = 0;
	s->node = 0;
	s->mode = MODE_CGROUP;
}

/* The cgroup of the next controller, or the end of the part after the last. */
static __always_inline void cgroup_next(struct scratch *s)
{
	struct task_struct *t = (void *)s->task;
	struct cgroup *c, *unified;
	u32 i = s->controller;

	if (i >= CONTROLLERS) {
		u64 len = s->off - s->begun;

		s->off = s->begun;
		put(s, s->current, len & 0x7fff);
		return;
	}
	/* through memory: so the verifier goes on with one unknown offset and not with one state for each controller */
	*(volatile u64 *)&s->vector = controller_offset(i);
	c = controller_cgroup(t, *(volatile u64 *)&s->vector);
	/* in the v2 hierarchy a controller that is not enabled in a cgroup has the state of one above; the task is in its own all the same */
	unified = READ(t, cgroups, dfl_cgrp);
	if (c && READ(c, root) == READ(unified, root))
		c = unified;
	s->node = c ? (u64)READ(c, kn) : 0;
	s->pos = PATH_CAP;
	if (!s->node)
		s->controller = i + 1;
}

/* Append "name=path" and a NUL of the controller under work. */
static __always_inline void cgroup_done(struct scratch *s)
{
	u64 pos = s->pos, len = PATH_CAP - pos;
	u8 *to = room(s);
	u32 n = 0;

	s->node = 0;
	if (!to) {
		s->full++;
		s->controller = CONTROLLERS;
		return;
	}
	switch (s->controller) {
	case 0: __builtin_memcpy(to, "cpuset=", 7); n = 7; break;
	case 1: __builtin_memcpy(to, "cpu=", 4); n = 4; break;
	case 2: __builtin_memcpy(to, "cpuacct=", 8); n = 8; break;
	case 3: __builtin_memcpy(to, "blkio=", 6); n = 6; break;
	case 4: __builtin_memcpy(to, "memory=", 7); n = 7; break;
	}
	s->controller++;
	s->off += n;
	to = room(s);
	if (!to) {
		s->full++;
		return;
	}
	if (pos >= PATH_CAP) { /* the hierarchy's root */
		to[0] = '/';
		to[1] = 0;
		s->off += 2;
		return;
	}
	keep_mask(pos);
	keep_mask(len);
	len &= PATH_CAP - 1;
	bpf_probe_read_kernel(to, len, s->path + (pos & (PATH_CAP - 1)));
	to[len] = 0;
	s->off += len + 1;
}

static __always_inline void cgroup_step(struct scratch *s)
{
	struct kernfs_node *kn = (void *)s->node, *parent;
	u8 *name = s->path + PATH_CAP; /* the spare bytes at the end of path[] */
	long n;

	if (!kn) {
		cgroup_next(s);
		return;
	}
	parent = kernfs_parent(kn);
	if (!parent) {
		cgroup_done(s);
		return;
	}
	n = bpf_probe_read_kernel_str(name, 256, READ(kn, name));
	if (n <= 1 || !prepend(s, name, n - 1)) {
		s->truncated++;
		cgroup_done(s);
		return;
	}
	s->node = (u64)parent;
}
