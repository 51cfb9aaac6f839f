// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

func netRows() []Row {
	const n = CatNet
	addr := Part{Kind: PartSockAddr, Op: OpSockAddr, Arg: 1, Aux: 2}
	tuple := ends(nil)
	connected := ends(func(r *Record) bool { return r.Ret >= 0 || r.Ret == -einprogress })
	sockaddr := text("addr", SockAddr, PartSockAddr)
	queue := Part{Kind: PartQueue, Op: OpQueue, Arg: 0}
	accepted := params{
		newFD(), tuple, in("queuepct", Uint8, Dec, PartQueue, 0, 4, queuePercent), in("queuelen", Uint32, Dec, PartQueue, 0, 4, same),
		in("queuemax", Uint32, Dec, PartQueue, 4, 4, same),
	}
	pair := Part{Kind: PartMem, Op: OpMem, Arg: 3, Aux: 1, Size: 8}
	backlog, how := number("backlog", Int32, Dec, 1, 4), flags("how", EnumFlags8, Hex, shutdownHow, 1, shutdownWay)
	return []Row{
		row("socket", n, CreatesFD|ModifiesState, 41, []int{359}, ObjRet, socket(),
			join(params{newFD()}, socketKind(), params{flags("flags", Flags32, Hex, fileFlags, 1, socketFlags)})),
		row("connect", n, UsesFD|ModifiesState, 42, []int{362}, ObjArg0, socket(addr), params{res(), connected, fd("fd", 0), sockaddr}),
		row("bind", n, UsesFD|ModifiesState, 49, []int{361}, ObjArg0, socket(addr), params{res(), sockaddr, fd("fd", 0)}),
		row("accept", n, CreatesFD|ModifiesState, 43, []int{FirstShared}, ObjRet, socket(queue), accepted),
		row("accept4", n, CreatesFD|ModifiesState, 288, []int{364}, ObjRet, socket(queue), join(accepted, params{number("flags", Int32, Hex, 3, 4)})),
		row("listen", n, UsesFD, 50, []int{363}, ObjArg0, socketInUse(), params{res(), fd("fd", 0), backlog}),
		row("shutdown", n, UsesFD|ModifiesState, 48, []int{373}, ObjArg0, socketInUse(), params{res(), fd("fd", 0), how}),
		row("socketpair", CatIPC, CreatesFD|ModifiesState, 53, []int{360}, ObjAt3, socket(pair), join(params{
			res(), in("fd1", FD, Dec, PartMem, 0, 4, madeFD), in("fd2", FD, Dec, PartMem, 4, 4, madeFD),
			in("source", Uint64, Hex, PartSock, unsafe.Offsetof(sockAt.Sock), 8, same), in("peer", Uint64, Hex, PartSock, unsafe.Offsetof(sockAt.Peer), 8, same),
		}, socketKind())),
		row("getsockname", n, 0, 51, []int{367}, ObjNone, nil, nil),
		row("getpeername", n, 0, 52, []int{368}, ObjNone, nil, nil),
		optionRow("setsockopt", UsesFD, 54, 366, 0, number("optlen", Uint32, Dec, 4, 4)),
		optionRow("getsockopt", UsesFD|ModifiesState, 55, 365, 1, in("optlen", Uint32, Dec, PartMem2, 0, 4, same), Part{Kind: PartMem2, Op: OpMem, Arg: 4, Size: 4}),
	}
}

var sockAt SockFacts

// socketKind are the parameters of calls that make sockets.
func socketKind() params {
	return params{flags("domain", EnumFlags32, Dec, socketFamilies, 0, family), number("type", Uint32, Dec, 1, 4), number("proto", Uint32, Dec, 2, 4)}
}

// madeFD is a descriptor that a call has left in memory: -1 when it made none.
func madeFD(r *Record, v uint64) uint64 {
	if r.Ret < 0 {
		return ^uint64(0)
	}
	return v
}

// shutdownWay is how a socket is shut down; what the kernel does not know is the schema's SHUT_UNKNOWN, cut to the parameter's size.
func shutdownWay(_ *Record, v uint64) uint64 {
	if uint32(v) > 2 {
		return 0xff
	}
	return v
}
