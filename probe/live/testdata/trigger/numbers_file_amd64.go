// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

// Calls on paths and descriptors that only one of the two tables has, or has twice; -1 where it is missing.
const (
	sysChown32    = -1
	sysLchown32   = -1
	sysFchown32   = -1
	sysStat64     = -1
	sysLstat64    = -1
	sysFstat64    = -1
	sysFstatat    = unix.SYS_NEWFSTATAT
	sysUmount     = -1
	sysFcntl64    = -1
	sysLlseek     = -1
	sysSendfile64 = -1
	sysNewselect  = -1
	sysPpollTime  = -1
)
