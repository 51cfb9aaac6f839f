// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/field"
)

// maxDepth bounds the nesting of a condition.
const maxDepth = 1000

// maxConstant is Falco's bound on a constant, in bytes.
const maxConstant = 255

var (
	numberOps = []string{"<=", "<", ">=", ">"}
	stringOps = []string{
		"==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith", "regex",
	}
	listOps     = []string{"intersects", "in", "pmatch"}
	quantifiers = []string{"oneof", "anyof", "allof"}
)

func isNumberOp(op string) bool { return slices.Contains(numberOps, op) }

// Parse reads a condition. The error is an *Error.
func Parse(text string) (Expr, error) { return ParseFrom(text, 0) }

// ParseFrom is Parse for one of several texts: every Pos of the tree and of the error has src for its Src.
func ParseFrom(text string, src int) (Expr, error) {
	p := newParser(text, src)
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.Blank(); p.Off < len(p.Text) {
		return nil, p.fail(p.Off, p.WordLen(), "unexpected token after the condition, expecting 'or', 'and'", "")
	}
	return e, nil
}

func (p *parser) or() (Expr, error) {
	kids, err := p.chain("or", p.and)
	if err != nil || len(kids) == 1 {
		return first(kids), err
	}
	return &Or{Kids: kids}, nil
}

func (p *parser) and() (Expr, error) {
	kids, err := p.chain("and", p.not)
	if err != nil || len(kids) == 1 {
		return first(kids), err
	}
	return &And{Kids: kids}, nil
}

func first(kids []Expr) Expr {
	if len(kids) == 0 {
		return nil
	}
	return kids[0]
}

func (p *parser) chain(word string, next func() (Expr, error)) (kids []Expr, err error) {
	for {
		k, err := next()
		if err != nil {
			return nil, err
		}
		kids = append(kids, k)
		if p.Blank(); !p.word(word) {
			return kids, nil
		}
	}
}

func (p *parser) not() (Expr, error) {
	p.Blank()
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.Off, 1, fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth), "")
	}
	defer func() { p.depth-- }()
	at := p.Off
	if p.word("not") {
		kid, err := p.not()
		if err != nil {
			return nil, err
		}
		return &Not{At: p.at(at), Kid: kid}, nil
	}
	if p.Take('(') {
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.Blank(); !p.Take(')') {
			return nil, p.fail(p.Off, p.WordLen(), "expecting ')'", "")
		}
		return e, nil
	}
	return p.check()
}

// check reads a comparison, or a macro: a name without a dot that no parenthesis follows.
func (p *parser) check() (Expr, error) {
	at := p.Off // before the call: Go does not order the two
	name := p.Name()
	switch name {
	case "":
		return nil, p.fail(at, p.WordLen(), "expecting a field, a macro, 'not' or '('", "")
	case "and", "or", "not": // no macro can be named so
		return nil, p.fail(at, len(name), "expecting a field, a macro or '(', not the word '"+name+"'", "")
	}
	if !strings.Contains(name, ".") && !p.Peek('(') {
		return &Macro{At: p.at(at), Name: name}, nil
	}
	p.Off = at
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	c := &Check{Left: left}
	p.Blank()
	c.OpAt = p.at(p.Off)
	return c, p.comparison(c)
}

// operand reads a field, or a transformer around one.
func (p *parser) operand() (Operand, error) {
	p.Blank()
	o := Operand{At: p.at(p.Off)}
	var err *field.SyntaxError
	if o.Operand, err = field.ParseOperand(&p.Scanner, leaf); err != nil {
		return o, p.syntax(err)
	}
	if slices.Contains(o.Fns, "val") && (len(o.Fns) > 1 || o.Field == "") {
		return o, p.fail(o.Off, o.Len, "val() stands around a field, and within nothing", "")
	}
	return o, nil
}

// leaf reads a field: conditions take names as far as they go.
func leaf(s *field.Scanner, o *field.Operand) *field.SyntaxError {
	at := s.Off
	switch name := s.Name(); {
	case name == "":
		return &field.SyntaxError{Off: at, Len: s.WordLen(), Msg: "expecting a field"}
	case !strings.Contains(name, "."):
		return &field.SyntaxError{Off: at, Len: len(name), Msg: "'" + name + "' is not a field"}
	default:
		o.Field = name
	}
	var err *field.SyntaxError
	o.Arg, o.HasArg, err = s.Argument()
	return err
}

func (p *parser) comparison(c *Check) error {
	if p.exists() {
		c.Op = "exists"
		return nil
	}
	if op := p.op(numberOps, false); op != "" {
		c.Op = op
		return p.single(c, p.number)
	}
	if op := p.op(stringOps, true); op != "" {
		if c.Op = op; op == "==" {
			c.Op = "="
		}
		return p.quantified(c)
	}
	if op := p.op(listOps, false); op != "" {
		c.Op = op
		return p.list(c)
	}
	names := func(yield func(string) bool) {
		for _, l := range [][]string{{"exists"}, numberOps, stringOps, listOps} {
			for _, op := range l {
				if !yield(op) {
					return
				}
			}
		}
	}
	n := p.WordLen()
	if n == 0 {
		return p.fail(p.Off, 1, "expecting an operator after '"+c.Left.String()+"'", "")
	}
	word := p.Text[p.Off : p.Off+n]
	return p.fail(p.Off, n, "unknown operator '"+word+"'", didYouMean(nearest(word, names)))
}

// single reads the one value of an operator, or another field within val() or a transformer.
func (p *parser) single(c *Check, value func() (Value, error)) error {
	p.Blank()
	if p.isFieldRight() {
		right, err := p.operand()
		c.Right = &right
		return err
	}
	v, err := value()
	c.Values = []Value{v}
	return err
}

// isFieldRight reports whether a transformer follows.
func (p *parser) isFieldRight() bool {
	at := p.Off
	defer func() { p.Off = at }()
	return field.IsTransformer(p.Name()) && p.Peek('(')
}

// quantified reads a value, or a quantifier and a list: in parentheses, or a name that stands for one.
func (p *parser) quantified(c *Check) error {
	before := p.Off
	p.Blank()
	at := p.Off
	for _, q := range quantifiers {
		if !p.word(q) {
			continue
		}
		after := p.Off
		p.Blank()
		open := p.Peek('(')
		switch {
		case open && at == before && !isLetter(c.Op[0]):
			return p.fail(at, len(q), "expecting a blank before '"+q+"'", "")
		case open && after == p.Off:
			return p.fail(at, len(q)+1, "expecting a blank between '"+q+"' and the list", "")
		case open || p.Off < len(p.Text) && isLetter(p.Text[p.Off]) && !p.peekWord("and") && !p.peekWord("or") && !p.peekWord("not"):
			c.Quant = q
			if err := p.list(c); err != nil || c.Right == nil {
				return err
			}
			return p.fail(c.Right.Off, c.Right.Len, "'"+q+"' takes a list of constants", "")
		}
		p.Off = at
	}
	return p.single(c, p.value)
}

// exists takes the operator without an operand. Falco wants no blank behind it.
func (p *parser) exists() bool {
	at := p.Off
	if p.op([]string{"exists"}, false) != "" {
		return true
	}
	if !strings.HasPrefix(p.Text[p.Off:], "exists") {
		return false
	}
	if p.Off += len("exists"); p.peekWord("and") || p.peekWord("or") {
		return true
	}
	p.Off = at
	return false
}

func (p *parser) peekWord(w string) bool {
	at := p.Off
	defer func() { p.Off = at }()
	return p.word(w)
}

func (p *parser) list(c *Check) error {
	p.Blank()
	if !p.Peek('(') {
		return p.single(c, p.value)
	}
	p.Off++
	c.List = true
	for {
		if p.Blank(); len(c.Values) == 0 && p.Take(')') {
			return nil
		}
		v, err := p.value()
		if err != nil {
			return err
		}
		c.Values = append(c.Values, v)
		p.Blank()
		if p.Take(')') {
			return nil
		}
		if !p.Take(',') {
			return p.fail(p.Off, p.WordLen(), "expecting ',' or ')' in the list", "")
		}
	}
}
