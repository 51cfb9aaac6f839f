// SPDX-License-Identifier: Apache-2.0

package event

func ipcRows() []Row {
	const p = CatProcess
	sembuf := parts{optional(PartMem, OpMem, 1, 6, 0), optional(PartMem2, OpMem, 1, 6, 6)}
	return []Row{
		row("semget", p, 0, 64, []int{393}, ObjNone, nil, params{
			res(), number("key", Int32, Hex, 0, 4), number("nsems", Int32, Dec, 1, 4), flags("semflg", Flags32, Hex, semgetFlags, 2, bits{{0o1000, 1 << 13}, {0o2000, 1 << 14}}.num),
		}),
		row("semop", p, 0, 65, []int{FirstShared + firstIPC}, ObjNone, sembuf, params{
			res(), number("nsops", Uint32, Dec, 2, 4),
			semOp("sem_num_0", Uint16, Dec, 0, 0), semOp("sem_op_0", Int16, Dec, 0, 2), semOp("sem_flg_0", Flags16, Hex, 0, 4).named(semopFlags),
			semOp("sem_num_1", Uint16, Dec, 1, 0), semOp("sem_op_1", Int16, Dec, 1, 2), semOp("sem_flg_1", Flags16, Hex, 1, 4).named(semopFlags),
			number("semid", Int32, Dec, 0, 4),
		}),
		row("semctl", p, 0, 66, []int{394}, ObjNone, nil, params{
			res(), number("semid", Int32, Dec, 0, 4), number("semnum", Int32, Dec, 1, 4),
			flags("cmd", Flags16, Hex, semctlCommands, 2, func(_ *Record, v uint64) uint64 { return semCommands[uint32(v)] }),
			calc("val", Int32, Dec, func(r *Record) (uint64, bool) {
				if uint32(r.Args[2]) != semSetVal {
					return 0, true
				}
				return extend(r.Args[3], 4, true), true
			}),
		}),
		row("futex", CatIPC, 0, 202, []int{240}, ObjNone, nil, params{
			res(), number("addr", Uint64, Hex, 0, 8), flags("op", Flags16, Hex, futexOperations, 1, futexOperation), number("val", Uint64, Dec, 2, 4),
		}),
		row("nanosleep", CatSleep, 0, 35, []int{162}, ObjNone, twoWords(0), params{
			res(), calc("interval", RelTime, Dec, func(r *Record) (uint64, bool) {
				seconds, ok := r.long(0, 0)
				nanoseconds, ok2 := r.long(0, 1)
				return seconds*1e9 + nanoseconds, ok && ok2
			}, PartMem, PartMem2),
		}),
	}
}

// semOp is a member of the i-th operation of a semop that succeeded, 0 of those that it does not have.
func semOp(name string, t Type, p Print, i, off int) Param {
	k := [...]PartKind{PartMem, PartMem2}[i]
	return calc(name, t, p, func(r *Record) (uint64, bool) {
		if r.Ret != 0 || int(uint32(r.Args[2])) <= i {
			return 0, true
		}
		v, ok := r.at(1, k, off, 2)
		if t == Flags16 {
			v = bits{{0o4000, 1}, {0x1000, 2}}.convert(v) // IPC_NOWAIT, SEM_UNDO
		}
		return extend(v, 2, t.Signed()), ok
	}, k)
}

// Kernel values: include/uapi/linux/ipc.h, sem.h.
const semSetVal = 16

var semCommands = map[uint32]uint64{
	2: 1 << 0, 1: 1 << 1, 0: 1 << 2, 3: 1 << 3, 19: 1 << 4, 18: 1 << 5, 13: 1 << 6, 14: 1 << 7, 11: 1 << 8, 12: 1 << 9, 15: 1 << 10, 17: 1 << 11,
	semSetVal: 1 << 12,
}

// futexOperation keeps what the schema knows of include/uapi/linux/futex.h: the first 13 operations, and two flags.
func futexOperation(_ *Record, v uint64) uint64 {
	const private, realtime = 128, 256
	out := v & 127
	if out > 12 {
		out = 0
	}
	return out | v&(private|realtime)
}
