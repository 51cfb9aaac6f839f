// SPDX-License-Identifier: Apache-2.0

package event

import "slices"

// ID is the number of a row of the event table. It crosses the ring and lives as long as one run of the program.
type ID uint16

// Row describes one event.
type Row struct {
	ID       ID
	Name     string // evt.type
	Category Category
	Flags    RowFlags
	NR64     []int  // numbers in the 64-bit table
	NR32     []int  // numbers in the 32-bit table
	Object   Object // the file that the event is about
	IO       IO     // how it names the data that it moves
	Params   []Param
	Parts    []Part // captured pieces in the order in which they cross the ring
	// Failed, when set, is what a hook of its own leaves to sys_exit: the pieces of the call that did not happen.
	Failed []Part
	// Held are pieces of what is gone when the call returns, or out of reach. HeldFrom says where they are captured before.
	Held     []Part
	HeldFrom Object

	partIndex  [partKinds]int8
	failedPart [partKinds]int8
	byName     map[string]int
}

// Param is one parameter of an event: its place in the schema and the view that reads it from a record.
type Param struct {
	Name  string
	Type  Type
	Flags *FlagSet
	Print Print
	DirFD int8 // for FSRelPath: the parameter that holds its directory descriptor
	view  view
}

// Needs returns the captured pieces that the parameter is read from; none when the header holds it.
func (p *Param) Needs() Parts {
	return (p.view.also | 1<<p.view.part | 1<<p.view.text) &^ (1 << PartNone)
}

// IsResult reports whether the parameter is what the call returned.
func (p *Param) IsResult() bool { return p.view.kind == viewRet }

type viewKind uint8

const (
	viewRet viewKind = iota
	viewArg
	viewPart
	viewNR
	viewConst
	viewCalc
)

// view locates a parameter: a register, the result, or bytes of a part.
type view struct {
	kind viewKind
	arg  uint8
	size uint8 // bytes of a number; 0 is the whole part
	part PartKind
	off  uint16
	num  func(r *Record, v uint64) uint64 // the kernel's number to the schema's
	calc func(r *Record) (uint64, bool)   // viewCalc: the number, and whether it is known
	cut  func(b []byte) []byte            // the part's bytes to the parameter's
	when func(r *Record) bool             // the calls that have a parameter that is bytes; nil is all
	dyn  func(r *Record) Type             // the type of a dynamic parameter
	text PartKind                         // what holds a dynamic parameter where it is a string
	also Parts                            // other pieces that num and calc read
}

// Internal reports whether the row feeds the state only.
func (r *Row) Internal() bool { return r.Flags&Internal != 0 }

// Param returns the index of the named parameter.
func (r *Row) Param(name string) (int, bool) {
	i, ok := r.byName[name]
	return i, ok
}

// Captures reports whether the row can carry a part of kind k.
func (r *Row) Captures(k PartKind) bool { return r.partIndex[k] >= 0 || r.failedPart[k] >= 0 }

// Generic is the row of every system call that has none of its own.
const Generic ID = 1

type table struct {
	rows   []Row
	byName map[string][]ID
	nr64   [MaxSyscall]ID
	nr32   [MaxSyscall]ID
}

var events = buildTable()

func buildTable() *table {
	t := &table{byName: make(map[string][]ID)}
	t.rows = append(t.rows, Row{}) // 0 is no event
	for _, family := range [][]Row{
		otherRows(), fileRows(), pathRows(), descriptorRows(), waitRows(), procRows(), netRows(), ioRows(), taskRows(), userRows(), memoryRows(), signalRows(), ipcRows(), systemRows(),
		uringRows(),
	} {
		t.rows = append(t.rows, family...)
	}
	for i := range t.rows[1:] {
		t.finish(ID(i + 1))
	}
	return t
}

func (t *table) finish(id ID) {
	r := &t.rows[id]
	r.ID = id
	r.Parts = withExtras(r)
	r.byName = make(map[string]int, len(r.Params))
	for i, p := range r.Params {
		r.byName[p.Name] = i
	}
	index := func(parts []Part) (x [partKinds]int8) {
		for k := range x {
			x[k] = int8(slices.IndexFunc(parts, func(p Part) bool { return int(p.Kind) == k }))
		}
		return x
	}
	r.partIndex, r.failedPart = index(r.Parts), index(r.Failed)
	t.byName[r.Name] = append(t.byName[r.Name], id)
	for _, nr := range r.NR64 {
		t.nr64[nr] = id
	}
	for _, nr := range r.NR32 {
		t.nr32[nr] = id
	}
}

// Rows returns the table, indexed by ID; element 0 is no event. The caller must not change it.
func Rows() []Row { return events.rows }

// RowOf returns the row with the given id, nil for an id that has none.
func RowOf(id ID) *Row {
	if id == 0 || int(id) >= len(events.rows) {
		return nil
	}
	return &events.rows[id]
}

// ByName returns the rows with that event name, internal ones included. A system call without a row of its own has
// none: see SyscallNumber and Generic.
func ByName(name string) []ID { return events.byName[name] }

// ByNumber returns the row of a system call number: Generic when the call has none of its own.
func ByNumber(nr int, compat bool) ID {
	if nr < 0 || nr >= MaxSyscall {
		return Generic
	}
	id := events.nr64[nr]
	if compat {
		id = events.nr32[nr]
	}
	if id == 0 {
		return Generic
	}
	return id
}

// NameOfCall returns the name that the events of a system call have: its own, or that of their row. ok is false for a name
// that no call has.
func NameOfCall(call string) (name string, ok bool) {
	nr64, nr32, ok := SyscallNumber(call)
	if !ok {
		return "", false
	}
	for _, id := range [...]ID{ByNumber(nr64, false), ByNumber(nr32, true)} {
		if id != Generic {
			return events.rows[id].Name, true
		}
	}
	return call, true
}
