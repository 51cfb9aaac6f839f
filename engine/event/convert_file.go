// SPDX-License-Identifier: Apache-2.0

package event

// known keeps the bits that the schema has names for, where they are the kernel's.
func known(mask uint64) func(*Record, uint64) uint64 {
	return func(_ *Record, v uint64) uint64 { return v & mask }
}

// constant is a number that calls of another name are given and this one does not take.
func constant(n uint64) func(*Record, uint64) uint64 {
	return func(*Record, uint64) uint64 { return n }
}

// newDescriptor turns the flags of calls that make a descriptor into the schema's file flags. All of them have the values that open
// has: include/uapi/linux/eventfd.h, inotify.h, timerfd.h, signalfd.h.
func newDescriptor(kernel uint64) func(*Record, uint64) uint64 {
	return func(_ *Record, v uint64) uint64 { return openBits.convert(v & kernel) }
}

const (
	kernelONonblock = 0o4000
	kernelODirect   = 0o40000
	kernelOCloexec  = 0o2000000
)

// timerfdFlags: the schema has eight bits for them, which O_CLOEXEC lies beyond.
func timerfdFlags(_ *Record, v uint64) uint64 {
	return openBits.convert(v&(kernelONonblock|kernelOCloexec)) & 0xff
}

// The schema's AT_SYMLINK_NOFOLLOW of fchownat has a value of its own.
var fchownatBits = bits{{0x100, 0x400}, {0x1000, 0x1000}}

var epollCreate1Bits = bits{{kernelOCloexec, 1}}

// id16 is a user or group id. The oldest calls of the 32-bit table take 16 bits of it, with a -1 of their own.
func id16(nr32 uint16) func(*Record, uint64) uint64 {
	return func(r *Record, v uint64) uint64 {
		if !r.Compat32() || r.NR != nr32 {
			return v
		}
		if v &= 0xffff; v == 0xffff {
			return 1<<32 - 1
		}
		return v
	}
}

// fcntlNumbers maps include/uapi/asm-generic/fcntl.h and linux/fcntl.h to the schema's numbers.
var fcntlNumbers = map[uint32]uint64{
	0: 0x1, 1: 0x2, 2: 0x3, 3: 0x4, 4: 0x5, 5: 0x6, 6: 0x8, 7: 0x9, 8: 0xa, 9: 0xc, 10: 0xd, 11: 0xf, 12: 0x11, 13: 0x12, 14: 0x13,
	15: 0x15, 16: 0x16, 36: 0x1e, 37: 0x1f, 38: 0x20, 1024: 0x17, 1025: 0x18, 1026: 0x1b, 1029: 0x19, 1030: 0x1a, 1031: 0x1c, 1032: 0x1d,
}

func fcntlCommand(_ *Record, v uint64) uint64 { return fcntlNumbers[uint32(v)] }

// mountFlagsOf leaves out the magic number that calls of old carry in the upper half: MS_MGC_VAL of include/uapi/linux/mount.h.
func mountFlagsOf(_ *Record, v uint64) uint64 {
	if v&0xffff0000 == 0xc0ed0000 {
		v &= 0xffff
	}
	return v
}

// nodeMode is the mode of mknod; a type that is not given is that of a plain file.
func nodeMode(_ *Record, v uint64) uint64 {
	const kind, plain = 0o170000, 0o100000
	if v&kind == 0 {
		v |= plain
	}
	return v & (kind | 0o7777)
}

// signedOffset is an offset in a register, which 32-bit calls have half of.
func signedOffset(r *Record, v uint64) uint64 {
	if r.Compat32() {
		return uint64(int64(int32(v)))
	}
	return v
}

// longOffset is an offset in two registers.
func longOffset(r *Record, high uint64) uint64 { return high<<32 | r.Args[2]&0xffffffff }

// Kernel values: include/uapi/asm-generic/poll.h.
var pollBits = bits{
	{0x1, 0x1}, {0x2, 0x2}, {0x4, 0x4}, {0x2000, 0x8}, {0x8, 0x10}, {0x10, 0x20}, {0x20, 0x40}, {0x40, 0x80}, {0x80, 0x100},
	{0x100, 0x200}, {0x200, 0x400},
}
