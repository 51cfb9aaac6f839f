/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The capture machine: a row's recipes, one after the other. A recipe that walks (a path, cgroups, an argument vector) goes on
 * one element a step. A turn begins a few recipes and takes STEPS steps in all; what is then left is done in another
 * turn, by a tail call to the same program with its state in the scratch, up to the kernel's 33 times. That is enough for any
 * path within PATH_MAX at sys_exit (for the working directory and the image of an execve, for more than a thousand components), and to
 * the verifier it is a small loop: a recipe costs it thousands of instructions, a step hundreds. What is left then is marked.
 */
#pragma once

#include "cgroup.h"
#include "poll.h"
#include "hold.h"
#include "task.h"
#include "user.h"

#define TURNS 32

/* What a program can capture. Each program has only what its events need: the rest is no work for the verifier. */
enum {
	CAN_CALL = 1,	 /* arguments in user memory, files, sockets */
	CAN_PROCESS = 2, /* the task, its image, cgroups */
	CAN_VECTOR = 4,	 /* argument vectors in user memory */
	CAN_NAME = 8,	 /* the kernel's copy of execve's file name */
	CAN_POLL = 16,	 /* vectors of descriptors */
	CAN_HOLD = 32,	 /* objects before they are gone */
	CAN_HELD = 64,	 /* what was held, and what such calls have besides */
};


static __always_inline void dir_begin(struct scratch *s, u32 i, u32 arg, u32 of)
{
	struct task_struct *t = (void *)s->task;
	u16 *lens = (u16 *)(s->rec + sizeof(struct header));
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
	u32 i = s->next & (MAX_PARTS - 1);
	const struct part *p = &row->part[i];
	struct task_struct *t = (void *)s->task;
	u32 arg = p->arg, op = p->op;

	s->next = i + 1;
	s->current = i;
	if (can & CAN_CALL) {
		switch (op) {
		case OP_STR: put_string(s, i, arg_of(s, arg), false, p->aux); return;
		case OP_MEM: put_user(s, i, arg_of(s, arg) + p->off, p->size, p->aux); return;
		case OP_SOCKADDR: put_sockaddr(s, i, arg_of(s, arg), arg_of(s, p->aux)); return;
		case OP_FILE: put_file(s, i); return;
		case OP_PATH: walk_file(s, MODE_PATH, (void *)s->file); return;
		case OP_FSPATH: walk_file(s, MODE_FSPATH, (void *)s->file); return;
		case OP_DIR: dir_begin(s, i, arg, p->aux); return;
		case OP_SOCK: put_sock(s, i); return;
		case OP_QUEUE: put_queue(s, i, arg_of(s, arg)); return;
		case OP_BUFFER: put_buffer(s, i, arg_of(s, arg), arg_of(s, p->aux), p->size); return;
		case OP_MEMORY: put_memory(s, i); return;
		case OP_CWD: walk_path(s, MODE_PATH, READ(t, fs, pwd.mnt), READ(t, fs, pwd.dentry)); return;
		}
	}
	if (can & CAN_HELD) {
		switch (op) {
		case OP_HELD: put_held(s, i, arg); return;
		case OP_STR: put_string(s, i, arg_of(s, arg), false, p->aux); return;
		case OP_DIR: dir_begin(s, i, arg, p->aux); return;
		case OP_FILE: put_file(s, i); return;
		case OP_SOCK: put_sock(s, i); return;
		case OP_PATH: walk_file(s, MODE_PATH, (void *)s->file); return;
		case OP_FSPATH: walk_file(s, MODE_FSPATH, (void *)s->file); return;
		}
	}
	if (can & CAN_HOLD) {
		switch (op) {
		case OP_FILE: put_object(s, i); return;
		case OP_SOCK: put_sock(s, i); return;
		case OP_PATH: walk_path(s, MODE_PATH, (void *)s->object_mount, (void *)s->object_dentry); return;
		case OP_FSPATH: walk_path(s, MODE_FSPATH, (void *)s->object_mount, (void *)s->object_dentry); return;
		case OP_PATH2: walk_path(s, MODE_PATH, (void *)s->second_mount, (void *)s->second_dentry); return;
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
	case MODE_FSPATH: path_step(s, can & (CAN_CALL | CAN_HOLD | CAN_HELD)); return;
	case MODE_CGROUP:
		if (can & CAN_PROCESS)
			cgroup_step(s);
		return;
	case MODE_VECTOR:
		if (can & CAN_VECTOR)
			vector_step(s);
		return;
	}
}

/* True when the record is complete. */
static __always_inline bool capture_turn(struct scratch *s, const struct slot *row, u32 can, u32 recipes, u32 steps)
{
	for (u32 i = 0; i < recipes; i++) {
		if (!s->mode) {
			if (s->next >= head(s)->parts)
				return true;
			part_begin(s, row, can);
		}
		for (u32 j = 0; j < steps && s->mode; j++)
			step(s, can);
	}
	return !s->mode && s->next >= head(s)->parts;
}

/* Capture a row's pieces to the last. Does not return while there is more to do and a turn left to do it in. */
static __always_inline void capture_parts(void *ctx, struct scratch *s, const struct slot *row, void *programs, u32 program, u32 can, u32 recipes, u32 steps)
{
	if (capture_turn(s, row, can, recipes, steps))
		return;
	if (s->turns++ < TURNS)
		bpf_tail_call(ctx, programs, program);
	/* out of turns: of a path the end is kept, what was not reached is absent, and the record says so */
	if (s->mode == MODE_PATH || s->mode == MODE_FSPATH)
		path_done(s, true);
	s->truncated++;
	u16 *lens = (u16 *)(s->rec + sizeof(struct header));
	for (u32 i = 0; i < MAX_PARTS; i++)
		if (i >= s->next || (i == s->current && s->mode))
			if (i < head(s)->parts)
				lens[i] = PART_ABSENT;
}

static __always_inline void capture(void *ctx, struct scratch *s, void *programs, u32 program, u32 can, u32 recipes, u32 steps)
{
	u32 slot = s->slot;
	const struct slot *row = bpf_map_lookup_elem(&slots, &slot);

	if (!row)
		return;
	capture_parts(ctx, s, row, programs, program, can, recipes, steps);
	send(s, row->flags & SLOT_LIFE);
}
