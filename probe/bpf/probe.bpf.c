// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs. Each hook has two spellings with one body: a BTF tracepoint, whose arguments may be read in place, and a raw
 * tracepoint for kernels that refuse it. The loader takes the first that loads; a hook's dispatcher and the programs behind it are of one
 * spelling, because a program array holds programs of one type.
 */
#include "enter.h"
#include "sched.h"
#include "uring.h"
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_exit")
int sys_exit_btf(u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];

	dispatch(ctx, regs, regs->orig_ax, ctx[1]); /* in place: the one read that every call of the machine pays */
	return 0;
}

SEC("raw_tp/sys_exit")
int sys_exit_raw(u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];

	dispatch(ctx, regs, READ(regs, orig_ax), ctx[1]);
	return 0;
}

#define BOTH(name, hook, call)                                            \
	SEC("tp_btf/" hook) int name##_btf(u64 *ctx) { call; return 0; } \
	SEC("raw_tp/" hook) int name##_raw(u64 *ctx) { call; return 0; }

BOTH(capture_call, "sys_exit", capture_syscall(ctx, CAN_CALL | CAN_STRIDE, ((struct pace){3, 1, 12})))
BOTH(capture_data, "sys_exit", capture_moved(ctx, CAN_OBJECT, ((struct pace){1, 2, 24})))
BOTH(capture_messages, "sys_exit", capture_messages())
BOTH(capture_messages_by_turns, "sys_exit", capture_messages_by_turns(ctx, 64))
BOTH(capture_process, "sys_exit", capture_syscall(ctx, CAN_PROCESS | CAN_VECTOR | CAN_STRIDE, ((struct pace){1, 1, 64})))
BOTH(capture_poll, "sys_exit", capture_syscall(ctx, CAN_POLL | CAN_STRIDE, ((struct pace){1, 1, 32})))
BOTH(capture_held, "sys_exit", capture_syscall(ctx, CAN_CALL | CAN_HELD | CAN_STRIDE, ((struct pace){1, 1, 32})))
BOTH(sock_state, "inet_sock_set_state", on_sock_state((void *)ctx[0], ctx[1], ctx[2]))
BOTH(process_exec, "sched_process_exec", on_exec(ctx, (void *)ctx[0], (void *)ctx[2]))
BOTH(capture_image, "sched_process_exec", capture_exec(ctx))
BOTH(process_fork, "sched_process_fork", on_fork((void *)ctx[1]))
BOTH(process_exit, "sched_process_exit", on_exit((void *)ctx[0]))
BOTH(signal_delivered, "signal_deliver", on_signal(ctx[0], (void *)ctx[1]))
BOTH(page_fault_user, "page_fault_user", on_page_fault(ctx[0], (void *)ctx[1], ctx[2]))
BOTH(page_fault_kernel, "page_fault_kernel", on_page_fault(ctx[0], (void *)ctx[1], ctx[2]))

/*
 * Raw tracepoints alone: the kernel lets the programs of all of them share an array, so that what captures need not be verified for each
 * hook. The loader knows the tracepoint's name where the kernel has another: before 6.3 the first is io_uring_submit_sqe.
 */
#define RAW(name, hook, call) SEC("raw_tp/" hook) int name##_raw(u64 *ctx) { call; return 0; }

RAW(request_submit, "io_uring_submit_req", on_submit(ctx, (void *)(submit_second ? FROM(ctx, 1) : FROM(ctx, 0)), false, 0))
RAW(request_failed, "io_uring_req_failed", on_submit(ctx, (void *)(failed_third ? FROM(ctx, 2) : FROM(ctx, 1)), true, ctx[0]))
RAW(request_overflow, "io_uring_cqe_overflow", on_complete(ctx, ctx[0], NULL, ctx[1], ctx[2], ctx[3]))
RAW(request_complete, "io_uring_complete", on_complete_hook(ctx))
RAW(capture_request, "io_uring_complete", capture_request(ctx))
RAW(capture_request_data, "io_uring_complete", capture_request_data(ctx))

/* Before the end of a call. The loader attaches those at functions to others with the same arguments too, and gives each program an array
 * of its own: the kernel lets programs of different functions share none. */
PROGRAMS(again, 1);

#define HOLD(section, name, call) SEC(section) int name(u64 *ctx) { call; return 0; }
#define AT(p) READ((struct path *)(p), mnt), READ((struct path *)(p), dentry)
#define IN(dir, entry) READ((struct path *)(dir), mnt), (void *)(entry)

HOLD("tp_btf/sys_enter", sys_enter_btf, on_enter(ctx, &again, (void *)ctx[0], ctx[1]))
HOLD("raw_tp/sys_enter", sys_enter_raw, on_enter(ctx, &again, (void *)ctx[0], ctx[1]))
HOLD("fentry/__x64_sys_close", hold_call, struct pt_regs *regs = (void *)ctx[0]; on_enter(ctx, &again, regs, READ(regs, orig_ax)))
HOLD("fentry/security_path_unlink", hold_entry, on_object(ctx, &again, IN(ctx[0], ctx[1]), NULL, NULL))
HOLD("fentry/security_path_rename", hold_rename, on_object(ctx, &again, IN(ctx[0], ctx[1]), IN(ctx[2], ctx[3])))
HOLD("fentry/security_path_link", hold_link, on_object(ctx, &again, IN(ctx[1], ctx[0]), IN(ctx[1], ctx[2])))
HOLD("fentry/security_path_chmod", hold_path, on_object(ctx, &again, AT(ctx[0]), NULL, NULL))
HOLD("fentry/security_sb_umount", hold_mount, struct vfsmount *m = (void *)ctx[0]; on_object(ctx, &again, m, READ(m, mnt_root), NULL, NULL))

/* One structure for each process that runs when the probe starts. */
SEC("iter/task")
int dump_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	u32 zero = 0;
	struct task_facts *r = bpf_map_lookup_elem(&dumped, &zero);

	if (!t || !r || READ(t, pid) != READ(t, tgid))
		return 0;
	task_facts(r, t);
	bpf_seq_write(ctx->meta->seq, r, sizeof(*r));
	return 0;
}

/* Connections that are older than the probe. */
SEC("iter/task_file")
int old_sockets(struct bpf_iter__task_file *ctx)
{
	struct file *f = ctx->file;
	struct sock *sk = f ? sock_of(f) : NULL;

	if (sk)
		old_socket(sk);
	return 0;
}
