/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Members of kernel structures that were renamed or moved since 5.10, each behind one accessor. A name with three
 * underscores is the same kernel type in another release; CO-RE drops what follows them.
 */
#pragma once

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ts64 { s64 tv_sec; long tv_nsec; };

/* up to 6.5 */
struct inode___v510 { struct ts64 i_ctime, i_mtime; };
/* 6.6: 13bc24457850 hides i_ctime; 6.7: 12cd44023651 hides i_mtime */
struct inode___v66 { struct ts64 __i_ctime; };
struct inode___v67 { struct ts64 __i_mtime; };
/* 6.11: 3aa63a569c64 splits them; since 6.13 (multigrain timestamps) a flag is in the top bit of the change time's nanoseconds */
struct inode___v611 { s64 i_ctime_sec, i_mtime_sec; u32 i_ctime_nsec, i_mtime_nsec; };

/* 6.2: f1a7941243c1 turns the rss counters into percpu counters */
struct mm_rss { atomic_long_t count[4]; };
struct mm_struct___v510 { struct mm_rss rss_stat; };
struct percpu_counter { s64 count; };
struct mm_struct___v62 { struct percpu_counter rss_stat[4]; };

/* 6.15: 633488947ef6 protects the parent with RCU and renames it */
struct kernfs_node___v510 { struct kernfs_node *parent; };
struct kernfs_node___v615 { struct kernfs_node *__parent; };

/* 6.3: f122a08b197d stores capabilities in one word instead of two halves, with the same bits at the same places */
struct capset { u32 cap[2]; };
struct cred___caps { struct capset cap_inheritable, cap_permitted, cap_effective; };

/* 5.9: bc2bf338d54b adds fdpath, set for an execveat that names a descriptor */
struct linux_binprm___fd { const char *fdpath; };

#pragma clang attribute pop

/*
 * READ(p, a, b) is p->a->b. Where the kernel can turn an address into a typed pointer (bpf_rdonly_cast, 6.2: a35b9af4ec2c) it is a
 * plain load that the kernel guards with an exception table; elsewhere it is a call of bpf_probe_read_kernel for every arrow,
 * which costs ten times as much. The verifier sees which from the option and deletes the other.
 */
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;
const volatile bool direct_reads;

#define TYPED(p) ((const typeof(*(p)) *)bpf_rdonly_cast((p), bpf_core_type_id_kernel(typeof(*(p)))))
#define READ(p, ...) (direct_reads ? ___arrow(TYPED(p), __VA_ARGS__) : BPF_CORE_READ(p, __VA_ARGS__))

static __always_inline u64 nanoseconds(s64 sec, s64 nsec)
{
	return (u64)sec * 1000000000ULL + (u64)nsec;
}

static __always_inline u64 inode_ctime(const struct inode *i)
{
	const struct inode___v510 *a = (const void *)i;
	const struct inode___v66 *b = (const void *)i;
	const struct inode___v611 *c = (const void *)i;

	if (bpf_core_field_exists(c->i_ctime_sec))
		return nanoseconds(READ(c, i_ctime_sec), READ(c, i_ctime_nsec) & 0x7fffffff);
	if (bpf_core_field_exists(b->__i_ctime))
		return nanoseconds(READ(b, __i_ctime.tv_sec), READ(b, __i_ctime.tv_nsec));
	return nanoseconds(READ(a, i_ctime.tv_sec), READ(a, i_ctime.tv_nsec));
}

static __always_inline u64 inode_mtime(const struct inode *i)
{
	const struct inode___v510 *a = (const void *)i;
	const struct inode___v67 *b = (const void *)i;
	const struct inode___v611 *c = (const void *)i;

	if (bpf_core_field_exists(c->i_mtime_sec))
		return nanoseconds(READ(c, i_mtime_sec), READ(c, i_mtime_nsec));
	if (bpf_core_field_exists(b->__i_mtime))
		return nanoseconds(READ(b, __i_mtime.tv_sec), READ(b, __i_mtime.tv_nsec));
	return nanoseconds(READ(a, i_mtime.tv_sec), READ(a, i_mtime.tv_nsec));
}

/* Resident pages of one kind: 0 file, 1 anonymous, 2 swap entries, 3 shared memory. */
#define mm_pages(mm, kind)                                                                       \
	({                                                                                       \
		const struct mm_struct___v510 *__a = (const void *)(mm);                         \
		const struct mm_struct___v62 *__b = (const void *)(mm);                          \
		s64 __n = bpf_core_field_exists(__a->rss_stat.count) ?                           \
				  READ(__a, rss_stat.count[kind].counter) :             \
				  READ(__b, rss_stat[kind].count);                      \
		__n < 0 ? 0 : (u32)__n;                                                          \
	})

static __always_inline struct kernfs_node *kernfs_parent(const struct kernfs_node *kn)
{
	const struct kernfs_node___v510 *a = (const void *)kn;
	const struct kernfs_node___v615 *b = (const void *)kn;

	if (bpf_core_field_exists(b->__parent))
		return READ(b, __parent);
	return READ(a, parent);
}

#define read_caps(cred, which)                                                                   \
	({                                                                                       \
		const struct cred___caps *__c = (const void *)(cred);                            \
		u64 __v = 0;                                                                     \
		bpf_core_read(&__v, sizeof(__v), &__c->which);                                   \
		__v;                                                                             \
	})
