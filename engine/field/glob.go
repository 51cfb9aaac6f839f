// SPDX-License-Identifier: Apache-2.0

package field

import "strings"

// Glob reports whether all of s matches pattern as fnmatch(3) without flags does: * and ? match slashes too, [...] is a set, which ! or ^ negates,
// and a backslash takes away a character's meaning. It takes time in proportion to len(pattern)*len(s) at worst.
func Glob(pattern, s string, fold bool) bool {
	p, i := 0, 0
	star, from := -1, 0 // where the last * was, and where in s it began to match
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n, ok := one(pattern[min(p, len(pattern)):], s[i], fold); ok {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one matches c with the first element of pattern, n bytes long.
func one(pattern string, c byte, fold bool) (n int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	same := func(a byte) bool { return a == c || fold && lowerByte(a) == lowerByte(c) }
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if n, ok, closed := set(pattern, c, fold); closed {
			return n, ok
		}
	case '\\':
		if len(pattern) > 1 {
			return 2, same(pattern[1])
		}
	}
	return 1, same(pattern[0])
}

// set matches c with the set that pattern begins with. closed is false when it has no end: then [ means itself.
func set(pattern string, c byte, fold bool) (n int, ok, closed bool) {
	if fold {
		c = lowerByte(c)
	}
	at := func(i int) byte {
		if fold {
			return lowerByte(pattern[i])
		}
		return pattern[i]
	}
	i, negated := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		i, negated = i+1, true
	}
	for start := i; i < len(pattern); i++ {
		if pattern[i] == ']' && i > start {
			return i + 1, ok != negated, true
		}
		if named, n := namedSet(pattern[i:]); n > 0 {
			ok = ok || named(c) || fold && named(upperByte(c))
			i += n - 1
			continue
		}
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		low := at(i)
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			ok = ok || low <= c && c <= at(i+2)
			i += 2
			continue
		}
		ok = ok || low == c
	}
	return 0, false, false
}

// namedSet reads a set of characters by name, like [:digit:], which pattern begins with. n is 0 when there is none.
func namedSet(pattern string) (holds func(c byte) bool, n int) {
	rest, ok := strings.CutPrefix(pattern, "[:")
	if !ok {
		return nil, 0
	}
	name, _, ok := strings.Cut(rest, ":]")
	if holds = namedSets[name]; !ok || holds == nil {
		return nil, 0
	}
	return holds, len("[:") + len(name) + len(":]")
}

// namedSets are the sets of the C locale.
var namedSets = map[string]func(c byte) bool{
	"alpha":  isLetter,
	"digit":  isDigit,
	"alnum":  func(c byte) bool { return isLetter(c) || isDigit(c) },
	"upper":  func(c byte) bool { return c >= 'A' && c <= 'Z' },
	"lower":  func(c byte) bool { return c >= 'a' && c <= 'z' },
	"space":  func(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' },
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"graph":  func(c byte) bool { return c > ' ' && c < 0x7f },
	"print":  func(c byte) bool { return c >= ' ' && c < 0x7f },
	"punct":  func(c byte) bool { return c > ' ' && c < 0x7f && !isLetter(c) && !isDigit(c) },
	"xdigit": func(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' },
}
