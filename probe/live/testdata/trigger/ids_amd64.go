// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

var idCalls = []idNumbers{{
	setuid: unix.SYS_SETUID, setgid: unix.SYS_SETGID, setreuid: unix.SYS_SETREUID, setregid: unix.SYS_SETREGID, setresuid: unix.SYS_SETRESUID,
	setresgid: unix.SYS_SETRESGID, getuid: unix.SYS_GETUID, getgid: unix.SYS_GETGID, geteuid: unix.SYS_GETEUID, getegid: unix.SYS_GETEGID,
	getresuid: unix.SYS_GETRESUID, getresgid: unix.SYS_GETRESGID,
}}
