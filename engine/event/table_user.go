// SPDX-License-Identifier: Apache-2.0

package event

func userRows() []Row {
	const u, n = CatUser, ModifiesState
	uid := func(name string, arg uint8) Param { return id(name, UID, arg) }
	gid := func(name string, arg uint8) Param { return id(name, GID, arg) }
	three := parts{
		{Kind: PartMem, Op: OpMem, Arg: 0, Size: 4}, {Kind: PartMem2, Op: OpMem, Arg: 1, Size: 4}, {Kind: PartMem3, Op: OpMem, Arg: 2, Size: 4},
	}
	return []Row{
		row("setuid", u, n, 105, []int{23, 213}, ObjNone, nil, params{res(), uid("uid", 0)}),
		row("setgid", u, n, 106, []int{46, 214}, ObjNone, nil, params{res(), gid("gid", 0)}),
		row("setreuid", u, n, 113, []int{70, 203}, ObjNone, nil, params{res(), uid("ruid", 0), uid("euid", 1)}),
		row("setregid", u, n, 114, []int{71, 204}, ObjNone, nil, params{res(), uid("rgid", 0), uid("egid", 1)}),
		row("setresuid", u, n, 117, []int{164, 208}, ObjNone, nil, params{res(), uid("ruid", 0), uid("euid", 1), uid("suid", 2)}),
		row("setresgid", u, n, 119, []int{170, 210}, ObjNone, nil, params{res(), gid("rgid", 0), gid("egid", 1), gid("sgid", 2)}),
		row("getuid", u, 0, 102, []int{24, 199}, ObjNone, nil, params{ret("uid", UID, Dec)}),
		row("geteuid", u, 0, 107, []int{49, 201}, ObjNone, nil, params{ret("euid", UID, Dec)}),
		row("getgid", u, 0, 104, []int{47, 200}, ObjNone, nil, params{ret("gid", GID, Dec)}),
		row("getegid", u, 0, 108, []int{50, 202}, ObjNone, nil, params{ret("egid", GID, Dec)}),
		row("getresuid", u, 0, 118, []int{165, 209}, ObjNone, three, params{
			res(), gotID("ruid", UID, 0, PartMem), gotID("euid", UID, 1, PartMem2), gotID("suid", UID, 2, PartMem3),
		}),
		row("getresgid", u, 0, 120, []int{171, 211}, ObjNone, three, params{
			res(), gotID("rgid", GID, 0, PartMem), gotID("egid", GID, 1, PartMem2), gotID("sgid", GID, 2, PartMem3),
		}),
		quotactlRow(),
	}
}

// shortIDs are the numbers of the 32-bit table whose user and group ids have 16 bits.
var shortIDs = [MaxSyscall]bool{
	23: true, 24: true, 46: true, 47: true, 49: true, 50: true, 70: true, 71: true, 164: true, 165: true, 170: true, 171: true,
}

func (r *Record) shortIDs() bool { return r.Compat32() && r.NR < MaxSyscall && shortIDs[r.NR] }

// id is a user or group id argument.
func id(name string, t Type, arg uint8) Param {
	p := number(name, t, Dec, arg, 4)
	p.view.num = func(r *Record, v uint64) uint64 {
		if !r.shortIDs() {
			return v
		}
		if v &= 0xffff; v == 0xffff { // the kernel's low2highuid: no id
			return 0xffffffff
		}
		return v
	}
	return p
}

// gotID is an id that a call that succeeded left at the pointer in register arg.
func gotID(name string, t Type, arg int, k PartKind) Param {
	return calc(name, t, Dec, func(r *Record) (uint64, bool) {
		if r.Ret != 0 {
			return 0, false
		}
		size := 4
		if r.shortIDs() {
			size = 2
		}
		return r.at(arg, k, 0, size)
	}, k)
}
