// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"slices"
	"strings"

	"falconet/engine/field"
	"falconet/engine/filter"
)

// lack is a parameter that a condition reads and that no event has here, as one of a newer Falco, and where it is read first.
type lack struct {
	name, why string
	at        filter.Pos
	n         int
}

// lackOf finds the first such parameter of the operand.
func lackOf(o *filter.Operand) (l lack, ok bool) {
	o.Fields(func(f *field.Operand) {
		if ok {
			return
		}
		_, _, err := field.Resolve(f.Field, f.Arg, f.HasArg)
		if err == nil {
			return
		}
		l.at, l.n = o.At, f.Len
		l.at.Off += f.Off - o.Off
		l.name = (&field.Operand{Field: f.Field, Arg: f.Arg, HasArg: f.HasArg}).String()
		l.why, ok = err.Error(), errors.Is(err, field.ErrNoParam)
	})
	return l, ok
}

// truth is what is known of a condition before any event.
type truth uint8

const (
	depends truth = iota
	never
	always
)

// withoutLacks returns e for a program that lacks some of its fields: they have no value, so no comparison of them holds, as in Falco
// for a process that has none. The result is nil when the truth of e is thereby known. Trees that lack nothing are returned as they are.
func withoutLacks(e filter.Expr, lacks *[]lack) (filter.Expr, truth) {
	switch e := e.(type) {
	case *filter.Not:
		kid, known := withoutLacks(e.Kid, lacks)
		switch {
		case known == never:
			return nil, always
		case known == always:
			return nil, never
		case kid == e.Kid:
			return e, depends
		}
		return &filter.Not{At: e.At, Kid: kid}, depends
	case *filter.And:
		kids, known := kidsWithoutLacks(e.Kids, lacks, never)
		switch {
		case known != depends:
			return nil, known
		case slices.Equal(kids, e.Kids):
			return e, depends
		case len(kids) == 1:
			return kids[0], depends
		}
		return &filter.And{Kids: kids}, depends
	case *filter.Or:
		kids, known := kidsWithoutLacks(e.Kids, lacks, always)
		switch {
		case known != depends:
			return nil, known
		case slices.Equal(kids, e.Kids):
			return e, depends
		case len(kids) == 1:
			return kids[0], depends
		}
		return &filter.Or{Kids: kids}, depends
	case *filter.Check:
		l, ok := lackOf(&e.Left)
		if !ok && e.Right != nil {
			l, ok = lackOf(e.Right)
		}
		if ok {
			if !slices.ContainsFunc(*lacks, func(have lack) bool { return have.name == l.name }) {
				*lacks = append(*lacks, l)
			}
			return nil, never
		}
	}
	return e, depends
}

// kidsWithoutLacks does it for the terms of an And or Or: one term that is decisive decides, and those that are the opposite drop out.
func kidsWithoutLacks(list []filter.Expr, lacks *[]lack, decisive truth) ([]filter.Expr, truth) {
	kids := make([]filter.Expr, 0, len(list))
	decided := false
	for _, k := range list {
		kid, known := withoutLacks(k, lacks)
		decided = decided || known == decisive
		if known == depends {
			kids = append(kids, kid)
		}
	}
	switch {
	case decided:
		return nil, decisive
	case len(kids) == 0:
		return nil, never + always - decisive
	}
	return kids, depends
}

// lackText lists fields and why they are not there.
func lackText(lacks []lack) string {
	texts := make([]string, len(lacks))
	for i, l := range lacks {
		texts[i] = l.name + " (" + l.why + ")"
	}
	return strings.Join(texts, ", ")
}

// everyEvent is a condition that always holds.
func everyEvent() filter.Expr {
	at := filter.Pos{Line: 1, Col: 1}
	return &filter.Check{Left: filter.Operand{At: at, Operand: field.Operand{Field: "evt.num"}}, Op: "exists", OpAt: at}
}
