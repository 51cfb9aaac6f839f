// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

func memoryRows() []Row {
	const m = CatMemory
	sizes := func() Part { return Part{Kind: PartMemory, Op: OpMemory} }
	prot := func(arg uint8) Param { return flags("prot", Flags32, Hex, protFlags, arg, protNames) }
	addr := func(arg uint8) Param { return number("addr", Uint64, Hex, arg, 8) }
	long := func(name string, arg uint8) Param { return number(name, Uint64, Dec, arg, 8) }
	// the sixth argument counts bytes in one call, pages in the other
	mapped := func(offset string) params {
		return join(params{ret("res", Errno, Hex)}, memorySizes(), params{
			addr(0), long("length", 1), prot(2), flags("flags", Flags32, Hex, mmapFlags, 3, mmapNames), fd("fd", 4), long(offset, 5),
		})
	}
	mapping := append(file(), sizes())
	return []Row{
		row("brk", m, 0, 12, []int{45}, ObjNone, parts{sizes()}, join(params{ret("res", Uint64, Hex)}, memorySizes(), params{addr(0)})),
		row("mmap", m, UsesFD, 9, []int{90}, ObjArg4, mapping, mapped("offset")),
		row("mmap2", m, UsesFD, -1, []int{192}, ObjArg4, mapping, mapped("pgoffset")),
		row("munmap", m, 0, 11, []int{91}, ObjNone, parts{sizes()}, join(params{res()}, memorySizes(), params{addr(0), long("length", 1)})),
		row("mprotect", m, 0, 10, []int{125}, ObjNone, nil, params{res(), addr(0), long("length", 1), prot(2)}),
		row("mlock", m, 0, 149, []int{150}, ObjNone, nil, params{res(), addr(0), long("len", 1)}),
		row("mlock2", m, 0, 325, []int{376}, ObjNone, nil, params{res(), addr(0), long("len", 1), flags("flags", Flags32, Hex, mlock2Flags, 2, bits{{1, 1}}.num)}),
		row("munlock", m, 0, 150, []int{151}, ObjNone, nil, params{res(), addr(0), long("len", 1)}),
		row("mlockall", m, 0, 151, []int{152}, ObjNone, nil, params{res(), flags("flags", Flags32, Hex, mlockallFlags, 0, bits{{1, 1}, {2, 2}, {4, 4}}.num)}),
		row("munlockall", m, 0, 152, []int{153}, ObjNone, nil, params{res()}),
		row("memfd_create", m, CreatesFD|ModifiesState, 319, []int{356}, ObjRet, parts{str(PartName, 0), {Kind: PartFile, Op: OpFile}, {Kind: PartPath, Op: OpPath}},
			params{newFD(), text("name", CharBuf, PartName), flags("flags", Flags32, Hex, memfdCreateFlags, 1, memfdFlags)}),
		row("userfaultfd", CatFile, CreatesFD|ModifiesState, 323, []int{374}, ObjRet, file(), params{res(), flags("flags", Flags32, Hex, fileFlags, 0, newFDFlags)}),
		pageFaultRow(),
	}
}

func memorySizes() params {
	var at MemoryFacts
	size := func(name string, off uintptr) Param { return in(name, Uint32, Dec, PartMemory, off, 4, nil) }
	return params{size("vm_size", unsafe.Offsetof(at.Size)), size("vm_rss", unsafe.Offsetof(at.RSS)), size("vm_swap", unsafe.Offsetof(at.Swap))}
}

// num is convert for a flags parameter.
func (m bits) num(_ *Record, v uint64) uint64 { return m.convert(v) }

// Kernel values: include/uapi/asm-generic/mman-common.h, mman.h; arch/x86/include/uapi/asm/mman.h.
var (
	protNames = bits{{1, 1}, {2, 2}, {4, 4}, {8, 8}, {0x01000000, 1 << 4}, {0x02000000, 1 << 5}}.num
	mmapNames = bits{
		{1, 1}, {2, 2}, {0x10, 1 << 2}, {0x20, 1 << 3}, {0x40, 1 << 4}, {0x4000, 1 << 6}, {0x8000, 1 << 7}, {0x10000, 1 << 8}, {0x100, 1 << 9},
		{0x800, 1 << 10}, {0x1000, 1 << 11}, {0x2000, 1 << 14},
	}.num
	// newFDFlags are the flags of calls that make a descriptor and open nothing: it has no access mode.
	newFDFlags = bits{{0o4000, 1 << 6}, {0o2000000, 1 << 12}}.num
)

// pageFaultRow: the tracepoint's registers are the address that was touched, the instruction and the processor's error code.
func pageFaultRow() Row {
	return Row{Name: "page_fault", Category: CatOther, Flags: Tracepoint | Flood, Params: params{
		number("addr", Uint64, Hex, 0, 8), number("ip", Uint64, Hex, 1, 8), flags("error", Flags32, Hex, pageFaultFlags, 2, pageFaultError),
	}}
}

// pageFaultError turns the error code of x86 into the schema's flags, where the absence of a bit has a name too.
func pageFaultError(_ *Record, v uint64) (out uint64) {
	for i, names := range [...][2]uint64{{1 << 1, 1 << 0}, {1 << 3, 1 << 2}, {1 << 5, 1 << 4}, {0, 1 << 6}, {0, 1 << 7}} {
		out |= names[v>>i&1]
	}
	return out
}
