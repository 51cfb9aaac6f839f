// SPDX-License-Identifier: Apache-2.0

// Package event holds the record that the probe sends and the event table that says what is in it.
//
// The table (table_*.go) is the one description of the kernel that everything else reads: the loader takes the capture
// recipes from it, the decoder its views, the rule checker its names and types. A plain new system call is one line there.
package event

// Type is the type of a parameter or of a field, under the names that Falco's schema uses.
type Type uint8

// The types of the schema. The zero Type is no type.
const (
	None Type = iota
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	CharBuf
	ByteBuf
	Errno
	SockAddr
	SockTuple
	FD
	PID
	SyscallID
	SigType
	RelTime
	AbsTime
	Port
	L4Proto
	Bool
	IPAddr
	IPNet
	Dynamic
	Flags8
	Flags16
	Flags32
	EnumFlags8
	EnumFlags16
	EnumFlags32
	UID
	GID
	Double
	Mode
	FSPath
	FSRelPath
	SigSet
	FDList
)

var typeNames = [...]string{
	None: "NONE", Int8: "INT8", Int16: "INT16", Int32: "INT32", Int64: "INT64", Uint8: "UINT8", Uint16: "UINT16",
	Uint32: "UINT32", Uint64: "UINT64", CharBuf: "CHARBUF", ByteBuf: "BYTEBUF", Errno: "ERRNO", SockAddr: "SOCKADDR",
	SockTuple: "SOCKTUPLE", FD: "FD", PID: "PID", SyscallID: "SYSCALLID", SigType: "SIGTYPE", RelTime: "RELTIME",
	AbsTime: "ABSTIME", Port: "PORT", L4Proto: "L4PROTO", Bool: "BOOL", IPAddr: "IPADDR", IPNet: "IPNET",
	Dynamic: "DYNAMIC", Flags8: "FLAGS8", Flags16: "FLAGS16", Flags32: "FLAGS32", EnumFlags8: "ENUMFLAGS8",
	EnumFlags16: "ENUMFLAGS16", EnumFlags32: "ENUMFLAGS32", UID: "UID", GID: "GID", Double: "DOUBLE", Mode: "MODE",
	FSPath: "FSPATH", FSRelPath: "FSRELPATH",
	SigSet: "SIGSET", FDList: "FDLIST",
}

// String returns the name that Falco's schema and --list use for t.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "UNKNOWN"
}

// Signed reports whether values of t are signed numbers.
func (t Type) Signed() bool {
	switch t {
	case Int8, Int16, Int32, Int64, Errno, FD, PID:
		return true
	}
	return false
}

// IsFlags reports whether values of t are sets of named bits.
func (t Type) IsFlags() bool { return t == Flags8 || t == Flags16 || t == Flags32 || t == Mode }

// IsEnum reports whether values of t are one named value.
func (t Type) IsEnum() bool { return t == EnumFlags8 || t == EnumFlags16 || t == EnumFlags32 }

// IsString reports whether values of t are text.
func (t Type) IsString() bool { return t == CharBuf || t == FSPath || t == FSRelPath }

// isBytes reports whether values of t are bytes rather than numbers.
func (t Type) isBytes() bool { return t.IsString() || t == ByteBuf }

// Print says how a number is written.
type Print uint8

// The notations of the schema: none, decimal, upper-case hexadecimal and octal.
const (
	NA Print = iota
	Dec
	Hex
	Oct
)

// String returns the schema's name of the notation.
func (p Print) String() string { return [...]string{"NA", "DEC", "HEX", "OCT"}[p&3] }

// Flag is one named value of a flag set.
type Flag struct {
	Name  string
	Value uint32
}

// FlagSet is an ordered list of names for the bits or values of a parameter.
type FlagSet struct {
	Name  string
	Flags []Flag
}

// Category groups events as evt.category reports them.
type Category uint8

// The categories of the schema.
const (
	CatOther Category = iota
	CatFile
	CatNet
	CatIPC
	CatMemory
	CatProcess
	CatSleep
	CatSystem
	CatSignal
	CatUser
	CatTime
	CatIORead
	CatIOWrite
	CatIOOther
	CatWait
	CatScheduler
	CatInternal
)

var categoryNames = [...]string{
	CatOther: "other", CatFile: "file", CatNet: "net", CatIPC: "ipc", CatMemory: "memory", CatProcess: "process",
	CatSleep: "sleep", CatSystem: "system", CatSignal: "signal", CatUser: "user", CatTime: "time",
	CatIORead: "IO", CatIOWrite: "IO", CatIOOther: "IO", CatWait: "wait", CatScheduler: "scheduler",
	CatInternal: "internal",
}

// String returns the word that evt.category prints.
func (c Category) String() string {
	if int(c) < len(categoryNames) {
		return categoryNames[c]
	}
	return "unknown"
}

// RowFlags say what an event does to descriptors and where it comes from.
type RowFlags uint16

// The flags of a row. Internal rows feed the state and are neither listed nor matched.
const (
	CreatesFD RowFlags = 1 << iota
	UsesFD
	ModifiesState
	Tracepoint
	Internal
	// Life rows travel in the ring of their own that file events cannot fill.
	Life
	// Flood rows are so many that only a rule about named event types asks for them, not one that takes any event.
	Flood
)
