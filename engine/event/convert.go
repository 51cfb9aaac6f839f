// SPDX-License-Identifier: Apache-2.0

package event

import "bytes"

// bits maps bits of the kernel's numbering to bits of the schema's.
type bits []struct{ kernel, schema uint32 }

func (m bits) convert(v uint64) (out uint64) {
	for _, b := range m {
		if uint32(v)&b.kernel == b.kernel {
			out |= uint64(b.schema)
		}
	}
	return out
}

// Kernel values: include/uapi/asm-generic/fcntl.h. O_SYNC holds O_DSYNC's bit and O_TMPFILE O_DIRECTORY's.
const (
	kernelOCreat   = 0o100
	kernelOTmpfile = 0o20200000
	kernelOPath    = 0o10000000
	kernelOLarge   = 0o100000

	// fmodeCreated is FMODE_CREATED of include/linux/fs.h: the open made the file.
	fmodeCreated = 1 << 20

	schemaODirectory = 1 << 10
	schemaOCreated   = 1 << 14
	schemaUpperLayer = 1 << 15
	schemaLowerLayer = 1 << 16
)

var openBits = bits{
	{kernelOCreat, 1 << 2}, {kernelOTmpfile, 1 << 13}, {0o2000, 1 << 3}, {0o10000, 1 << 4}, {0o200, 1 << 5},
	{0o4000, 1 << 6}, {0o4010000, 1 << 7}, {0o1000, 1 << 8}, {0o40000, 1 << 9}, {0o200000, schemaODirectory},
	{kernelOLarge, 1 << 11}, {0o2000000, 1 << 12},
}

// openFlags turns the flags of an open into the schema's, where the access modes are bits, and adds what the file
// object knows: that it was created, and its overlayfs layer.
func openFlags(r *Record, v uint64) uint64 {
	if r.Flags&FlagIOUring != 0 { // the kernel has set it in what it keeps
		v &^= kernelOLarge
	}
	out := openBits.convert(v)
	switch v & 3 {
	case 0:
		out |= 1
	case 1:
		out |= 2
	default: // O_RDWR; 3 opens for ioctl with both permissions asked
		out |= 3
	}
	if f, ok := r.File(); ok {
		if f.FMode&fmodeCreated != 0 {
			out |= schemaOCreated
		}
		switch f.Layer {
		case 1:
			out |= schemaUpperLayer
		case 2:
			out |= schemaLowerLayer
		}
	}
	return out
}

// socketFlags turns what the type of a socket says besides into the schema's file flags.
func socketFlags(_ *Record, v uint64) uint64 { return openBits.convert(v & (0o4000 | 0o2000000)) }

// family is an address family; the kernel has fewer than the schema's eight bits can tell apart.
func family(_ *Record, v uint64) uint64 { return v & 0xff }

// creatFlags carries the overlayfs layer of a created file.
func creatFlags(r *Record, _ uint64) uint64 {
	f, _ := r.File()
	return uint64(f.Layer)
}

// openMode is the mode of an open that can create; other calls leave the register as it was.
func openMode(flagArg int) func(*Record, uint64) uint64 {
	return func(r *Record, v uint64) uint64 {
		flags := r.Args[flagArg]
		if flags&kernelOCreat == 0 && flags&kernelOTmpfile != kernelOTmpfile {
			return 0
		}
		return v & 0o7777
	}
}

// openHow2Mode is openMode for openat2, whose flags are in user memory.
func openHow2Mode(r *Record, v uint64) uint64 {
	b, ok := r.Part(PartMem)
	if !ok || len(b) < 8 {
		return 0
	}
	flags := load(b, 8)
	if flags&kernelOCreat == 0 && flags&kernelOTmpfile != kernelOTmpfile {
		return 0
	}
	return v & 0o7777
}

// device turns the kernel's dev_t into the encoding that stat(2) returns: new_encode_dev of include/linux/kdev_t.h.
func device(_ *Record, v uint64) uint64 {
	major, minor := v>>20, v&0xfffff
	return minor&0xff | major<<8 | (minor&^0xff)<<12
}

func same(_ *Record, v uint64) uint64 { return v }

func permissions(_ *Record, v uint64) uint64 { return v & 0o7777 }

// Kernel values: include/uapi/linux/openat2.h.
var resolveBits = bits{{1, 1 << 4}, {2, 1 << 2}, {4, 1 << 3}, {8, 1 << 0}, {16, 1 << 1}, {32, 1 << 5}}

func resolveFlags(_ *Record, v uint64) uint64 { return resolveBits.convert(v) }

// Kernel values: include/uapi/linux/sched.h.
var cloneBits = bits{
	{0x400, 1 << 0}, {0x200, 1 << 1}, {0x80000000, 1 << 2}, {0x08000000, 1 << 3}, {0x40000000, 1 << 4},
	{0x00020000, 1 << 5}, {0x20000000, 1 << 6}, {0x04000000, 1 << 7}, {0x00008000, 1 << 8}, {0x00100000, 1 << 9},
	{0x00002000, 1 << 10}, {0x00000800, 1 << 11}, {0x00040000, 1 << 12}, {0x00010000, 1 << 13}, {0x00800000, 1 << 14},
	{cloneVM, 1 << 15}, {0x10000000, 1 << 20}, {0x00200000, 1 << 23}, {0x01000000, 1 << 24}, {0x00080000, 1 << 25},
	{cloneVfork, 1 << 27}, {0x02000000, 1 << 28},
}

const (
	cloneVM           = 0x100
	cloneVfork        = 0x4000
	schemaChildInPidn = 1 << 29
)

func cloneFlags(r *Record, v uint64) uint64 {
	out := cloneBits.convert(v)
	if t, ok := r.Task(); ok && t.Flags&TaskInPidns != 0 {
		out |= schemaChildInPidn
	}
	return out
}

func noCloneFlags(r *Record, _ uint64) uint64    { return cloneFlags(r, 0) }
func vforkCloneFlags(r *Record, _ uint64) uint64 { return cloneFlags(r, cloneVM|cloneVfork) }

var memfdBits = bits{{1, 1}, {2, 2}, {4, 4}}

func memfdFlags(_ *Record, v uint64) uint64 { return memfdBits.convert(v) }

// ptraceRequests maps include/uapi/linux/ptrace.h and asm/ptrace-abi.h to the schema's numbers.
var ptraceNumbers = map[uint32]uint64{
	0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 12: 26, 13: 27, 14: 28, 15: 29, 16: 11, 17: 12, 18: 30,
	19: 31, 21: 32, 24: 13, 25: 33, 26: 34, 30: 35, 31: 36, 32: 37, 33: 38, 0x4200: 14, 0x4201: 15, 0x4202: 16, 0x4203: 17,
	0x4204: 18, 0x4205: 19, 0x4206: 20, 0x4207: 21, 0x4208: 22, 0x4209: 23, 0x420a: 24, 0x420b: 25,
}

func ptraceRequest(_ *Record, v uint64) uint64 { return ptraceNumbers[uint32(v)] }

// ptraceAddr is the address argument of a request that succeeded.
func ptraceAddr(r *Record, v uint64) uint64 {
	if r.Ret < 0 {
		return 0
	}
	return v
}

// ptraceData is what the data argument says: a signal for the requests that resume, the word that was read for those
// that peek, else the argument.
func ptraceData(r *Record, v uint64) uint64 {
	if r.Ret < 0 {
		return 0
	}
	switch uint32(r.Args[0]) {
	case 1, 2, 3: // PEEKTEXT, PEEKDATA, PEEKUSR
		if b, ok := r.Part(PartMem); ok && len(b) == 8 {
			if r.Compat32() {
				return load(b, 4) // what follows is not the kernel's answer
			}
			return load(b, 8)
		}
	case 7, 9, 17, 24: // CONT, SINGLESTEP, DETACH, SYSCALL
		return v & 0xff
	}
	return v
}

func ptraceDataType(r *Record) Type {
	switch uint32(r.Args[0]) {
	case 7, 9, 17, 24:
		if r.Ret >= 0 {
			return SigType
		}
	}
	return Uint64
}

// exitStatus, exitSignal and exitCore take a wait status apart as wait(2) documents it.
func exitReturn(_ *Record, v uint64) uint64 {
	if v&0x7f != 0 {
		return 0
	}
	return v >> 8 & 0xff
}

func exitSignal(_ *Record, v uint64) uint64 { return v & 0x7f }

func exitCore(_ *Record, v uint64) uint64 { return v >> 7 & 1 }

func firstString(b []byte) []byte {
	head, _, _ := bytes.Cut(b, []byte{0})
	return head
}

func afterFirstString(b []byte) []byte {
	_, tail, _ := bytes.Cut(b, []byte{0})
	return tail
}

func queuePercent(r *Record, _ uint64) uint64 {
	b, ok := r.Part(PartQueue)
	if !ok || len(b) < 8 {
		return 0
	}
	n, limit := load(b, 4), load(b[4:], 4)
	if limit == 0 {
		return 0
	}
	return min(n*100/limit, 255)
}
