// SPDX-License-Identifier: Apache-2.0

package live

import "falconet/engine/event"

// firstX32 is the number, without the bit that all calls of the x32 table have, of the first that has one of its own there.
const firstX32 = 512

// x32Names are the calls of the x32 table with numbers of their own, in their order. What they find in memory looks as in the 32-bit table.
var x32Names = [...]string{
	"rt_sigaction", "rt_sigreturn", "ioctl", "readv", "writev", "recvfrom", "sendmsg", "recvmsg", "execve", "ptrace", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigqueueinfo", "sigaltstack", "timer_create", "mq_notify", "kexec_load", "waitid", "set_robust_list", "get_robust_list", "vmsplice", "move_pages",
	"preadv", "pwritev", "rt_tgsigqueueinfo", "recvmmsg", "sendmmsg", "process_vm_readv", "process_vm_writev", "setsockopt", "getsockopt", "io_setup",
	"io_submit", "execveat", "preadv2", "pwritev2",
}

// x32Calls are their numbers in the 32-bit table.
func x32Calls() (calls [64]uint16) {
	for i, name := range x32Names {
		if _, nr, ok := event.SyscallNumber(name); ok && nr >= 0 {
			calls[i] = uint16(nr)
		}
	}
	return calls
}
