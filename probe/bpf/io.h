/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The bytes that a call moves, and what else its message holds: the buffers' content up to snaplen, their size, the address of the
 * other end, control data. All of it is named by the caller's memory, which may say anything and may have changed since the kernel
 * looked: counts and lengths are bounded as the kernel bounds them, and what cannot be read is missing and marked.
 */
#pragma once

#include "user.h"

/* How much of the data is wanted: what a call says that failed may be more than all of it. */
#define EVERYTHING ((u64)-1)

#define MAX_IOV 1024 /* UIO_MAXIOV: the kernel refuses more */
#define IOV_BATCH 32 /* how many of them a step adds up */

struct iovec { u64 base, len; };
struct iovec32 { u32 base, len; };
struct user_msghdr { u64 name; u32 namelen, pad; u64 iov, iovlen, control, controllen; u32 flags, pad2; };
struct user_msghdr32 { u32 name, namelen, iov, iovlen, control, controllen, flags; };
struct mmsghdr { struct user_msghdr hdr; u32 len, pad; };
struct mmsghdr32 { struct user_msghdr32 hdr; u32 len; };

/* False when the message cannot be read. */
static __always_inline bool io_message(struct scratch *s, u64 at)
{
	struct io_state *io = &s->io;

	if (head(s)->flags & FLAG_COMPAT32) {
		struct user_msghdr32 m = {};

		if (bpf_probe_read_user(&m, sizeof(m), (void *)at))
			goto fault;
		io->name = m.name;
		io->namelen = m.namelen;
		io->iov = m.iov;
		io->count = m.iovlen;
		io->control = m.control;
		io->controllen = m.controllen;
	} else {
		struct user_msghdr m = {};

		if (bpf_probe_read_user(&m, sizeof(m), (void *)at))
			goto fault;
		io->name = m.name;
		io->namelen = m.namelen;
		io->iov = m.iov;
		io->count = m.iovlen;
		io->control = m.control;
		io->controllen = m.controllen;
	}
	return true;
fault:
	s->fault++;
	io->unknown = true;
	return false;
}

/* The next of a vector of messages, each of which makes a record whose result is its own length. False when there is none, or none that
 * can be read. */
static __always_inline bool next_message(struct scratch *s)
{
	struct io_state *io = &s->io;
	struct header *h = head(s);
	u32 n = io->done, messages = io->messages, len = 0;
	u64 at = h->args[1];

	if (n >= messages)
		return false;
	__builtin_memset(io, 0, sizeof(*io));
	io->messages = messages;
	io->done = n;
	if (h->flags & FLAG_COMPAT32)
		at += n * sizeof(struct mmsghdr32);
	else
		at += n * sizeof(struct mmsghdr);
	if (!io_message(s, at))
		return false;
	at += h->flags & FLAG_COMPAT32 ? sizeof(struct user_msghdr32) : sizeof(struct user_msghdr);
	if (bpf_probe_read_user(&len, sizeof(len), (void *)at)) {
		s->fault++;
		io->unknown = true;
		return false;
	}
	io->done = n + 1;
	h->ret = len;
	io->want = len;
	if (io->count > MAX_IOV)
		io->unknown = true;
	return true;
}

/* Once the registers are known: what the call moves. */
static __always_inline void io_begin(struct scratch *s, u32 kind)
{
	struct io_state *io = &s->io;
	struct header *h = head(s);
	bool writes = kind & IO_WRITES;
	u32 len = 0;

	__builtin_memset(io, 0, sizeof(*io));
	io->want = h->ret >= 0 ? h->ret : writes ? EVERYTHING : 0;
	switch (kind & ~IO_WRITES) {
	case IO_FROM:
		/* the kernel has left the address's length there */
		if (h->args[5] && h->ret >= 0 && bpf_probe_read_user(&len, sizeof(len), (void *)h->args[5]))
			s->fault++;
		io->name = h->args[4];
		io->namelen = len;
		break;
	case IO_TO:
		io->name = h->args[4];
		io->namelen = h->args[5];
		break;
	case IO_VECTOR:
		io->iov = h->args[1];
		io->count = h->args[2];
		break;
	case IO_MESSAGE: io_message(s, h->args[1]); break;
	case IO_MESSAGES:
		if (h->ret <= 0) { /* none was moved: the call itself makes the record */
			io->unknown = true;
			break;
		}
		io->messages = h->ret;
		next_message(s);
		return;
	}
	if ((kind & ~IO_WRITES) <= IO_FROM) {
		io->base = h->args[1];
		io->left = h->args[2];
	}
	if (io->count > MAX_IOV) /* nothing was looked at */
		io->unknown = true;
}

static __always_inline void data_begin(struct scratch *s)
{
	struct io_state *io = &s->io;

	if (io->unknown || !io->want) {
		absent(s, s->current);
		return;
	}
	s->begun = s->off;
	s->mode = MODE_DATA;
}

static __always_inline void data_done(struct scratch *s, bool cut)
{
	u64 len = s->off - s->begun;

	s->off = s->begun;
	if (!len)
		absent(s, s->current);
	else if (cut)
		put_cut(s, s->current, len);
	else
		put(s, s->current, len);
}

/* The next element of the vector. False when it cannot be read. */
static __always_inline bool next_buffer(struct scratch *s)
{
	struct io_state *io = &s->io;

	if (head(s)->flags & FLAG_COMPAT32) {
		struct iovec32 v = {};

		if (bpf_probe_read_user(&v, sizeof(v), (void *)io->iov))
			return false;
		io->base = v.base;
		io->left = v.len;
		io->iov += sizeof(v);
	} else {
		struct iovec v = {};

		if (bpf_probe_read_user(&v, sizeof(v), (void *)io->iov))
			return false;
		io->base = v.base;
		io->left = v.len;
		io->iov += sizeof(v);
	}
	io->count--;
	return true;
}

/* What a step copies ends at a page of the caller's, so that data are lost from the page on that cannot be read. */
static __always_inline void data_step(struct scratch *s)
{
	struct io_state *io = &s->io;
	u64 begun = s->begun, used = s->off - begun, len, most = snaplen;
	u8 *to;

	if (begun > REC_CAP) {
		s->full++;
		absent(s, s->current);
		return;
	}
	if (used >= io->want || (used >= most && io->left)) {
		data_done(s, used < io->want);
		return;
	}
	if (!io->left) {
		if (!io->count) {
			data_done(s, false);
			return;
		}
		if (!next_buffer(s)) {
			s->fault++;
			data_done(s, true);
			return;
		}
		if (!io->left || used >= most)
			return;
	}
	if (most > io->want)
		most = io->want;
	len = PATH_CAP - (io->base & (PATH_CAP - 1));
	if (len > io->left)
		len = io->left;
	if (len > most - used)
		len = most - used;
	keep_mask(used);
	keep_mask(len);
	to = (u8 *)s + offsetof(struct scratch, rec) + begun + (used & 0xffff);
	if (bpf_probe_read_user(to, len & (2 * PATH_CAP - 1), (void *)io->base)) {
		s->fault++;
		data_done(s, true);
		return;
	}
	io->base += len;
	io->left -= len;
	s->off += len;
}

/* The size of all buffers together: of a vector IOV_BATCH elements a step. */
static __always_inline void size_begin(struct scratch *s)
{
	struct io_state *io = &s->io;

	if (io->unknown) {
		absent(s, s->current);
		return;
	}
	io->size = io->left;
	io->summed = 0;
	s->mode = MODE_SIZE;
}

static __always_inline void size_done(struct scratch *s)
{
	u64 size = s->io.size;
	u8 *to = room(s);

	if (!to) {
		s->full++;
		absent(s, s->current);
		return;
	}
	*(u32 *)to = size > (u32)-1 ? (u32)-1 : size;
	put(s, s->current, 4);
}

/* Without a branch for every element, which the verifier would walk both sides of: what is behind the last one is zero. */
static __always_inline void size_step(struct scratch *s)
{
	struct io_state *io = &s->io;
	u64 n = io->count - io->summed, sum = 0, above = 0, at = io->summed;
	long err;

	if (io->summed >= io->count) {
		size_done(s);
		return;
	}
	if (n > IOV_BATCH)
		n = IOV_BATCH;
	keep_mask(n);
	n &= 2 * IOV_BATCH - 1;
	__builtin_memset(s->path, 0, IOV_BATCH * sizeof(struct iovec));
	if (head(s)->flags & FLAG_COMPAT32) {
		struct iovec32 *v = (void *)s->path;

		err = bpf_probe_read_user(v, n * sizeof(*v), (void *)(io->iov + at * sizeof(*v)));
		for (u32 i = 0; i < IOV_BATCH; i++)
			sum += v[i].len;
	} else {
		struct iovec *v = (void *)s->path;

		err = bpf_probe_read_user(v, n * sizeof(*v), (void *)(io->iov + at * sizeof(*v)));
		for (u32 i = 0; i < IOV_BATCH; i++) {
			sum += (u32)v[i].len;
			above |= v[i].len >> 32;
		}
	}
	if (err) {
		faulted(s, s->current);
		return;
	}
	io->size += sum;
	if (above)
		io->size |= 1ull << 32;
	io->summed += n;
}

/* The address of the other end. */
static __always_inline void put_peer(struct scratch *s, u32 i)
{
	u32 len = s->io.namelen;

	if (head(s)->ret < 0)
		len = 0;
	else if (len > MAX_ADDRESS) /* of a message's address the kernel takes no more either, and does not mind */
		len = MAX_ADDRESS;
	put_sockaddr(s, i, s->io.name, len);
}

static __always_inline void put_control(struct scratch *s, u32 i)
{
	if (head(s)->ret < 0)
		absent(s, i);
	else
		put_buffer(s, i, s->io.control, s->io.controllen, PATH_CAP - 1);
}

/* The value of a socket option: what setsockopt was given, what getsockopt has left where the caller wanted it. */
static __always_inline void put_option(struct scratch *s, u32 i, bool get)
{
	struct header *h = head(s);
	u32 len = h->args[4];

	if (get && bpf_probe_read_user(&len, sizeof(len), (void *)h->args[4])) {
		faulted(s, i);
		return;
	}
	if ((s32)len < 0) /* refused as it is */
		len = 0;
	put_buffer(s, i, h->args[3], len, PATH_CAP - 1);
}
