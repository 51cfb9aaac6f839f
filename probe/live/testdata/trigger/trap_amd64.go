// SPDX-License-Identifier: Apache-2.0

package trigger

// trap makes a system call by int 0x80: the kernel takes it for that of a 32-bit program. Arguments are cut to 32 bits.
//
//go:noescape
func trap(nr uintptr, args *[6]uintptr) (ret int32)
