/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths, leaf to root, one component a step. The walk's whole position is in the scratch and not in registers: to the verifier
 * every step begins alike, so the states of all branches converge and a loop of many steps costs little (a walk with its
 * position in registers is refused at a million instructions on 6.12 and later).
 */
#pragma once

#include "store.h"

enum mode { MODE_NONE, MODE_PATH, MODE_FSPATH, MODE_CGROUP, MODE_VECTOR, MODE_POLL };

static __always_inline void walk_path(struct scratch *s, u32 mode, struct vfsmount *mnt, struct dentry *dentry)
{
	struct task_struct *t = (void *)s->task;

	if (!dentry) {
		absent(s, s->current);
		return;
	}
	s->dentry = (u64)dentry;
	s->mount = (u64)mnt - bpf_core_field_offset(struct mount, mnt);
	s->root_dentry = (u64)READ(t, fs, root.dentry);
	s->root_mount = (u64)READ(t, fs, root.mnt) - bpf_core_field_offset(struct mount, mnt);
	s->pos = PATH_CAP;
	s->gap = 0;
	s->mode = mode;
}

static __always_inline void walk_file(struct scratch *s, u32 mode, struct file *f)
{
	if (!f) {
		absent(s, s->current);
		return;
	}
	walk_path(s, mode, READ(f, f_path.mnt), READ(f, f_path.dentry));
}

/* Put len bytes of name, and a slash, before what path[] holds. False when it does not fit. */
static __always_inline bool prepend(struct scratch *s, const void *name, u32 len)
{
	u64 pos = s->pos;

	len &= 255; /* NAME_MAX; the mask is the bound that the verifier needs */
	if (pos < len + 2) /* the first byte stays free: a path is shorter than PATH_CAP */
		return false;
	pos -= len;
	keep_mask(pos);
	/* pos is at most PATH_CAP - 1 here unless len is 0; masked, a name of 255 bytes ends inside path[] */
	if (len)
		bpf_probe_read_kernel(s->path + (pos & (PATH_CAP - 1)), len, name);
	pos--;
	s->path[pos & (PATH_CAP - 1)] = '/';
	s->pos = pos;
	return true;
}

/*
 * A path may be longer than PATH_MAX: who goes down step by step has no limit. Of such a one the beginning is kept and the last name, which are
 * what is asked for most, and the middle is dropped while the walk goes on. path[] is then: room, beginning, last bytes.
 */
#define PATH_TAIL 256 /* a name of NAME_MAX and its slash */
#define PATH_FRONT 1792

static __always_inline void drop_middle(struct scratch *s)
{
	/* the two do not overlap: what is copied is from the first half, where the walk has come to, into the second */
	_Static_assert(PATH_FRONT <= PATH_CAP / 2 && PATH_CAP / 2 + PATH_FRONT + PATH_TAIL == PATH_CAP, "path[] is two halves");
	bpf_probe_read_kernel(s->path + PATH_CAP / 2, PATH_FRONT, s->path);
	s->pos += PATH_CAP / 2;
	s->gap = 1;
}

/* What stands for the part of a path that is not known. Falco has the word for a directory that it does not know. */
#define UNKNOWN "<UNKNOWN>"
#define UNKNOWN_LEN 9

/* Move what path[] holds into the record. lost: the walk did not come to the beginning. */
static __always_inline void path_done(struct scratch *s, bool lost)
{
	u8 *to = room(s);
	u64 pos, len;
	bool cut = lost || s->gap;

	if (s->gap)
		__builtin_memcpy(s->path + PATH_CAP - PATH_TAIL - UNKNOWN_LEN, UNKNOWN, UNKNOWN_LEN);
	if (lost) {
		if (s->pos < UNKNOWN_LEN)
			drop_middle(s);
		pos = s->pos - UNKNOWN_LEN;
		keep_mask(pos);
		__builtin_memcpy(s->path + (pos & (PATH_CAP - 1)), UNKNOWN, UNKNOWN_LEN);
		s->pos = pos;
	}
	pos = s->pos;
	len = PATH_CAP - pos;
	if (!to) {
		s->full++;
		absent(s, s->current);
		return;
	}
	if (pos >= PATH_CAP) { /* nothing in front of the root */
		*to = '/';
		put(s, s->current, 1);
		return;
	}
	keep_mask(pos);
	keep_mask(len);
	len &= PATH_CAP - 1;
	bpf_probe_read_kernel(to, len, s->path + (pos & (PATH_CAP - 1)));
	if (cut)
		put_cut(s, s->current, len);
	else
		put(s, s->current, len);
}

/* "uts:[4026531838]": the name that nsfs gives a namespace. Its bytes are written from the right. */
static __always_inline u32 namespace_name(u8 *to, struct dentry *d)
{
	struct inode___private *inode = (void *)READ(d, d_inode);
	struct ns_common *ns = READ(inode, i_private);
	u32 number = READ(ns, inum);
	char digits[12] = "0000000000]";
	long n = bpf_probe_read_kernel_str(to, 16, READ(ns, ops, name));

	if (n <= 0)
		return 0;
	for (int i = 9; i >= 0; i--) { /* numbers of namespaces have ten digits */
		digits[i] = '0' + number % 10;
		number /= 10;
	}
	n = (n - 1) & 15;
	to[n] = ':';
	to[n + 1] = '[';
	__builtin_memcpy(to + n + 2, digits, 11);
	return n + 2 + 11;
}

/* The name of an object of the kernel's own filesystems: what its dentry has ("memfd:x"), what the filesystem makes up when somebody
 * asks, or none (a pipe, a socket). "/" is the dentry's where there is none. */
static __always_inline u32 object_name(u8 *to, struct dentry *d)
{
	u32 len = READ(d, d_name.len) & 255, magic = READ(d, d_sb, s_magic);

	if (magic == NSFS_MAGIC)
		return namespace_name(to, d);
	if (magic == PID_FS_MAGIC) { /* 6.9: cb12fd8e0dab gives them a filesystem; the name stayed */
		__builtin_memcpy(to, "[pidfd]", 7);
		return 7;
	}
	if (magic == SOCKFS_MAGIC) /* the dentry has its protocol's */
		return 0;
	if (len)
		bpf_probe_read_kernel(to, len, READ(d, d_name.name));
	return len == 1 && *to == '/' ? 0 : len;
}

/* A dentry that is its own parent and the first of its walk. */
static __always_inline void path_of_object(struct scratch *s, struct dentry *d)
{
	u8 *to = room(s);
	u32 len = 0;

	if (to)
		len = object_name(to, d);
	else
		s->full++;
	if (len)
		put(s, s->current, len);
	else
		absent(s, s->current);
}

/* The same of a process's image or directory, which is no namespace. */
static __always_inline void path_alone(struct scratch *s, struct dentry *d)
{
	u8 *to = room(s);
	u32 len = READ(d, d_name.len) & 255;

	if (!to)
		s->full++;
	if (!to || !len) {
		absent(s, s->current);
		return;
	}
	bpf_probe_read_kernel(to, len, READ(d, d_name.name));
	put(s, s->current, len);
}

/* call: the path of a call's file, not of a process's own */
static __always_inline void path_step(struct scratch *s, bool call)
{
	struct dentry *d = (void *)s->dentry, *parent;
	struct mount *m = (void *)s->mount, *above;

	if (call && s->mode == MODE_FSPATH) {
		if (d == READ(d, d_sb, s_root)) {
			path_done(s, false);
			return;
		}
	} else {
		if (s->dentry == s->root_dentry && s->mount == s->root_mount) {
			path_done(s, false);
			return;
		}
		if (d == READ(m, mnt.mnt_root)) {
			above = READ(m, mnt_parent);
			if (above == m) { /* a namespace's root, or a mount that hangs nowhere */
				path_done(s, false);
				return;
			}
			s->dentry = (u64)READ(m, mnt_mountpoint);
			s->mount = (u64)above;
			return;
		}
	}
	parent = READ(d, d_parent);
	if (parent == d || !parent) {
		if (s->pos == PATH_CAP) {
			if (call)
				path_of_object(s, d);
			else
				path_alone(s, d);
		} else {
			path_done(s, false);
		}
		return;
	}
	if (!prepend(s, READ(d, d_name.name), READ(d, d_name.len))) {
		drop_middle(s); /* and once more, in the next step */
		return;
	}
	s->dentry = (u64)parent;
}
