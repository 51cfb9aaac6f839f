// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	setupCQSize   = 1 << 3
	setupClamp    = 1 << 4
	setupDisabled = 1 << 6

	registerEventfd     = 4
	registerEnableRings = 12
)

// featureNames are the names of the schema, in the order of the bits.
var featureNames = []string{
	"IORING_FEAT_SINGLE_MMAP", "IORING_FEAT_NODROP", "IORING_FEAT_SUBMIT_STABLE", "IORING_FEAT_RW_CUR_POS", "IORING_FEAT_CUR_PERSONALITY",
	"IORING_FEAT_FAST_POLL", "IORING_FEAT_POLL_32BITS", "IORING_FEAT_SQPOLL_NONFIXED", "IORING_FEAT_ENTER_EXT_ARG",
	"IORING_FEAT_NATIVE_WORKERS", "IORING_FEAT_RSRC_TAGS",
}

// anon is the file of a ring, which hangs nowhere.
func (c *Call) anon(fd int) *Call { return c.file(fd).Part("path", "[io_uring]") }

// ringCalls are the calls of io_uring itself.
func ringCalls(t *T) {
	asked := ringParams{CQEntries: 64, Flags: setupCQSize | setupClamp | setupDisabled, ThreadCPU: 1, ThreadIdle: 77}
	p := t.bytes((*[unsafe.Sizeof(asked)]byte)(unsafe.Pointer(&asked))[:])
	c := t.call("io_uring_setup", sysRingSetup, 5, p).ok().Result("res").Number("entries", 5).
		Flags("flags", "IORING_SETUP_CQSIZE", "IORING_SETUP_CLAMP", "IORING_SETUP_R_DISABLED").Number("sq_thread_cpu", 1).Number("sq_thread_idle", 77)
	given := t.at(p, 24)
	number := func(off int) uint32 { return binary.NativeEndian.Uint32(given[off:]) }
	var names []string
	for left := number(20) & (1<<len(featureNames) - 1); left != 0; left &= left - 1 {
		names = append(names, featureNames[bits.TrailingZeros32(left)])
	}
	c.Number("sq_entries", 8).Number("cq_entries", 64).Flags("features", names...).anon(c.fd())
	if number(0) != 8 || number(4) != 64 {
		fail("the ring has %d and %d entries", number(0), number(4))
	}
	fd := uintptr(c.fd())
	t.call("io_uring_register", sysRingRegister, fd, registerEnableRings, 0, 0).ok().Result("res").Number("fd", int64(fd)).
		Flags("opcode", "IORING_REGISTER_ENABLE_RINGS").Number("arg", 0).Number("nr_args", 0).anon(c.fd())
	event := int32(one(unix.Eventfd(0, 0)))
	at := t.words(uintptr(event))
	t.call("io_uring_register", sysRingRegister, fd, registerEventfd, at, 1).ok().Result("res").Number("fd", int64(fd)).
		Flags("opcode", "IORING_REGISTER_EVENTFD").Number("arg", int64(at)).Number("nr_args", 1).anon(c.fd())
	t.call("io_uring_enter", sysRingEnter, fd, 3, 0, enterGetEvents|enterWakeup, 0x70000010, 8).ok().Result("res").Number("fd", int64(fd)).Number("to_submit", 3).
		Number("min_complete", 0).Flags("flags", "IORING_ENTER_GETEVENTS", "IORING_ENTER_SQ_WAKEUP").Number("sig", 0x70000010).anon(c.fd())
	t.call("io_uring_enter", sysRingEnter, 999, 1, 2, 0, 0, 0).fails(unix.EBADF).Result("res").Number("fd", 999).Number("to_submit", 1).
		Number("min_complete", 2).Flags("flags").Number("sig", 0).NoPart("file", "path")
	t.call("io_uring_register", sysRingRegister, 999, 2, 0x123, 5).fails(unix.EBADF).Result("res").Number("fd", 999).
		Flags("opcode", "IORING_REGISTER_FILES").Number("arg", 0x123).Number("nr_args", 5).NoPart("file", "path")
	t.call("io_uring_setup", sysRingSetup, 5, badPtr).fails(unix.EFAULT).Result("res").Number("entries", 5).Flags("flags").Flags("features").
		Number("sq_thread_cpu", 0).Number("sq_thread_idle", 0).Number("sq_entries", 0).Number("cq_entries", 0).NoPart("mem", "file", "path").Fault = true
	asked = ringParams{Flags: 1 << 31}
	p = t.bytes((*[unsafe.Sizeof(asked)]byte)(unsafe.Pointer(&asked))[:])
	t.call("io_uring_setup", sysRingSetup, 1, p).fails(unix.EINVAL).Result("res").Number("entries", 1).Flags("flags").Flags("features").
		Number("sq_thread_cpu", 0).Number("sq_thread_idle", 0).Number("sq_entries", 0).Number("cq_entries", 0).NoPart("file", "path")
}
