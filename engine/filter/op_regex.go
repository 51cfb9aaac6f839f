// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"falconet/engine/field"
)

// regexTest makes the test of `regex`: RE2 syntax, and the whole value must match. Classes such as \d, which Falco's POSIX mode
// refuses silently, mean what they say. An expression that means nothing matches nothing, as Falco has it, and is warned of.
func (k *Compiler) regexTest(v Value) test {
	re, err := wholeMatch(v.Text)
	if err != nil {
		k.warnOurs(v, "the regular expression never matches: "+err.Error())
		return func(*field.Value) bool { return false }
	}
	// Most values lack a text that every match has: looking for it is far cheaper.
	quick := func(string) bool { return true }
	switch w := regexWant(v.Text); w.kind {
	case wantEqual, wantPrefix:
		quick = func(s string) bool { return strings.HasPrefix(s, w.text) }
	case wantSuffix:
		quick = func(s string) bool { return strings.HasSuffix(s, w.text) }
	case wantPart:
		quick = func(s string) bool { return strings.Contains(s, w.text) }
	}
	return func(v *field.Value) bool {
		s := trimNUL(v)
		return quick(s) && re.MatchString(s)
	}
}

// wholeMatch compiles text so that it matches whole values only.
func wholeMatch(text string) (*regexp.Regexp, error) {
	// The text by itself first: anchors around `a)|(b` would make something of it.
	if _, err := regexp.Compile(text); err != nil {
		posix, other := syntax.Parse(text, syntax.POSIX|syntax.OneLine)
		if other != nil {
			return nil, err
		}
		text = posix.String() // what POSIX alone allows, such as a**
	}
	return regexp.Compile("^(?:" + text + ")$")
}
