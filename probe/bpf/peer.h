/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whom a socket without a connection talked to last, which the kernel forgets: learnt from the calls themselves. */
#pragma once

#include "file.h"
#include "io.h"

/* Socket -> the other end of its last message. The inode tells a socket from a later one at the same address. */
struct peer { u8 addr[16]; u16 family, port; u32 pad; };
struct last_peer { u64 ino; struct peer peer; };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct last_peer);
} peers SEC(".maps");

static __always_inline void inet_peer(struct peer *p, u16 family, u16 port, const u8 *addr)
{
	p->family = family;
	p->port = port;
	__builtin_memcpy(p->addr, addr, family == AF_INET ? 4 : 16);
}

/* The end that the socket is connected to, false when there is none. */
static __always_inline bool connected_peer(struct sock *sk, struct peer *p)
{
	u16 family = READ(sk, __sk_common.skc_family), port = READ(sk, __sk_common.skc_dport);
	u8 v6[16] = {};
	u32 v4;

	if (family == AF_INET) {
		v4 = READ(sk, __sk_common.skc_daddr);
		inet_peer(p, family, port, (void *)&v4);
	} else if (family == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		BPF_CORE_READ_INTO(&v6, sk, __sk_common.skc_v6_daddr);
		inet_peer(p, family, port, v6);
	}
	return port && p->family;
}

/* The family of a message's address, 0 when it has none. The kernel takes some that do not say it for one of the socket's own
 * (net/ipv4/udp.c, net/ipv4/raw.c, net/ipv6/raw.c); udp of IPv6 sends such a message to where it is connected. */
static __always_inline u16 message_family(struct sock *sk, const u8 *addr, u32 len)
{
	u16 own = READ(sk, __sk_common.skc_family), family;

	if (len < sizeof(family))
		return 0;
	family = *(u16 *)addr;
	if (!family && (own == AF_INET || (own == AF_INET6 && READ(sk, sk_type) == SOCK_RAW)))
		return own;
	return family;
}

/* The other end of a message by its address, false when that is of no family that is known here. A path is known by its hash (FNV-1a,
 * eight bytes at a time), made where paths are built, which nothing does now. */
static __always_inline bool message_peer(struct scratch *s, struct peer *p, u16 family, const u8 *addr, u32 len)
{
	u64 hash = 0xcbf29ce484222325, *words = (u64 *)s->path;

	switch (family) {
	case AF_INET:
		inet_peer(p, AF_INET, *(u16 *)(addr + 2), addr + 4);
		return len >= 8;
	case AF_INET6:
		inet_peer(p, AF_INET6, *(u16 *)(addr + 2), addr + 8);
		return len >= 24;
	case AF_UNIX:
		__builtin_memset(words, 0, MAX_ADDRESS);
		bpf_probe_read_kernel(words, len & (MAX_ADDRESS - 1), addr);
		for (u32 i = 0; i < MAX_ADDRESS / 8; i++)
			hash = (hash ^ words[i]) * 0x100000001b3;
		p->family = AF_UNIX;
		*(u64 *)p->addr = hash;
		return true;
	}
	return false;
}

static __always_inline bool same_peer(const struct peer *a, const struct peer *b)
{
	const u64 *x = (void *)a, *y = (void *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/*
 * Whether the other end of this message is another than that of the socket's last one. A socket that is connected has a name by that
 * already; a stream never gets another.
 */
static __always_inline void put_changed(struct scratch *s, u32 i, u32 part)
{
	struct file *f = (void *)s->file;
	struct sock *sk = f ? sock_of(f) : NULL;
	u32 *lens = (u32 *)(s->rec + sizeof(struct header)), len;
	struct last_peer now = {}, *last;
	struct peer connected = {};
	u64 key = (u64)sk, at;
	u8 *to = room(s);
	bool known, linked;
	u16 family;

	part &= MAX_PARTS - 1;
	len = lens[part];
	at = s->at[part];
	if (!sk || !to || at > REC_CAP || head(s)->ret < 0 || READ(sk, sk_type) == SOCK_STREAM) {
		absent(s, i);
		return;
	}
	linked = connected_peer(sk, &connected);
	len = len == PART_ABSENT ? 0 : len & ~PART_TRUNCATED;
	family = message_family(sk, s->rec + at, len);
	if (family) {
		known = message_peer(s, &now.peer, family, s->rec + at, len);
	} else {
		now.peer = connected;
		known = linked;
	}
	if (!known) {
		absent(s, i);
		return;
	}
	now.ino = READ(f, f_inode, i_ino);
	last = bpf_map_lookup_elem(&peers, &key);
	if (last && last->ino == now.ino)
		*to = !same_peer(&last->peer, &now.peer);
	else
		*to = !linked || !same_peer(&connected, &now.peer);
	bpf_map_update_elem(&peers, &key, &now, BPF_ANY);
	put(s, i, 1);
}
