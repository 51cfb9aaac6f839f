// SPDX-License-Identifier: Apache-2.0

package event

// uringRows are the calls of io_uring itself. What is asked of a ring appears as the calls that it stands for.
func uringRows() []Row {
	const c = CatIOOther
	ring := parts{{Kind: PartFile, Op: OpFile}, {Kind: PartPath, Op: OpPath}}
	// struct io_uring_params of include/uapi/linux/io_uring.h: what was asked for, and what was given
	given := Part{Kind: PartMem, Op: OpMem, Arg: 1, Size: 24}
	param := func(name string, off uintptr) Param { return in(name, Uint32, Dec, PartMem, off, 4, same) }
	set := func(name string, s *FlagSet, off uintptr, num func(*Record, uint64) uint64) Param {
		p := in(name, Flags32, Hex, PartMem, off, 4, num)
		p.Flags = s
		return p
	}
	opcode := number("opcode", EnumFlags16, Dec, 1, 4)
	opcode.Flags = ringRegisterOps
	return []Row{
		row("io_uring_setup", c, CreatesFD|ModifiesState, 425, []int{425}, ObjRet, append(parts{given}, ring...), params{
			res(), number("entries", Uint32, Dec, 0, 4), param("sq_entries", 0), param("cq_entries", 4), set("flags", ringSetupFlags, 8, ringSetup),
			param("sq_thread_cpu", 12), param("sq_thread_idle", 16), set("features", ringFeatures, 20, ringFeature),
		}),
		row("io_uring_enter", c, UsesFD, 426, []int{426}, ObjArg0, ring, params{
			res(), fd("fd", 0), number("to_submit", Uint32, Dec, 1, 4), number("min_complete", Uint32, Dec, 2, 4),
			flags("flags", Flags32, Hex, ringEnterFlags, 3, ringEnter), number("sig", SigSet, Dec, 4, 4),
		}),
		row("io_uring_register", c, UsesFD, 427, []int{427}, ObjArg0, ring, params{
			res(), fd("fd", 0), opcode, number("arg", Uint64, Hex, 2, 8), number("nr_args", Uint32, Dec, 3, 4),
		}),
	}
}

// Kernel values: include/uapi/linux/io_uring.h. The schema has names for the first of them, and one of its own among the setup flags.
var ringSetupBits = bits{{1 << 0, 1 << 0}, {1 << 1, 1 << 1}, {1 << 2, 1 << 3}, {1 << 3, 1 << 4}, {1 << 4, 1 << 5}, {1 << 5, 1 << 6}, {1 << 6, 1 << 7}}

func ringSetup(_ *Record, v uint64) uint64   { return ringSetupBits.convert(v) }
func ringFeature(_ *Record, v uint64) uint64 { return v & 0x7ff }
func ringEnter(_ *Record, v uint64) uint64   { return v & 0xf }
