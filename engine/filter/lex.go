// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/field"
)

// parser reads a text from its beginning to its end. The language has no tokens apart from the grammar: whether a word is a name, an
// operator or a value follows from where it stands. So this file has what can stand somewhere, and parse.go says where.
type parser struct {
	field.Scanner
	src   int
	depth int
	lines []int // where every line begins
}

func newParser(text string, src int) *parser {
	p := &parser{Scanner: field.Scanner{Text: text}, src: src, lines: []int{0}}
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

// syntax makes an error of the language of what the scanner says.
func (p *parser) syntax(err *field.SyntaxError) *Error {
	e := p.fail(err.Off, err.Len, err.Msg, err.Hint)
	if e.Hint == "" && err.Name != "" {
		e.Hint = didYouMean(nearest(err.Name, field.TransformerNames))
	}
	return e
}

// word takes a keyword that a blank, a parenthesis or the end follows.
func (p *parser) word(w string) bool {
	rest := p.Text[p.Off:]
	if !strings.HasPrefix(rest, w) {
		return false
	}
	if len(rest) > len(w) && !field.IsBlank(rest[len(w)]) && rest[len(w)] != '(' {
		return false
	}
	p.Off += len(w)
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isWord(c byte) bool   { return isLetter(c) || c >= '0' && c <= '9' || c == '_' }

// op takes one of the operators. Words of string operators need a blank behind them.
func (p *parser) op(list []string, blank bool) string {
	rest := p.Text[p.Off:]
	for _, op := range list {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if isLetter(op[0]) && len(rest) > len(op) {
			if next := rest[len(op)]; blank && !field.IsBlank(next) || isWord(next) {
				continue
			}
		}
		p.Off += len(op)
		return op
	}
	return ""
}

func isBareByte(c byte) bool {
	return !field.IsBlank(c) && c != '\f' && c != '\v' && strings.IndexByte("()\"'=,", c) < 0
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
func (p *parser) value() (Value, error) {
	start := p.Off
	v := Value{At: p.at(start)}
	if p.PeekQuote() {
		text, err := p.Quoted()
		if err != nil {
			return v, p.syntax(err)
		}
		v.Text = text
	} else {
		for p.Off < len(p.Text) && isBareByte(p.Text[p.Off]) {
			p.Off++
		}
		if v.Text = p.Text[start:p.Off]; v.Text == "" {
			return v, p.fail(start, p.WordLen(), "expecting a value", "")
		}
	}
	if v.Len = p.Off - start; len(v.Text) > maxConstant {
		return v, p.fail(start, v.Len, fmt.Sprintf("the value is longer than %d bytes", maxConstant), "")
	}
	return v, nil
}

// number takes a number.
func (p *parser) number() (Value, error) {
	start := p.Off
	v := Value{At: p.at(start), Text: p.Number()}
	if v.Len = len(v.Text); v.Len == 0 {
		return v, p.fail(start, p.WordLen(), "expecting a number", "")
	}
	return v, nil
}
