// SPDX-License-Identifier: Apache-2.0

package event

// ioRows are the calls that move data. All of them name it in their second argument.
func ioRows() []Row {
	const in, out = CatIORead, CatIOWrite
	fd, size, vectorSize := fd("fd", 0), number("size", Uint32, Dec, 2, 4), bufferSize()
	filled, pos := moved("size", Uint32), position()
	tuple := ends(func(r *Record) bool { return r.Ret >= 0 })
	control := Part{Kind: PartControl, Op: OpControl}
	total := Part{Kind: PartSize, Op: OpSize}
	// of several messages each is an event, and a call for none is one without ends
	eachTuple := ends(func(r *Record) bool { return r.Ret >= 0 && uint32(r.Args[2]) != 0 })
	return []Row{
		ioRow("read", in, IOBuffer, 0, []int{3}, nil, params{res(), data(), fd, size}),
		ioRow("write", out, IOBuffer, 1, []int{4}, nil, params{res(), data(), fd, size}),
		ioRow("pread", in, IOBuffer, 17, []int{180}, nil, params{res(), data(), fd, size, pos}),
		ioRow("pwrite", out, IOBuffer, 18, []int{181}, nil, params{res(), data(), fd, size, pos}),
		ioRow("readv", in, IOVector, 19, []int{145}, nil, params{res(), filled, data(), fd}),
		ioRow("writev", out, IOVector, 20, []int{146}, parts{total}, params{res(), data(), fd, vectorSize}),
		ioRow("preadv", in, IOVector, 295, []int{333}, nil, params{res(), filled, data(), fd, pos}),
		ioRow("pwritev", out, IOVector, 296, []int{334}, parts{total}, params{res(), data(), fd, vectorSize, pos}),
		memoryRow("process_vm_readv", 310, 347),
		memoryRow("process_vm_writev", 311, 348),
		ioRow("sendto", out, IOTo, 44, []int{369}, peer(), params{res(), data(), fd, size, tuple}),
		ioRow("recvfrom", in, IOFrom, 45, []int{371}, peer(), params{res(), received(3), tuple, fd, size}),
		ioRow("sendmsg", out, IOMessage, 46, []int{370}, peer(total), params{res(), data(), fd, vectorSize, tuple}),
		ioRow("recvmsg", in, IOMessage, 47, []int{372}, peer(control), params{res(), filled, received(2), tuple, text("msgcontrol", ByteBuf, PartControl), fd}),
		ioRow("sendmmsg", out, IOMessages, 307, []int{345}, peer(total), params{res(), fd, messageSize(), data(), eachTuple}),
		ioRow("recvmmsg", in, IOMessages, 299, []int{337, 417}, peer(control), params{res(), fd, filled, received(3), eachTuple, text("msgcontrol", ByteBuf, PartControl)}),
	}
}

// ioRow makes a row of a call that moves data of the descriptor in its first argument. What it kept comes last: it may be longer than what a
// part can begin behind.
func ioRow(name string, c Category, how IO, nr64 int, nr32 []int, more parts, p params) Row {
	if c == CatIOWrite {
		how |= IOWrites
	}
	caught := append(socketInUse(more...), Part{Kind: PartPath, Op: OpPath}, Part{Kind: PartFSPath, Op: OpFSPath}, Part{Kind: PartData, Op: OpData})
	r := row(name, c, UsesFD|ModifiesState, nr64, nr32, ObjArg0, caught, p)
	r.IO = how
	return r
}

// socketInUse is what a call on a descriptor captures that may be a socket with a role.
func socketInUse(more ...Part) parts {
	return append(parts{{Kind: PartFile, Op: OpFile}, {Kind: PartSock, Op: OpSock, Aux: 1}}, more...)
}

// peer is what a message has besides its data: the address of the other end, behind file and socket, and whether that is another than before.
func peer(more ...Part) parts {
	const addr = 2 // behind what socketInUse captures
	return append(parts{{Kind: PartSockAddr, Op: OpPeer}, {Kind: PartChanged, Op: OpChanged, Aux: addr}}, more...)
}

// memoryRow makes a row of a call that copies between the caller's memory, which is what is kept, and another process's.
func memoryRow(name string, nr64, nr32 int) Row {
	r := row(name, CatIPC, 0, nr64, []int{nr32}, ObjNone, parts{{Kind: PartData, Op: OpData}}, params{
		{Name: "res", Type: Int64, Print: Dec}, number("pid", PID, Dec, 0, 4), data(),
	})
	r.IO = IOVector
	return r
}

// ends is the tuple of a socket, in the calls that have one.
func ends(when func(r *Record) bool) Param {
	p := text("tuple", SockTuple, PartSock)
	p.view.when = when
	return p
}

func data() Param { return text("data", ByteBuf, PartData) }

// received is data that a call may throw away instead of handing them over: recv(2) with MSG_TRUNC does so with what comes in a
// stream. flags is the register of the flags.
func received(flags int) Param {
	const trunc, sockStream, ip, ip6 = 0x20, 1, 2, 10 // include/linux/socket.h
	p := data()
	p.view.also = PartsOf(PartSock)
	p.view.when = func(r *Record) bool {
		if r.Args[flags]&trunc == 0 {
			return true
		}
		s, ok := r.Sock()
		return !ok || s.Type != sockStream || s.Family != ip && s.Family != ip6
	}
	return p
}

// moved is a number of bytes that follows from the result.
func moved(name string, t Type) Param {
	return Param{Name: name, Type: t, Print: Dec, view: view{kind: viewRet, num: func(_ *Record, v uint64) uint64 { return uint64(max(int64(v), 0)) }}}
}

// bufferSize is the size of all buffers of a vector.
func bufferSize() Param { return in("size", Uint32, Dec, PartSize, 0, 4, nil) }

// messageSize is bufferSize for calls that may move no message at all.
func messageSize() Param {
	p := bufferSize()
	p.view = view{kind: viewCalc, also: PartsOf(PartSize), calc: func(r *Record) (uint64, bool) {
		b, ok := r.Part(PartSize)
		if !ok || len(b) < 4 {
			return 0, r.Ret <= 0
		}
		return load(b, 4), true
	}}
	return p
}

// position is the place in the file, which 32-bit calls pass in two registers.
func position() Param {
	p := number("pos", Uint64, Dec, 3, 8)
	p.view.num = func(r *Record, v uint64) uint64 {
		if r.Compat32() {
			return v | r.Args[4]<<32
		}
		return v
	}
	return p
}
