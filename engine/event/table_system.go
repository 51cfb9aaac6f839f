// SPDX-License-Identifier: Apache-2.0

package event

// systemRows are the calls that change the kernel or ask for its services: modules, programs, filters, keys.
func systemRows() []Row {
	const o = CatOther
	image := Part{Kind: PartMem, Op: OpBuffer, Arg: 0, Aux: 1, Size: 4095}
	return []Row{
		row("seccomp", o, 0, 317, []int{354}, ObjNone, nil, params{res(), number("op", Uint64, Dec, 0, 4), number("flags", Uint64, Hex, 1, 4)}),
		// only some of its commands return a descriptor
		row("bpf", o, CreatesFD, 321, []int{357}, ObjRetPositive, file(), params{newFD(), enum("cmd", EnumFlags32, bpfCommands, 0)}),
		row("init_module", o, 0, 175, []int{128}, ObjNone, parts{image, str(PartName, 2)}, params{
			res(), text("img", ByteBuf, PartMem), number("length", Uint64, Dec, 1, 8), text("uargs", CharBuf, PartName),
		}),
		row("finit_module", o, UsesFD, 313, []int{350}, ObjArg0, append(file(), str(PartName, 1)), params{
			res(), fd("fd", 0), text("uargs", CharBuf, PartName), flags("flags", Flags32, Hex, finitModuleFlags, 2, bits{{1, 1}, {2, 2}, {4, 4}}.num),
		}),
		row("delete_module", o, 0, 176, []int{129}, ObjNone, parts{str(PartName, 0)}, params{
			res(), text("name", CharBuf, PartName), flags("flags", Flags32, Hex, deleteModuleFlags, 1, bits{{0o1000, 1}, {0o4000, 2}}.num),
		}),
		fsconfigRow(),
		keyctlRow(),
	}
}

// fsconfigRow: the value is a string, a buffer or nothing, as the command says. A call that failed shows none.
func fsconfigRow() Row {
	const setString, setBinary, setPath, setPathEmpty = 1, 2, 3, 4
	command := func(r *Record) uint32 { return uint32(r.Args[1]) }
	binary := text("value_bytebuf", ByteBuf, PartMem)
	binary.view.when = func(r *Record) bool { return r.Ret >= 0 && command(r) == setBinary }
	return row("fsconfig", CatSystem, UsesFD, 431, []int{431}, ObjArg0, append(file(),
		optional(PartName, OpStr, 2, 0, 0), optional(PartName2, OpStr, 3, 0, 0), Part{Kind: PartMem, Op: OpBuffer, Arg: 3, Aux: 4, Size: 4095},
	), params{
		res(), fd("fd", 0), enum("cmd", EnumFlags32, fsconfigCommands, 1), text("key", CharBuf, PartName), binary,
		textWhen("value_charbuf", PartName2, func(r *Record) bool {
			c := command(r)
			return r.Ret >= 0 && (c == setString || c == setPath || c == setPathEmpty)
		}), number("aux", Int32, Dec, 4, 4),
	})
}

// A keyOperation is what the arguments of a keyctl operation are: how many there are, and which of them are strings (bit 0 is the first).
type keyOperation struct{ count, strings uint8 }

var keyOperations = [...]keyOperation{
	0: {2, 0}, 1: {1, 1}, 2: {3, 0}, 3: {1, 0}, 4: {3, 0}, 5: {2, 0}, 6: {3, 0}, 7: {1, 0}, 8: {2, 0}, 9: {2, 0}, 10: {4, 6}, 11: {3, 0}, 12: {4, 0},
	13: {3, 0}, 14: {1, 0}, 15: {2, 0}, 16: {1, 0}, 17: {3, 0}, 18: {0, 0}, 19: {4, 0}, 20: {4, 0}, 21: {1, 0}, 22: {2, 0}, 23: {4, 0}, 24: {3, 4},
	25: {4, 2}, 26: {4, 2}, 27: {4, 2}, 28: {4, 2}, 29: {3, 6}, 30: {4, 0}, 31: {2, 0}, 32: {3, 0},
}

func keyctlRow() Row {
	operation := func(r *Record) (op keyOperation) {
		if n := uint32(r.Args[0]); n < uint32(len(keyOperations)) {
			return keyOperations[n]
		}
		return op
	}
	argument := func(name string, i int, k PartKind) Param {
		p := calc(name, Dynamic, Dec, func(r *Record) (uint64, bool) {
			if operation(r).count <= uint8(i) {
				return 0, true
			}
			return r.signed(i + 1), true
		})
		p.view.text = k
		p.view.dyn = func(r *Record) Type {
			if operation(r).strings&(1<<i) != 0 {
				return CharBuf
			}
			return Int64
		}
		return p
	}
	return row("keyctl", CatOther, 0, 250, []int{288}, ObjNone, parts{
		optional(PartName, OpStr, 1, 0, 0), optional(PartName2, OpStr, 2, 0, 0), optional(PartName3, OpStr, 3, 0, 0),
	}, params{
		res(), enum("operation", EnumFlags32, keyctlOperations, 0),
		argument("arg2", 0, PartName), argument("arg3", 1, PartName2), argument("arg4", 2, PartName3), argument("arg5", 3, PartNone),
	})
}
