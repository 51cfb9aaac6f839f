// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

// taskRows are the calls that change or ask what a process is: its namespaces, session, capabilities, limits and root.
func taskRows() []Row {
	const p, n = CatProcess, ModifiesState
	pid := func(name string, arg uint8) Param { return number(name, PID, Dec, arg, 4) }
	namespaces := func(name string, arg uint8) Param {
		return flags(name, Flags32, Hex, cloneFlagsSet, arg, cloneBits.num)
	}
	resource := func(arg uint8) Param {
		return flags("resource", EnumFlags8, Dec, rlimitResources, arg, func(_ *Record, v uint64) uint64 {
			if v > 15 { // RLIM_NLIMITS
				return 255
			}
			return v
		})
	}
	setLimit := params{res(), rlimit("cur", 0, false), rlimit("max", 1, false), resource(0)}
	getLimit := params{res(), rlimit("cur", 0, true), rlimit("max", 1, true), resource(0)}
	rlimit64 := parts{optional(PartMem, OpMem, 2, 16, 0), optional(PartMem2, OpMem, 3, 16, 0)}
	return []Row{
		row("setns", p, UsesFD, 308, []int{346}, ObjArg0, file(), params{res(), fd("fd", 0).printed(NA), namespaces("nstype", 1)}),
		row("unshare", p, 0, 272, []int{310}, ObjNone, nil, params{res(), namespaces("flags", 0)}),
		row("chroot", p, n, 161, []int{61}, ObjNone, named(AtCwd, 0), params{res(), path("path")}),
		row("setsid", p, n, 112, []int{66}, ObjNone, nil, params{ret("res", PID, Dec)}),
		row("setpgid", p, n, 109, []int{57}, ObjNone, nil, params{res(), pid("pid", 0), pid("pgid", 1)}),
		row("capset", p, n, 126, []int{185}, ObjNone, parts{{Kind: PartTask, Op: OpTask}}, params{
			res(), task("cap_inheritable", Uint64, Hex, unsafe.Offsetof(taskAt.CapInh), 8),
			task("cap_permitted", Uint64, Hex, unsafe.Offsetof(taskAt.CapPrm), 8), task("cap_effective", Uint64, Hex, unsafe.Offsetof(taskAt.CapEff), 8),
		}),
		prctlRow(),
		row("getrlimit", p, 0, 97, []int{76, 191}, ObjNone, twoWords(1), getLimit),
		row("setrlimit", p, 0, 160, []int{75}, ObjNone, twoWords(1), setLimit),
		row("prlimit", p, 0, 302, []int{340}, ObjNone, rlimit64, params{
			res(), rlimit64At("newcur", 2, PartMem, 0), rlimit64At("newmax", 2, PartMem, 8), rlimit64At("oldcur", 3, PartMem2, 0), rlimit64At("oldmax", 3, PartMem2, 8),
			number("pid", Int64, Dec, 0, 4), resource(1),
		}),
		row("pidfd_open", p, CreatesFD|n, 434, []int{434}, ObjRet, file(), params{
			newFD(), pid("pid", 0), flags("flags", Flags32, Hex, pidfdOpenFlags, 1, bits{{0o4000, 1}}.num),
		}),
		row("pidfd_getfd", p, CreatesFD|n, 438, []int{438}, ObjRet, append(file(), Part{Kind: PartSock, Op: OpSock}), params{
			newFD(), fd("pid_fd", 0), fd("target_fd", 1), number("flags", Uint32, Hex, 2, 4),
		}),
	}
}

// rlimit is a member of a structure of two longs, whose largest value means no limit. What a call gets counts only when it succeeded.
func rlimit(name string, i int, gets bool) Param {
	return calc(name, Int64, Dec, func(r *Record) (uint64, bool) {
		if gets && r.Ret != 0 {
			return ^uint64(0), true
		}
		v, ok := r.long(1, i)
		if r.Compat32() && v == 0xffffffff {
			v = ^uint64(0)
		}
		return v, ok
	}, PartMem, PartMem2)
}

// rlimit64At is a member of an rlimit64: the limit that a call sets, or the one that was before.
func rlimit64At(name string, arg int, k PartKind, off int) Param {
	return calc(name, Int64, Dec, func(r *Record) (uint64, bool) {
		if arg == 3 && r.Ret != 0 {
			return ^uint64(0), true
		}
		return r.at(arg, k, off, 8)
	}, k)
}

// prctlRow: the second argument is a name for two of the operations, the address of the answer for one, and a number for the others.
func prctlRow() Row {
	const setName, getName, getSubreaper = 15, 16, 37
	isName := func(r *Record) bool { return uint32(r.Args[0]) == setName || uint32(r.Args[0]) == getName }
	return row("prctl", CatProcess, ModifiesState, 157, []int{172}, ObjNone, parts{optional(PartName, OpStr, 1, 0, 0), optional(PartMem, OpMem, 1, 4, 0)}, params{
		res(), enum("option", EnumFlags32, prctlOptions, 0), textWhen("arg2_str", PartName, isName),
		calc("arg2_int", Int64, Dec, func(r *Record) (uint64, bool) {
			switch {
			case isName(r):
				return 0, true
			case uint32(r.Args[0]) == getSubreaper:
				v, ok := r.at(1, PartMem, 0, 4)
				return extend(v, 4, true), ok
			}
			return r.signed(1), true
		}, PartMem),
	})
}
