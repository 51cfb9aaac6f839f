/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Descriptors, files and sockets: what the kernel's objects say of themselves. */
#pragma once

#include "role.h"

static __always_inline struct file *file_of(struct task_struct *t, s32 fd)
{
	struct fdtable *table = READ(t, files, fdt);
	struct file **array, *f = NULL;

	if (fd < 0 || (u32)fd >= READ(table, max_fds))
		return NULL;
	array = READ(table, fd);
	bpf_probe_read_kernel(&f, sizeof(f), array + (u32)fd);
	return f;
}

static __always_inline struct sock *sock_of(struct file *f)
{
	struct inode *i = READ(f, f_inode);
	struct socket *socket;

	/* an O_PATH descriptor of a bound unix socket has the type too, and no socket behind it */
	if ((READ(i, i_mode) & S_IFMT) != S_IFSOCK || READ(i, i_sb, s_magic) != SOCKFS_MAGIC)
		return NULL;
	socket = READ(f, private_data);
	return READ(socket, sk);
}

/* A memfd's dentry hangs nowhere and has the name that memfd_create gave it. */
static __always_inline bool is_memfd(struct file *f)
{
	struct dentry *d = READ(f, f_path.dentry);
	u64 name = 0;

	if (READ(d, d_parent) != d)
		return false;
	bpf_probe_read_kernel(&name, 6, READ(d, d_name.name));
	return name == 0x3a64666d656d; /* "memfd:" */
}

static __always_inline u8 file_kind(struct file *f)
{
	switch (READ(f, f_inode, i_mode) & S_IFMT) {
	case S_IFREG:
		switch (READ(f, f_inode, i_sb, s_magic)) {
		case ANON_INODE_FS_MAGIC: /* 6.16: cfd86ef7e8e7 gives anonymous inodes a type, which stat(2) goes on to hide */
		case PID_FS_MAGIC: return KIND_ANON;
		}
		return is_memfd(f) ? KIND_MEMFD : KIND_FILE;
	case S_IFDIR: return KIND_DIRECTORY;
	case S_IFIFO: return KIND_FIFO;
	case S_IFCHR: return KIND_CHAR;
	case S_IFBLK: return KIND_BLOCK;
	case 0: return KIND_ANON;
	case S_IFSOCK: {
		struct sock *sk = sock_of(f);

		if (!sk)
			return KIND_FILE;
		switch (READ(sk, __sk_common.skc_family)) {
		case AF_UNIX: return KIND_UNIX;
		case AF_INET: return KIND_IPV4;
		case AF_INET6: return KIND_IPV6;
		case 16: return KIND_NETLINK;
		case 17: return KIND_PACKET;
		}
		return KIND_SOCKET;
	}
	}
	return KIND_UNKNOWN;
}

/* 1 upper, 2 lower layer of an overlay filesystem. struct ovl_inode is the overlay module's own: its upper dentry follows the
 * embedded inode (fs/overlayfs/ovl_entry.h), whose size CO-RE knows. */
static __always_inline u8 overlay_layer(struct inode *i)
{
	struct dentry *upper = NULL;

	if (READ(i, i_sb, s_magic) != OVERLAYFS_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)i + bpf_core_type_size(struct inode));
	return upper && READ(upper, d_inode, i_ino) ? 1 : 2;
}

static __always_inline void inode_facts(struct file_facts *r, struct inode *inode)
{
	r->ino = READ(inode, i_ino);
	r->ctime = inode_ctime(inode);
	r->dev = READ(inode, i_sb, s_dev);
	r->nlink = READ(inode, i_nlink);
	r->magic = READ(inode, i_sb, s_magic);
	r->mode = READ(inode, i_mode);
	r->layer = overlay_layer(inode);
}

static __always_inline void put_file(struct scratch *s, u32 i)
{
	struct file *f = (void *)s->file;
	u8 *to = room(s);
	struct file_facts *r = (void *)to;
	struct inode *inode;

	if (!f || !to) {
		absent(s, i);
		return;
	}
	inode = READ(f, f_inode);
	inode_facts(r, inode);
	r->fmode = READ(f, f_mode);
	r->fflag = READ(f, f_flags);
	r->kind = file_kind(f);
	if (r->kind == KIND_ANON)
		r->mode &= ~S_IFMT;
	put(s, i, sizeof(*r));
}

static __always_inline void unix_facts(struct sock_facts *r, struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct sock *peer = READ(u, peer);
	struct unix_address *a = READ(u, addr);
	u32 len;

	r->sock = (u64)sk;
	r->peer = (u64)peer;
	if (!a && peer)
		a = READ((struct unix_sock *)peer, addr);
	if (!a)
		return;
	len = READ(a, len); /* of the sockaddr_un: two bytes of family, then the path */
	if (len <= 2 || len > 2 + 108)
		return;
	len -= 2;
	keep_mask(len);
	bpf_probe_read_kernel(r->path, len & 127, (void *)a + bpf_core_field_offset(a->name) + 2);
	r->pathlen = len;
}

/* with_role: who asked for a connection is looked up, for events that do not say it themselves */
static __always_inline void put_sock(struct scratch *s, u32 i, bool with_role)
{
	struct file *f = (void *)s->file;
	struct sock *sk = f ? sock_of(f) : NULL;
	u8 *to = room(s);
	struct sock_facts *r = (void *)to;

	if (!sk || !to) {
		absent(s, i);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->family = READ(sk, __sk_common.skc_family);
	r->type = READ(sk, sk_type);
	r->proto = READ(sk, sk_protocol);
	r->state = READ(sk, __sk_common.skc_state);
	r->queue = READ(sk, sk_ack_backlog);
	r->maxq = READ(sk, sk_max_ack_backlog);
	if (with_role) {
		r->role = role_of(sk);
		r->bound = is_bound(sk);
	}
	if (r->family == AF_UNIX) {
		unix_facts(r, sk);
	} else {
		r->lport = READ(sk, __sk_common.skc_num);
		r->rport = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
	}
	if (r->family == AF_INET) {
		*(u32 *)r->laddr = READ(sk, __sk_common.skc_rcv_saddr);
		*(u32 *)r->raddr = READ(sk, __sk_common.skc_daddr);
	} else if (r->family == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		BPF_CORE_READ_INTO(&r->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&r->raddr, sk, __sk_common.skc_v6_daddr);
	}
	put(s, i, sizeof(*r));
}

/* The accept queue of a listening socket. */
static __always_inline void put_queue(struct scratch *s, u32 i, struct file *f)
{
	struct sock *sk = f ? sock_of(f) : NULL;
	u8 *to = room(s);

	if (!sk || !to) {
		absent(s, i);
		return;
	}
	((u32 *)to)[0] = READ(sk, sk_ack_backlog);
	((u32 *)to)[1] = READ(sk, sk_max_ack_backlog);
	put(s, i, 8);
}
