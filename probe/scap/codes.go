// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"strconv"
	"strings"

	"falconet/engine/event"
)

// codeText has the numbers by which captures name system calls that have no event of their own: other than the kernel's they are the
// same for every architecture.
const codeText = `
1 restart_syscall 2 exit 11 time 16 getpid 19 alarm 21 pause 22 utime 24 sync 31 times 33 acct 37 umask 39 ustat 41 getppid 42 getpgrp 44 sethostname
46 getrusage 47 gettimeofday 48 settimeofday 51 readlink 52 uselib 53 swapon 54 reboot 57 truncate 58 ftruncate 60 getpriority 61 setpriority 62
statfs 63 fstatfs 64 syslog 65 setitimer 66 getitimer 67 uname 68 vhangup 69 wait4 70 swapoff 71 sysinfo 72 fsync 73 setdomainname 74 adjtimex 79
getpgid 81 sysfs 82 personality 86 msync 89 getsid 90 fdatasync 95 sched_setparam 96 sched_getparam 97 sched_setscheduler 98 sched_getscheduler 99
sched_yield 100 sched_get_priority_max 101 sched_get_priority_min 102 sched_rr_get_interval 104 mremap 107 rt_sigaction 108 rt_sigprocmask 109
rt_sigpending 110 rt_sigtimedwait 111 rt_sigqueueinfo 112 rt_sigsuspend 114 capget 125 getgroups 126 setgroups 135 setfsuid 136 setfsgid 137
pivot_root 138 mincore 139 madvise 140 gettid 141 setxattr 142 lsetxattr 143 fsetxattr 144 getxattr 145 lgetxattr 146 fgetxattr 147 listxattr 148
llistxattr 149 flistxattr 150 removexattr 151 lremovexattr 152 fremovexattr 155 sched_setaffinity 156 sched_getaffinity 157 set_thread_area 158
get_thread_area 159 io_setup 160 io_destroy 161 io_getevents 162 io_submit 163 io_cancel 164 exit_group 166 epoll_ctl 168 remap_file_pages 169
set_tid_address 170 timer_create 171 timer_settime 172 timer_gettime 173 timer_getoverrun 174 timer_delete 175 clock_settime 176 clock_gettime 177
clock_getres 178 clock_nanosleep 180 utimes 181 mq_open 182 mq_unlink 183 mq_timedsend 184 mq_timedreceive 185 mq_notify 186 mq_getsetattr 187
kexec_load 188 waitid 189 add_key 190 request_key 191 keyctl 192 ioprio_set 193 ioprio_get 195 inotify_add_watch 196 inotify_rm_watch 201 futimesat
206 readlinkat 208 faccessat 209 pselect6 212 set_robust_list 213 get_robust_list 215 tee 216 vmsplice 217 getcpu 218 epoll_pwait 219 utimensat 223
timerfd_settime 224 timerfd_gettime 233 rt_tgsigqueueinfo 234 perf_event_open 235 fanotify_init 237 clock_adjtime 238 syncfs 262 msgsnd 263 msgrcv 264
msgget 265 msgctl 266 shmdt 267 shmget 268 shmctl 269 statfs64 270 fstatfs64 271 fstatat64 274 bdflush 275 sigprocmask 276 ipc 277 socketcall 283
_newselect 284 sgetmask 285 ssetmask 286 sigpending 287 olduname 289 signal 290 nice 291 stime 293 waitpid 296 arch_prctl 297 shmat 298 rt_sigreturn
299 fallocate 317 sigaltstack 318 getrandom 319 fadvise64 336 fspick 337 fsmount 338 fsopen 339 open_tree 340 move_mount 341 mount_setattr 343
memfd_secret 344 ioperm 345 kexec_file_load 348 pidfd_send_signal 349 pkey_alloc 350 pkey_mprotect 351 pkey_free 352 landlock_create_ruleset 353
quotactl_fd 354 landlock_restrict_self 355 landlock_add_rule 356 epoll_pwait2 357 migrate_pages 358 move_pages 359 preadv2 360 pwritev2 361 kcmp 362
sched_setattr 363 mbind 364 epoll_ctl_old 365 lookup_dcookie 366 modify_ldt 367 statx 368 set_mempolicy 369 io_pgetevents 370 set_mempolicy_home_node
371 semtimedop 372 get_kernel_syms 373 readahead 374 futex_waitv 375 getpmsg 376 name_to_handle_at 377 process_mrelease 378 nfsservctl 379
epoll_wait_old 380 rseq 381 create_module 383 sched_getattr 384 faccessat2 385 _sysctl 386 query_module 387 get_mempolicy 388 sync_file_range 389
process_madvise 390 membarrier 391 iopl 392 close_range 393 fanotify_mark 401 timerfd 402 s390_pci_mmio_read 403 sigaction 404 s390_pci_mmio_write 405
readdir 406 s390_sthyi 407 sigsuspend 408 idle 409 s390_runtime_instr 410 sigreturn 411 s390_guarded_storage 412 cachestat 413 fchmodat2 414
map_shadow_stack 415 riscv_flush_icache 416 riscv_hwprobe 417 futex_wake 418 futex_requeue 419 futex_wait 420 oldstat 421 switch_endian 422
multiplexer 423 oldlstat 424 spu_create 425 sync_file_range2 426 oldfstat 427 spu_run 428 swapcontext 429 pciconfig_write 430 rtas 431 pciconfig_read
432 sys_debug_setcontext 433 vm86 434 oldolduname 435 subpage_prot 436 pciconfig_iobase 437 listmount 438 statmount 439 lsm_get_self_attr 440
lsm_set_self_attr 441 lsm_list_modules 442 mseal 443 uretprobe 444 removexattrat 445 listxattrat 446 getxattrat 447 setxattrat 448 open_tree_attr 449
file_getattr 450 file_setattr 451 listns 452 uprobe 453 rseq_slice_yield
`

var codes = readCodes(codeText)

func readCodes(text string) map[string]uint64 {
	out := make(map[string]uint64)
	words := strings.Fields(text)
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseUint(words[i], 10, 16)
		if err != nil {
			panic("BUG: codes: " + err.Error())
		}
		out[words[i+1]] = n
	}
	return out
}

// call is a system call by its number in the 64-bit table, or for those that have none there in the 32-bit one.
type call struct {
	nr     uint16
	compat bool
}

// calls are the calls by the numbers that captures have for them.
var calls = callsOf(codes)

func callsOf(codes map[string]uint64) map[uint64]call {
	out := make(map[uint64]call)
	for name, code := range codes {
		switch nr64, nr32, _ := event.SyscallNumber(name); {
		case nr64 >= 0:
			out[code] = call{nr: uint16(nr64)}
		case nr32 >= 0:
			out[code] = call{uint16(nr32), true}
		}
	}
	return out
}

// called is the call of an event that has no type of its own. The kernel's number, which older captures do not have, is that of the recorded
// machine's architecture: of another program's captures the format's own goes before it.
func (s *Source) called(th *thread, e *raw) call {
	param := func(name string) (uint64, bool) {
		b, ok := e.named(name)
		if !ok {
			b, _ = th.begun(name)
		}
		return number(b, false)
	}
	if !s.ours {
		if code, ok := param("ID"); ok {
			if c, ok := calls[code]; ok {
				return c
			}
		}
	}
	nr, _ := param("nativeID")
	return call{nr: uint16(nr)}
}

// codeOf is the number of a generic event's call; that of calls which the format does not know is 0.
func codeOf(r *event.Record) uint64 { return codes[r.EventName()] }
