/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Numbers of the 32-bit table whose registers are not the arguments of a call. socketcall and ipc are many calls: the first register says
 * which; the arguments are in user memory, or in an order of their own (net/compat.c, ipc/compat.c). The oldest mmap and select have theirs
 * in memory. A record of such a call has the plain call's number and its arguments in the plain call's order, so that its row needs to
 * know nothing of this.
 */
#pragma once

#include "store.h"

#define IPC_64 0x100 /* include/linux/ipc_namespace.h: the command's structures are the newer ones */

/* The call that the first register names, NULL for one that does not exist. */
static __always_inline const struct shared_call *shared_call_of(const struct route *r, u32 first)
{
	const struct shared_call *c;
	u32 key = r->shared;

	if (r->flags & ROUTE_MANY) {
		u32 which = first & 0xffff, version = first >> 16;

		if (which >= SHARED_MANY || (version && !(r->flags & ROUTE_VERSIONS)))
			return NULL;
		key += version ? which + SHARED_MANY : which;
	}
	c = bpf_map_lookup_elem(&shared_calls, &key);
	return c && c->nr ? c : NULL;
}

/* The arguments could not be read: a descriptor among them is none, instead of number 0. */
static __always_inline void no_descriptor(struct scratch *s, u32 slot)
{
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);
	u32 n;

	s->fault++;
	if (!row || row->object < OBJ_ARG0 || row->object > OBJ_ARG5)
		return;
	n = row->object - OBJ_ARG0;
	if (n < 6)
		head(s)->args[n] = (u32)-1;
}

/* Put the arguments and the result in their places. */
static __always_inline void plain_call(struct scratch *s, const struct shared_call *c)
{
	u32 words = c->words, result = 0, version = c->version;
	bool unread = false;

	__builtin_memset(s->sources, 0, sizeof(s->sources));
	for (u32 i = 0; i < 6; i++)
		s->sources[i] = head(s)->args[i];
	if (words) {
		if (words > 6)
			words = 6;
		unread = bpf_probe_read_user(&s->sources[SOURCE_MEMORY], words * 4, (void *)(u64)s->sources[c->memory & (SOURCES - 1)]);
	}
	for (u32 i = 0; i < 6; i++)
		head(s)->args[i] = s->sources[c->from[i] & (SOURCES - 1)];
	if (unread)
		no_descriptor(s, c->slot);
	if (version && version < 6)
		head(s)->args[version] &= ~(u64)IPC_64;
	head(s)->nr = c->nr;
	if (c->result && !head(s)->ret && !bpf_probe_read_user(&result, sizeof(result), (void *)(u64)s->sources[c->result & (SOURCES - 1)]))
		head(s)->ret = result;
}
