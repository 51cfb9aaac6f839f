// SPDX-License-Identifier: Apache-2.0

// Package format is the language of a rule's output: text with fields in it, each behind a percent sign.
//
//	%proc.name  %proc.aname[2]  %toupper(proc.name)  %10evt.type
//
// A field without a value prints as <NA>. A Template never changes; its methods may be called from the goroutine that
// owns the context.
package format

import (
	"fmt"
	"slices"

	"falconet/engine/alert"
	"falconet/engine/field"
)

// Missing is what a field without a value prints as.
const Missing = "<NA>"

// Error is a template that does not mean anything, or a warning of one that may not mean what it says. Len bytes from byte Off on are at
// fault.
type Error struct {
	Off, Len int
	Msg      string
	Err      error // what the field table says, where it is at fault
}

func (e *Error) Error() string {
	return fmt.Sprintf("invalid formatting token at character %d: %s", e.Off+1, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }

// Ref is a field as a template uses it. Def is nil for a field of Falco that this program does not have: it prints as <NA>, and Why
// says why.
type Ref struct {
	Def  *field.Def
	Arg  field.Arg
	Text string // the field as written, with its argument and without transformers: its key in an alert's fields
	Why  string
}

// Template is a parsed output.
type Template struct {
	text     string
	pieces   []piece
	refs     []Ref
	extras   []extra
	warnings []Error
}

// extra is a field of alerts that is not in their text.
type extra struct {
	name  string
	made  *Template
	typed bool // the value is that of the template's only piece, with its type; else it is the text that the template makes
}

// piece is literal text, and then an operand unless read is nil.
type piece struct {
	literal string
	read    func(*field.Ctx) (field.Value, bool) // nil as well where the operand needs a field that this program does not have
	def     *field.Def
	printed bool // there is an operand
	width   int  // 0: as long as it is
}

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// Warnings returns what may not mean what it says, in the template and in those of the fields that were added to it.
func (t *Template) Warnings() []Error { return t.warnings }

// Refs returns the fields of the template, each once, in the order in which they appear. The caller must not change them.
func (t *Template) Refs() []Ref { return t.refs }

// Reads returns every field whose value the template looks at, each once: Refs, and those of the fields that were added to it.
func (t *Template) Reads() []Ref {
	refs := slices.Clone(t.refs)
	for _, x := range t.extras {
		for _, r := range x.made.refs {
			if !slices.ContainsFunc(refs, func(have Ref) bool { return have.Text == r.Text }) {
				refs = append(refs, r)
			}
		}
	}
	return refs
}

// WithField returns a template that prints the same and whose Fields has one more field: name, written as in a template but without the
// percent sign, with transformers or without. The error is an *Error.
func (t *Template) WithField(name string) (*Template, error) {
	one, err := Parse("%" + name)
	if err != nil {
		return nil, err
	}
	if p := one.pieces[0]; len(one.pieces) != 1 || p.literal != "" || p.width != 0 {
		return nil, &Error{Len: len(name), Msg: "'" + name + "' is not the name of a field"}
	}
	return t.with(extra{name, one, true}), nil
}

// WithText returns a template that prints the same and whose Fields has one more field: name, with what made prints as its value.
func (t *Template) WithText(name string, made *Template) *Template {
	return t.with(extra{name, made, false})
}

// with adds a field. It takes the place of one with its name.
func (t *Template) with(x extra) *Template {
	u := *t
	u.extras = append(slices.DeleteFunc(slices.Clone(t.extras), func(have extra) bool { return have.name == x.name }), x)
	u.warnings = slices.Concat(t.warnings, x.made.warnings)
	return &u
}

// Texts returns the fields that WithText added, with their templates as they were written.
func (t *Template) Texts() map[string]string {
	out := make(map[string]string)
	for _, x := range t.extras {
		if !x.typed {
			out[x.name] = x.made.text
		}
	}
	return out
}

// Append appends the template filled in for the event of c, and returns the extended slice. No byte of a value is escaped.
func (t *Template) Append(dst []byte, c *field.Ctx) []byte {
	for i := range t.pieces {
		p := &t.pieces[i]
		dst = append(dst, p.literal...)
		if !p.printed {
			continue
		}
		mark := len(dst)
		dst = p.append(dst, c)
		if p.width > 0 {
			for len(dst)-mark < p.width {
				dst = append(dst, ' ')
			}
			dst = dst[:mark+p.width]
		}
	}
	return dst
}

func (p *piece) append(dst []byte, c *field.Ctx) []byte {
	if p.read == nil {
		return append(dst, Missing...)
	}
	v, ok := p.read(c)
	if !ok {
		return append(dst, Missing...)
	}
	return field.Render(dst, c, p.def, v)
}

// Fields returns the values of the template's fields for the event of c, with nil for the ones that it does not have. They hold
// nothing of the context.
func (t *Template) Fields(c *field.Ctx) []alert.Field {
	out := make([]alert.Field, 0, len(t.refs)+len(t.extras))
	for _, r := range t.refs {
		f := alert.Field{Name: r.Text}
		if t.replaced(r.Text) {
			continue
		}
		if r.Def == nil {
			out = append(out, f)
			continue
		}
		if v, ok := r.Def.Get(c, r.Arg); ok {
			f.Value = field.JSONValue(c, r.Def, v)
		}
		out = append(out, f)
	}
	for _, x := range t.extras {
		out = append(out, alert.Field{Name: x.name, Value: x.value(c)})
	}
	return out
}

func (t *Template) replaced(name string) bool {
	return slices.ContainsFunc(t.extras, func(x extra) bool { return x.name == name })
}

func (x *extra) value(c *field.Ctx) any {
	if !x.typed {
		return string(x.made.Append(nil, c))
	}
	p := &x.made.pieces[0]
	if p.read == nil {
		return nil
	}
	v, ok := p.read(c)
	if !ok {
		return nil
	}
	return field.JSONValue(c, p.def, v)
}
