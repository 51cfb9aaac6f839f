// SPDX-License-Identifier: Apache-2.0

package field

import (
	"path"
	"strings"
	"testing"
	"time"
)

func TestGlob(t *testing.T) {
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := Glob(pattern, s, false); got != want {
			t.Errorf("%q on %q is %v", pattern, s, got)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("*", "", true)
	f("?", "", false)
	f("**", "a/b", true)
	f("/a*c", "/a/b/c", true)
	f("a?c", "a/c", true)
	f(`a\*`, "a*", true)
	f(`a\*`, "ab", false)
	f(`a\`, `a\`, true)
	f("[a-c]x", "bx", true)
	f("[!a-c]x", "bx", false)
	f("[^a-c]x", "dx", true)
	f("[]a]", "]", true)
	f("[!]a]", "b", true)
	f("[a-]", "-", true)
	f(`[\]]`, "]", true)
	f("[abc", "[abc", true) // a set without an end is text
	f("[[:digit:][:space:]]", "7", true)
	f("[[:digit:][:space:]]", "\t", true)
	f("[[:digit:]x]", "x", true)
	f("[[:nosuch:]", "n", true)
	f("[[:]", ":", true)
	f("x[[:punct:]-]*", "x-y", true)
	for name, in := range map[string]string{
		"alpha": "aZ", "alnum": "a9", "upper": "AZ", "lower": "az", "blank": " \t", "cntrl": "\x01\x7f", "graph": "!~", "print": " ~", "xdigit": "0fF",
	} {
		for i := range len(in) {
			f("[[:"+name+":]]", in[i:i+1], true)
			f("[[:"+name+":]]", "\x80", false)
		}
	}
	if !Glob("[[:digit:]b]", "B", true) || !Glob("[[:upper:]]", "a", true) || !Glob("A[X-Z]*", "ay/q", true) {
		t.Error("case counts where it should not")
	}
}

// TestGlobIsNotExponential is what makes naive matchers run for ever.
func TestGlobIsNotExponential(t *testing.T) {
	start := time.Now()
	if Glob(strings.Repeat("*a", 100)+"b", strings.Repeat("a", 4096), false) {
		t.Error("it matches")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// FuzzGlob compares with path.Match where the two mean the same.
func FuzzGlob(f *testing.F) {
	f.Add("a*[b-d]?\\*", "axxc.*")
	f.Add("[^x]**", "ab")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		got := Glob(pattern, s, false)
		Glob(pattern, s, true)
		for i := range len(pattern) + len(s) {
			if c := (pattern + s)[i]; c == '/' || c >= 0x80 {
				return
			}
		}
		if strings.Contains(pattern, "[!") || strings.Contains(pattern, "[:") {
			return
		}
		if want, err := path.Match(pattern, s); err == nil && got != want {
			t.Errorf("%q on %q is %v", pattern, s, got)
		}
	})
}
