// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendText appends s as it may stand in a line of text: valid UTF-8 without anything that ends a line, drives a terminal or
// turns the direction of writing. Such characters become JSON's escapes; a byte that is no UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte { return appendEscaped(dst, s, false) }

// appendString appends s as a JSON string. The characters that appendText escapes are escaped here too: to a JSON parser it is
// all the same, and a line stays one line for readers that know more line ends than \n.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, true)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string, quotes bool) []byte {
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != 0x7f && (!quotes || c != '"' && c != '\\') {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, rune(c))
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
		case hostile(r):
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, r)
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	return append(dst, s[start:]...)
}

// hostile reports whether a rune beyond ASCII would end a line, drive a terminal or change the order in which it is read.
func hostile(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f: // the second set of control characters: 0x9b begins a terminal's sequences
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f: // marks of direction
		return true
	case r >= 0x2028 && r <= 0x202e: // line and paragraph separators, embeddings and overrides of direction
		return true
	case r >= 0x2066 && r <= 0x2069: // isolates of direction
		return true
	}
	return false
}

func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
