// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs. Each hook has two spellings with one body: a BTF tracepoint, whose arguments may be read in place, and a raw
 * tracepoint for kernels that refuse it. The loader takes the first that loads; a hook's dispatcher and the programs behind it are of one
 * spelling, because a program array holds programs of one type.
 */
#include "syscall.h"
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

BOTH(capture_call, "sys_exit", capture_syscall(ctx, CAN_CALL, 3, 12))
BOTH(capture_process, "sys_exit", capture_syscall(ctx, CAN_PROCESS | CAN_VECTOR, 1, 64))
BOTH(capture_poll, "sys_exit", capture_syscall(ctx, CAN_POLL, 1, 32))
BOTH(process_exec, "sched_process_exec", on_exec(ctx, (void *)ctx[0], (void *)ctx[2]))
BOTH(capture_image, "sched_process_exec", capture_exec(ctx))
BOTH(process_fork, "sched_process_fork", on_fork((void *)ctx[1]))
BOTH(process_exit, "sched_process_exit", on_exit((void *)ctx[0]))
BOTH(signal_delivered, "signal_deliver", on_signal(ctx[0], (void *)ctx[1]))
BOTH(page_fault_user, "page_fault_user", on_page_fault(ctx[0], (void *)ctx[1], ctx[2]))
BOTH(page_fault_kernel, "page_fault_kernel", on_page_fault(ctx[0], (void *)ctx[1], ctx[2]))

/* The loader gives these the tracepoint's name where the kernel has another: before 6.3 the first is io_uring_submit_sqe. */
BOTH(request_submit, "io_uring_submit_req", on_submit(ctx, (void *)(submit_second ? FROM(ctx, 1) : FROM(ctx, 0)), false, 0))
BOTH(request_failed, "io_uring_req_failed", on_submit(ctx, (void *)(failed_third ? FROM(ctx, 2) : FROM(ctx, 1)), true, ctx[0]))
BOTH(request_overflow, "io_uring_cqe_overflow", on_complete(ctx, &overflow_programs, ctx[0], NULL, ctx[1], ctx[2], ctx[3]))
BOTH(request_complete, "io_uring_complete", on_complete_hook(ctx))
BOTH(capture_submitted, "io_uring_submit_req", capture_request(ctx, &submit_programs))
BOTH(capture_overflowed, "io_uring_cqe_overflow", capture_request(ctx, &overflow_programs))
BOTH(capture_completed, "io_uring_complete", capture_request(ctx, &complete_programs))

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
