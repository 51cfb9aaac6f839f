/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel types that the probe reads, with only the members that it reads. CO-RE finds each member's place in the running
 * kernel by its name, so order and size here mean nothing. Members that moved or changed over the supported kernels (5.10
 * and later) stand in compat.h.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r10, r9, r8, bx, cx, dx, si, di, bp, ax, orig_ax, ip;
};

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic_long_t;

struct list_head { struct list_head *next, *prev; };

struct qstr { u32 len; const unsigned char *name; };

struct super_block {
	u32 s_dev;
	unsigned long s_flags, s_magic;
	struct dentry *s_root;
};

struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned int i_flags, i_nlink;
	struct super_block *i_sb;
	unsigned long i_ino;
};

/* what nsfs keeps in an inode */
struct proc_ns_operations { const char *name; };
struct ns_common { const struct proc_ns_operations *ops; unsigned int inum; };
struct inode___private { void *i_private; };

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount { struct dentry *mnt_root; int mnt_flags; };

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path { struct vfsmount *mnt; struct dentry *dentry; };

struct file {
	unsigned int f_mode, f_flags;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct fdtable { unsigned int max_fds; struct file **fd; };
struct files_struct { struct fdtable *fdt; };
struct fs_struct { struct path root, pwd; };

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end, total_vm;
	struct file *exe_file;
};

struct user_namespace { int level; };

struct cred {
	kuid_t euid, fsuid;
	kgid_t egid, fsgid;
	struct user_namespace *user_ns;
};

struct pid_namespace { struct task_struct *child_reaper; };
struct upid { int nr; struct pid_namespace *ns; };
struct pid { unsigned int level; struct upid numbers[1]; };

struct rlimit { unsigned long rlim_cur; };

struct tty_driver { int major, minor_start; };
struct tty_struct { int index; struct tty_driver *driver; };

struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
	struct rlimit rlim[16];
	struct tty_struct *tty;
	struct list_head thread_head;
	unsigned int is_child_subreaper : 1;
	unsigned int has_child_subreaper : 1;
};

struct kernfs_node { const char *name; u64 id; };
struct cgroup_root;
struct cgroup { struct kernfs_node *kn; struct cgroup_root *root; };
struct cgroup_subsys_state { struct cgroup *cgroup; };
struct css_set { struct cgroup_subsys_state *subsys[16]; struct cgroup *dfl_cgrp; };

enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id };

struct thread_info { u32 status; };

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int pid, tgid, exit_code;
	char comm[16];
	void *stack;
	u64 start_boottime;
	unsigned long maj_flt, min_flt;
	struct task_struct *real_parent, *group_leader;
	struct list_head children, thread_node;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	const struct cred *cred;
	struct css_set *cgroups;
	kuid_t loginuid;
};

struct linux_binprm { const char *filename; struct file *file; };

/* the member that names a process stands at the same place in every variant of the union that has one */
struct signal_pid { int _pid; };
union signal_fields { struct signal_pid _kill; };
struct kernel_siginfo { int si_code; union signal_fields _sifields; };

struct in6_addr { u8 s6_addr[16]; };

struct net;
typedef struct { struct net *net; } possible_net_t;

struct sock_common {
	possible_net_t skc_net;
	u16 skc_family, skc_num, skc_dport;
	u8 skc_state;
	u32 skc_rcv_saddr, skc_daddr;
	struct in6_addr skc_v6_rcv_saddr, skc_v6_daddr;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type, sk_protocol;
	u32 sk_ack_backlog, sk_max_ack_backlog;
	unsigned int sk_userlocks : 4;
};

struct socket { struct sock *sk; };

struct sockaddr_un { u16 sun_family; char sun_path[108]; };
struct unix_address { int len; struct sockaddr_un name[]; };
struct unix_sock { struct unix_address *addr; struct sock *peer; };

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; };
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };
struct bpf_iter__task_file { struct bpf_iter_meta *meta; struct task_struct *task; u32 fd; struct file *file; };

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000
#define PF_IO_WORKER 0x00000010 /* 5.12: 3bfe6106693b; before, they are kernel threads */
#define PF_EXITING 0x00000004
#define TS_COMPAT 0x0002
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define OVERLAYFS_MAGIC 0x794c7630
#define SOCKFS_MAGIC 0x534f434b
#define NSFS_MAGIC 0x6e736673
#define PID_FS_MAGIC 0x50494446
#define ANON_INODE_FS_MAGIC 0x09041934
#define AT_FDCWD -100
