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
	if p.blank(); p.off < len(p.text) {
		return nil, p.fail(p.off, p.wordLen(), "unexpected token after the condition, expecting 'or', 'and'", "")
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
		if p.blank(); !p.word(word) {
			return kids, nil
		}
	}
}

func (p *parser) not() (Expr, error) {
	p.blank()
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.off, 1, fmt.Sprintf("the condition is nested deeper than %d levels", maxDepth), "")
	}
	defer func() { p.depth-- }()
	at := p.off
	if p.word("not") {
		kid, err := p.not()
		if err != nil {
			return nil, err
		}
		return &Not{At: p.at(at), Kid: kid}, nil
	}
	if p.take('(') {
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.blank(); !p.take(')') {
			return nil, p.fail(p.off, p.wordLen(), "expecting ')'", "")
		}
		return e, nil
	}
	return p.check()
}

// check reads a comparison, or a macro: a name without a dot that no parenthesis follows.
func (p *parser) check() (Expr, error) {
	at := p.off // before the call: Go does not order the two
	name := p.name()
	if name == "" {
		return nil, p.fail(at, p.wordLen(), "expecting a field, a macro, 'not' or '('", "")
	}
	if !strings.Contains(name, ".") && !p.peek('(') {
		return &Macro{At: p.at(at), Name: name}, nil
	}
	p.off = at
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	c := &Check{Left: left}
	p.blank()
	c.OpAt = p.at(p.off)
	return c, p.comparison(c)
}

// operand reads a field, or a transformer around one.
func (p *parser) operand() (Operand, error) {
	p.blank()
	o := Operand{At: p.at(p.off)}
	start := p.off
	for {
		at := p.off
		name := p.name()
		if name == "" {
			return o, p.fail(at, p.wordLen(), "expecting a field", "")
		}
		if p.take('(') {
			if field.TransformerOf(name) == nil {
				return o, p.fail(at, len(name), "unknown transformer '"+name+"'", didYouMean(nearest(name, field.TransformerNames)))
			}
			if o.Fns = append(o.Fns, name); len(o.Fns) > maxDepth {
				return o, p.fail(at, len(name), fmt.Sprintf("more than %d transformers", maxDepth), "")
			}
			p.blank()
			continue
		}
		if !strings.Contains(name, ".") {
			return o, p.fail(at, len(name), "'"+name+"' is not a field", "")
		}
		o.Field = name
		break
	}
	if p.take('[') {
		if err := p.argument(&o); err != nil {
			return o, err
		}
	}
	for range o.Fns {
		if p.blank(); !p.take(')') {
			return o, p.fail(p.off, p.wordLen(), "expecting ')' to close the transformer", "")
		}
	}
	o.Len = p.off - start
	return o, nil
}

func (p *parser) argument(o *Operand) (err error) {
	o.HasArg = true
	start := p.off
	if p.peek('"') || p.peek('\'') {
		o.Arg, err = p.quoted()
	} else {
		for p.off < len(p.text) && isArg(p.text[p.off:p.off+1]) {
			p.off++
		}
		o.Arg = p.text[start:p.off]
		if o.Arg == "" {
			return p.fail(start, 1, "expecting a field argument after '['", "")
		}
	}
	if err == nil && !p.take(']') {
		err = p.fail(p.off, p.wordLen(), "expecting ']' after the field argument", "")
	}
	return err
}

func (p *parser) comparison(c *Check) error {
	if p.op([]string{"exists"}, false) == "exists" {
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
	n := p.wordLen()
	if n == 0 {
		return p.fail(p.off, 1, "expecting an operator after '"+c.Left.String()+"'", "")
	}
	word := p.text[p.off : p.off+n]
	return p.fail(p.off, n, "unknown operator '"+word+"'", didYouMean(nearest(word, names)))
}

// single reads the one value of an operator, or another field within val() or a transformer.
func (p *parser) single(c *Check, value func() (Value, error)) error {
	p.blank()
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
	at := p.off
	defer func() { p.off = at }()
	return field.TransformerOf(p.name()) != nil && p.peek('(')
}

func (p *parser) quantified(c *Check) error {
	p.blank()
	at := p.off
	for _, q := range quantifiers {
		if p.word(q) {
			if p.blank(); p.peek('(') {
				c.Quant = q
				return p.list(c)
			}
			p.off = at
		}
	}
	return p.single(c, p.value)
}

func (p *parser) list(c *Check) error {
	p.blank()
	if !p.peek('(') {
		return p.single(c, p.value)
	}
	p.off++
	c.List = true
	for {
		if p.blank(); len(c.Values) == 0 && p.take(')') {
			return nil
		}
		v, err := p.value()
		if err != nil {
			return err
		}
		c.Values = append(c.Values, v)
		p.blank()
		if p.take(')') {
			return nil
		}
		if !p.take(',') {
			return p.fail(p.off, p.wordLen(), "expecting ',' or ')' in the list", "")
		}
	}
}
