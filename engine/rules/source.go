// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"falconet/engine/filter"

	"go.yaml.in/yaml/v3"
)

// File is one rules file, already read. Err says why it could not be, if so: then it is refused, and nothing else of it is looked at.
type File struct {
	Name string
	Data []byte
	Err  error
}

// source is a file under work.
type source struct {
	File
	result *Result
	lines  []int // where every line begins, made when it is first asked for
}

func (s *source) fail(code Code, msg string, where ...Location) {
	s.result.Errors = append(s.result.Errors, s.problem(code, msg, where))
}

func (s *source) warn(code Code, msg string, where ...Location) {
	s.result.Warnings = append(s.result.Warnings, s.problem(code, msg, where))
}

// problem shows the line of the last place, which is the innermost.
func (s *source) problem(code Code, msg string, where []Location) Problem {
	p := Problem{Code: code, Message: msg, File: s.Name, Where: where}
	for i := range where {
		where[i].off = s.offset(where[i].Line, where[i].Col)
	}
	if n := len(where); n > 0 {
		p.Snippet = s.snippet(where[n-1])
	}
	return p
}

// text makes valid UTF-8 of the file, as YAML wants it, and reports whether it is text at all.
func (s *source) text() bool {
	switch {
	case bytes.HasPrefix(s.Data, []byte("\xef\xbb\xbf")):
		s.Data = s.Data[3:]
	case bytes.HasPrefix(s.Data, []byte("\xff\xfe")):
		s.Data = fromUTF16(s.Data[2:], binary.LittleEndian)
	case bytes.HasPrefix(s.Data, []byte("\xfe\xff")):
		s.Data = fromUTF16(s.Data[2:], binary.BigEndian)
	}
	if bytes.IndexByte(s.Data, 0) >= 0 {
		return false
	}
	if utf8.Valid(s.Data) && !bytes.ContainsFunc(s.Data, isControl) {
		return true
	}
	clean := bytes.ToValidUTF8(s.Data, []byte("\uFFFD"))
	s.Data = bytes.Map(func(r rune) rune {
		if isControl(r) {
			return '\uFFFD'
		}
		return r
	}, clean)
	s.warn(InvalidText, "the file holds bytes that are no text: they are read as U+FFFD")
	return true
}

// isControl reports whether r is one of the characters that YAML does not allow.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff || r == 0xfeff
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// line returns where a line, counted from 1, begins and ends.
func (s *source) line(n int) (start, end int) {
	if s.lines == nil {
		s.lines = []int{0}
		for i, c := range s.Data {
			if c == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	}
	if n < 1 || n > len(s.lines) {
		return len(s.Data), len(s.Data)
	}
	start, end = s.lines[n-1], len(s.Data)
	if n < len(s.lines) {
		end = s.lines[n] - 1
	}
	if end > start && s.Data[end-1] == '\r' {
		end--
	}
	return start, end
}

// offset returns the byte at a line and a column. Columns count characters from 1.
func (s *source) offset(line, col int) int {
	start, end := s.line(line)
	for ; col > 1 && start < end; col-- {
		_, n := utf8.DecodeRune(s.Data[start:end])
		start += n
	}
	return start
}

// locate is the opposite of offset.
func (s *source) locate(off int) (line, col int) {
	s.line(1)
	line, found := slices.BinarySearch(s.lines, off)
	if found {
		line++
	}
	start := s.lines[line-1]
	return line, utf8.RuneCount(s.Data[start:min(off, len(s.Data))]) + 1
}

// snippet returns the line of a place with carets under what is at fault.
func (s *source) snippet(l Location) string {
	start, end := s.line(l.Line)
	if start == end {
		return ""
	}
	at := min(l.off, end)
	n := l.size
	if n == 0 {
		n = wordLen(s.Data[at:end])
	}
	n = utf8.RuneCount(s.Data[at:min(at+n, end)])
	line := s.Data[start:end]
	if bytes.ContainsFunc(line, func(r rune) bool { return r != '\t' && unprintable(r) }) {
		return ""
	}
	e := filter.Error{Pos: filter.Pos{Off: at - start}, Len: n}
	return strings.ToValidUTF8(e.Snippet(string(line)), "\uFFFD")
}

// wordLen is the length of the YAML scalar that line begins with, as far as one line tells.
func wordLen(line []byte) int {
	if len(line) == 0 {
		return 0
	}
	if q := line[0]; q == '"' || q == '\'' {
		if i := bytes.IndexByte(line[1:], q); i >= 0 {
			return i + 2
		}
		return len(line)
	}
	if line[0] == '[' || line[0] == '{' {
		return bracketLen(line)
	}
	for i, c := range line {
		next := byte(' ')
		if i+1 < len(line) {
			next = line[i+1]
		}
		switch {
		case c == ':' && blank(next), c == ' ' && next == '#', i > 0 && strings.IndexByte(",]}", c) >= 0:
			return len(bytes.TrimRight(line[:i], " "))
		}
	}
	return len(bytes.TrimRight(line, " "))
}

// bracketLen is the length of a list or map in brackets.
func bracketLen(line []byte) int {
	depth := 0
	for i, c := range line {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(bytes.TrimRight(line, " "))
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// segment is text of a condition and where it was written.
type segment struct {
	text string
	node *yaml.Node
	item *item
}

// place finds the byte of the file that a byte of the segment's text was written as. Blank space is written in many ways in YAML, so the
// place is found by counting what is not blank. The end of the text is the place after its last byte.
func (g *segment) place(off int) int {
	count := 0
	end := off > 0 && strings.TrimSpace(g.text[min(off, len(g.text)):]) == ""
	for i := 0; i < off && i < len(g.text); i++ {
		if !blank(g.text[i]) {
			count++
		}
	}
	file := g.item.file
	data, first := file.Data, file.offset(g.node.Line, g.node.Column)
	pos := first
	for pos < len(data) && (data[pos] == '&' || data[pos] == '!') { // an anchor or a tag
		pos += bytes.IndexFunc(data[pos:], func(r rune) bool { return r <= ' ' })
		pos += len(data[pos:]) - len(bytes.TrimLeft(data[pos:], " "))
	}
	switch {
	case g.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		_, pos = file.line(g.node.Line)
	case g.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		pos++
	}
	for ; pos < len(data); pos++ {
		if blank(data[pos]) {
			continue
		}
		if count == 0 {
			return pos
		}
		if count--; count == 0 && end {
			return pos + 1
		}
	}
	return first
}
