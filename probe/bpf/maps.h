/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#pragma once

#include "abi.h"
#include "compat.h"

/* Options: set by the loader before the programs are loaded, so that the verifier deletes what is off. */
const volatile u64 cookie;         /* what marks the loader's own calls */
const volatile u16 heartbeat_slot; /* the slot of a heartbeat */
const volatile s32 v1_controller = -1; /* index in controllers() of the v1 hierarchy for cgroup1, -1 for none */
const volatile bool every_thread;  /* procexit for every thread, not only for the last */
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

/*
 * Where one record is built. One a CPU is enough: the hooks run in process context with preemption off (include/trace/bpf_probe.h;
 * for system calls since 6.13 by 4aadde89d81f), and none of them runs inside another. 32 KiB is the most a per-CPU value may have.
 */
struct scratch {
	u64 task; /* whose record it is */
	u64 file; /* the event's file object, 0 for none */
	u64 name; /* execve: the kernel's copy of the file name */
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
	u32 current; /* the recipe under work */
	u32 left;    /* descriptors of a poll that are still to come */
	u32 slot;
	u32 mode;    /* enum mode */
	u32 controller;
	u32 turns;   /* tail calls so far */
	u32 lost;    /* on this CPU since the last record that went through */
	u32 fault, truncated, full;
	u32 whole; /* of what is held: complete */
	u16 at[MAX_PARTS]; /* where each part begins in the record */
	u8 rec[REC_CAP + PATH_CAP] __attribute__((aligned(8))); /* header, part lengths, parts */
	u8 path[PATH_CAP + 256]; /* paths grow from the end; a masked position plus one name stays inside */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

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

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
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
