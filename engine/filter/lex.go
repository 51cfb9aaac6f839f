// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"
	"strings"
)

// parser reads a text from its beginning to its end. The language has no tokens apart from the grammar: whether a word is a name, an
// operator or a value follows from where it stands. So this file has what can stand somewhere, and parse.go says where.
type parser struct {
	text  string
	src   int
	off   int
	depth int
	lines []int // where every line begins
}

func newParser(text string, src int) *parser {
	p := &parser{text: text, src: src, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	return p
}

func (p *parser) at(off int) Pos {
	line, found := slices.BinarySearch(p.lines, off)
	if found {
		line++
	}
	return Pos{Off: off, Line: line, Col: off - p.lines[line-1] + 1, Src: p.src}
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

// isArg reports whether s can stand in brackets without quotes.
func isArg(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return strings.ContainsRune("][\"' \t\n\r\f\v", r)
	})
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
