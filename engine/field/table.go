// SPDX-License-Identifier: Apache-2.0

package field

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"falconet/engine/event"
)

// ErrUnknown is wrapped by the errors for a name that is no field.
var ErrUnknown = errors.New("nonexistent field")

// ErrNoParam is wrapped by the errors for an argument that should be a parameter and is one of no event.
var ErrNoParam = errors.New("no event has a parameter")

type fieldTable struct {
	all    []*Def
	byName map[string]*Def
}

var fields = buildTable()

func buildTable() *fieldTable {
	t := &fieldTable{byName: make(map[string]*Def)}
	for _, class := range []struct {
		name string
		defs []Def
	}{
		{"evt", evtFields()}, {"evt", evtIOFields()}, {"evt", evtTimeFields()}, {"evt", evtAroundFields()}, {"evt", isSyslogField()}, {"evt", mismatchFields()},
		{"process", procFields()}, {"process", procFDFields()}, {"process", lineageFields()}, {"process", threadFields()}, {"process", cpuFields()},
		{"user", userFields()}, {"group", groupFields()},
		{"container", containerFields()}, {"container", metadataFields()}, {"process", probeFields()}, {"k8s", k8sFields()},
		{"fd", fdFields()}, {"fd", fdSockFields()}, {"fd", fdTypesField()}, {"fs.path", fsPathFields()},
		{"syslog", syslogFields()}, {"fdlist", fdListFields()}, {"static", staticFields()}, {"hidden", hiddenFields()},
	} {
		for i := range class.defs {
			d := &class.defs[i]
			if t.byName[d.Name] != nil {
				panic("BUG: two fields are named " + d.Name)
			}
			d.Class, d.ID = class.name, len(t.all)
			t.all = append(t.all, d)
			t.byName[d.Name] = d
		}
	}
	return t
}

// All returns every field, by class and then in the order of the table; a field's ID is its index. The caller must not
// change it.
func All() []*Def { return fields.all }

// Lookup returns the field with exactly that name.
func Lookup(name string) (*Def, bool) {
	d, ok := fields.byName[name]
	return d, ok
}

// Resolve returns the field that a condition means by name, which may carry its argument after a dot (evt.arg.flags),
// and by the text between brackets when hasArg is set. The error wraps ErrUnknown when there is no such field.
func Resolve(name, arg string, hasArg bool) (*Def, Arg, error) {
	if d, ok := fields.byName[name]; ok {
		if !hasArg {
			return d, Arg{}, d.bare()
		}
		a, err := ParseArg(d, arg)
		return d, a, err
	}
	for i := len(name) - 1; i > 0 && !hasArg; i-- {
		if name[i] != '.' {
			continue
		}
		if d, ok := fields.byName[name[:i]]; ok && d.Form&(ByDot|DotOnly) != 0 {
			a, err := d.dotArg(name[i+1:])
			return d, a, err
		}
	}
	return nil, Arg{}, fmt.Errorf("%w '%s'", ErrUnknown, name)
}

// Scan reads a field with its argument from the beginning of text, as output templates write them: the longest name that
// matches, then an argument if one follows. n is the number of bytes read; what comes after them is not its concern.
func Scan(text string) (d *Def, a Arg, n int, err error) {
	for n = nameLen(text); n > 0 && d == nil; {
		if d = fields.byName[text[:n]]; d == nil {
			n--
		}
	}
	if d == nil {
		return nil, a, 0, fmt.Errorf("%w '%s'", ErrUnknown, text[:nameLen(text)])
	}
	rest := text[n:]
	switch {
	case d.Arg != ArgNone && d.Form&(ByIndex|ByKey) != 0 && strings.HasPrefix(rest, "["):
		text, length := bracketed(rest)
		if length == 0 {
			return d, a, n, fmt.Errorf("field %s: the argument has no closing bracket", d.Name)
		}
		a, err = ParseArg(d, text)
		return d, a, n + length, err
	case d.Form&(ByDot|DotOnly) != 0 && len(rest) > 1 && rest[0] == '.' && isWord(rest[1]):
		end := 1
		for end < len(rest) && (isWord(rest[end]) || rest[end] == '.' && end+1 < len(rest) && isWord(rest[end+1])) {
			end++
		}
		for ; ; end-- { // a full stop after the field belongs to the sentence
			if a, err = d.dotArg(rest[1:end]); err == nil || end <= 2 {
				return d, a, n + end, err
			}
		}
	}
	return d, a, n, d.bare()
}

// bracketed reads the argument in brackets that text begins with, and returns it and the number of bytes read: 0 when no bracket closes
// it. What is no argument as conditions have it is taken as it stands.
func bracketed(text string) (arg string, n int) {
	s := Scanner{Text: text}
	if arg, _, err := s.Argument(); err == nil {
		return arg, s.Off
	}
	end := strings.IndexByte(text, ']')
	if end < 0 {
		return "", 0
	}
	return text[1:end], end + 1
}

func nameLen(text string) int {
	n := 0
	for n < len(text) && (isWord(text[n]) || text[n] == '.') {
		n++
	}
	return n
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// ParseArg checks the text between the brackets after field d.
func ParseArg(d *Def, text string) (Arg, error) {
	a := Arg{Present: true, Key: text}
	if d.Arg == ArgNone || d.Form&(ByIndex|ByKey) == 0 {
		return a, fmt.Errorf("field %s takes no argument in brackets", d.Name)
	}
	bits := 31
	if d.Form&ByTime != 0 {
		bits = 63
	}
	if n, err := strconv.ParseUint(text, 10, bits); err == nil {
		a.IsIndex, a.Index = true, int(n)
	}
	if text == "" || !a.IsIndex && d.Form&ByKey == 0 {
		return a, fmt.Errorf("field %s: argument %q is no index", d.Name, text)
	}
	return a, d.check(a)
}

func (d *Def) dotArg(text string) (Arg, error) {
	a := Arg{Present: true, Key: text}
	if text == "" {
		return a, fmt.Errorf("field %s: the argument is empty", d.Name)
	}
	return a, d.check(a)
}

func (d *Def) check(a Arg) error {
	if d.checkArg == nil {
		return nil
	}
	if err := d.checkArg(a); err != nil {
		return fmt.Errorf("field %s: %w", d.Name, err)
	}
	return nil
}

func (d *Def) bare() error {
	if d.Arg == ArgRequired {
		return fmt.Errorf("field %s needs an argument", d.Name)
	}
	return nil
}

// ValueType returns the type of the field's values when it is used with argument a: Type, or for a dynamic field the
// type of the first parameter of that name in the event table.
func (d *Def) ValueType(a Arg) event.Type {
	if d.Type != event.Dynamic {
		return d.Type
	}
	for i := range event.Rows() {
		row := &event.Rows()[i]
		if p, ok := row.Param(a.Key); ok && row.Params[p].Type != event.Dynamic {
			return row.Params[p].Type
		}
	}
	return event.Uint64
}

// PartsFor returns the captured pieces that the field reads, with argument a, from records of the given row.
func (d *Def) PartsFor(row *event.Row, a Arg) event.Parts {
	parts := d.Needs.Parts
	if d.Needs.IOOnly && row.Category != event.CatIORead && row.Category != event.CatIOWrite && row.Category != event.CatIOOther {
		parts = 0
	}
	if row.HeldFrom == event.ObjInside && !d.Needs.Inside || row.Held != nil && !d.OccursWith(row, a) {
		parts &^= row.HeldParts()
	}
	for i := range row.Params {
		p := &row.Params[i]
		if d.Reads(a, i, p.Name) {
			// what has to be captured before the call is done is not worth it for the sake of a fuller text
			parts |= (p.Needs() | renderNeeds(row, i)) &^ row.HeldParts()
		}
	}
	for k := event.PartNone + 1; parts>>k != 0; k++ {
		if !row.Captures(k) {
			parts &^= 1 << k
		}
	}
	return parts
}

// Reads reports whether the field, with argument a, reads parameter i of a row, which has that name.
func (d *Def) Reads(a Arg, i int, param string) bool {
	return d.Needs.All || d.Needs.Arg && a.names(i, param) || slices.Contains(d.Needs.Params, param)
}

func (a Arg) names(i int, param string) bool {
	if a.IsIndex {
		return a.Index == i
	}
	return a.Key == param
}
