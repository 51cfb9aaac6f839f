// SPDX-License-Identifier: Apache-2.0

package field

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/event"
)

// Operand is what conditions compare and templates print, as it was written: a field, possibly within transformers. Within a
// transformer it may also be a constant, or with List a list of operands. An Operand never changes once it was parsed.
type Operand struct {
	Off, Len int      // bytes of the text that it was read from
	Fns      []string // transformers with one argument, the outermost first
	Field    string   // the name without argument, "" when it is none
	Call     string   // a transformer with several arguments in place of a field
	Args     []Operand
	Arg      string // what stands in brackets behind Field or Call
	HasArg   bool
	List     bool   // Args are the members of a list
	Text     string // the constant, when it is neither a field nor a call nor a list
}

// maxNesting bounds transformers within one another.
const maxNesting = 100

// ParseOperand reads an operand. leaf reads a field into o.Field, o.Arg and o.HasArg: conditions and templates differ in where a name
// ends. A bare operand is a field; constants and lists stand within transformers only.
func ParseOperand(s *Scanner, leaf func(s *Scanner, o *Operand) *SyntaxError) (Operand, *SyntaxError) {
	return parseOperand(s, leaf, 0)
}

type leafFunc = func(s *Scanner, o *Operand) *SyntaxError

func parseOperand(s *Scanner, leaf leafFunc, depth int) (o Operand, err *SyntaxError) {
	o.Off = s.Off
	for {
		at := s.Off
		name := s.Name()
		if name == "" || strings.Contains(name, ".") || !s.Take('(') {
			s.Off = at
			break
		}
		if depth++; depth > maxNesting {
			return o, s.fail(at, len(name), fmt.Sprintf("more than %d transformers within one another", maxNesting))
		}
		if combinerOf(name) != nil {
			if err = o.parseCall(s, leaf, name, depth); err != nil {
				return o, err
			}
			return o, o.close(s)
		}
		if TransformerOf(name) == nil {
			err = s.fail(at, len(name), "unknown transformer '"+name+"'")
			err.Name = name
			return o, err
		}
		o.Fns = append(o.Fns, name)
		s.Blank()
	}
	if len(o.Fns) == 0 {
		err = leaf(s, &o)
	} else {
		err = o.parseInner(s, leaf, depth)
	}
	if err != nil {
		return o, err
	}
	return o, o.close(s)
}

// close takes the parentheses that close o's transformers.
func (o *Operand) close(s *Scanner) *SyntaxError {
	for range o.Fns {
		at := s.Off
		if s.Blank(); s.Peek(',') {
			return s.fail(s.Off, 1, "transformer "+o.Fns[len(o.Fns)-1]+" takes one argument")
		}
		if !s.Take(')') {
			n := s.WordLen()
			if s.Off == len(s.Text) {
				s.Off = at
			}
			return s.fail(s.Off, n, "expecting ')' to close the transformer")
		}
	}
	o.Len = s.Off - o.Off
	return nil
}

// parseInner reads what may stand within a transformer, apart from another one.
func (o *Operand) parseInner(s *Scanner, leaf leafFunc, depth int) (err *SyntaxError) {
	if s.PeekQuote() {
		o.Text, err = s.Quoted()
		return err
	}
	if o.Text = s.Number(); o.Text != "" {
		return nil
	}
	if s.Take('(') {
		o.List = true
		o.Args, err = parseArgs(s, leaf, depth+1)
		return err
	}
	return leaf(s, o)
}

func (o *Operand) parseCall(s *Scanner, leaf leafFunc, name string, depth int) (err *SyntaxError) {
	o.Call = name
	if o.Args, err = parseArgs(s, leaf, depth); err != nil {
		return err
	}
	o.Arg, o.HasArg, err = s.Argument()
	return err
}

// parseArgs reads operands up to the parenthesis that closes them.
func parseArgs(s *Scanner, leaf leafFunc, depth int) (args []Operand, err *SyntaxError) {
	if depth > maxNesting {
		return nil, s.fail(s.Off, 1, fmt.Sprintf("more than %d lists within one another", maxNesting))
	}
	if s.Blank(); s.Take(')') {
		return nil, nil
	}
	for {
		s.Blank()
		a := Operand{Off: s.Off}
		if s.PeekQuote() || s.Peek('(') || s.Off < len(s.Text) && !isLetter(s.Text[s.Off]) {
			if err = a.parseInner(s, leaf, depth); err == nil {
				a.Len = s.Off - a.Off
			}
		} else {
			a, err = parseOperand(s, leaf, depth)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if s.Blank(); s.Take(')') {
			return args, nil
		}
		if !s.Take(',') {
			return nil, s.fail(s.Off, s.WordLen(), "expecting ',' or ')' among the arguments")
		}
	}
}

// String writes the operand so that parsing the text gives the same operand.
func (o *Operand) String() string {
	var b strings.Builder
	o.Print(&b)
	return b.String()
}

// Print appends what String returns.
func (o *Operand) Print(b *strings.Builder) {
	for _, f := range o.Fns {
		b.WriteString(f)
		b.WriteByte('(')
	}
	switch {
	case o.Field != "":
		b.WriteString(o.Field)
	case o.Call != "" || o.List:
		b.WriteString(o.Call)
		b.WriteByte('(')
		for i := range o.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			o.Args[i].Print(b)
		}
		b.WriteByte(')')
	default:
		b.WriteString(Quote(o.Text))
	}
	switch {
	case !o.HasArg:
	case IsBareArg(o.Arg):
		b.WriteString("[" + o.Arg + "]")
	default:
		b.WriteString("[" + Quote(o.Arg) + "]")
	}
	for range o.Fns {
		b.WriteByte(')')
	}
}

// Fields calls fn for every field of the operand, in the order in which they were written.
func (o *Operand) Fields(fn func(*Operand)) {
	if o.Field != "" {
		fn(o)
	}
	for i := range o.Args {
		o.Args[i].Fields(fn)
	}
}

// Finder finds the field of a name and an argument: Resolve, or a table of a test.
type Finder func(name, arg string, hasArg bool) (*Def, Arg, error)

// Resolved is an operand whose fields are known. Def is the field; for a call, a list or a constant it is one that was made for it, which
// no table has.
type Resolved struct {
	Def  *Def
	Arg  Arg
	Type event.Type // with the transformers around it
	List bool
	Fns  []*Transformer // the innermost first, without val
}

// Resolve finds the fields of the operand and checks that its transformers work on them. Fields with one of the flags forbid are
// refused.
func (o *Operand) Resolve(look Finder, forbid Flags) (r Resolved, err *SyntaxError) {
	switch {
	case o.Field != "":
		def, arg, e := look(o.Field, o.Arg, o.HasArg)
		if e != nil {
			return r, &SyntaxError{Off: o.Off, Len: o.Len, Msg: e.Error(), Name: o.Field, Err: e}
		}
		r.Def, r.Arg = def, arg
	case o.Call != "":
		r.Def, err = o.resolveCall(look, forbid)
	case o.List:
		r.Def, err = o.resolveList(look, forbid)
	default:
		r.Def = &Def{Name: Quote(o.Text), Type: event.CharBuf, Get: constant(Str(o.Text))}
	}
	bad := func(format string, args ...any) (Resolved, *SyntaxError) {
		return r, &SyntaxError{Off: o.Off, Len: o.Len, Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case err != nil:
		return r, err
	case r.Def.Flags&forbid&OutputOnly != 0:
		return bad("field %s can be printed but not compared", r.Def.Name)
	case r.Def.Flags&forbid&FilterOnly != 0:
		return bad("field %s can be compared but not printed", r.Def.Name)
	}
	r.Type, r.List = r.Def.ValueType(r.Arg), r.Def.List
	for _, name := range slices.Backward(o.Fns) {
		if name == "val" {
			continue
		}
		fn := TransformerOf(name)
		if r.Def.Flags&NoTransformer != 0 {
			return bad("field %s takes no transformer", r.Def.Name)
		}
		if !fn.In(r.Type, r.List) {
			return bad("transformer %s does not work on %s, a %s", name, r.Def.Name, TypeName(r.Type, r.List))
		}
		r.Fns = append(r.Fns, fn)
		r.Type, r.List = fn.Out(r.Type, r.List)
	}
	return r, nil
}

// TypeName writes a type as listings and messages do.
func TypeName(t event.Type, list bool) string {
	if list {
		return "LIST(" + t.String() + ")"
	}
	return t.String()
}

// Reader returns a function that reads the operand's value in an event. What it returns is valid until it is called again.
func (r Resolved) Reader() func(c *Ctx) (Value, bool) {
	get, arg := r.Def.Get, r.Arg
	if len(r.Fns) == 0 {
		return func(c *Ctx) (Value, bool) { return get(c, arg) }
	}
	list := r.Def.List
	calls := make([]func(Value) (Value, bool), len(r.Fns))
	for i, fn := range r.Fns {
		calls[i], list = fn.On(list)
	}
	return func(c *Ctx) (v Value, ok bool) {
		v, ok = get(c, arg)
		for i := 0; i < len(calls) && ok; i++ {
			v, ok = calls[i](v)
		}
		return v, ok
	}
}

// resolveArgs resolves the operands within a call or a list.
func (o *Operand) resolveArgs(look Finder, forbid Flags) (args []Resolved, err *SyntaxError) {
	args = make([]Resolved, len(o.Args))
	for i := range o.Args {
		if args[i], err = o.Args[i].Resolve(look, forbid); err != nil {
			return nil, err
		}
		if args[i].Def.Flags&NoTransformer != 0 {
			return nil, &SyntaxError{Off: o.Args[i].Off, Len: o.Args[i].Len, Msg: "field " + args[i].Def.Name + " takes no transformer"}
		}
	}
	return args, nil
}

// resolveList makes a field of a list: its members as text, in which the members of lists stand one by one. It has no value when one of its
// members has none.
func (o *Operand) resolveList(look Finder, forbid Flags) (*Def, *SyntaxError) {
	args, err := o.resolveArgs(look, forbid)
	if err != nil {
		return nil, err
	}
	readers := make([]func(*Ctx) (Value, bool), len(args))
	for i := range args {
		readers[i] = args[i].Reader()
	}
	l := &listBuilder{}
	get := func(c *Ctx, _ Arg) (Value, bool) {
		l.begin()
		for i, read := range readers {
			v, ok := read(c)
			if !ok {
				return Value{}, false
			}
			if !args[i].List {
				l.add(c, args[i].Def, v)
				continue
			}
			for _, e := range v.List() {
				l.add(c, args[i].Def, e)
			}
		}
		return l.value(), true
	}
	return &Def{Name: o.String(), Type: event.CharBuf, List: true, Get: get}, nil
}

// listBuilder makes lists of texts. What it made is valid until it begins again.
type listBuilder struct {
	buf  []byte
	list []Value
}

func (l *listBuilder) begin() { l.buf, l.list = l.buf[:0], l.list[:0] }

// add appends a copy of a value as text.
func (l *listBuilder) add(c *Ctx, d *Def, v Value) {
	mark := len(l.buf)
	if v.Kind == event.ByteBuf || v.Kind.IsString() {
		l.buf = append(l.buf, v.S...)
	} else {
		l.buf = renderOne(l.buf, c, d, v)
	}
	l.list = append(l.list, Str(text(l.buf[mark:])))
}

// addText appends a text, which must stay as it is while the list is used.
func (l *listBuilder) addText(s string) { l.list = append(l.list, Str(s)) }

func (l *listBuilder) value() Value { return ListOf(event.CharBuf, l.list) }
