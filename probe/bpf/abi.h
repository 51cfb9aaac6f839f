/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The bytes that cross the ring and the tables that the loader fills: the twin of engine/event/abi.go and recipe.go. */
#pragma once

#include "kernel.h"

#define MAX_SYSCALL 512 /* a power of two: numbers are masked with it */
#define MAX_SLOTS 512
#define MAX_PARTS 16 /* a power of two: indexes are masked with it */
#define MAX_EVENTS 512

#define PATH_CAP 4096 /* PATH_MAX */
#define REC_CAP 20480 /* where the last part of a record may begin */

enum op {
	OP_NONE, OP_STR, OP_MEM, OP_SOCKADDR, OP_FILE, OP_PATH, OP_FSPATH, OP_DIR, OP_SOCK, OP_QUEUE, OP_TASK, OP_ARGV,
	OP_ENV, OP_ARGV_USER, OP_ENV_USER, OP_CWD, OP_EXE, OP_CGROUPS, OP_FILENAME, OP_EXIT, OP_MEMORY, OP_BUFFER, OP_POLL,
	OP_HELD, OP_PATH2,
};

#define AT_CWD 0xff

enum object { OBJ_NONE, OBJ_RET, OBJ_ARG0, OBJ_ARG1, OBJ_ARG2, OBJ_ARG3, OBJ_ARG4, OBJ_ARG5, OBJ_RET_POSITIVE, OBJ_AT0, OBJ_INSIDE };

enum record_flag { FLAG_COMPAT32 = 1, FLAG_TRUNCATED = 2, FLAG_FAULT = 4, FLAG_CHILD = 8, FLAG_GROUP_DEAD = 16, FLAG_FAILED = 32 };

#define PART_TRUNCATED 0x8000
#define PART_ABSENT 0xffff

struct header {
	u32 len;
	u16 event;
	u8 parts, flags;
	u64 ts, start;
	u32 pid, tid, ppid, uid, gid, loginuid;
	u64 cgroup, cgroup1;
	s64 ret;
	u64 args[6];
	u16 nr, cpu;
	u32 lost;
};

struct file_facts {
	u64 ino, ctime;
	u32 dev, fmode, fflag, nlink, magic;
	u16 mode;
	u8 kind, layer;
};

enum kind {
	KIND_UNKNOWN, KIND_FILE, KIND_DIRECTORY, KIND_FIFO, KIND_CHAR, KIND_BLOCK, KIND_IPV4, KIND_IPV6, KIND_UNIX,
	KIND_NETLINK, KIND_PACKET, KIND_SOCKET, KIND_MEMFD, KIND_ANON,
};

struct sock_facts {
	u8 laddr[16], raddr[16];
	u16 family, type, proto, lport, rport;
	u8 state, pathlen;
	u32 queue, maxq, pad;
	u64 sock, peer;
	u8 path[112];
};

enum task_flag { TASK_KTHREAD = 1, TASK_IN_PIDNS = 2 };

enum { EXE_WRITABLE = 1, EXE_UPPER_LAYER = 2, EXE_FROM_MEMFD = 4, EXE_LOWER_LAYER = 8 };

struct task_facts {
	u64 start, thread_start, parent_start, pidns_start, cgroup, cgroup1;
	u64 faults_major, faults_minor, fdlimit, cap_inh, cap_prm, cap_eff;
	u64 exe_ino, exe_ctime, exe_mtime;
	u32 exe_dev, exe_flags;
	u32 pid, tid, ptid, ppid, vpid, vtid, pgid, vpgid, sid, tty, loginuid, uid, gid;
	u32 vm_size, vm_rss, vm_swap, flags;
	u8 stdio[3], pad;
	char comm[16];
};

struct exit_facts { u32 code, reaper; };

struct poll_facts {
	s32 fd;
	u16 revents;
	u8 kind, found;
	char name[8];
};

struct memory_facts { u32 size, rss, swap; };

/* One recipe: which piece, how, from which register. */
struct part {
	u8 kind, op, arg, aux;
	u16 size, off;
};

enum slot_flag { SLOT_FAILED_ONLY = 1, SLOT_CLONE = 2, SLOT_LIFE = 4 };

/* What one capture does: the row of the event table and its recipes. */
struct slot {
	u16 event;
	u8 parts, object, flags, pad[3];
	struct part part[MAX_PARTS];
};

/* Which slots a system call number leads to in either table; 0 is none. */
struct route {
	u16 native, compat;
	u32 mark; /* the loader's marker and heartbeat travel on this number */
};

struct counters { u64 sent, ring_full, scratch_full, fault, truncated, no_program, unheld; };

/* Keep the types that only the loader uses in the object's BTF, where a test compares them with Go's. */
#define KEEP(type) const struct type *keep_##type __attribute__((unused))
KEEP(header); KEEP(file_facts); KEEP(sock_facts); KEEP(task_facts); KEEP(exit_facts); KEEP(memory_facts); KEEP(poll_facts); KEEP(part); KEEP(slot); KEEP(route); KEEP(counters);
#define KEEP_ENUM(type) const enum type *keep_##type __attribute__((unused))
KEEP_ENUM(op); KEEP_ENUM(object); KEEP_ENUM(kind); KEEP_ENUM(record_flag); KEEP_ENUM(task_flag); KEEP_ENUM(slot_flag);
