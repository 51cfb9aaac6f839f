// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

// descriptorRows are the calls on descriptors, whatever is behind them, and those that make descriptors of other things than paths.
func descriptorRows() []Row {
	const (
		f, io, makes   = CatFile, CatIOOther, CreatesFD | ModifiesState
		nonblock, exec = kernelONonblock, kernelOCloexec
	)
	bare, result := fd("fd", 0).printed(NA), ret("res", FD, Dec)
	dup := func(name string, nr64, nr32 int, more ...Param) Row {
		return row(name, io, makes|UsesFD, nr64, []int{nr32}, ObjRet, descriptor(), append(params{result, fd("oldfd", 0)}, more...))
	}
	offset := number("offset", Uint64, Dec, 1, 8).via(signedOffset)
	whence := func(arg uint8) Param { return enum("whence", EnumFlags8, lseekWhence, arg) }
	none := func(t Type) Param { return number("flags", t, Hex, 0, 4).via(constant(0)) }
	clock := number("clockid", Uint8, Dec, 0, 1)
	replaced := Part{Kind: PartPath2, Op: OpPath2}
	return []Row{
		// what the descriptor was is gone
		row("close", io, UsesFD|ModifiesState, 3, []int{6}, ObjNone, nil, params{res(), fd("fd", 0)}).holding(ObjArg0, descriptor()...),
		row("close_range", io, ModifiesState, 436, []int{436}, ObjNone, nil, params{
			res(), number("first", Uint32, Dec, 0, 4), number("last", Uint32, Dec, 1, 4), flags("flags", Flags32, Hex, closeRangeFlags, 2, known(6)),
		}),
		dup("dup", 32, 41),
		dup("dup2", 33, 63, fd("newfd", 1)).holding(ObjArg1, replaced),
		dup("dup3", 292, 330, fd("newfd", 1), flags("flags", Flags32, Hex, fileFlags, 2, newDescriptor(exec))).holding(ObjArg1, replaced),
		row("fcntl", io, UsesFD|ModifiesState, 72, []int{55, 221}, ObjArg0, descriptor(), params{
			result, fd("fd", 0), flags("cmd", EnumFlags8, Dec, fcntlCommands, 1, fcntlCommand), number("arg", Uint64, Hex, 2, 8),
		}),
		row("ioctl", io, UsesFD, 16, []int{54}, ObjArg0, descriptor(), params{
			res(), fd("fd", 0), number("request", Uint64, Hex, 1, 4), number("argument", Uint64, Hex, 2, 8),
		}),
		row("flock", f, UsesFD, 73, []int{143}, ObjArg0, descriptor(), params{res(), bare, flags("operation", Flags32, Hex, flockFlags, 1, known(15))}),
		row("lseek", f, UsesFD, 8, []int{19}, ObjArg0, descriptor(), params{res(), fd("fd", 0), offset, whence(2)}),
		row("llseek", f, UsesFD, -1, []int{140}, ObjArg0, descriptor(), params{res(), fd("fd", 0), number("offset", Uint64, Dec, 1, 8).via(longOffset), whence(4)}),
		row("fstat", f, UsesFD, 5, []int{108}, ObjArg0, descriptor(), params{res(), bare}),
		row("fstat64", f, 0, -1, []int{197}, ObjNone, nil, params{res()}),
		row("getdents", f, UsesFD, 78, []int{141}, ObjArg0, file(), params{res(), bare}),
		row("getdents64", f, UsesFD, 217, []int{220}, ObjArg0, file(), params{res(), bare}),
		openByHandleRow(),
		row("splice", io, UsesFD, 275, []int{313}, ObjArg0, descriptor(), params{
			res(), fd("fd_in", 0), fd("fd_out", 2), number("size", Uint64, Dec, 4, 8), flags("flags", Flags32, Hex, spliceFlags, 5, known(15)),
		}),
		row("copy_file_range", f, UsesFD, 326, []int{377}, ObjArg2, descriptor(), params{
			res(), fd("fdout", 2), number("offout", Uint64, Dec, 3, 8), fd("fdin", 0), number("offin", Uint64, Dec, 1, 8), number("len", Uint64, Dec, 4, 8),
		}),
		sendfileRow(),
		pipeRow("pipe", 22, 42),
		pipeRow("pipe2", 293, 331, flags("flags", Flags32, Hex, fileFlags, 1, newDescriptor(nonblock|exec|kernelODirect))),
		row("eventfd", CatIPC, makes, 284, []int{323}, ObjRet, descriptor(), params{result, number("initval", Uint64, Dec, 0, 4), none(Uint32)}),
		row("eventfd2", CatIPC, makes, 290, []int{328}, ObjRet, descriptor(), params{
			result, flags("flags", Flags16, Hex, fileFlags, 1, newDescriptor(nonblock|exec)), number("initval", Uint64, Dec, 0, 4),
		}),
		row("timerfd_create", CatTime, makes, 283, []int{322}, ObjRet, descriptor(), params{result, clock, number("flags", Uint8, Hex, 1, 4).via(timerfdFlags)}),
		row("signalfd", CatSignal, makes, 282, []int{321}, ObjRet, signals(), params{result, fd("fd", 0), mask(), none(Uint8)}),
		row("signalfd4", CatSignal, makes, 289, []int{327}, ObjRet, signals(), params{
			result, flags("flags", Flags16, Hex, fileFlags, 3, newDescriptor(nonblock|exec)), fd("fd", 0), mask(),
		}),
		row("inotify_init", CatIPC, makes, 253, []int{291}, ObjRet, descriptor(), params{result, none(Uint8)}),
		row("inotify_init1", CatIPC, makes, 294, []int{332}, ObjRet, descriptor(), params{result, flags("flags", Flags16, Hex, fileFlags, 0, newDescriptor(nonblock|exec))}),
	}
}

// openByHandleRow: the call has no path of its own, so that the file's is a parameter.
func openByHandleRow() Row {
	oflags := flags("flags", Flags32, Hex, fileFlags, 2, openFlags)
	oflags.view.also = PartsOf(PartFile)
	return row("open_by_handle_at", CatFile, CreatesFD|ModifiesState, 304, []int{342}, ObjRet, file(), join(
		params{newFD(), fd("mountfd", 0), oflags, text("path", FSPath, PartPath)}, devIno()))
}

// sendfileRow: the offset is where the call has got to. The older call of the 32-bit table keeps half as much of it.
func sendfileRow() Row {
	offset := calc("offset", Uint64, Dec, func(r *Record) (uint64, bool) {
		const old = 187
		low, ok := r.at(2, PartMem, 0, 4)
		if r.Compat32() && r.NR == old {
			return low, ok
		}
		high, also := r.at(2, PartMem2, 0, 4)
		return high<<32 | low, ok && also
	}, PartMem, PartMem2)
	return row("sendfile", CatIOWrite, UsesFD, 40, []int{187, 239}, ObjArg0, descriptor(optional(PartMem, OpMem, 2, 4, 0), optional(PartMem2, OpMem, 2, 4, 4)), params{
		res(), offset, fd("out_fd", 0), fd("in_fd", 1), number("size", Uint64, Dec, 3, 8),
	})
}

// pipeRow: the event is about the end to read from.
func pipeRow(name string, nr64, nr32 int, more ...Param) Row {
	end := func(name string, off uintptr) Param {
		return in(name, FD, Dec, PartMem, off, 4, func(r *Record, v uint64) uint64 {
			if r.Ret < 0 {
				return 1<<64 - 1
			}
			return v
		})
	}
	return row(name, CatIPC, CreatesFD|ModifiesState, nr64, []int{nr32}, ObjAt0, descriptor(Part{Kind: PartMem, Op: OpMem, Arg: 0, Size: 8}), append(params{
		res(), end("fd1", 0), end("fd2", 4), in("ino", Uint64, Dec, PartFile, unsafe.Offsetof(fileAt.Ino), 8, same),
	}, more...))
}

// signals is what a call captures that takes a set of signals.
func signals() parts { return descriptor(Part{Kind: PartMem, Op: OpMem, Arg: 1, Size: 8}) }

// mask is the half of a set of signals that the schema has room for.
func mask() Param { return in("mask", Uint32, Hex, PartMem, 0, 4, same) }
