/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel's sockets do not hold: who of the two ends of a connection asked for it. It is learnt where connections are made, in
 * whatever context that is, and of those that are older from who listens.
 */
#pragma once

#include "store.h"

/* Kernel values: include/net/tcp_states.h, include/linux/net.h, include/net/sock.h. */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define SOCK_BINDADDR_LOCK 4
#define SOCK_BINDPORT_LOCK 8
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

/* Socket -> its end of the connection. What has fallen out is not guessed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, u8);
} roles SEC(".maps");

/* Who listens, while the loader finds the roles of older connections. */
struct listener { u64 net; u32 port, pad; };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct listener);
	__type(value, u8);
} listeners SEC(".maps");

static __always_inline u8 role_of(struct sock *sk)
{
	u64 key = (u64)sk;
	u8 *known;

	if (!READ(sk, __sk_common.skc_dport)) /* it has no other end; what is known is of an earlier socket */
		return ROLE_NONE;
	known = bpf_map_lookup_elem(&roles, &key);
	return known ? *known : ROLE_NONE;
}

/* The end of a connection leaves the role: calls on what is closed have it too. */
static __always_inline void on_sock_state(struct sock *sk, int from, int to)
{
	u8 role = ROLE_NONE;
	u64 key = (u64)sk;

	if (to == TCP_SYN_SENT)
		role = ROLE_CLIENT;
	else if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED)
		role = ROLE_SERVER;
	if (role)
		bpf_map_update_elem(&roles, &key, &role, BPF_ANY);
}

/* Whether a program has bound the socket: to a port, or to an address whatever the port. */
static __always_inline bool is_bound(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & (SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
}

static __always_inline u64 net_of(struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_net)) /* a kernel with one network for all */
		return 0;
	return (u64)READ(sk, __sk_common.skc_net.net);
}

/* A socket that was there before: who listens to its port has accepted it. The loader goes over all of them twice, so that
 * the listeners are known the second time. */
static __always_inline void old_socket(struct sock *sk)
{
	struct listener at = { .net = net_of(sk), .port = READ(sk, __sk_common.skc_num) };
	u8 state = READ(sk, __sk_common.skc_state), client = ROLE_CLIENT, server = ROLE_SERVER;
	u16 family = READ(sk, __sk_common.skc_family);
	u64 key = (u64)sk;

	if (READ(sk, sk_type) != SOCK_STREAM || (family != AF_INET && family != AF_INET6))
		return;
	if (state == TCP_LISTEN) {
		bpf_map_update_elem(&listeners, &at, &server, BPF_ANY);
	} else if (state != TCP_CLOSE) {
		if (bpf_map_lookup_elem(&listeners, &at))
			bpf_map_update_elem(&roles, &key, &server, BPF_ANY);
		else
			bpf_map_update_elem(&roles, &key, &client, BPF_NOEXIST);
	}
}
