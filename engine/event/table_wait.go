// SPDX-License-Identifier: Apache-2.0

package event

// waitRows are the calls that wait for descriptors, and those that make what one waits with.
func waitRows() []Row {
	const w = CatWait
	poll := Part{Kind: PartPoll, Op: OpPoll, Arg: 0, Aux: 1}
	fds := Param{Name: "fds", Type: FDList, Print: Dec, view: view{kind: viewPart, part: PartPoll}}
	epoll := func(name string, nr64, nr32 int, p Param) Row {
		return row(name, w, CreatesFD|ModifiesState, nr64, []int{nr32}, ObjRet, descriptor(), params{res(), p})
	}
	return []Row{
		row("poll", w, 0, 7, []int{168}, ObjNone, parts{poll}, params{res(), fds, number("timeout", Int64, Dec, 2, 4)}),
		row("ppoll", w, 0, 271, []int{309, 414}, ObjNone, append(parts{poll, optional(PartMem3, OpMem, 3, 4, 0)}, twoWords(2)...), params{
			res(), fds, calc("timeout", RelTime, Dec, ppollTimeout, PartMem, PartMem2), calc("sigmask", SigSet, Dec, ppollMask, PartMem3),
		}),
		row("select", w, 0, 23, []int{82, 142}, ObjNone, nil, params{res()}),
		row("epoll_wait", w, 0, 232, []int{256}, ObjNone, nil, params{res(), number("maxevents", Errno, Dec, 2, 4)}),
		epoll("epoll_create", 213, 254, number("size", Int32, Dec, 0, 4)),
		epoll("epoll_create1", 291, 329, flags("flags", Flags32, Hex, epollCreate1Flags, 0, epollCreate1Bits.num)),
	}
}

// ppollTimeout is the interval that is left, which the call leaves behind. No interval is 0, as Falco has it. The older call of the 32-bit
// table has half as much of both numbers.
func ppollTimeout(r *Record) (uint64, bool) {
	const second, old = 1_000_000_000, 309
	if r.Compat32() && r.NR == old {
		sec, _ := r.at(2, PartMem, 0, 4)
		nsec, ok := r.at(2, PartMem, 4, 4)
		return sec*second + nsec, ok
	}
	sec, ok := r.at(2, PartMem, 0, 8)
	nsec, also := r.at(2, PartMem2, 0, 8)
	return sec*second + nsec, ok && also
}

func ppollMask(r *Record) (uint64, bool) { return r.at(3, PartMem3, 0, 4) }
