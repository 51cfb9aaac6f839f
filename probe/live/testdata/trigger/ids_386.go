// SPDX-License-Identifier: Apache-2.0

package trigger

// The 32-bit table has two sets of calls for ids: of 16 and of 32 bits.
var idCalls = []idNumbers{
	{
		setuid: 23, setgid: 46, setreuid: 70, setregid: 71, setresuid: 164, setresgid: 170,
		getuid: 24, getgid: 47, geteuid: 49, getegid: 50, getresuid: 165, getresgid: 171, short: true,
	},
	{
		setuid: 213, setgid: 214, setreuid: 203, setregid: 204, setresuid: 208, setresgid: 210,
		getuid: 199, getgid: 200, geteuid: 201, getegid: 202, getresuid: 209, getresgid: 211,
	},
}
