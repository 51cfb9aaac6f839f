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
	p := &parser{text: text, src: src}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.blank(); p.off < len(p.text) {
		return nil, p.fail(p.off, p.wordLen(), "unexpected token after the condition, expecting 'or', 'and'", "")
	}
	return e, nil
}

type parser struct {
	text  string
	src   int
	off   int
	depth int
}

func (p *parser) at(off int) Pos {
	line := 1 + strings.Count(p.text[:off], "\n")
	return Pos{Off: off, Line: line, Col: off - strings.LastIndexByte(p.text[:off], '\n'), Src: p.src}
}

func (p *parser) fail(off, n int, msg, hint string) *Error {
	return &Error{Pos: p.at(off), Len: max(n, 1), Msg: msg, Hint: hint}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n' }

func (p *parser) blank() {
	for p.off < len(p.text) && isBlank(p.text[p.off]) {
		p.off++
	}
}

// wordLen is the length of what stands at the present place, for an error to point at.
func (p *parser) wordLen() int {
	n := 0
	for _, c := range []byte(p.text[p.off:]) {
		if isBlank(c) || strings.IndexByte("(),", c) >= 0 {
			break
		}
		n++
	}
	return n
}

// word takes a keyword that a blank, a parenthesis or the end follows.
func (p *parser) word(w string) bool {
	rest := p.text[p.off:]
	if !strings.HasPrefix(rest, w) {
		return false
	}
	if len(rest) > len(w) && !isBlank(rest[len(w)]) && rest[len(w)] != '(' {
		return false
	}
	p.off += len(w)
	return true
}

func (p *parser) take(c byte) bool {
	if p.off < len(p.text) && p.text[p.off] == c {
		p.off++
		return true
	}
	return false
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

func (p *parser) peek(c byte) bool { return p.off < len(p.text) && p.text[p.off] == c }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isWord(c byte) bool   { return isLetter(c) || c >= '0' && c <= '9' || c == '_' }

// name takes words joined by dots, each beginning with a letter.
func (p *parser) name() string {
	start := p.off
	for {
		if p.off >= len(p.text) || !isLetter(p.text[p.off]) {
			if p.off > start {
				p.off-- // the dot is not ours
			}
			break
		}
		for p.off < len(p.text) && isWord(p.text[p.off]) {
			p.off++
		}
		if !p.peek('.') {
			break
		}
		p.off++
	}
	return p.text[start:p.off]
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

// isArg reports whether s can stand in brackets without quotes.
func isArg(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return strings.ContainsRune("][\"' \t\n\r\f\v", r)
	})
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

// op takes one of the operators. Words of string operators need a blank behind them.
func (p *parser) op(list []string, blank bool) string {
	rest := p.text[p.off:]
	for _, op := range list {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if isLetter(op[0]) && len(rest) > len(op) {
			if next := rest[len(op)]; blank && !isBlank(next) || isWord(next) {
				continue
			}
		}
		p.off += len(op)
		return op
	}
	return ""
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

func isBareByte(c byte) bool {
	return !isBlank(c) && c != '\f' && c != '\v' && strings.IndexByte("()\"'=,", c) < 0
}

func isBare(s string) bool {
	for i := range len(s) {
		if !isBareByte(s[i]) {
			return false
		}
	}
	return s != "" && !slices.Contains(quantifiers, s)
}

// value takes a quoted or a bare string.
func (p *parser) value() (v Value, err error) {
	start := p.off
	v.At = p.at(start)
	if p.peek('"') || p.peek('\'') {
		v.Text, err = p.quoted()
	} else {
		for p.off < len(p.text) && isBareByte(p.text[p.off]) {
			p.off++
		}
		v.Text = p.text[start:p.off]
		if v.Text == "" {
			err = p.fail(start, p.wordLen(), "expecting a value", "")
		}
	}
	v.Len = p.off - start
	if err == nil && len(v.Text) > maxConstant {
		err = p.fail(start, v.Len, fmt.Sprintf("the value is longer than %d bytes", maxConstant), "")
	}
	return v, err
}

// number takes a number: decimal or hexadecimal, with a sign, a fraction or an exponent.
func (p *parser) number() (Value, error) {
	start := p.off
	v := Value{At: p.at(start)}
	for p.off < len(p.text) && (isWord(p.text[p.off]) || strings.IndexByte("+-.", p.text[p.off]) >= 0) {
		p.off++
	}
	v.Text, v.Len = p.text[start:p.off], p.off-start
	digits := strings.TrimLeft(v.Text, "+-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		p.off = start
		return v, p.fail(start, p.wordLen(), "expecting a number", "")
	}
	return v, nil
}

// quoted takes a string in quotes.
func (p *parser) quoted() (string, error) {
	start, delimiter := p.off, p.text[p.off]
	p.off++
	var b strings.Builder
	for ; p.off < len(p.text); p.off++ {
		c := p.text[p.off]
		if c == delimiter {
			p.off++
			return b.String(), nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if p.off++; p.off >= len(p.text) {
			break
		}
		switch e := p.text[p.off]; e {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case ' ', '\\':
			b.WriteByte('\\')
		case '/', delimiter:
			b.WriteByte(e)
		default:
			return "", p.fail(p.off-1, 2, `unknown escape '\`+string(e)+`' in a quoted string`, `escapes are \b \f \n \r \t \\ \/ and the quote; write \\ for a backslash`)
		}
	}
	return "", p.fail(start, 1, "the string has no closing quote", "")
}
