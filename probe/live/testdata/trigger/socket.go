// SPDX-License-Identifier: Apache-2.0

package trigger

import "golang.org/x/sys/unix"

// socket makes sockets of several families, and some that cannot be made.
func socket(t *T) {
	make := func(family, typ, proto int, name string, flags ...string) *Call {
		return t.call("socket", unix.SYS_SOCKET, uintptr(family), uintptr(typ), uintptr(proto)).Result("fd").Flags("domain", name).
			Number("type", int64(typ)).Number("proto", int64(proto)).Flags("flags", flags...)
	}
	for _, c := range []*Call{
		make(unix.AF_INET, unix.SOCK_STREAM, 0, "AF_INET"),
		make(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP, "AF_INET6", "O_CLOEXEC"),
		make(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, "AF_UNIX", "O_CLOEXEC", "O_NONBLOCK"),
		make(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "AF_NETLINK"),
		make(unix.AF_PACKET, unix.SOCK_RAW, 0x300, "AF_PACKET"),
	} {
		if c.Ret < 0 && unix.Errno(-c.Ret) == unix.EAFNOSUPPORT { // a kernel without IPv6, or without packet sockets
			c.NoPart("sock", "file")
			continue
		}
		c.ok().sock(c.fd()).close()
	}
	make(unix.AF_INET, 77, 0, "AF_INET").fails(unix.EINVAL).NoPart("sock", "file")
	make(200, unix.SOCK_STREAM, 0, "AF_UNSPEC").fails(unix.EAFNOSUPPORT).Number("domain", 200).NoPart("sock", "file")
}
