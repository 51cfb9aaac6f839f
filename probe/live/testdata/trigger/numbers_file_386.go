// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

// Calls on paths and descriptors that only one of the two tables has, or has twice; -1 where it is missing.
const (
	sysChown32    = unix.SYS_CHOWN32
	sysLchown32   = unix.SYS_LCHOWN32
	sysFchown32   = unix.SYS_FCHOWN32
	sysStat64     = unix.SYS_STAT64
	sysLstat64    = unix.SYS_LSTAT64
	sysFstat64    = unix.SYS_FSTAT64
	sysFstatat    = unix.SYS_FSTATAT64
	sysUmount     = 22
	sysFcntl64    = unix.SYS_FCNTL64
	sysLlseek     = unix.SYS__LLSEEK
	sysSendfile64 = unix.SYS_SENDFILE64
	sysNewselect  = unix.SYS__NEWSELECT
	sysPpollTime  = unix.SYS_PPOLL_TIME64
)
