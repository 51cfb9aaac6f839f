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

// piece is literal text, and then an operand unless read is nil.
type piece struct {
	literal string
	read    func(*field.Ctx) (field.Value, bool) // nil as well where the operand needs a field that this program does not have
	def     *field.Def
	printed bool // there is an operand
	width   int  // 0: as long as it is
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
			n, err := t.parse(&p, after)
			if err != nil {
				if err.Off > 0 {
					err.Off++ // the percent sign; an error at the beginning points at it
				}
				err.Off += off
				return nil, err
			}
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

// parse reads what stands behind a percent sign into p and returns its length.
func (t *Template) parse(p *piece, text string) (int, *Error) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		if p.width = p.width*10 + int(text[i]-'0'); p.width > maxWidth {
			return 0, &Error{Off: i, Msg: fmt.Sprintf("the width is larger than %d", maxWidth)}
		}
		i++
	}
	if text == "" {
		return 0, &Error{Msg: "a percent sign at the end"}
	}
	p.printed = true
	s := field.Scanner{Text: text, Off: i}
	var missing []Ref
	o, err := field.ParseOperand(&s, func(s *field.Scanner, o *field.Operand) *field.SyntaxError { return scanField(s, o, &missing) })
	if err == nil && len(missing) == 0 {
		err = p.resolve(&o)
	}
	if err != nil {
		return 0, &Error{Off: err.Off, Msg: err.Msg, Err: err.Err}
	}
	o.Fields(func(f *field.Operand) {
		r := Ref{Text: (&field.Operand{Field: f.Field, Arg: f.Arg, HasArg: f.HasArg}).String()}
		for _, m := range missing {
			if m.Text == r.Text {
				r.Why = m.Why
			}
		}
		if r.Why == "" {
			r.Def, r.Arg, _ = field.Resolve(f.Field, f.Arg, f.HasArg)
		}
		t.addRef(r)
	})
	return s.Off, nil
}

func (p *piece) resolve(o *field.Operand) *field.SyntaxError {
	r, err := o.Resolve(field.Resolve, field.FilterOnly)
	if err != nil {
		return err
	}
	p.def, p.read = r.Def, r.Reader()
	if r.List != r.Def.List { // a transformer made one value of a list
		single := *r.Def
		single.List, p.def = r.List, &single
	}
	return nil
}

// scanField reads the longest name of a field, with its argument: what follows is text. A field of Falco that this program does not have is
// noted in missing.
func scanField(s *field.Scanner, o *field.Operand, missing *[]Ref) *field.SyntaxError {
	rest := s.Text[s.Off:]
	_, arg, n, err := field.Scan(rest)
	if m, why := missingField(rest, err); m > 0 {
		*missing = append(*missing, Ref{Text: rest[:m], Why: why})
		o.Field, n = rest[:m], m
	} else if err != nil {
		return &field.SyntaxError{Off: s.Off, Len: 1, Msg: err.Error(), Err: err}
	}
	s.Off += n
	if o.Field == "" {
		o.Field = rest[:n]
		if bracket := strings.IndexByte(o.Field, '['); bracket >= 0 {
			o.Field, o.Arg, o.HasArg = o.Field[:bracket], arg.Key, true
		}
	}
	return nil
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
