// SPDX-License-Identifier: Apache-2.0

package event

// The structures of this file are the bytes that cross the ring. Their C twins are in probe/bpf/abi.h; a test compares
// the two through the probe object's BTF. Everything is little endian and naturally aligned within its structure.

// Header opens every record.
type Header struct {
	Len      uint32    // bytes of the whole record, header included
	Event    ID        // the row of the event table
	Parts    uint8     // how many part lengths follow the header
	Flags    uint8     // FlagCompat32 and its siblings
	TS       uint64    // nanoseconds since boot (CLOCK_BOOTTIME)
	Start    uint64    // the process's start: its group leader's start_boottime, in nanoseconds
	PID      uint32    // process (thread group), in the initial pid namespace
	TID      uint32    // thread, in the initial pid namespace
	PPID     uint32    // the parent's process, in the initial pid namespace
	UID      uint32    // effective, in the initial user namespace
	GID      uint32    // effective, in the initial user namespace
	LoginUID uint32    // audit login user, 4294967295 when unset
	Cgroup   uint64    // kernfs id of the cgroup in the v2 hierarchy
	Cgroup1  uint64    // kernfs id in the first v1 controller in use, 0 without one
	Ret      int64     // what the system call returned
	Args     [6]uint64 // the argument registers as the call left them; 32-bit calls zero-extended
	NR       uint16    // system call number in its own table
	CPU      uint16
	Lost     uint32 // events lost on this CPU since the record before this one
}

// HeaderSize is the size of Header in bytes.
const HeaderSize = 128

// Header flags.
const (
	FlagCompat32  = 1 << iota // a call through the 32-bit table
	FlagTruncated             // a part was longer than the probe copies
	FlagFault                 // a part could not be read
	FlagChild                 // the child's side of a clone
	FlagGroupDead             // procexit: the last thread of the process
	FlagFailed                // execve that did not happen
	FlagIOUring               // a request of io_uring that stands for the system call
	FlagUnknown               // a request of io_uring whose result is not known
)

// Part lengths: the top bit marks a truncated part, partAbsent one that was not captured or could not be read.
const (
	partTruncated = 0x80000000
	partAbsent    = 0xffffffff
)

// FileFacts is what the kernel's file object says of itself.
type FileFacts struct {
	Ino   uint64
	Ctime uint64 // nanoseconds since the epoch
	Dev   uint32 // kernel's dev_t: major<<20 | minor
	FMode uint32 // file->f_mode
	FFlag uint32 // file->f_flags
	Nlink uint32
	Magic uint32 // super block magic
	Mode  uint16 // inode->i_mode
	Kind  uint8  // FileKind
	Layer uint8  // 0 not overlayfs, 1 upper layer, 2 lower layer
}

// FileKind is the kind of object behind a descriptor.
type FileKind uint8

// The kinds that the probe tells apart.
const (
	KindUnknown FileKind = iota
	KindFile
	KindDirectory
	KindFIFO
	KindChar
	KindBlock
	KindIPv4
	KindIPv6
	KindUnix
	KindNetlink
	KindPacket
	KindSocket // another address family
	KindMemfd
	KindAnon // an anonymous inode: eventfd, epoll, bpf and the like
)

// SockFacts is what the kernel's socket says of itself. Ports are in host order.
type SockFacts struct {
	LAddr   [16]byte
	RAddr   [16]byte
	Family  uint16
	Type    uint16
	Proto   uint16
	LPort   uint16
	RPort   uint16
	State   uint8 // TCP state numbers
	PathLen uint8 // bytes of Path in use (unix)
	Queue   uint32
	MaxQ    uint32
	Role    uint8 // SockRole
	Bound   uint8 // 1 when a program has bound it to a port or an address
	Pad     [2]uint8
	Sock    uint64 // unix: address of this end, to tell sockets apart
	Peer    uint64 // unix: address of the other end
	Path    [112]byte
}

// SockRole says which end of a connection a socket is.
type SockRole uint8

// The ends. RoleUnknown is also that of a socket without a connection.
const (
	RoleUnknown SockRole = iota
	RoleClient
	RoleServer
)

// TaskFacts is what the kernel's task says of itself; ids are of the initial namespaces unless the name says virtual.
type TaskFacts struct {
	Start       uint64 // group leader's start_boottime
	ThreadStart uint64
	ParentStart uint64 // start_boottime of the real parent's group leader
	PidnsStart  uint64 // start_boottime of the init of the task's pid namespace
	Cgroup      uint64
	Cgroup1     uint64
	FaultsMajor uint64
	FaultsMinor uint64
	FDLimit     uint64 // soft RLIMIT_NOFILE
	CapInh      uint64
	CapPrm      uint64
	CapEff      uint64
	ExeIno      uint64
	ExeCtime    uint64 // nanoseconds since the epoch
	ExeMtime    uint64
	ExeDev      uint32 // kernel's dev_t
	ExeFlags    uint32 // EXE_* of execve_flags
	PID         uint32
	TID         uint32
	PTID        uint32 // real parent's thread id
	PPID        uint32 // real parent's process id
	VPID        uint32
	VTID        uint32
	PGID        uint32
	VPGID       uint32
	SID         uint32 // virtual
	TTY         uint32 // device number as tty_devnum of proc
	LoginUID    uint32
	UID         uint32 // effective
	GID         uint32 // effective
	VMSize      uint32 // KiB
	VMRSS       uint32
	VMSwap      uint32
	Flags       uint32 // TaskKthread and its siblings
	Stdio       [3]uint8
	Pad         uint8
	Comm        [16]byte
}

// TaskFacts flags.
const (
	TaskKthread = 1 << iota
	TaskInPidns // the pid namespace is not the initial one
)

// NowFacts is what changes of a task while its image runs.
type NowFacts struct {
	CapInh      uint64
	CapPrm      uint64
	CapEff      uint64
	FDLimit     uint64 // soft RLIMIT_NOFILE
	FaultsMajor uint64
	FaultsMinor uint64
	PGID        uint32
	VPGID       uint32
	SID         uint32 // virtual
	VPID        uint32
	VTID        uint32
	TTY         uint32
}

// PollFacts is one descriptor that a poll waited for.
type PollFacts struct {
	FD      int32
	Revents uint16   // what the call found
	Kind    FileKind // of the object behind the descriptor
	Found   uint8    // 0 when there is none
	Name    [8]byte  // the beginning of an anonymous inode's name
}

// ExitFacts is what is known of a thread that leaves.
type ExitFacts struct {
	Code   uint32 // task->exit_code
	Reaper uint32 // thread that inherits the children, 0 when there are none
}

// MemoryFacts is how much memory the task's image has, in KiB.
type MemoryFacts struct {
	Size uint32 // address space
	RSS  uint32 // resident
	Swap uint32
}
