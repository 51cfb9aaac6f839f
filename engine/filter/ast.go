// SPDX-License-Identifier: Apache-2.0

// Package filter is the language of conditions: text to a tree (parse.go), a tree to a program over an event's fields
// (compile.go). The operators are in op_*.go; how operands are written and what transformers do is with the fields they are made of.
//
// Programs share what they read and decide. A Group of them is asked as one: it looks up which programs the values of a few fields are enough
// for (want.go, lookup.go), and of these each asks what decides most for its cost first (order.go).
//
// A tree never changes once it was built and may be shared. A Compiler and its Programs belong to one goroutine.
package filter

import (
	"strings"

	"falconet/engine/field"
)

// Expr is a node of a condition: *And, *Or, *Not, *Macro or *Check.
type Expr interface {
	// Place is where the node begins.
	Place() Pos
	print(b *strings.Builder, inside byte)
}

// And holds when all of its two or more Kids hold.
type And struct{ Kids []Expr }

// Or holds when one of its two or more Kids holds.
type Or struct{ Kids []Expr }

// Not holds when its Kid does not.
type Not struct {
	At  Pos
	Kid Expr
}

// Macro is a name that stands for another condition.
type Macro struct {
	At   Pos
	Name string
}

// Check compares one field with values, or asks whether it has a value.
type Check struct {
	Left   Operand
	Op     string // as written, "==" spelt "="
	OpAt   Pos
	Quant  string // "oneof", "anyof" or "allof" before a list of values, else ""
	List   bool   // the values were written in parentheses
	Values []Value
	Right  *Operand // another field instead of values
}

// Operand is a field, possibly within transformers, and where it stands.
type Operand struct {
	At Pos
	field.Operand
}

// Value is a constant.
type Value struct {
	At   Pos
	Len  int
	Text string // without quotes and escapes
	List string // the list that it is a member of, whose name At and Len are of; "" when it stands there itself
}

// Place returns where the first kid begins.
func (e *And) Place() Pos { return e.Kids[0].Place() }

// Place returns where the first kid begins.
func (e *Or) Place() Pos { return e.Kids[0].Place() }

// Place returns where the word not begins.
func (e *Not) Place() Pos { return e.At }

// Place returns where the name begins.
func (e *Macro) Place() Pos { return e.At }

// Place returns where the left operand begins.
func (e *Check) Place() Pos { return e.Left.At }

// Print writes a tree in the language, so that parsing the text gives the same tree.
func Print(e Expr) string {
	var b strings.Builder
	e.print(&b, 0)
	return b.String()
}

func (e *And) print(b *strings.Builder, inside byte) { printKids(b, e.Kids, " and ", 'a', inside != 0) }
func (e *Or) print(b *strings.Builder, inside byte)  { printKids(b, e.Kids, " or ", 'o', inside != 0) }

func printKids(b *strings.Builder, kids []Expr, word string, self byte, parens bool) {
	// an And directly in an Or needs no parentheses, but reads better with them
	if parens {
		b.WriteByte('(')
	}
	for i, k := range kids {
		if i > 0 {
			b.WriteString(word)
		}
		k.print(b, self)
	}
	if parens {
		b.WriteByte(')')
	}
}

func (e *Not) print(b *strings.Builder, _ byte) {
	b.WriteString("not ")
	e.Kid.print(b, 'n')
}

func (e *Macro) print(b *strings.Builder, _ byte) { b.WriteString(e.Name) }

func (e *Check) print(b *strings.Builder, _ byte) {
	e.Left.Print(b)
	b.WriteByte(' ')
	b.WriteString(e.Op)
	switch {
	case e.Op == "exists":
		return
	case e.Right != nil:
		b.WriteByte(' ')
		e.Right.Print(b)
		return
	}
	b.WriteByte(' ')
	if e.Quant != "" {
		b.WriteString(e.Quant + " ")
	}
	if e.List {
		b.WriteByte('(')
	}
	for i, v := range e.Values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(v.Text, e.Op))
	}
	if e.List {
		b.WriteByte(')')
	}
}

func quote(s, op string) string {
	if isNumberOp(op) || isBare(s) {
		return s
	}
	return field.Quote(s)
}

// Walk calls fn for e and, as long as fn returns true, for what is below it.
func Walk(e Expr, fn func(Expr) bool) {
	if !fn(e) {
		return
	}
	switch e := e.(type) {
	case *And:
		for _, k := range e.Kids {
			Walk(k, fn)
		}
	case *Or:
		for _, k := range e.Kids {
			Walk(k, fn)
		}
	case *Not:
		Walk(e.Kid, fn)
	}
}

// Substitute returns e with every macro replaced by what macro returns for its name. A name that macro does not know is an
// *Error. The trees that macro returns are used as they are: a tree that names them twice has them twice, so it is for the caller to
// bound what macros can grow to.
func Substitute(e Expr, macro func(name string) (Expr, bool)) (Expr, error) {
	switch e := e.(type) {
	case *And:
		kids, err := substituteAll(e.Kids, macro)
		if err != nil {
			return nil, err
		}
		return &And{Kids: kids}, nil
	case *Or:
		kids, err := substituteAll(e.Kids, macro)
		if err != nil {
			return nil, err
		}
		return &Or{Kids: kids}, nil
	case *Not:
		kid, err := Substitute(e.Kid, macro)
		if err != nil {
			return nil, err
		}
		return &Not{At: e.At, Kid: kid}, nil
	case *Macro:
		if found, ok := macro(e.Name); ok {
			return found, nil
		}
		return nil, &Error{Pos: e.At, Len: len(e.Name), Msg: "Undefined macro '" + e.Name + "' used in filter."}
	}
	return e, nil
}

func substituteAll(kids []Expr, macro func(string) (Expr, bool)) ([]Expr, error) {
	out := make([]Expr, len(kids))
	for i, k := range kids {
		var err error
		if out[i], err = Substitute(k, macro); err != nil {
			return nil, err
		}
	}
	return out, nil
}
