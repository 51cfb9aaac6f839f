/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#pragma once

#include "abi.h"
#include "compat.h"

/* Options: set by the loader before the programs are loaded, so that the verifier deletes what is off. */
const volatile u64 cookie;         /* what marks the loader's own calls */
const volatile u16 heartbeat_slot; /* the slot of a heartbeat */
const volatile s32 v1_controller = -1; /* index in controllers() of the v1 hierarchy for cgroup1, -1 for none */
const volatile bool drop_failed;   /* calls that fail are no events */
const volatile u32 snaplen = 80; /* how many bytes of the data that a call moves are kept */
const volatile u16 x32_calls[64];  /* numbers of the 32-bit table, see call_number; a power of two */
const volatile u16 exec_slot, execveat_slot, fork_slot, exit_slot;
const volatile u16 signal_event, page_fault_event; /* rows of the tracepoints that are attached only when a rule asks for them */

const volatile bool holding; /* some slot holds what a call is about to take away */

/* Who the loader is, as the kernel sees it; learnt from the marker call. tgid 0 is nobody. held counts its calls that programs which
 * hold have seen: a program that is attached need not run. */
struct { u32 tgid, held; u64 start; } self SEC(".data.self");

/* Number -> slots. Read by every system call of the machine: an array, which the verifier inlines. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SYSCALL);
	__type(key, u32);
	__type(value, struct route);
} routes SEC(".maps");

/* The calls of the 32-bit table that share a number or have their arguments in memory, see shared.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SHARED);
	__type(key, u32);
	__type(value, struct shared_call);
} shared_calls SEC(".maps");

/* Slot -> what to capture. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* Slot -> program, one array a hook: the kernel lets a program array hold programs of one hook only. */
#define PROGRAMS(name, n)                                     \
	struct {                                              \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);        \
		__uint(max_entries, n);                       \
		__type(key, u32);                             \
		__type(value, u32);                           \
	} name SEC(".maps")

PROGRAMS(exit_programs, MAX_SLOTS);
PROGRAMS(exec_programs, 1);
PROGRAMS(request_programs, MAX_SLOTS); /* of all hooks of io_uring: raw tracepoints are alike */

/* Operation of io_uring -> the system call that it stands for: what reads and writes has two entries, with a position and without. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_REQUESTS);
	__type(key, u32);
	__type(value, struct request);
} requests SEC(".maps");

/* What is kept of a request from its submission to its completion: its arguments, and the pieces that user space may change and the
 * kernel forgets meanwhile, such as names. */
#define SAVED_CAP 512 /* a power of two: places are masked with it */
struct saved {
	u64 ring, data;	/* the ring, and what user space calls the request */
	u64 start;	/* the process's, with tgid, and whose rights the request has */
	u64 args[6];
	u32 tgid, uid, gid;
	u32 fault, used, pad; /* pieces that could not be read; bytes in use */
	u16 at[MAX_PARTS], len[MAX_PARTS];
	u8 bytes[SAVED_CAP];
};
#define SAVED_CUT 0x8000u
#define SAVED_ABSENT 0xffffu

/* How often the table was full: what the loader looks at to take out the requests of processes that have ended. */
u64 requests_full SEC(".data.requests");

#define MAX_PENDING 4096
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PENDING);
	__type(key, u64); /* struct io_kiocb * */
	__type(value, struct saved);
} pending SEC(".maps");

/* Pending requests by the name that user space gave them, which may be the same for several. */
#define NAMESAKES 8
struct named { u64 ring, data; };
struct namesakes { u64 req[NAMESAKES]; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PENDING);
	__type(key, struct named);
	__type(value, struct namesakes);
} pending_names SEC(".maps");

/*
 * Where one record is built. One a CPU is enough: the hooks run in process context with preemption off (include/trace/bpf_probe.h;
 * for system calls since 6.13 by 4aadde89d81f), and none of them runs inside another. 32 KiB is the most a per-CPU value may have.
 */
/* What a call moves: see io.h. */
struct io_state {
	u64 base, left; /* the buffer under work */
	u64 iov, count; /* the buffers after it */
	u64 want;       /* how much was moved */
	u64 size, summed;
	u64 name, control, controllen;
	u32 namelen;
	u32 messages, done; /* of a vector of messages */
	bool unknown; /* the caller's memory does not say */
};

struct scratch {
	u64 task; /* whose record it is */
	u64 file; /* the event's file object, 0 for none */
	u64 name; /* execve: the kernel's copy of the file name */
	u64 req;  /* the request of io_uring, 0 for a system call */
	u64 held; /* what was held for the call, a scratch too; 0 for nothing */
	/* objects that a hook inside the call was given: the one that the event is about, and the second */
	u64 object_mount, object_dentry, second_mount, second_dentry;
	/* where the walk of a path or of a cgroup stands */
	u64 dentry, mount, root_dentry, root_mount, node;
	u64 vector;  /* where the walk of an argument vector stands */
	u64 off;     /* bytes of the record so far */
	u64 pos;     /* first byte in use of path[] */
	u64 begun;   /* where the part under work begins in the record */
	u32 next;    /* the next recipe */
	u32 recipes; /* how many there are */
	u32 current; /* the recipe under work */
	u32 left;    /* descriptors of a poll that are still to come */
	u32 slot;
	u32 mode;    /* enum mode */
	u32 gap;     /* the path under work is too long: its middle has been dropped */
	u32 controller;
	u32 turns;   /* tail calls so far */
	u32 lost;    /* on this CPU since the last record that went through */
	u32 fault, truncated, deep, full;
	u32 request;	/* its entry in requests */
	u32 uid, gid;	/* whose rights it has */
	u32 sources[SOURCES]; /* of a call that shares its number */
	u8 kept, afar;	/* enum kept; user memory is not its task's */
	u32 whole; /* of what is held: complete */
	u16 at[MAX_PARTS]; /* where each part begins in the record */
	struct io_state io;
	struct saved saved;
	u8 spare[SAVED_CAP]; /* what is written to the end of saved may run over */
	u8 path[PATH_CAP + 256] __attribute__((aligned(8))); /* paths grow from the end; a masked position plus one name stays inside */
	u8 rec[REC_ROOM] __attribute__((aligned(8))); /* header, part lengths, parts; the last, see struct wide */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/*
 * A scratch with room for as much data as may be asked for, which is more than a per-CPU value may have: an array with an element for
 * each CPU. The programs of calls that move data have it, and the loader makes it when there are any. What a step copies (two pages, as
 * the verifier sees it) goes behind DATA_CAP bytes of data, which begin at REC_CAP at the latest.
 */
#define DATA_CAP 65536
struct wide { struct scratch s; u8 more[DATA_CAP + PATH_CAP]; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wide);
} wides SEC(".maps");

/* Event -> what became of it, per CPU: sent, and each way of losing it or a part of it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_EVENTS);
	__type(key, u32);
	__type(value, struct counters);
} counts SEC(".maps");

/* Process life (exec, fork, exit) has a ring of its own, which a flood of other events cannot fill. Sizes: the loader's. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} life SEC(".maps");

/* CPU -> the ring of its events, which may be others' too. The loader makes the rings. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} events SEC(".maps");

/* Processes that have ended lately: two threads that end at one time both find that none is left. */
struct ended { u64 start; u32 tgid, pad; };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ended);
	__type(value, u32);
} endings SEC(".maps");

/* The task iterator's buffer: it may be preempted, so it does not share a scratch with the hooks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_facts);
} dumped SEC(".maps");
