// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// The flag sets of calls on paths and descriptors. Values are Falco's; where they are not the kernel's, convert_file.go maps them.
var (
	accessFlags = &FlagSet{Name: "access_flags", Flags: []Flag{
		{"F_OK", 0x0},
		{"R_OK", 0x4},
		{"W_OK", 0x2},
		{"X_OK", 0x1},
	}}
	closeRangeFlags = &FlagSet{Name: "close_range_flags", Flags: []Flag{
		{"CLOSE_RANGE_UNSHARE", 0x2},
		{"CLOSE_RANGE_CLOEXEC", 0x4},
	}}
	epollCreate1Flags = &FlagSet{Name: "epoll_create1_flags", Flags: []Flag{
		{"EPOLL_CLOEXEC", 0x1},
	}}
	fchownatFlags = &FlagSet{Name: "fchownat_flags", Flags: []Flag{
		{"AT_SYMLINK_NOFOLLOW", 0x400},
		{"AT_EMPTY_PATH", 0x1000},
	}}
	fcntlCommands = &FlagSet{Name: "fcntl_commands", Flags: []Flag{
		{"F_GETPIPE_SZ", 0x1d},
		{"F_SETPIPE_SZ", 0x1c},
		{"F_NOTIFY", 0x1b},
		{"F_DUPFD_CLOEXEC", 0x1a},
		{"F_CANCELLK", 0x19},
		{"F_GETLEASE", 0x18},
		{"F_SETLEASE", 0x17},
		{"F_GETOWN_EX", 0x16},
		{"F_SETOWN_EX", 0x15},
		{"F_SETLKW64", 0x13},
		{"F_SETLK64", 0x12},
		{"F_GETLK64", 0x11},
		{"F_GETSIG", 0xf},
		{"F_SETSIG", 0xd},
		{"F_GETOWN", 0xc},
		{"F_SETOWN", 0xa},
		{"F_SETLKW", 0x9},
		{"F_SETLK", 0x8},
		{"F_GETLK", 0x6},
		{"F_SETFL", 0x5},
		{"F_GETFL", 0x4},
		{"F_SETFD", 0x3},
		{"F_GETFD", 0x2},
		{"F_DUPFD", 0x1},
		{"F_OFD_GETLK", 0x1e},
		{"F_OFD_SETLK", 0x1f},
		{"F_OFD_SETLKW", 0x20},
		{"UNKNOWN", 0x0},
	}}
	flockFlags = &FlagSet{Name: "flock_flags", Flags: []Flag{
		{"LOCK_SH", 0x1},
		{"LOCK_EX", 0x2},
		{"LOCK_NB", 0x4},
		{"LOCK_UN", 0x8},
		{"LOCK_NONE", 0x0},
	}}
	linkatFlags = &FlagSet{Name: "linkat_flags", Flags: []Flag{
		{"AT_SYMLINK_FOLLOW", 0x400},
		{"AT_EMPTY_PATH", 0x1000},
	}}
	lseekWhence = &FlagSet{Name: "lseek_whence", Flags: []Flag{
		{"SEEK_END", 0x2},
		{"SEEK_CUR", 0x1},
		{"SEEK_SET", 0x0},
	}}
	mknodMode = &FlagSet{Name: "mknod_mode", Flags: append(slices.Clone(chmodMode.Flags),
		Flag{"S_IFREG", 0x8000},
		Flag{"S_IFCHR", 0x2000},
		Flag{"S_IFBLK", 0x6000},
		Flag{"S_IFIFO", 0x1000},
		Flag{"S_IFSOCK", 0xc000},
	)}
	mountFlags = &FlagSet{Name: "mount_flags", Flags: []Flag{
		{"RDONLY", 0x1},
		{"NOSUID", 0x2},
		{"NODEV", 0x4},
		{"NOEXEC", 0x8},
		{"SYNCHRONOUS", 0x10},
		{"REMOUNT", 0x20},
		{"MANDLOCK", 0x40},
		{"DIRSYNC", 0x80},
		{"NOATIME", 0x400},
		{"NODIRATIME", 0x800},
		{"BIND", 0x1000},
		{"MOVE", 0x2000},
		{"REC", 0x4000},
		{"SILENT", 0x8000},
		{"POSIXACL", 0x10000},
		{"UNBINDABLE", 0x20000},
		{"PRIVATE", 0x40000},
		{"SLAVE", 0x80000},
		{"SHARED", 0x100000},
		{"RELATIME", 0x200000},
		{"KERNMOUNT", 0x400000},
		{"I_VERSION", 0x800000},
		{"STRICTATIME", 0x1000000},
		{"LAZYTIME", 0x2000000},
		{"NOSEC", 0x10000000},
		{"BORN", 0x20000000},
		{"ACTIVE", 0x40000000},
		{"NOUSER", 0x80000000},
	}}
	newfstatatFlags = &FlagSet{Name: "newfstatat_flags", Flags: []Flag{
		{"AT_EMPTY_PATH", 0x1000},
		{"AT_NO_AUTOMOUNT", 0x800},
		{"AT_SYMLINK_NOFOLLOW", 0x100},
	}}
	spliceFlags = &FlagSet{Name: "splice_flags", Flags: []Flag{
		{"SPLICE_F_MOVE", 0x1},
		{"SPLICE_F_NONBLOCK", 0x2},
		{"SPLICE_F_MORE", 0x4},
		{"SPLICE_F_GIFT", 0x8},
	}}
	umountFlags = &FlagSet{Name: "umount_flags", Flags: []Flag{
		{"FORCE", 0x1},
		{"DETACH", 0x2},
		{"EXPIRE", 0x4},
		{"NOFOLLOW", 0x8},
	}}
)
