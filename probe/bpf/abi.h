/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The bytes that cross the ring and the tables that the loader fills: the twin of engine/event/abi.go and recipe.go. */
#pragma once

#include "kernel.h"

#define MAX_SYSCALL 512 /* a power of two: numbers are masked with it */
#define X32_BIT 0x40000000u
#define X32_CALLS 36 /* numbers from MAX_SYSCALL on that calls of the x32 table have */
#define MAX_SLOTS 512
#define MAX_PARTS 16 /* a power of two: indexes are masked with it */
#define MAX_EVENTS 512
#define MAX_REQUESTS 256 /* twice the operations of io_uring, a power of two */

#define PATH_CAP 4096 /* PATH_MAX */
#define REC_CAP 20480 /* where the last part of a record may begin */
#define REC_ROOM (REC_CAP + PATH_CAP)

enum op {
	OP_NONE, OP_STR, OP_MEM, OP_SOCKADDR, OP_FILE, OP_PATH, OP_FSPATH, OP_DIR, OP_SOCK, OP_QUEUE, OP_TASK, OP_ARGV,
	OP_ENV, OP_ARGV_USER, OP_ENV_USER, OP_CWD, OP_EXE, OP_CGROUPS, OP_FILENAME, OP_EXIT, OP_MEMORY, OP_BUFFER, OP_POLL,
	OP_DATA, OP_SIZE, OP_PEER, OP_CONTROL, OP_OPTION, OP_CHANGED, OP_NOW,
	OP_HELD, OP_PATH2,
};

#define AT_CWD 0xff

enum object { OBJ_NONE, OBJ_RET, OBJ_ARG0, OBJ_ARG1, OBJ_ARG2, OBJ_ARG3, OBJ_ARG4, OBJ_ARG5, OBJ_RET_POSITIVE, OBJ_AT0, OBJ_AT3, OBJ_INSIDE };

enum record_flag {
	FLAG_COMPAT32 = 1, FLAG_TRUNCATED = 2, FLAG_FAULT = 4, FLAG_CHILD = 8, FLAG_GROUP_DEAD = 16, FLAG_FAILED = 32, FLAG_IO_URING = 64,
	FLAG_UNKNOWN = 128,
};

#define PART_TRUNCATED 0x80000000u
#define PART_ABSENT 0xffffffffu

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
	u32 queue, maxq;
	u8 role, bound, pad[2];
	u64 sock, peer;
	u8 path[112];
};

enum role { ROLE_NONE, ROLE_CLIENT, ROLE_SERVER };

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

struct now_facts {
	u64 cap_inh, cap_prm, cap_eff, fdlimit, faults_major, faults_minor;
	u32 pgid, vpgid, sid, vpid, vtid, tty;
};

struct memory_facts { u32 size, rss, swap; };

/* One recipe: its piece's place in the record, how, from which register. */
struct part {
	u8 at, op, arg, aux;
	u16 size, off;
};

/* How a call names the memory that it moves: a buffer, with the address of the other end or without, a vector of buffers, a message, or
 * a vector of messages. IO_WRITES: the call takes the data, so that they are there even when it fails. */
enum io { IO_NONE, IO_BUFFER, IO_TO, IO_FROM, IO_VECTOR, IO_MESSAGE, IO_MESSAGES, IO_WRITES = 0x80 };

/* SLOT_SILENT: the call is looked at for what the probe keeps, and makes no event. SLOT_THREADS: procexit for every thread, not only for
 * the last of its process. */
enum slot_flag { SLOT_FAILED_ONLY = 1, SLOT_CLONE = 2, SLOT_LIFE = 4, SLOT_SILENT = 8, SLOT_THREADS = 16 };

/* What one capture does: the row of the event table, how many pieces it has, and the recipes of those that are wanted. */
struct slot {
	u16 event;
	u8 parts, recipes, object, flags, io, pad;
	struct part part[MAX_PARTS];
};

/* Which slots a system call number leads to in either table; 0 is none. */
struct route {
	u16 native, compat;
	u16 flags;  /* enum route_flag */
	u16 shared; /* its first entry in shared_calls */
};

enum route_flag {
	ROUTE_MARK = 1,	    /* the loader's marker and heartbeat travel on this number */
	ROUTE_SHARED = 2,   /* in the 32-bit table its registers are not the call's arguments */
	ROUTE_MANY = 4,	    /* there it is the number of many calls: the first register says which */
	ROUTE_VERSIONS = 8, /* the upper half of that register is a version */
};

/* A call of the 32-bit table that has its arguments in other places than the registers, mostly one of many that share a number. What its
 * arguments are made of is in sources: the registers of the number, and words of user memory that one of them points to. */
#define MAX_SHARED 128
#define SHARED_MANY 32 /* calls that one number may be, in each version */
#define SOURCES 16
#define SOURCE_NONE 15
#define SOURCE_MEMORY 8

struct shared_call {
	u16 slot, nr;
	u8 from[6];
	u8 memory, words; /* the register that points to the words, how many there are */
	u8 result;	  /* the register that points to what the plain call returns, 0 for none */
	u8 version;	  /* the argument that may have IPC_64 among its bits, 0 for none */
};

struct counters { u64 sent, ring_full, scratch_full, fault, truncated, too_deep, no_program, unknown, unmatched, unheld; };

/* Where an argument of a system call is in a request of io_uring that stands for it. */
enum request_arg_flag {
	ARG_NAME = 1,  /* the value is a struct filename * */
	ARG_EARLY = 2, /* the completion overwrites it */
	ARG_COPY = 4,  /* there is a copy of what it points to */
	ARG_UNLESS = 8, /* what is in also stands instead of the value, which is -1 then */
};

struct request_arg {
	u16 at;		     /* of the value in the request */
	u16 also;	     /* of four bytes in the request that belong to the value too, 0 for none */
	u16 copy;	     /* of the kernel's copy of what the value points to */
	u8 size;	     /* bytes of the value, 0 when the request does not keep it */
	u8 flags;	     /* enum request_arg_flag */
	u8 sqe, sqe_size;    /* the same in the submission entry */
	u16 pad;
	u32 clear;	     /* bits of the value that the kernel sets by itself */
};

/* One operation of io_uring: the system call that it stands for, in either table. Slot 0 is one that nobody watches. */
struct request {
	u16 slot[2], nr[2];
	u16 early, user; /* sets of parts: captured at submission; read from user memory at completion */
	u16 filled;	 /* those of the latter that the call fills in */
	u16 file;	 /* the argument that names the request's own file, counted from 1, 0 for none */
	u16 fixed;	 /* the argument whose highest bit says that another descriptor is in the table of registered files, likewise */
	u16 direct;	 /* where the request has the place in the table of registered files, 0 for never */
	u16 position;	 /* the argument that tells the second entry of the operation from the first, 0 for none */
	u16 pad;
	struct request_arg arg[6];
};

/* Keep the types that only the loader uses in the object's BTF, where a test compares them with Go's. */
#define KEEP(type) const struct type *keep_##type __attribute__((unused))
KEEP(header); KEEP(file_facts); KEEP(sock_facts); KEEP(task_facts); KEEP(exit_facts); KEEP(memory_facts); KEEP(poll_facts); KEEP(now_facts); KEEP(part); KEEP(slot); KEEP(route); KEEP(counters);
KEEP(shared_call); KEEP(request_arg); KEEP(request);
#define KEEP_ENUM(type) const enum type *keep_##type __attribute__((unused))
KEEP_ENUM(op); KEEP_ENUM(object); KEEP_ENUM(kind); KEEP_ENUM(record_flag); KEEP_ENUM(task_flag); KEEP_ENUM(slot_flag); KEEP_ENUM(io); KEEP_ENUM(role);
KEEP_ENUM(request_arg_flag); KEEP_ENUM(route_flag);
