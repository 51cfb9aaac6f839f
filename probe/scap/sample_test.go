// SPDX-License-Identifier: Apache-2.0

package scap

// sample is a small capture of everything: lists in their older or newer form, and a shell that reads a file, serves, talks and leaves.
func sample(form int) *capture {
	newer := form == 2
	c := newCapture()
	c.machine("recorded")
	c.addr(newer, [4]byte{10, 0, 0, 5}, "eth0")
	c.users(newer, 1000, "ubuntu", "/home/ubuntu", "/bin/bash", 1000, "staff")
	version := 5
	if newer {
		version = 9
	}
	c.procs(version,
		proc{tid: 1, pid: 1, comm: "init", exe: "/sbin/init", exepath: "/sbin/init", cwd: "/"},
		proc{tid: 100, pid: 100, ptid: 1, comm: "bash", exe: "-bash", exepath: "/bin/bash", args: "-i\x00", cwd: "/home/ubuntu", env: "A=1\x00", uid: 1000, gid: 1000,
			cgroups: "cpu=/docker/aaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccdddd\x00"},
	)
	file := le(uint32(1), str("/var/log/syslog"))
	if newer {
		file = le(file, uint32(2049))
	}
	c.fds(newer, 100,
		fd{3, 16, file}, fd{4, 3, le([]byte{10, 0, 0, 5}, []byte{8, 8, 8, 8}, uint16(40000), uint16(443), uint8(2))},
		fd{5, 5, le([]byte{0, 0, 0, 0}, uint16(80), uint8(2))}, fd{6, 8, le(uint64(0xaa), uint64(0xbb), str("/run/x.sock"))}, fd{7, 9, le(str("[eventfd]"))},
	)
	kind := uint32(blockEvent1)
	if newer {
		kind = blockFlagged2
	}
	ts := uint64(1_500_000_000_000_000_000)
	tid := int64(100)
	add := func(number uint16, params ...[]byte) {
		ts += 1000
		c.event(kind, ts, tid, number, params...)
	}
	i64, u32 := func(v int64) []byte { return le(v) }, func(v uint32) []byte { return le(v) }
	if newer {
		add(numberOf("openat", false), i64(8), i64(-100), zero("../../etc/shadow"), u32(1), u32(0), u32(2049), le(uint64(77)))
		add(numberOf("read", false), i64(4), []byte("root"), i64(8), u32(64))
	} else {
		add(102, i64(-100), zero("../../etc/shadow"), u32(1), u32(0))
		add(103, i64(8))
		add(6, i64(8), u32(64))
		add(7, i64(4), []byte("root"))
	}
	add(20, i64(5))
	add(21, i64(0), le(uint8(2), []byte{10, 0, 0, 5}, uint16(8080)))
	add(numberOf("clone", false), i64(101), zero("-bash"), zero("-i"), i64(100), i64(100), i64(1), zero("/home/ubuntu"), i64(1024), le(uint64(0)), le(uint64(0)),
		u32(0), u32(0), u32(0), zero("bash"), nil, u32(0), u32(1000), u32(1000), i64(100), i64(100))
	tid = 101
	add(numberOf("execve", true), zero("/bin/cat"))
	exec := [][]byte{i64(0), zero("cat"), zero("/etc/passwd"), i64(101), i64(101), i64(100), zero("/home/ubuntu"), le(uint64(1024)), le(uint64(0)), le(uint64(0)),
		u32(1), u32(2), u32(3), zero("cat"), zero("cpu=/"), zero("A=1"), u32(0), i64(101), u32(1000), u32(1), le(uint64(0)), le(uint64(0)), le(uint64(0)),
		le(uint64(5)), le(uint64(6)), le(uint64(7)), u32(0), zero("/usr/bin/cat"), i64(101), u32(0)}
	add(numberOf("execve", false), exec...)
	tid = 100
	add(numberOf("connect", true), i64(9), le(uint8(2), []byte{1, 1, 1, 1}, uint16(53)))
	add(numberOf("connect", false), i64(-115), le(uint8(2), []byte{10, 0, 0, 5}, uint16(40001), []byte{1, 1, 1, 1}, uint16(53)), i64(9))
	add(0, le(uint16(16)), le(uint16(172)))
	add(1, le(uint16(16)))
	tid = 101
	add(186, i64(256), i64(1), le(uint8(0)), le(uint8(0)), i64(0))
	if newer {
		c.event(blockLarge, ts+1, -1, 324, zero(`{"container":{}}`))
	}
	return c
}
