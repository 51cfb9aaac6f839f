// SPDX-License-Identifier: Apache-2.0

package event

// Op is what a capture recipe does. The numbers are shared with probe/bpf/abi.h.
type Op uint8

// The recipes. What is in a register or in the header needs none.
const (
	OpNone     Op = iota
	OpStr         // string in user memory, pointer in Arg; with Aux 1 the register need not be a pointer
	OpMem         // Size bytes of user memory at the pointer in Arg plus Off; with Aux 1 the register need not be a pointer
	OpSockAddr    // sockaddr in user memory, pointer in Arg, length in the register Aux
	OpFile        // FileFacts of the event's file
	OpPath        // path of the event's file, seen from the process's root
	OpFSPath      // path of the event's file inside its filesystem
	OpDir         // path of the directory descriptor in Arg (or the working directory) when the string of part Aux is relative
	OpSock        // SockFacts of the event's file; with Aux 1 its role and whether it was bound are among them
	OpQueue       // accept queue of the listening socket in Arg: length and limit
	OpTask        // TaskFacts
	OpArgv        // arguments of the running image, NUL separated
	OpEnv         // environment of the running image, NUL separated
	OpArgvUser    // arguments from the pointer vector in Arg (a failed execve)
	OpEnvUser     // environment from the pointer vector in Arg
	OpCwd         // path of the working directory
	OpExe         // path of the running image
	OpCgroups     // cgroup paths of Falco's controllers, NUL separated "name=path"
	OpFilename    // the kernel's copy of the file name given to execve
	OpExit        // ExitFacts
	OpMemory      // MemoryFacts
	OpBuffer      // user memory, pointer in Arg, as many bytes as the register Aux says but no more than Size
	OpPoll        // PollFacts of each descriptor in the vector in Arg, whose length is in the register Aux
	OpData        // what the call moves (see IO), as much of it as is kept
	OpSize        // uint32: the size of all buffers that the call names; what does not fit is the largest number
	OpPeer        // sockaddr of the other end, which the call was given or has filled in
	OpControl     // control data of a message that was received
	OpOption      // value of a socket option; with Aux 1 the length is behind a pointer
	OpChanged     // byte: 1 when the other end, in part Aux, is another than that of the socket's last message, else 0
	OpNow         // NowFacts
	OpHeld        // piece Arg of the row's Held
	OpPath2       // path of the second object that a hook inside the call has
)

// Controllers are the cgroup controllers whose paths OpCgroups captures, under the names that they have in v1 hierarchies (where
// the schema's io is called blkio).
var Controllers = [...]string{"cpuset", "cpu", "cpuacct", "blkio", "memory"}

// AtCwd as Arg of OpDir means the working directory whatever the call says.
const AtCwd = 0xff

// Object says where the event's file object comes from.
type Object uint8

// The objects: none, the descriptor that the call returned, or the one in an argument register. ObjRetPositive is for calls of which
// only some return a descriptor: they say 0 for a success of another kind.
const (
	ObjNone Object = iota
	ObjRet
	ObjArg0
	ObjArg1
	ObjArg2
	ObjArg3
	ObjArg4
	ObjArg5
	ObjRetPositive
	ObjAt0    // the descriptor that a call which succeeded left where argument 0 points
	ObjAt3    // the same of argument 3
	ObjInside // what the kernel finds for the call's paths
)

// IO says how a call names the data that it moves.
type IO uint8

// The ways: a buffer, one with the address that data go to or come from, a vector of buffers, a message, a vector of messages, each of
// which makes an event. IOWrites is set beside them when the call takes the data: they are there even when it fails.
const (
	IONone IO = iota
	IOBuffer
	IOTo
	IOFrom
	IOVector
	IOMessage
	IOMessages
	IOWrites IO = 0x80
)

// Part is one captured piece of a record and the recipe that captures it.
type Part struct {
	Kind PartKind
	Op   Op
	Arg  uint8
	Aux  uint8
	Size uint16
	Off  uint16
}

// PartKind names a captured piece, so that a reader can ask for it whatever its place in the row.
type PartKind uint8

// The pieces. A row has at most one of each kind.
const (
	PartNone   PartKind = iota
	PartName            // first path or string argument
	PartName2           // second path or string argument
	PartPath            // the kernel's path of the event's file
	PartFSPath          // its path inside its filesystem
	PartDir             // directory that PartName is relative to
	PartDir2            // directory that PartName2 is relative to
	PartFile            // FileFacts
	PartSock            // SockFacts
	PartSockAddr
	PartQueue // two uint32: length, limit
	PartTask  // TaskFacts
	PartArgv
	PartEnv
	PartCwd
	PartExe
	PartCgroups
	PartMem     // user memory, see the row
	PartMem2    // user memory, see the row
	PartExit    // ExitFacts
	PartName3   // third string argument
	PartMem3    // user memory, see the row
	PartMemory  // MemoryFacts
	PartPoll    // PollFacts, one after the other
	PartData    // what the call moved
	PartSize    // uint32: the size of its buffers
	PartControl // control data of a message
	PartChanged // byte: whether the socket talks to another than before
	PartNow     // NowFacts
	PartHere    // working directory, for fields of the process: paths of the call start from PartDir and PartCwd
	PartPath2   // the kernel's path of what PartName2 names, or of the file whose descriptor the call gave away
	partKinds
)

var partNames = [partKinds]string{
	"none", "name", "name2", "path", "fspath", "dir", "dir2", "file", "sock", "sockaddr", "queue", "task", "argv", "env",
	"cwd", "exe", "cgroups", "mem", "mem2", "exit", "name3", "mem3", "memory", "poll", "data", "size", "control", "changed", "now", "here", "path2",
}

// String returns the kind's name.
func (k PartKind) String() string { return partNames[k] }

// Parts is a set of part kinds.
type Parts uint32

// PartsOf returns the set of the given kinds.
func PartsOf(kinds ...PartKind) (s Parts) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s Parts) Has(k PartKind) bool { return s&(1<<k) != 0 }

// AllParts is every kind.
const AllParts Parts = 1<<partKinds - 1
