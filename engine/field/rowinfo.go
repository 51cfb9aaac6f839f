// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// rowKind is what a row's event does to its descriptor, where fields care.
type rowKind uint8

const (
	rowOther rowKind = iota
	rowOpen          // opens a path: open, openat, openat2, open_by_handle_at
	rowCreat
	rowConnect
	rowAccept
	rowBind
	rowSocket // makes a socket
	rowMemfd
	rowPipe
	rowSend    // hands data to a socket
	rowReceive // takes data from a socket
)

// pathUse says which of a row's path parameters are fs.path.name, .source and .target.
type pathUse struct {
	object               bool // name is the path of the event's file when there is no path parameter
	name, source, target string
}

// pathRows is Falco's list of events that have fs.path fields, with their parameters, and creat.
var pathRows = map[string]pathUse{
	"open": {name: "name"}, "openat": {name: "name"}, "openat2": {name: "name"}, "creat": {name: "name"},
	"mkdir": {name: "path"}, "mkdirat": {name: "path"}, "rmdir": {name: "path"},
	"unlink": {name: "path"}, "unlinkat": {name: "name"},
	"chmod": {name: "filename"}, "fchmodat": {name: "filename"}, "fchmod": {object: true},
	"chown": {name: "path"}, "lchown": {name: "path"}, "fchownat": {name: "pathname"}, "fchown": {object: true},
	"quotactl": {name: "special"}, "umount": {name: "name"}, "umount2": {name: "name"},
	"rename": {source: "oldpath", target: "newpath"}, "renameat": {source: "oldpath", target: "newpath"},
	"renameat2": {source: "oldpath", target: "newpath"},
	"link":      {source: "newpath", target: "oldpath"}, "linkat": {source: "newpath", target: "oldpath"},
	"symlink": {source: "linkpath", target: "target"}, "symlinkat": {source: "linkpath", target: "target"},
	"mount": {source: "dev", target: "dir"},
}

// rowInfo is what fields know of a row before any event of it comes.
type rowInfo struct {
	kind    rowKind
	fd      int // the parameter that is the event's descriptor, -1 without one
	path    int // the first path parameter, -1 without one
	path2   int // the second
	tracept bool
	inside  bool // the pieces of a file are those of what the kernel found for the call's path, and no descriptor's
	data    int  // the buffer parameter
	fds     int  // the list of descriptors that a poll waits for
	flags   int
	mode    int
	pathUse
	fsName, fsSource, fsTarget int
}

var rowInfos = buildRowInfos()

func buildRowInfos() []rowInfo {
	kinds := map[string]rowKind{
		"open": rowOpen, "openat": rowOpen, "openat2": rowOpen, "open_by_handle_at": rowOpen, "creat": rowCreat,
		"connect": rowConnect, "accept": rowAccept, "accept4": rowAccept, "bind": rowBind, "socket": rowSocket,
		"memfd_create": rowMemfd, "pipe": rowPipe, "pipe2": rowPipe,
		"send": rowSend, "sendto": rowSend, "sendmsg": rowSend, "sendmmsg": rowSend,
		"recv": rowReceive, "recvfrom": rowReceive, "recvmsg": rowReceive, "recvmmsg": rowReceive,
	}
	rows := event.Rows()
	infos := make([]rowInfo, len(rows))
	for id := range rows {
		row, r := &rows[id], &infos[id]
		*r = rowInfo{
			kind: kinds[row.Name], tracept: row.Flags&event.Tracepoint != 0, pathUse: pathRows[row.Name],
			fd: -1, path: -1, path2: -1, inside: row.HeldFrom == event.ObjInside,
		}
		param := func(name string) int {
			if i, ok := row.Param(name); ok && name != "" {
				return i
			}
			return -1
		}
		r.data, r.flags, r.mode = param("data"), param("flags"), param("mode")
		if r.fds = param("fds"); r.fds >= 0 && row.Params[r.fds].Type != event.FDList {
			r.fds = -1
		}
		if r.data >= 0 && row.Params[r.data].Type != event.ByteBuf {
			r.data = -1
		}
		r.fsName, r.fsSource, r.fsTarget = param(r.name), param(r.source), param(r.target)
		for i, p := range row.Params {
			isPath := p.Type == event.FSPath || p.Type == event.FSRelPath
			switch {
			case p.Type == event.FD && r.fd < 0 && row.Flags&(event.CreatesFD|event.UsesFD) != 0 && !(p.IsResult() && row.Flags&event.CreatesFD == 0):
				r.fd = i
			case p.Needs()&event.PartsOf(event.PartName, event.PartPath) != 0 && isPath:
				r.path = i
			case p.Needs().Has(event.PartName2) && isPath:
				r.path2 = i
			}
		}
		if r.fd < 0 && row.Flags&event.CreatesFD != 0 {
			r.fd = 0 // the result, under the type of an error's
		}
	}
	return infos
}

func (c *Ctx) row() *rowInfo { return &rowInfos[c.Rec.Event] }

// ioCalls are the system calls that read from a descriptor or write to it, for those too that have no row of their own.
var ioCalls = buildIOCalls()

const (
	callReads = 1 << iota
	callWrites
	callWaits
)

func buildIOCalls() (calls [2][event.MaxSyscall]uint8) {
	for bits, names := range map[uint8][]string{
		callReads: {
			"read", "readv", "pread64", "preadv", "preadv2", "recv", "recvfrom", "recvmsg", "recvmmsg",
			"finit_module",
		},
		callWrites: {
			"write", "writev", "pwrite64", "pwritev", "pwritev2", "send", "sendto", "sendmsg", "sendmmsg",
		},
		callReads | callWrites: {"copy_file_range"},
		callWaits: {
			"poll", "ppoll", "ppoll_time64", "select", "_newselect", "epoll_wait", "nanosleep",
		},
	} {
		for _, name := range names {
			nr64, nr32, _ := event.SyscallNumber(name)
			if nr64 >= 0 && nr64 < event.MaxSyscall {
				calls[0][nr64] |= bits
			}
			if nr32 >= 0 && nr32 < event.MaxSyscall {
				calls[1][nr32] |= bits
			}
		}
	}
	return calls
}

// io tells what the event's system call does to its descriptor.
func (c *Ctx) io() uint8 {
	if c.row().tracept || c.Rec.NR >= event.MaxSyscall {
		return 0
	}
	table := 0
	if c.Rec.Compat32() {
		table = 1
	}
	return ioCalls[table][c.Rec.NR]
}
