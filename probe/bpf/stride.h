/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Steps by global functions. The verifier looks at such a function once, by itself and whoever calls it, and a call of it is then a few
 * instructions, where an inlined step is some thousand each time (5.6: 51c39bb1d5d1). So a turn may have hundreds of them. It cannot be given
 * the scratch (5.12, e5069b9c23b3, lets such functions have pointers to memory) and looks it up, so that they are for records that are built in
 * the scratch of the CPU; taking several steps at a time it does so once for most paths.
 */
#pragma once

#include "cgroup.h"
#include "poll.h"
#include "user.h"

#define STRIDE 8

__noinline int steps_of_path(bool call)
{
	struct scratch *s = scratch_get();

	for (u32 i = 0; s && i < STRIDE && (s->mode == MODE_PATH || s->mode == MODE_FSPATH); i++)
		path_step(s, call);
	return 0;
}

__noinline int steps_of_cgroups(void)
{
	struct scratch *s = scratch_get();

	for (u32 i = 0; s && i < STRIDE && s->mode == MODE_CGROUP; i++)
		cgroup_step(s);
	return 0;
}

__noinline int steps_of_vector(void)
{
	struct scratch *s = scratch_get();

	for (u32 i = 0; s && i < STRIDE && s->mode == MODE_VECTOR; i++)
		vector_step(s);
	return 0;
}

__noinline int steps_of_poll(void)
{
	struct scratch *s = scratch_get();

	for (u32 i = 0; s && i < STRIDE && s->mode == MODE_POLL; i++)
		poll_step(s);
	return 0;
}
