// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"strconv"
	"strings"

	"falconet/engine/event"
)

// schema is a type of event as captures hold it.
type schema struct {
	number uint16
	name   string
	enter  bool // the beginning of a call
	large  bool
	call   bool // the beginning or the end of a call, rather than what happens at once
	params []param
	byName map[string]int

	row   *event.Row // the row that its records have, nil for none
	nr    uint16
	plan  []step // how the row's parameters are filled, in the row's order
	does  action
	texts bool // the second of the forms of its dynamic parameters is text
	later bool // some of plan is
	fd    int  // the row's parameter that is the event's descriptor, -1 without one
}

type param struct {
	name   string
	kind   string // the schema's name of its type
	signed bool
}

// step fills a parameter of a row: from the end of the call, or when that does not have it from the beginning.
type step struct {
	to    int
	exit  int // place in the event's own list, -1 when it is not there
	enter int // place in that of the beginning of the call in the same version
	name  string
	as    form
	later bool           // what it means depends on others
	piece event.PartKind // without which it is absent, though the event has a number for it
}

// form is how a parameter's bytes are stored.
type form uint8

const (
	formNumber  form = iota
	formText         // ends with a NUL
	formBytes        // does not
	formAddr         // the address of a socket
	formTuple        // the ends of a socket: of the descriptor's state
	formDynamic      // a byte that says which of several forms follows
	formPoll
)

var schemas = readSchemas(schemaText)

func schemaOf(number uint16) *schema {
	if int(number) >= len(schemas) || schemas[number].name == "" {
		return nil
	}
	return &schemas[number]
}

func readSchemas(text string) []schema {
	var all []schema
	for line := range strings.Lines(strings.TrimSpace(text)) {
		w := strings.Fields(line)
		n, err := strconv.ParseUint(w[0], 10, 16)
		if err != nil {
			panic("BUG: schema: " + err.Error())
		}
		for len(all) <= int(n) {
			all = append(all, schema{})
		}
		s := &all[n]
		*s = schema{number: uint16(n), enter: w[1][0] == '>', large: strings.HasSuffix(w[1], "!"), name: w[2], byName: make(map[string]int), fd: -1}
		for i, p := range w[3:] {
			name, kind, _ := strings.Cut(p, ":")
			s.params = append(s.params, param{name: name, kind: kind, signed: signedKinds[kind]})
			s.byName[name] = i
		}
	}
	for i := range all {
		var before *schema
		if i > 0 && all[i-1].name == all[i].name && all[i-1].enter && !all[i].enter {
			before = &all[i-1]
		}
		all[i].call = before != nil || i+1 < len(all) && all[i+1].name == all[i].name && all[i].enter && !all[i+1].enter
		all[i].join(before)
	}
	return all
}

var signedKinds = map[string]bool{
	"INT8": true, "INT16": true, "INT32": true, "INT64": true, "ERRNO": true, "FD": true, "PID": true, "FD32": true, "PID32": true,
}

// join finds the row of the events of s, and where its parameters come from. before is the beginning of the call in the same version, nil for none.
func (s *schema) join(before *schema) {
	if s.name == "" || s.enter && s.call {
		return
	}
	if ids := event.ByName(s.name); len(ids) > 0 {
		s.row = event.RowOf(ids[0])
	} else if _, _, ok := event.SyscallNumber(s.name); ok {
		s.row = event.RowOf(event.Generic)
	}
	if s.row == nil || s.row.Internal() {
		s.row = nil
		return
	}
	if nr, _, ok := event.SyscallNumber(s.name); ok && nr >= 0 {
		s.nr = uint16(nr)
	} else if len(s.row.NR64) > 0 {
		s.nr = uint16(s.row.NR64[0])
	}
	if s.row.ID == event.Generic {
		return // the header has it all
	}
	s.does = actions[s.name]
	s.texts = s.name == "keyctl"
	for i := range s.row.Params {
		p := &s.row.Params[i]
		st := step{to: i, exit: -1, enter: -1, name: p.Name, as: formOf(p.Type), later: p.Derived(), piece: p.Piece()}
		s.later = s.later || st.later
		if at, ok := s.byName[p.Name]; ok {
			st.exit = at
		} else if i == 0 && p.IsResult() && len(s.params) > 0 {
			st.exit = 0 // the result, whatever a version calls it
		}
		if before != nil {
			if at, ok := before.byName[p.Name]; ok {
				st.enter = at
			}
		}
		s.plan = append(s.plan, st)
	}
	s.fd = descriptorOf(s.row)
}

// descriptorOf is the parameter of a row that is the descriptor its events are about.
func descriptorOf(row *event.Row) int {
	if row.Flags&(event.CreatesFD|event.UsesFD) == 0 {
		return -1
	}
	for i := range row.Params {
		if p := &row.Params[i]; p.Type == event.FD && !(p.IsResult() && row.Flags&event.CreatesFD == 0) {
			return i
		}
	}
	if row.Flags&event.CreatesFD != 0 {
		return 0
	}
	return -1
}

func formOf(t event.Type) form {
	switch t {
	case event.CharBuf, event.FSPath, event.FSRelPath:
		return formText
	case event.ByteBuf:
		return formBytes
	case event.SockAddr:
		return formAddr
	case event.SockTuple:
		return formTuple
	case event.Dynamic:
		return formDynamic
	case event.FDList:
		return formPoll
	}
	return formNumber
}
