// SPDX-License-Identifier: Apache-2.0

package event

// The flag sets of semaphores, futexes and quotas, as flagsets.go has them.
var (
	semgetFlags = &FlagSet{Name: "semget_flags", Flags: []Flag{
		{"IPC_EXCL", 0x4000},
		{"IPC_CREAT", 0x2000},
	}}
	semopFlags = &FlagSet{Name: "semop_flags", Flags: []Flag{
		{"IPC_NOWAIT", 0x1},
		{"SEM_UNDO", 0x2},
	}}
	semctlCommands = &FlagSet{Name: "semctl_commands", Flags: []Flag{
		{"IPC_STAT", 0x1},
		{"IPC_SET", 0x2},
		{"IPC_RMID", 0x4},
		{"IPC_INFO", 0x8},
		{"SEM_INFO", 0x10},
		{"SEM_STAT", 0x20},
		{"GETALL", 0x40},
		{"GETNCNT", 0x80},
		{"GETPID", 0x100},
		{"GETVAL", 0x200},
		{"GETZCNT", 0x400},
		{"SETALL", 0x800},
		{"SETVAL", 0x1000},
	}}
	futexOperations = &FlagSet{Name: "futex_operations", Flags: []Flag{
		{"FUTEX_CLOCK_REALTIME", 0x100},
		{"FUTEX_PRIVATE_FLAG", 0x80},
		{"FUTEX_CMP_REQUEUE_PI", 0xc},
		{"FUTEX_WAIT_REQUEUE_PI", 0xb},
		{"FUTEX_WAKE_BITSET", 0xa},
		{"FUTEX_WAIT_BITSET", 0x9},
		{"FUTEX_TRYLOCK_PI", 0x8},
		{"FUTEX_UNLOCK_PI", 0x7},
		{"FUTEX_LOCK_PI", 0x6},
		{"FUTEX_WAKE_OP", 0x5},
		{"FUTEX_CMP_REQUEUE", 0x4},
		{"FUTEX_REQUEUE", 0x3},
		{"FUTEX_FD", 0x2},
		{"FUTEX_WAKE", 0x1},
		{"FUTEX_WAIT", 0x0},
	}}
	quotactlCommands = &FlagSet{Name: "quotactl_cmds", Flags: []Flag{
		{"Q_QUOTAON", 0x1},
		{"Q_QUOTAOFF", 0x2},
		{"Q_GETFMT", 0x4},
		{"Q_GETINFO", 0x8},
		{"Q_SETINFO", 0x10},
		{"Q_GETQUOTA", 0x20},
		{"Q_SETQUOTA", 0x40},
		{"Q_SYNC", 0x80},
		{"Q_XQUOTAON", 0x100},
		{"Q_XQUOTAOFF", 0x200},
		{"Q_XGETQUOTA", 0x400},
		{"Q_XSETQLIM", 0x800},
		{"Q_XGETQSTAT", 0x1000},
		{"Q_XQUOTARM", 0x2000},
		{"Q_XQUOTASYNC", 0x4000},
	}}
	quotactlTypes = &FlagSet{Name: "quotactl_types", Flags: []Flag{
		{"USRQUOTA", 0x1},
		{"GRPQUOTA", 0x2},
	}}
	quotactlDQIFlags = &FlagSet{Name: "quotactl_dqi_flags", Flags: []Flag{
		{"DQF_NONE", 0x1},
		{"V1_DQF_RSQUASH", 0x2},
	}}
	quotactlFormats = &FlagSet{Name: "quotactl_quota_fmts", Flags: []Flag{
		{"QFMT_NOT_USED", 0x1},
		{"QFMT_VFS_OLD", 0x2},
		{"QFMT_VFS_V0", 0x4},
		{"QFMT_VFS_V1", 0x8},
	}}
)
