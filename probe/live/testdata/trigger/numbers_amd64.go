// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

// Calls that only one of the two tables has; -1 where it is missing.
const (
	sysAccept = unix.SYS_ACCEPT
)
