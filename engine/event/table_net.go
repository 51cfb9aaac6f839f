// SPDX-License-Identifier: Apache-2.0

package event

func netRows() []Row {
	const n = CatNet
	addr := Part{Kind: PartSockAddr, Op: OpSockAddr, Arg: 1, Aux: 2}
	tuple := text("tuple", SockTuple, PartSock)
	sockaddr := text("addr", SockAddr, PartSockAddr)
	queue := Part{Kind: PartQueue, Op: OpQueue, Arg: 0}
	accepted := params{
		newFD(), tuple, in("queuepct", Uint8, Dec, PartQueue, 0, 4, queuePercent), in("queuelen", Uint32, Dec, PartQueue, 0, 4, same),
		in("queuemax", Uint32, Dec, PartQueue, 4, 4, same),
	}
	return []Row{
		row("socket", n, CreatesFD|ModifiesState, 41, []int{359}, ObjRet, socket(), params{newFD(), flags("domain", EnumFlags32, Dec, socketFamilies, 0, family),
			number("type", Uint32, Dec, 1, 4), number("proto", Uint32, Dec, 2, 4), flags("flags", Flags32, Hex, fileFlags, 1, socketFlags)}),
		row("connect", n, UsesFD|ModifiesState, 42, []int{362}, ObjArg0, socket(addr), params{res(), tuple, fd("fd", 0), sockaddr}),
		row("bind", n, UsesFD|ModifiesState, 49, []int{361}, ObjArg0, socket(addr), params{res(), sockaddr, fd("fd", 0)}),
		row("accept", n, CreatesFD|ModifiesState, 43, []int{FirstShared}, ObjRet, socket(queue), accepted),
		row("accept4", n, CreatesFD|ModifiesState, 288, []int{364}, ObjRet, socket(queue), join(accepted, params{number("flags", Int32, Hex, 3, 4)})),
	}
}
