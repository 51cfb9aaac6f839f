/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the kernel knows of a task: one structure, for execve and clone events, new processes and the iterator at start. */
#pragma once

#include "file.h"

#define PIDTYPE_TGID 1
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3

static __always_inline u32 pid_outer(struct pid *p)
{
	return READ(p, numbers[0].nr);
}

/* A pid's number at a level of the namespace hierarchy. */
static __always_inline u32 pid_at(struct pid *p, u32 level)
{
	void *at = (void *)p + bpf_core_field_offset(p->numbers) + level * bpf_core_type_size(struct upid);

	return READ((struct upid *)at, nr);
}

static __always_inline u32 tty_of(struct signal_struct *signal)
{
	struct tty_struct *tty = READ(signal, tty);
	u32 major, minor;

	if (!tty)
		return 0;
	major = READ(tty, driver, major);
	minor = READ(tty, driver, minor_start) + READ(tty, index);
	/* new_encode_dev of include/linux/kdev_t.h */
	return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/* Whether the user of the image may write to its file: the file's permission bits and the two capabilities that override them.
 * In a user namespace of its own a capability does not count: it reaches only files whose ids are mapped there. */
static __always_inline bool exe_writable(struct file *exe, struct inode *inode, const struct cred *cred, u64 caps)
{
	u16 mode = READ(inode, i_mode);

	if ((READ(inode, i_sb, s_flags) & 1) ||	     /* SB_RDONLY */
	    (READ(exe, f_path.mnt, mnt_flags) & 0x40) || /* MNT_READONLY */
	    (READ(inode, i_flags) & 8))		     /* S_IMMUTABLE */
		return false;
	if (READ(cred, fsuid.val) == READ(inode, i_uid.val))
		return true;
	if ((mode & 0020) && READ(cred, fsgid.val) == READ(inode, i_gid.val))
		return true;
	if (mode & 0002)
		return true;
	return (caps & (1 << 1 | 1 << 3)) && READ(cred, user_ns, level) == 0; /* DAC_OVERRIDE, FOWNER */
}

static __always_inline void exe_facts(struct task_facts *r, struct file *exe, const struct cred *cred)
{
	struct inode *inode = READ(exe, f_inode);

	r->exe_ino = READ(inode, i_ino);
	r->exe_dev = READ(inode, i_sb, s_dev);
	r->exe_ctime = inode_ctime(inode);
	r->exe_mtime = inode_mtime(inode);
	r->exe_flags = 0;
	switch (overlay_layer(inode)) {
	case 1: r->exe_flags |= EXE_UPPER_LAYER; break;
	case 2: r->exe_flags |= EXE_LOWER_LAYER; break;
	}
	if (is_memfd(exe))
		r->exe_flags |= EXE_FROM_MEMFD;
	if (exe_writable(exe, inode, cred, r->cap_eff))
		r->exe_flags |= EXE_WRITABLE;
}

static __always_inline struct memory_facts memory_of(struct mm_struct *mm)
{
	/* pages of 4 KiB: x86_64 has no other */
	return (struct memory_facts){
		.size = READ(mm, total_vm) * 4,
		.rss = (mm_pages(mm, 0) + mm_pages(mm, 1) + mm_pages(mm, 3)) * 4,
		.swap = mm_pages(mm, 2) * 4,
	};
}

static __always_inline void put_memory(struct scratch *s, u32 i)
{
	struct task_struct *t = (void *)s->task;
	u8 *to = room(s);

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	*(struct memory_facts *)to = memory_of(READ(t, mm));
	put(s, i, sizeof(struct memory_facts));
}

/* What changes of a task while its image runs. */
static __always_inline void put_now(struct scratch *s, u32 i)
{
	struct task_struct *t = (void *)s->task;
	struct signal_struct *signal = READ(t, signal);
	const struct cred *cred = READ(t, cred);
	struct pid *pid = READ(t, thread_pid);
	struct now_facts *r = (void *)room(s);
	u32 level = READ(pid, level) & 31; /* MAX_PID_NS_LEVEL is 32 */

	if (!r) {
		s->full++;
		absent(s, i);
		return;
	}
	r->cap_inh = read_caps(cred, cap_inheritable);
	r->cap_prm = read_caps(cred, cap_permitted);
	r->cap_eff = read_caps(cred, cap_effective);
	r->fdlimit = READ(signal, rlim[7].rlim_cur); /* RLIMIT_NOFILE */
	r->faults_major = READ(t, maj_flt);
	r->faults_minor = READ(t, min_flt);
	r->pgid = pid_outer(READ(signal, pids[PIDTYPE_PGID]));
	r->vpgid = pid_at(READ(signal, pids[PIDTYPE_PGID]), level);
	r->sid = pid_at(READ(signal, pids[PIDTYPE_SID]), level);
	r->vpid = pid_at(READ(signal, pids[PIDTYPE_TGID]), level);
	r->vtid = pid_at(pid, level);
	r->tty = tty_of(signal);
	put(s, i, sizeof(*r));
}

static __always_inline void task_facts(struct task_facts *r, struct task_struct *t)
{
	struct signal_struct *signal = READ(t, signal);
	struct task_struct *leader = READ(t, group_leader), *parent = READ(t, real_parent);
	const struct cred *cred = READ(t, cred);
	struct mm_struct *mm = READ(t, mm);
	struct pid *pid = READ(t, thread_pid);
	struct memory_facts memory;
	struct file *f;
	u32 level;
	void *at;

	__builtin_memset(r, 0, sizeof(*r));
	r->start = READ(leader, start_boottime);
	r->thread_start = READ(t, start_boottime);
	r->parent_start = READ(parent, group_leader, start_boottime);
	r->cgroup = cgroup_id(t);
	r->cgroup1 = cgroup1_id(t);
	r->faults_major = READ(t, maj_flt);
	r->faults_minor = READ(t, min_flt);
	r->fdlimit = READ(signal, rlim[7].rlim_cur); /* RLIMIT_NOFILE */
	r->cap_inh = read_caps(cred, cap_inheritable);
	r->cap_prm = read_caps(cred, cap_permitted);
	r->cap_eff = read_caps(cred, cap_effective);
	r->pid = READ(t, tgid);
	r->tid = READ(t, pid);
	r->ptid = READ(parent, pid);
	r->ppid = READ(parent, tgid);
	level = READ(pid, level) & 31; /* MAX_PID_NS_LEVEL is 32 */
	r->vtid = pid_at(pid, level);
	r->vpid = pid_at(READ(signal, pids[PIDTYPE_TGID]), level);
	r->vpgid = pid_at(READ(signal, pids[PIDTYPE_PGID]), level);
	r->sid = pid_at(READ(signal, pids[PIDTYPE_SID]), level);
	r->pgid = pid_outer(READ(signal, pids[PIDTYPE_PGID]));
	at = (void *)pid + bpf_core_field_offset(pid->numbers) + level * bpf_core_type_size(struct upid);
	r->pidns_start = READ((struct upid *)at, ns, child_reaper, start_boottime);
	if (level)
		r->flags |= TASK_IN_PIDNS;
	if (READ(t, flags) & PF_KTHREAD)
		r->flags |= TASK_KTHREAD;
	r->tty = tty_of(signal);
	r->loginuid = loginuid_of(t);
	r->uid = READ(cred, euid.val);
	r->gid = READ(cred, egid.val);
	bpf_core_read_str(&r->comm, sizeof(r->comm), &t->comm); /* the kernel leaves the rest of a longer name behind the NUL */
	if (mm) {
		memory = memory_of(mm);
		r->vm_size = memory.size;
		r->vm_rss = memory.rss;
		r->vm_swap = memory.swap;
		f = READ(mm, exe_file);
		if (f)
			exe_facts(r, f, cred);
	}
	for (int i = 0; i < 3; i++) {
		f = file_of(t, i);
		if (f)
			r->stdio[i] = file_kind(f);
	}
}

static __always_inline void put_task(struct scratch *s, u32 i)
{
	u8 *to = room(s);

	if (!to) {
		s->full++;
		absent(s, i);
		return;
	}
	task_facts((void *)to, (void *)s->task);
	put(s, i, sizeof(struct task_facts));
}
