// SPDX-License-Identifier: Apache-2.0

// Package field holds the field table: every name that a condition or an output can use, with its type, its argument,
// what it needs from the record and the function that reads it.
package field

import (
	"unsafe"

	"falconet/engine/event"
)

// Kind is the type of a value. Fields use the types of the event schema.
type Kind = event.Type

// Value is what a field has in one event. Which member holds it follows from Kind: S for CharBuf, FSPath, FSRelPath,
// ByteBuf, SockAddr, SockTuple, and for IPAddr and IPNet as 4 or 16 raw bytes in network order; N for everything else
// (signed kinds as two's complement of 64 bits, Bool as 0 or 1, Double as its IEEE 754 bits, times in nanoseconds). A list has its members in List, and Kind is theirs.
//
// Strings may alias the record or the context's arena: they are valid until the context begins another event.
//
// A Value has four words and four members. The compiler keeps that much in registers on its way through a field's functions; one more of
// either and each of them would write it to memory and read it again.
type Value struct {
	Kind Kind
	form form
	N    uint64
	S    string
}

// form says what S is, where it is not plain text.
type form uint8

const (
	formList form = 1 + iota // it points to the members, and its length is their number
	formGap                  // text of which a part is not known
)

// ListOf makes a list. It holds members themselves, not a copy.
func ListOf(kind Kind, members []Value) Value {
	return Value{Kind: kind, form: formList, S: unsafe.String((*byte)(unsafe.Pointer(unsafe.SliceData(members))), len(members))}
}

// IsList reports whether the value is a list.
func (v *Value) IsList() bool { return v.form == formList }

// List returns the members of a list, and nothing of another value.
func (v *Value) List() []Value {
	if v.form != formList {
		return nil
	}
	return unsafe.Slice((*Value)(unsafe.Pointer(unsafe.StringData(v.S))), len(v.S))
}

// Str makes a string value.
func Str(s string) Value { return Value{Kind: event.CharBuf, S: s} }

// Flags restrict the use of a field.
type Flags uint16

// The flags of a field.
const (
	FilterOnly    Flags = 1 << iota // not in outputs
	OutputOnly                      // not in conditions
	TableOnly                       // known, but neither listed nor useful
	NoTransformer                   // transformers refuse it
	NoRHS                           // not on the right of a comparison, and no val() of it
	Deprecated                      // Falco warns of it
	Ours                            // Falco does not have it
	// AllDiffer is for fields with Multi: `!=`, and `not in`, hold when every value differs. Without it they hold as soon as
	// one value does.
	AllDiffer
	// EventTime marks fields whose JSON value is the number in N, however they are written as text.
	EventTime
	// Suggested marks fields that SuggestedOutput has.
	Suggested
	// SelfChosen marks what a process says of itself: it may say anything, and say it for its children.
	SelfChosen
	// Within is for fields whose value is a distance: `=`, the only operator that they take, holds up to the number of a condition.
	Within
	// Gaps marks fields whose values may have gaps. A positive comparison of such a value holds when it may hold.
	Gaps
	// HostName marks fields that conditions compare with names of hosts, which are to be looked up.
	HostName
)

// ArgMode says whether a field takes an argument.
type ArgMode uint8

// The argument modes.
const (
	ArgNone ArgMode = iota
	ArgOptional
	ArgRequired
)

// ArgForm says what the argument may be.
type ArgForm uint8

// The forms of an argument, combined.
const (
	ByIndex ArgForm = 1 << iota // [N]
	ByKey                       // [text]
	ByDot                       // .text after the name
	DotOnly                     // .text and no brackets
	ByTime                      // [N], where N may be as large as a time in nanoseconds
)

// Print is how a number is written.
type Print uint8

// The notations: decimal, upper-case hexadecimal, octal, and nanoseconds padded to nine digits.
const (
	Dec Print = iota
	Hex
	Oct
	Pad9
)

// Def is one field. Definitions never change; a *Def identifies its field.
type Def struct {
	ID      int // place in All
	Name    string
	Class   string
	Type    event.Type // Dynamic: see ValueType
	List    bool
	Arg     ArgMode
	Form    ArgForm
	Flags   Flags
	Print   Print
	Desc    string
	Example string // a condition that uses the field; for those that are only for outputs, an output
	Needs   Needs
	Domain  Domain // of the values in all events; see DomainIn

	// Cost is how many nanoseconds or so the value takes beyond what most fields take, so that it is asked for late.
	Cost int

	// Get returns the value; ok is false when the event has none. It must not keep or change anything of the context but
	// its caches.
	Get func(c *Ctx, a Arg) (v Value, ok bool)
	// Alt, where not nil, returns a second spelling of the same thing: Falco's path beside the kernel's. ok is false when
	// there is none or it is the same. A positive comparison holds when Get or Alt satisfies it, a negated one looks at Get alone.
	Alt func(c *Ctx, a Arg) (v Value, ok bool)
	// MayAlt, where not nil, reports false for events in which Alt has nothing to return: it is quicker to ask.
	MayAlt func(c *Ctx) bool
	// Multi, where not nil, yields every value that a comparison of the field without argument looks at, until yield
	// returns false. Get with an argument is still used when one was given, and Get without one in outputs.
	Multi func(c *Ctx, yield func(Value) bool)
	// Any reports, for a field with Multi, whether `exists` holds. Nil: when Multi yields something.
	Any func(c *Ctx) bool

	checkArg func(a Arg) error
	occurs   func(r *rowInfo, row *event.Row, a Arg) bool // nil: in every event
	domainIn func(row *event.Row, a Arg) Domain           // nil: Domain everywhere
}

// Arg is the argument of a field as it was written. The zero Arg is none.
type Arg struct {
	Present bool
	IsIndex bool // the text is a number: Index holds it
	Index   int
	Key     string // the text itself, whether a number or not
}

// Needs says what an extractor reads of a record, so that the probe captures no more than the rules ask for.
type Needs struct {
	Parts  event.Parts // captured pieces
	Must   event.Parts // those of them without which there is no value
	IOOnly bool        // Parts only of events that read or write
	Inside bool        // Parts also of what the kernel found for a path, not only of the event's descriptor
	Params []string    // parameters, by name, of the rows that have them
	Arg    bool        // the parameter that the argument names
	All    bool        // every parameter
}
