// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
	"fmt"
	"strings"

	"falconet/engine/field"
)

// maxWidth bounds the width that a field is padded or cut to.
const maxWidth = 4096

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
			n, err := t.parse(&p, after, off)
			if err != nil {
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

func (t *Template) warn(off, n int, format string, args ...any) {
	t.warnings = append(t.warnings, Error{Off: off, Len: n, Msg: fmt.Sprintf(format, args...)})
}

// parse reads what stands behind a percent sign, which is at byte at of the template, into p and returns its length.
func (t *Template) parse(p *piece, text string, at int) (int, *Error) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		p.width = min(p.width*10+int(text[i]-'0'), maxWidth+1)
		i++
	}
	if p.width > maxWidth {
		p.width = maxWidth
		t.warn(at+1, i, "width %s is larger than %d, which is used in its place", text[:i], maxWidth)
	}
	switch {
	case text == "":
		return 0, &Error{Off: at, Len: 1, Msg: "a percent sign at the end"}
	case i == len(text):
		return 0, &Error{Off: at, Len: 1 + i, Msg: "a percent sign and a width at the end"}
	case !isLetter(text[i]):
		return 0, &Error{Off: at, Len: 1 + i, Msg: "no field follows the percent sign (there is no way to print the sign itself)"}
	}
	p.printed = true
	f := finder{t: t, base: at + 1}
	s := field.Scanner{Text: text, Off: i}
	o, err := field.ParseOperand(&s, f.scan)
	if err == nil && len(f.missing) == 0 {
		err = p.resolve(&o)
	}
	if err != nil {
		e := &Error{Off: at + 1 + err.Off, Len: err.Len, Msg: err.Msg, Err: err.Err}
		if err.Off == 0 { // the token as a whole
			e.Off, e.Len = at, err.Len+1
		}
		if err.Hint == "" && err.Name != "" && err.Err == nil {
			e.Msg += didYouMean(err.Name, field.TransformerNames)
		}
		return 0, e
	}
	o.Fields(func(o *field.Operand) {
		r := Ref{Text: (&field.Operand{Field: o.Field, Arg: o.Arg, HasArg: o.HasArg}).String()}
		for _, m := range f.missing {
			if m.Text == r.Text {
				r.Why = m.Why
			}
		}
		if r.Why == "" {
			r.Def, r.Arg, _ = field.Resolve(o.Field, o.Arg, o.HasArg)
		}
		t.addRef(r)
	})
	if end := s.Off; end < len(text) && isWord(text[end]) && isWord(text[end-1]) {
		for end < len(text) && isWord(text[end]) {
			end++
		}
		t.warn(at, 1+end, "'%%%s' prints field %s and '%s' behind it", text[:end], text[i:s.Off], text[s.Off:end])
	}
	return s.Off, nil
}

func (p *piece) resolve(o *field.Operand) *field.SyntaxError {
	r, err := o.Resolve(field.Resolve, field.FilterOnly)
	if err != nil {
		return err
	}
	p.def, p.read = r.Def, r.Reader()
	if len(r.Fns) > 0 { // what a transformer makes is not written as the field is
		made := *r.Def
		made.List, made.Flags, made.Print, p.def = r.List, 0, field.Dec, &made
	}
	return nil
}

// finder reads the fields of one token.
type finder struct {
	t       *Template
	base    int   // of the scanner's text in the template
	missing []Ref // parameters that no event has here
}

// scan reads the longest name of a field, with its argument: what follows is text.
func (f *finder) scan(s *field.Scanner, o *field.Operand) *field.SyntaxError {
	rest := s.Text[s.Off:]
	def, arg, n, err := field.Scan(rest)
	if m, why := missingParam(rest, err); m > 0 {
		f.missing = append(f.missing, Ref{Text: rest[:m], Why: why})
		o.Field = rest[:m]
		s.Off += m
		return nil
	}
	if err != nil && def != nil && def.Arg == field.ArgOptional {
		f.t.warn(f.base+s.Off, len(def.Name)+1, "%v: what follows %s is printed as text", err, def.Name)
		arg, n, err = field.Arg{}, len(def.Name), nil
	}
	if errors.Is(err, field.ErrUnknown) {
		name := (&field.Scanner{Text: rest}).Name()
		if name == "" {
			return &field.SyntaxError{Off: s.Off, Len: 1, Msg: "expecting a field"}
		}
		msg := fmt.Sprintf("%v '%s'%s", field.ErrUnknown, name, didYouMean(name, printable))
		return &field.SyntaxError{Off: s.Off, Len: len(name), Msg: msg, Err: err}
	}
	if err != nil {
		return &field.SyntaxError{Off: s.Off, Len: n, Msg: err.Error(), Err: err}
	}
	s.Off += n
	o.Field = rest[:n]
	if bracket := strings.IndexByte(o.Field, '['); bracket >= 0 {
		o.Field, o.Arg, o.HasArg = o.Field[:bracket], arg.Key, true
	}
	return nil
}

// printable yields the names of the fields that templates can print.
func printable(yield func(string) bool) {
	for _, d := range field.All() {
		if d.Flags&(field.FilterOnly|field.TableOnly) == 0 && !yield(d.Name) {
			return
		}
	}
}

func didYouMean(name string, candidates func(yield func(string) bool)) string {
	if near := field.Nearest(name, candidates); near != "" {
		return " (did you mean '" + near + "'?)"
	}
	return ""
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isWord(c byte) bool   { return isLetter(c) || c >= '0' && c <= '9' || c == '_' }

// missingParam returns the length of a field that text begins with, of a parameter that no event has, and says so. err is what the field
// table said of the text.
func missingParam(text string, err error) (n int, why string) {
	if !errors.Is(err, field.ErrNoParam) {
		return 0, ""
	}
	for n < len(text) && (text[n] == '.' || isWord(text[n])) {
		n++
	}
	for n > 0 && text[n-1] == '.' { // the end of a sentence
		n--
	}
	if n < len(text) && text[n] == '[' {
		if end := strings.IndexByte(text[n:], ']'); end > 0 {
			n += end + 1
		}
	}
	return n, err.Error()
}
