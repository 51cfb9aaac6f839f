// SPDX-License-Identifier: Apache-2.0

package live

func init() {
	for name, triggers := range map[string][]string{
		"read": {"buffers"}, "write": {"buffers"}, "pread": {"buffers"}, "pwrite": {"buffers"},
		"readv": {"vectors"}, "writev": {"vectors"}, "preadv": {"vectors"}, "pwritev": {"vectors"},
		"process_vm_readv": {"otherMemory"}, "process_vm_writev": {"otherMemory"},
		"sendto": {"datagrams", "streams"}, "recvfrom": {"datagrams", "streams"},
		"sendmsg": {"messages"}, "recvmsg": {"messages"},
	} {
		rowTests[name] = calls(name, triggers...)
	}
}
