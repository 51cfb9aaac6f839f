// SPDX-License-Identifier: Apache-2.0

package event

// The flag sets of the schema, in the order in which Falco names them: a name that comes first wins bits that a later one shares.
// Values are Falco's, which for open, clone and openat2 flags are not the kernel's: convert.go maps them.
var (
	fileFlags = &FlagSet{Name: "file_flags", Flags: []Flag{
		{"O_LARGEFILE", 0x800},
		{"O_DIRECTORY", 0x400},
		{"O_DIRECT", 0x200},
		{"O_TRUNC", 0x100},
		{"O_SYNC", 0x80},
		{"O_NONBLOCK", 0x40},
		{"O_EXCL", 0x20},
		{"O_DSYNC", 0x10},
		{"O_APPEND", 0x8},
		{"O_CREAT", 0x4},
		{"O_RDWR", 0x3},
		{"O_WRONLY", 0x2},
		{"O_RDONLY", 0x1},
		{"O_CLOEXEC", 0x1000},
		{"O_NONE", 0x0},
		{"O_TMPFILE", 0x2000},
		{"O_F_CREATED", 0x4000},
		{"FD_UPPER_LAYER", 0x8000},
		{"FD_LOWER_LAYER", 0x10000},
	}}
	cloneFlagsSet = &FlagSet{Name: "clone_flags", Flags: []Flag{
		{"CLONE_FILES", 0x1},
		{"CLONE_FS", 0x2},
		{"CLONE_IO", 0x4},
		{"CLONE_NEWIPC", 0x8},
		{"CLONE_NEWNET", 0x10},
		{"CLONE_NEWNS", 0x20},
		{"CLONE_NEWPID", 0x40},
		{"CLONE_NEWUTS", 0x80},
		{"CLONE_PARENT", 0x100},
		{"CLONE_PARENT_SETTID", 0x200},
		{"CLONE_PTRACE", 0x400},
		{"CLONE_SIGHAND", 0x800},
		{"CLONE_SYSVSEM", 0x1000},
		{"CLONE_THREAD", 0x2000},
		{"CLONE_UNTRACED", 0x4000},
		{"CLONE_VM", 0x8000},
		{"CLONE_INVERTED", 0x10000},
		{"NAME_CHANGED", 0x20000},
		{"CLOSED", 0x40000},
		{"CLONE_NEWUSER", 0x100000},
		{"CLONE_CHILD_CLEARTID", 0x800000},
		{"CLONE_CHILD_SETTID", 0x1000000},
		{"CLONE_SETTLS", 0x2000000},
		{"CLONE_STOPPED", 0x4000000},
		{"CLONE_VFORK", 0x8000000},
		{"CLONE_NEWCGROUP", 0x10000000},
		{"CLONE_CHILD_IN_PIDNS", 0x20000000},
	}}
	execveFlags = &FlagSet{Name: "execve_flags", Flags: []Flag{
		{"EXE_WRITABLE", 0x1},
		{"EXE_UPPER_LAYER", 0x2},
		{"EXE_FROM_MEMFD", 0x4},
		{"EXE_LOWER_LAYER", 0x8},
	}}
	ptraceRequests = &FlagSet{Name: "ptrace_requests", Flags: []Flag{
		{"PTRACE_SINGLEBLOCK", 0x26},
		{"PTRACE_SYSEMU_SINGLESTEP", 0x25},
		{"PTRACE_SYSEMU", 0x24},
		{"PTRACE_ARCH_PRCTL", 0x23},
		{"PTRACE_SET_THREAD_AREA", 0x22},
		{"PTRACE_GET_THREAD_AREA", 0x21},
		{"PTRACE_OLDSETOPTIONS", 0x20},
		{"PTRACE_SETFPXREGS", 0x1f},
		{"PTRACE_GETFPXREGS", 0x1e},
		{"PTRACE_SETFPREGS", 0x1d},
		{"PTRACE_GETFPREGS", 0x1c},
		{"PTRACE_SETREGS", 0x1b},
		{"PTRACE_GETREGS", 0x1a},
		{"PTRACE_SETSIGMASK", 0x19},
		{"PTRACE_GETSIGMASK", 0x18},
		{"PTRACE_PEEKSIGINFO", 0x17},
		{"PTRACE_LISTEN", 0x16},
		{"PTRACE_INTERRUPT", 0x15},
		{"PTRACE_SEIZE", 0x14},
		{"PTRACE_SETREGSET", 0x13},
		{"PTRACE_GETREGSET", 0x12},
		{"PTRACE_SETSIGINFO", 0x11},
		{"PTRACE_GETSIGINFO", 0x10},
		{"PTRACE_GETEVENTMSG", 0xf},
		{"PTRACE_SETOPTIONS", 0xe},
		{"PTRACE_SYSCALL", 0xd},
		{"PTRACE_DETACH", 0xc},
		{"PTRACE_ATTACH", 0xb},
		{"PTRACE_SINGLESTEP", 0xa},
		{"PTRACE_KILL", 0x9},
		{"PTRACE_CONT", 0x8},
		{"PTRACE_POKEUSR", 0x7},
		{"PTRACE_POKEDATA", 0x6},
		{"PTRACE_POKETEXT", 0x5},
		{"PTRACE_PEEKUSR", 0x4},
		{"PTRACE_PEEKDATA", 0x3},
		{"PTRACE_PEEKTEXT", 0x2},
		{"PTRACE_TRACEME", 0x1},
		{"PTRACE_UNKNOWN", 0x0},
	}}
	memfdCreateFlags = &FlagSet{Name: "memfd_create_flags", Flags: []Flag{
		{"MFD_CLOEXEC", 0x1},
		{"MFD_ALLOW_SEALING", 0x2},
		{"MFD_HUGETLB", 0x4},
	}}
	unlinkatFlags = &FlagSet{Name: "unlinkat_flags", Flags: []Flag{
		{"AT_REMOVEDIR", 0x200},
	}}
	renameat2Flags = &FlagSet{Name: "renameat2_flags", Flags: []Flag{
		{"RENAME_NOREPLACE", 0x1},
		{"RENAME_EXCHANGE", 0x2},
		{"RENAME_WHITEOUT", 0x4},
	}}
	openat2Flags = &FlagSet{Name: "openat2_flags", Flags: []Flag{
		{"RESOLVE_BENEATH", 0x1},
		{"RESOLVE_IN_ROOT", 0x2},
		{"RESOLVE_NO_MAGICLINKS", 0x4},
		{"RESOLVE_NO_SYMLINKS", 0x8},
		{"RESOLVE_NO_XDEV", 0x10},
		{"RESOLVE_CACHED", 0x20},
	}}
	chmodMode = &FlagSet{Name: "chmod_mode", Flags: []Flag{
		{"S_IXOTH", 0x1},
		{"S_IWOTH", 0x2},
		{"S_IROTH", 0x4},
		{"S_IXGRP", 0x8},
		{"S_IWGRP", 0x10},
		{"S_IRGRP", 0x20},
		{"S_IXUSR", 0x40},
		{"S_IWUSR", 0x80},
		{"S_IRUSR", 0x100},
		{"S_ISVTX", 0x200},
		{"S_ISGID", 0x400},
		{"S_ISUID", 0x800},
	}}
	creatFlagsSet = &FlagSet{Name: "creat_flags", Flags: []Flag{
		{"FD_UPPER_LAYER_CREAT", 0x1},
		{"FD_LOWER_LAYER_CREAT", 0x2},
	}}
)
