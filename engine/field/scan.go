// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strconv"
	"strings"
)

// Scanner reads the words that conditions and templates have in common: names, arguments in brackets and quoted strings.
type Scanner struct {
	Text string
	Off  int // the byte to read next
}

// SyntaxError is a text in which something else was expected.
type SyntaxError struct {
	Off, Len int
	Msg      string
	Hint     string // what to write instead, or ""
	Name     string // the name that is not known, where that is what is wrong
	Err      error  // what the field table says, where it is at fault
}

func (e *SyntaxError) Error() string { return e.Msg }
func (e *SyntaxError) Unwrap() error { return e.Err }

func (s *Scanner) fail(off, n int, msg string) *SyntaxError {
	return &SyntaxError{Off: off, Len: max(n, 1), Msg: msg}
}

// IsBlank reports whether c separates words.
func IsBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n' }

// Blank passes over blanks.
func (s *Scanner) Blank() {
	for s.Off < len(s.Text) && IsBlank(s.Text[s.Off]) {
		s.Off++
	}
}

// Take passes over c, if it is next.
func (s *Scanner) Take(c byte) bool {
	if !s.Peek(c) {
		return false
	}
	s.Off++
	return true
}

// Peek reports whether c is next.
func (s *Scanner) Peek(c byte) bool { return s.Off < len(s.Text) && s.Text[s.Off] == c }

// PeekQuote reports whether a quoted string is next.
func (s *Scanner) PeekQuote() bool { return s.Peek('"') || s.Peek('\'') }

// WordLen is the length of what stands at the present place, for an error to point at.
func (s *Scanner) WordLen() int {
	n := 0
	for _, c := range []byte(s.Text[s.Off:]) {
		if IsBlank(c) || strings.IndexByte("(),", c) >= 0 {
			break
		}
		n++
	}
	return n
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// Name takes words joined by dots, each beginning with a letter. It is "" when there is none.
func (s *Scanner) Name() string {
	start := s.Off
	for {
		if s.Off >= len(s.Text) || !isLetter(s.Text[s.Off]) {
			if s.Off > start {
				s.Off-- // the dot is not ours
			}
			break
		}
		for s.Off < len(s.Text) && isWord(s.Text[s.Off]) {
			s.Off++
		}
		if !s.Take('.') {
			break
		}
	}
	return s.Text[start:s.Off]
}

// Number takes a number: hexadecimal, or decimal with a sign, a fraction or an exponent. It is "" when there is none, or when letters
// follow that no number has.
func (s *Scanner) Number() string {
	start := s.Off
	digits := func(is func(c byte) bool) bool {
		from := s.Off
		for s.Off < len(s.Text) && is(s.Text[s.Off]) {
			s.Off++
		}
		return s.Off > from
	}
	sign := func() bool { return s.Take('+') || s.Take('-') }
	var ok bool
	if rest := s.Text[start:]; strings.HasPrefix(rest, "0x") || strings.HasPrefix(rest, "0X") {
		s.Off += 2
		ok = digits(isHexDigit)
	} else {
		sign()
		if ok = digits(isDigit); s.Take('.') {
			digits(isDigit)
		}
		if mark := s.Off; ok && (s.Take('e') || s.Take('E')) && !(sign() && digits(isDigit)) {
			s.Off = mark
		}
	}
	if !ok || s.Off < len(s.Text) && (isWord(s.Text[s.Off]) || s.Text[s.Off] == '.') {
		s.Off = start
		return ""
	}
	return s.Text[start:s.Off]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHexDigit(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// IsBareArg reports whether text can stand in brackets without quotes.
func IsBareArg(text string) bool {
	return text != "" && !strings.ContainsAny(text, "][\"' \t\n\r\f\v")
}

// Argument takes an argument in brackets, if one is next.
func (s *Scanner) Argument() (arg string, has bool, err *SyntaxError) {
	if !s.Take('[') {
		return "", false, nil
	}
	start := s.Off
	if s.PeekQuote() {
		if arg, err = s.Quoted(); err != nil {
			return "", true, err
		}
	} else {
		for s.Off < len(s.Text) && IsBareArg(s.Text[s.Off:s.Off+1]) {
			s.Off++
		}
		if arg = s.Text[start:s.Off]; arg == "" {
			return "", true, s.fail(start, 1, "expecting a field argument after '['")
		}
	}
	if !s.Take(']') {
		return "", true, s.fail(s.Off, s.WordLen(), "expecting ']' after the field argument")
	}
	return arg, true, nil
}

// Quoted takes a string in quotes, which must be next, and returns what it stands for.
func (s *Scanner) Quoted() (string, *SyntaxError) {
	start, delimiter := s.Off, s.Text[s.Off]
	s.Off++
	var b strings.Builder
	for ; s.Off < len(s.Text); s.Off++ {
		c := s.Text[s.Off]
		if c == delimiter {
			s.Off++
			return b.String(), nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if s.Off++; s.Off >= len(s.Text) {
			break
		}
		switch e := s.Text[s.Off]; e {
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
		case 'x':
			n, err := strconv.ParseUint(s.Text[s.Off+1:min(s.Off+3, len(s.Text))], 16, 8)
			if err != nil || s.Off+3 > len(s.Text) {
				bad := s.fail(s.Off-1, 2, `expecting two hexadecimal digits after '\x'`)
				bad.Hint = `write \\ for a backslash`
				return "", bad
			}
			b.WriteByte(byte(n))
			s.Off += 2
		default:
			err := s.fail(s.Off-1, 2, `unknown escape '\`+string(rune(e))+`' in a quoted string`)
			err.Hint = `escapes are \b \f \n \r \t \xHH \\ \/ and the quote; write \\ for a backslash`
			return "", err
		}
	}
	return "", s.fail(start, 1, "the string has no closing quote")
}

// Quote writes text as a quoted string that stands for it.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
