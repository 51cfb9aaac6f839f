// SPDX-License-Identifier: Apache-2.0

package live

// The twins of the structures in probe/bpf/abi.h that describe io_uring's operations.

type requestArg struct {
	At, Also, Copy            uint16
	Size, Flags, SQE, SQESize uint8
	_                         uint16
	Clear                     uint32
}

const (
	argName = 1 << iota
	argEarly
	argCopy
	argUnless
)

type request struct {
	Slot, NR                      [2]uint16 // by table: native, 32-bit
	Early, User, Filled           uint16
	File, Fixed, Direct, Position uint16
	_                             uint16
	Arg                           [6]requestArg
}

const (
	maxRequests = 256
	// namesakes is how many requests of one ring may have one name at one time where completions do not name the request.
	namesakes = 8
)

// operation is one operation of io_uring and the system call that it stands for. What the kernel keeps of it is named by its structures'
// members, which are looked up in the running kernel's type information: a name that it does not have is not kept, and its value
// is read from the submission entry.
type operation struct {
	code       uint8
	call       string
	args       []operand // as the call has them
	positioned string    // the call when the request has a position, its fourth argument
	direct     string    // the place in the table of registered files that a new descriptor goes to
	fixed      int       // the argument whose highest bit says that a descriptor which is not the request's own is in that table, counted from 1
}

// operand is one argument. Members are written STRUCTURE.MEMBER; of several separated by a bar, the first that exists counts.
type operand struct {
	member string
	entry  place
	also   string // a member whose bits belong to the value too
	unless string // a member that stands instead of the value when it is not 0: a place in the table of registered files
	copy   string // the kernel's copy of what the value points to
	clear  uint32 // bits that the kernel sets by itself
	own    bool   // the descriptor of the request's own file
	filled bool   // the value points to what the call fills in
}

// place is where the submission entry has a value: offset and size.
type place struct{ at, size uint8 }

// struct io_uring_sqe of include/uapi/linux/io_uring.h.
var (
	entryFD      = place{4, 4}
	entryOff     = place{8, 8} // also addr2
	entryAddr    = place{16, 8}
	entryLen     = place{24, 4}
	entryFlags   = place{28, 4} // the operation's own flags
	entrySplice  = place{44, 4}
	entryAddrLen = place{44, 2}
	entryAddr3   = place{48, 8}
)

// Bits that the kernel sets in what it keeps: MSG_NOSIGNAL of include/linux/socket.h, O_LARGEFILE of include/uapi/asm-generic/fcntl.h.
const (
	msgNoSignal = 0x4000
	largeFile   = 0o100000
)

var operations = buildOperations()

func buildOperations() []operation {
	arg := func(member string, entry place) operand { return operand{member: member, entry: entry} }
	file := operand{member: "io_kiocb.cqe.fd", entry: entryFD, own: true}
	buffer, length := arg("io_rw.addr", entryAddr), arg("io_rw.len", entryLen)
	rw := []operand{file, buffer, length, {entry: entryOff}} // where the position is the file's own, the request does not keep that it is
	msgFlags := operand{member: "io_sr_msg.msg_flags", entry: entryFlags, clear: msgNoSignal}
	send := []operand{file, arg("io_sr_msg.buf", entryAddr), arg("io_sr_msg.len", entryLen), msgFlags,
		arg("io_sr_msg.addr", entryOff), arg("io_sr_msg.addr_len", entryAddrLen)}
	msg := []operand{file, arg("io_sr_msg.umsg", entryAddr), msgFlags}
	return []operation{
		{code: 1, call: "readv", positioned: "preadv", args: rw},
		{code: 2, call: "writev", positioned: "pwritev", args: rw},
		{code: 4, call: "read", positioned: "pread64", args: rw},
		{code: 5, call: "write", positioned: "pwrite64", args: rw},
		{code: 9, call: "sendmsg", args: msg},
		{code: 10, call: "recvmsg", args: msg},
		{code: 13, call: "accept4", direct: "io_accept.file_slot",
			args: []operand{file, arg("io_accept.addr", entryAddr), arg("io_accept.addr_len", entryOff), arg("io_accept.flags", entryFlags)}},
		{code: 16, call: "connect",
			args: []operand{file, arg("io_connect.addr", entryAddr), arg("io_connect.addr_len", entryOff)}},
		{code: 17, call: "fallocate", args: []operand{file, arg("io_sync.mode", entryLen), arg("io_sync.off", entryOff), arg("io_sync.len", entryAddr)}},
		{code: 18, call: "openat", direct: "io_open.file_slot",
			args: []operand{arg("io_open.dfd", entryFD), arg("io_open.filename", entryAddr), {member: "io_open.how.flags", entry: entryFlags, clear: largeFile}, arg("io_open.how.mode", entryLen)}},
		{code: 19, call: "close", args: []operand{{member: "io_close.fd", entry: entryFD, unless: "io_close.file_slot"}}},
		{code: 21, call: "statx", args: []operand{
			arg("io_statx.dfd", entryFD), arg("io_statx.filename", entryAddr), arg("io_statx.flags", entryFlags), arg("io_statx.mask", entryLen), arg("io_statx.buffer", entryOff)}},
		{code: 22, call: "read", positioned: "pread64", args: rw},
		{code: 23, call: "write", positioned: "pwrite64", args: rw},
		{code: 26, call: "sendto", args: send},
		{code: 27, call: "recvfrom", args: send[:4]},
		{code: 28, call: "openat2", direct: "io_open.file_slot",
			args: []operand{arg("io_open.dfd", entryFD), arg("io_open.filename", entryAddr), {entry: entryOff, copy: "io_open.how"}, {entry: entryLen}}},
		{code: 29, call: "epoll_ctl", args: []operand{arg("io_epoll.epfd", entryFD), arg("io_epoll.op", entryLen), arg("io_epoll.fd", entryOff), {entry: entryAddr}}},
		{code: 25, call: "madvise", args: []operand{arg("io_madvise.addr", entryAddr), arg("io_madvise.len", entryLen), arg("io_madvise.advice", entryFlags)}},
		{code: 30, call: "splice", fixed: 6, args: []operand{
			arg("io_splice.splice_fd_in", entrySplice), arg("io_splice.off_in", entryAddr), file, arg("io_splice.off_out", entryOff), arg("io_splice.len", entryLen), arg("io_splice.flags", entryFlags)}},
		{code: 33, call: "tee", fixed: 4, args: []operand{arg("io_splice.splice_fd_in", entrySplice), file, arg("io_splice.len", entryLen), arg("io_splice.flags", entryFlags)}},
		{code: 34, call: "shutdown", args: []operand{file, arg("io_shutdown.how", entryLen)}},
		{code: 35, call: "renameat2", args: []operand{
			arg("io_rename.old_dfd", entryFD), arg("io_rename.oldpath", entryAddr), arg("io_rename.new_dfd", entryLen), arg("io_rename.newpath", entryOff), arg("io_rename.flags", entryFlags)}},
		{code: 36, call: "unlinkat", args: []operand{arg("io_unlink.dfd", entryFD), arg("io_unlink.filename", entryAddr), arg("io_unlink.flags", entryFlags)}},
		{code: 37, call: "mkdirat", args: []operand{arg("io_mkdir.dfd", entryFD), arg("io_mkdir.filename", entryAddr), arg("io_mkdir.mode", entryLen)}},
		{code: 38, call: "symlinkat", args: []operand{
			arg("io_link.oldpath|io_symlink.oldpath", entryAddr), arg("io_link.new_dfd|io_symlink.new_dfd", entryFD), arg("io_link.newpath|io_symlink.newpath", entryOff)}},
		{code: 39, call: "linkat", args: []operand{
			arg("io_link.old_dfd|io_hardlink.old_dfd", entryFD), arg("io_link.oldpath|io_hardlink.oldpath", entryAddr), arg("io_link.new_dfd|io_hardlink.new_dfd", entryLen),
			arg("io_link.newpath|io_hardlink.newpath", entryOff), arg("io_link.flags|io_hardlink.flags", entryFlags)}},
		{code: 41, call: "fsetxattr", args: []operand{file, {entry: entryAddr}, {entry: entryOff}, {entry: entryLen}, {entry: entryFlags}}},
		{code: 42, call: "setxattr", args: []operand{arg("io_xattr.filename", entryAddr3), {entry: entryAddr}, {entry: entryOff}, {entry: entryLen}, {entry: entryFlags}}},
		{code: 45, call: "socket", direct: "io_socket.file_slot",
			args: []operand{arg("io_socket.domain", entryFD), {member: "io_socket.type", also: "io_socket.flags", entry: entryOff}, arg("io_socket.protocol", entryLen)}},
		{code: 47, call: "sendto", args: send},
		{code: 48, call: "sendmsg", args: msg},
		{code: 49, call: "read", positioned: "pread64", args: rw},
		{code: 58, call: "recvfrom", args: []operand{file}},
		{code: 55, call: "ftruncate", args: []operand{file, arg("io_ftrunc.len", entryOff)}},
		{code: 56, call: "bind", args: []operand{file, {entry: entryAddr}, arg("io_bind.addr_len", entryOff)}},
		{code: 57, call: "listen", args: []operand{file, arg("io_listen.backlog", entryLen)}},
		{code: 60, call: "readv", positioned: "preadv", args: rw},
		{code: 61, call: "writev", positioned: "pwritev", args: rw},
		{code: 62, call: "pipe2", direct: "io_pipe.file_slot",
			args: []operand{{member: "io_pipe.fds", entry: entryAddr, filled: true}, arg("io_pipe.flags", entryFlags)}},
	}
}
