// SPDX-License-Identifier: Apache-2.0

// Package format is the language of a rule's output: text with fields in it, each behind a percent sign.
//
//	%proc.name  %proc.aname[2]  %toupper(proc.name)  %10evt.type
//
// A field without a value prints as <NA>. A Template never changes; its methods may be called from the goroutine that
// owns the context.
package format

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/event"
	"falconet/engine/field"
)

// Missing is what a field without a value prints as.
const Missing = "<NA>"

// maxWidth bounds the width that a field may be padded to.
const maxWidth = 4096

// Error is a template that does not mean anything. Off is the byte at fault.
type Error struct {
	Off int
	Msg string
	Err error // what the field table says, where it is at fault
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
	text   string
	pieces []piece
	refs   []Ref
	texts  []text
}

// text is a field of an alert that is itself made by a template.
type text struct {
	name string
	made *Template
}

// piece is literal text, and then a field unless def is nil.
type piece struct {
	literal string
	ref     Ref
	missing bool // a field of Falco that this program does not have
	width   int  // 0: as long as it is
	kind    event.Type
	list    bool
	fns     []func(field.Value) (field.Value, bool)
}

// Parse reads a template. A leading asterisk, which asks for <NA> in place of missing values, is taken and changes nothing: this is
// always so. The error is an *Error.
func Parse(text string) (*Template, error) {
	t := &Template{text: text}
	rest := strings.TrimPrefix(text, "*")
	off := len(text) - len(rest)
	for rest != "" {
		literal, after, found := strings.Cut(rest, "%")
		p := piece{literal: literal}
		off += len(literal)
		if found {
			n, err := p.parse(after)
			if err != nil {
				if err.Off > 0 {
					err.Off++ // the percent sign; an error at the beginning points at it
				}
				err.Off += off
				return nil, err
			}
			t.addRef(p.ref)
			off += 1 + n
			after = after[n:]
		}
		t.pieces = append(t.pieces, p)
		rest = after
	}
	return t, nil
}

func (t *Template) addRef(r Ref) {
	for _, have := range t.refs {
		if have.Text == r.Text {
			return
		}
	}
	t.refs = append(t.refs, r)
}

// parse reads what stands behind a percent sign and returns its length.
func (p *piece) parse(text string) (int, *Error) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		if p.width = p.width*10 + int(text[i]-'0'); p.width > maxWidth {
			return 0, &Error{Off: i, Msg: fmt.Sprintf("the width is larger than %d", maxWidth)}
		}
		i++
	}
	var fns []*field.Transformer
	for {
		name, _, call := strings.Cut(text[i:], "(")
		fn := field.TransformerOf(name)
		if !call || fn == nil || name == "val" {
			break
		}
		fns = append(fns, fn)
		i += len(name) + 1
	}
	def, arg, n, err := field.Scan(text[i:])
	if n, why := missingField(text[i:], err); n > 0 {
		p.ref = Ref{Text: text[i : i+n], Why: why}
		p.missing = true
		i += n
		if !strings.HasPrefix(text[i:], strings.Repeat(")", len(fns))) {
			return 0, &Error{Off: i, Msg: "expecting ')' to close the transformer"}
		}
		return i + len(fns), nil
	}
	if err != nil {
		e := &Error{Off: i, Msg: err.Error(), Err: err}
		if text == "" {
			e.Msg = "a percent sign at the end"
		}
		return 0, e
	}
	if def.Flags&field.FilterOnly != 0 {
		return 0, &Error{Off: i, Msg: "field " + def.Name + " can be compared but not printed"}
	}
	p.ref = Ref{Def: def, Arg: arg, Text: text[i : i+n]}
	i += n
	p.kind, p.list = def.ValueType(arg), def.List
	for k := len(fns) - 1; k >= 0; k-- {
		if !fns[k].In(p.kind, p.list) {
			return 0, &Error{Off: i, Msg: fmt.Sprintf("transformer %s does not work on %s", fns[k].Name, def.Name)}
		}
		p.kind, p.list = fns[k].Out(p.kind, p.list)
		p.fns = append(p.fns, fns[k].Make())
		if i >= len(text) || text[i] != ')' {
			return 0, &Error{Off: i, Msg: "expecting ')' to close the transformer"}
		}
		i++
	}
	return i, nil
}

// missingField returns the length of a field of Falco that text begins with and this program does not have, and why it has not. err is
// what the field table said of the text.
func missingField(text string, err error) (n int, why string) {
	if !errors.Is(err, field.ErrUnknown) && !errors.Is(err, field.ErrNoParam) {
		return 0, ""
	}
	for n < len(text) && (text[n] == '.' || text[n] == '_' || text[n] >= 'a' && text[n] <= 'z' || text[n] >= 'A' && text[n] <= 'Z' || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	for n > 0 && text[n-1] == '.' { // the end of a sentence
		n--
	}
	if errors.Is(err, field.ErrNoParam) {
		why = err.Error()
	}
	for ; n > 0 && why == ""; n-- {
		var ok bool
		if why, ok = field.Missing(text[:n]); ok {
			break
		}
	}
	if n > 0 && n < len(text) && text[n] == '[' {
		if end := strings.IndexByte(text[n:], ']'); end > 0 {
			n += end + 1
		}
	}
	return n, why
}

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// Refs returns the fields of the template, each once, in the order in which they appear. The caller must not change them.
func (t *Template) Refs() []Ref { return t.refs }

// Reads returns every field whose value the template looks at: Refs, and those of the templates that WithText added.
func (t *Template) Reads() []Ref {
	refs := slices.Clone(t.refs)
	for _, x := range t.texts {
		refs = append(refs, x.made.Reads()...)
	}
	return refs
}

// WithField returns a template that prints the same and whose Fields has one more field, named as a template names it but without the
// percent sign. The error is an *Error.
func (t *Template) WithField(name string) (*Template, error) {
	one, err := Parse("%" + name)
	if err != nil {
		return nil, err
	}
	if len(one.refs) != 1 || one.refs[0].Text != name {
		return nil, &Error{Msg: "'" + name + "' is not the name of a field"}
	}
	u := *t
	u.refs = slices.Clone(t.refs)
	u.addRef(one.refs[0])
	return &u, nil
}

// WithText returns a template that prints the same and whose Fields has one more field: name, with what made prints as its value.
func (t *Template) WithText(name string, made *Template) *Template {
	u := *t
	u.texts = append(slices.Clone(t.texts), text{name, made})
	return &u
}

// Append appends the template filled in for the event of c, and returns the extended slice. No byte of a value is escaped.
func (t *Template) Append(dst []byte, c *field.Ctx) []byte {
	for i := range t.pieces {
		p := &t.pieces[i]
		dst = append(dst, p.literal...)
		if p.ref.Text == "" {
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
	if p.missing {
		return append(dst, Missing...)
	}
	v, ok := p.ref.Def.Get(c, p.ref.Arg)
	for _, fn := range p.fns {
		if !ok {
			break
		}
		v, ok = apply(fn, v)
	}
	if !ok {
		return append(dst, Missing...)
	}
	return field.Render(dst, c, p.ref.Def, v)
}

// apply calls fn for v or, where v is a list that fn works on by element, for each of its elements.
func apply(fn func(field.Value) (field.Value, bool), v field.Value) (field.Value, bool) {
	if v.List == nil {
		return fn(v)
	}
	out := make([]field.Value, 0, len(v.List))
	for _, e := range v.List {
		if e, ok := fn(e); ok {
			e.S = strings.Clone(e.S)
			out = append(out, e)
		}
	}
	v.List = out
	return v, true
}

// Fields returns the values of the template's fields for the event of c, with nil for the ones that it does not have. They hold
// nothing of the context.
func (t *Template) Fields(c *field.Ctx) []alert.Field {
	out := make([]alert.Field, 0, len(t.refs)+len(t.texts))
	for _, r := range t.refs {
		f := alert.Field{Name: r.Text}
		if r.Def == nil {
			out = append(out, f)
			continue
		}
		if v, ok := r.Def.Get(c, r.Arg); ok {
			f.Value = field.JSONValue(c, r.Def, v)
		}
		out = append(out, f)
	}
	for _, x := range t.texts {
		out = append(out, alert.Field{Name: x.name, Value: string(x.made.Append(nil, c))})
	}
	return out
}
