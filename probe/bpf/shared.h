/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The two numbers of the 32-bit table that are many calls: socketcall and ipc. A first argument says which; the others are in user
 * memory, or in an order of their own (net/compat.c, ipc/compat.c). A record of such a call has the plain call's number and its
 * arguments in the plain call's order, so that its row needs to know nothing of this.
 */
#pragma once

#include "store.h"

#define NR_SOCKETCALL 102

/* The call that the registers name, NULL for one that does not exist. The upper half of ipc's is a version. */
static __always_inline const struct shared_call *shared_call_of(u32 nr, u32 call)
{
	const struct shared_call *c;
	u32 key = call & 0xffff;

	if (key >= MAX_SHARED / 3 || (nr == NR_SOCKETCALL && call != key))
		return NULL;
	if (nr != NR_SOCKETCALL)
		key += call >> 16 ? 2 * MAX_SHARED / 3 : MAX_SHARED / 3;
	c = bpf_map_lookup_elem(&shared_calls, &key);
	return c && c->nr ? c : NULL;
}

/* Put the arguments and the result in their places. */
static __always_inline void plain_call(struct scratch *s, const struct shared_call *c)
{
	u32 words = c->words, result = 0;

	__builtin_memset(s->sources, 0, sizeof(s->sources));
	for (u32 i = 0; i < 6; i++)
		s->sources[i] = head(s)->args[i];
	if (words) {
		if (words > 6)
			words = 6;
		if (bpf_probe_read_user(&s->sources[SOURCE_MEMORY], words * 4, (void *)(u64)s->sources[c->memory & (SOURCES - 1)]))
			s->fault++;
	}
	for (u32 i = 0; i < 6; i++)
		head(s)->args[i] = s->sources[c->from[i] & (SOURCES - 1)];
	head(s)->nr = c->nr;
	if (c->result && !head(s)->ret && !bpf_probe_read_user(&result, sizeof(result), (void *)(u64)s->sources[c->result & (SOURCES - 1)]))
		head(s)->ret = result;
}
