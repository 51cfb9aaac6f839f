/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The capture machine: a row's recipes, one after the other. A recipe that walks (a path, cgroups, an argument vector) goes on
 * one element a step. A turn begins a few recipes and takes STEPS steps in all; what is then left is done in another
 * turn, by a tail call to the same program with its state in the scratch, up to the kernel's 33 times: more than 8000 steps, where the
 * longest record has four paths within PATH_MAX, of 2048 components each at most. What is left then is marked.
 */
#pragma once

#include "cgroup.h"
#include "hold.h"
#include "peer.h"
#include "poll.h"
#include "request.h"
#include "stride.h"
#include "task.h"
#include "user.h"

#define TURNS 32

/* What a program can capture. Each program has only what its events need: the rest is no work for the verifier. */
enum {
	CAN_OBJECT = 1,	 /* files, sockets, small things in user memory */
	CAN_PROCESS = 2, /* the task, its image, cgroups */
	CAN_VECTOR = 4,	 /* argument vectors in user memory */
	CAN_NAME = 8,	 /* the kernel's copy of execve's file name */
	CAN_STRING = 16, /* strings in user memory */
	CAN_DATA = 32,	 /* what a call moves */
	CAN_POLL = 64,	 /* vectors of descriptors */
	CAN_REQUEST = 128, /* what a request of io_uring holds */
	CAN_STRIDE = 256,  /* steps by global functions */
	CAN_HOLD = 512,	   /* objects before they are gone */
	CAN_HELD = 1024,   /* what was held */
	CAN_CALL = CAN_OBJECT | CAN_STRING,
};

static __always_inline void dir_begin(struct scratch *s, u32 i, u32 arg, u32 of)
{
	struct task_struct *t = (void *)s->task;
	u32 *lens = (u32 *)(s->rec + sizeof(struct header));
	s32 fd = arg == AT_CWD ? AT_FDCWD : (s32)arg_of(s, arg);
	u64 at;

	/* only a relative name has a use for it; an empty one is relative, and what comes behind it is another part's */
	of &= MAX_PARTS - 1;
	at = s->at[of];
	if (lens[of] == PART_ABSENT || at > REC_CAP || (lens[of] && s->rec[at] == '/')) {
		absent(s, i);
		return;
	}
	if (fd == AT_FDCWD)
		walk_path(s, MODE_PATH, READ(t, fs, pwd.mnt), READ(t, fs, pwd.dentry));
	else
		walk_file(s, MODE_PATH, file_of(t, fd));
}

static __always_inline struct file *exe_of(struct scratch *s)
{
	struct task_struct *t = (void *)s->task;

	return READ(t, mm, exe_file);
}

static __always_inline void part_begin(struct scratch *s, const struct slot *row, u32 can)
{
	const struct part *p = &row->part[s->next & (MAX_PARTS - 1)];
	u32 i = p->at & (MAX_PARTS - 1);
	struct task_struct *t = (void *)s->task;
	u32 arg = p->arg, op = p->op;

	s->next++;
	s->current = i;
	if ((can & CAN_REQUEST) && request_part(s, i, p))
		return;
	if ((can & CAN_HELD) && op == OP_HELD) {
		put_held(s, i, arg);
		return;
	}
	if (can & CAN_HOLD) {
		switch (op) {
		case OP_FILE: put_object(s, i); return;
		case OP_SOCK: put_sock(s, i, p->aux); return;
		case OP_PATH: walk_path(s, MODE_PATH, (void *)s->object_mount, (void *)s->object_dentry); return;
		case OP_FSPATH: walk_path(s, MODE_FSPATH, (void *)s->object_mount, (void *)s->object_dentry); return;
		case OP_PATH2: walk_path(s, MODE_PATH, (void *)s->second_mount, (void *)s->second_dentry); return;
		}
	}
	if (can & CAN_STRING) {
		switch (op) {
		case OP_STR: put_string(s, i, arg_of(s, arg), false, p->aux); return;
		case OP_DIR: dir_begin(s, i, arg, p->aux); return;
		}
	}
	if (can & CAN_OBJECT) {
		switch (op) {
		case OP_MEM: put_user(s, i, arg_of(s, arg) + p->off, p->size, p->aux); return;
		case OP_SOCKADDR: put_sockaddr(s, i, arg_of(s, arg), arg_of(s, p->aux)); return;
		case OP_FILE: put_file(s, i); return;
		case OP_PATH: walk_file(s, MODE_PATH, (void *)s->file); return;
		case OP_FSPATH: walk_file(s, MODE_FSPATH, (void *)s->file); return;
		case OP_SOCK: put_sock(s, i, p->aux); return;
		case OP_QUEUE: put_queue(s, i, file_of(t, arg_of(s, arg))); return;
		case OP_BUFFER: put_buffer(s, i, arg_of(s, arg), arg_of(s, p->aux), p->size); return;
		case OP_MEMORY: put_memory(s, i); return;
		case OP_NOW: put_now(s, i); return;
		case OP_CWD: walk_path(s, MODE_PATH, READ(t, fs, pwd.mnt), READ(t, fs, pwd.dentry)); return;
		}
	}
	if (can & CAN_DATA) {
		switch (op) {
		case OP_DATA: data_begin(s); return;
		case OP_SIZE: size_begin(s); return;
		case OP_PEER: put_peer(s, i); return;
		case OP_CONTROL: put_control(s, i); return;
		case OP_OPTION: put_option(s, i, p->aux); return;
		case OP_CHANGED: put_changed(s, i, p->aux); return;
		}
	}
	if (can & CAN_PROCESS) {
		switch (op) {
		case OP_TASK: put_task(s, i); return;
		case OP_ARGV: put_image(s, i, false); return;
		case OP_ENV: put_image(s, i, true); return;
		case OP_CWD: walk_path(s, MODE_PATH, READ(t, fs, pwd.mnt), READ(t, fs, pwd.dentry)); return;
		case OP_EXE: walk_file(s, MODE_PATH, exe_of(s)); return;
		case OP_CGROUPS: cgroup_begin(s); return;
		}
	}
	if (can & CAN_VECTOR) {
		switch (op) {
		case OP_STR: put_string(s, i, arg_of(s, arg), false, false); return;
		case OP_MEM: put_user(s, i, arg_of(s, arg) + p->off, p->size, p->aux); return;
		case OP_ARGV_USER:
		case OP_ENV_USER: vector_begin(s, arg_of(s, arg)); return;
		}
	}
	if (can & CAN_POLL) {
		switch (op) {
		case OP_MEM: put_user(s, i, arg_of(s, arg) + p->off, p->size, p->aux); return;
		case OP_POLL: poll_begin(s, arg_of(s, arg), arg_of(s, p->aux)); return;
		case OP_MEMORY: put_memory(s, i); return;
		case OP_NOW: put_now(s, i); return;
		}
	}
	if ((can & CAN_NAME) && op == OP_FILENAME) {
		put_string(s, i, s->name, true, false);
		return;
	}
	absent(s, i); /* nobody asks for it */
}

static __always_inline void step(struct scratch *s, u32 can)
{
	if (can & CAN_POLL) { /* nothing else there takes steps */
		poll_step(s);
		return;
	}
	switch (s->mode) {
	case MODE_PATH:
	case MODE_FSPATH: path_step(s, can & (CAN_OBJECT | CAN_HOLD)); return;
	case MODE_CGROUP:
		if (can & CAN_PROCESS)
			cgroup_step(s);
		return;
	case MODE_VECTOR:
		if (can & CAN_VECTOR)
			vector_step(s);
		return;
	case MODE_DATA:
		if (can & CAN_DATA)
			data_step(s);
		return;
	case MODE_SIZE:
		if (can & CAN_DATA)
			size_step(s);
		return;
	}
}

/* The same by global functions, see stride.h. */
static __always_inline void stride(struct scratch *s, u32 can)
{
	if (!(can & CAN_STRIDE)) {
		step(s, can);
		return;
	}
	if (can & CAN_POLL) {
		steps_of_poll();
		return;
	}
	if (can & CAN_DATA) {
		switch (s->mode) {
		case MODE_PATH:
		case MODE_FSPATH: steps_of_wide_path(); return;
		case MODE_DATA:
		case MODE_SIZE: steps_of_data(); return;
		}
		return;
	}
	switch (s->mode) {
	case MODE_PATH:
	case MODE_FSPATH: steps_of_path(can & CAN_OBJECT); return;
	case MODE_CGROUP:
		if (can & CAN_PROCESS)
			steps_of_cgroups();
		return;
	case MODE_VECTOR:
		if (can & CAN_VECTOR)
			steps_of_vector();
		return;
	}
}

/* How much a program does a turn: rounds, of up to so many recipes until one walks, and so many steps of that one. What a round costs the
 * verifier grows with the product of what its recipes and its steps leave open. */
struct pace { u32 rounds, recipes, steps; };

/* True when the record is complete. */
static __always_inline bool capture_turn(struct scratch *s, const struct slot *row, u32 can, struct pace pace)
{
	for (u32 i = 0; i < pace.rounds; i++) {
		for (u32 j = 0; j < pace.recipes && !s->mode; j++) {
			if (s->next >= s->recipes)
				return true;
			part_begin(s, row, can);
		}
		for (u32 j = 0; j < pace.steps && s->mode; j++)
			stride(s, can);
	}
	return !s->mode && s->next >= s->recipes;
}

/* Out of turns: of a path and of data what there is is kept, what was not reached is absent, and the record says so. */
static __always_inline void give_up(struct scratch *s, u32 can)
{
	if (s->mode == MODE_PATH || s->mode == MODE_FSPATH)
		path_done(s, true);
	else if ((can & CAN_DATA) && s->mode == MODE_DATA)
		data_done(s, true);
	s->truncated++;
}

/* Capture a row's pieces to the last. Does not return while there is more to do and a turn left to do it in. */
static __always_inline void capture_parts(void *ctx, struct scratch *s, const struct slot *row, void *programs, u32 program, u32 can, struct pace pace)
{
	if (capture_turn(s, row, can, pace))
		return;
	if (s->turns++ < TURNS)
		bpf_tail_call(ctx, programs, program);
	give_up(s, can);
}

static __always_inline void capture(void *ctx, struct scratch *s, void *programs, u32 program, u32 can, struct pace pace)
{
	u32 slot = s->slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	if (!row)
		return;
	capture_parts(ctx, s, row, programs, program, can, pace);
	if (!(row->flags & SLOT_SILENT))
		send(s, row->flags & SLOT_LIFE, (can & CAN_DATA) ? REC_CAP + DATA_CAP : REC_ROOM);
}
