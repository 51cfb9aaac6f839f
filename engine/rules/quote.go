// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"falconet/engine/filter"
)

// Members of lists and values of exceptions become text of a condition. Falco pastes them in as they are, with quotes around those that
// hold a space; so a value may bring quotes of its own, escapes within them, commas, or a transformer. What Falco takes that way means
// the same here. What would break its condition is taken for the text that it is.

// plain reports whether a value is one word of the language.
func plain(s string) bool { return s != "" && !strings.ContainsAny(s, " \t\r\n\b\f\v()\"'=,") }

// pasted is a value as Falco pastes it.
func pasted(s string) string {
	if strings.Contains(s, " ") && s[0] != '"' && s[0] != '\'' {
		return `"` + s + `"`
	}
	return s
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func quoted(s string) string { return `"` + escaper.Replace(s) + `"` }

// comparison parses text that should be one comparison.
func comparison(text string) *filter.Check {
	e, err := filter.Parse(text)
	if err != nil {
		return nil
	}
	c, _ := e.(*filter.Check)
	return c
}

// memberText is a member of a list in the language. It may be several members there.
func memberText(s string) string {
	if plain(s) {
		return s
	}
	if t := pasted(s); t != "" && comparison("a.b in ("+t+")") != nil {
		return t
	}
	return quoted(s)
}

// memberValues are the members that one written member of a list stands for.
func memberValues(s string) []string {
	if plain(s) || s == "" {
		return []string{s}
	}
	c := comparison("a.b in (" + pasted(s) + ")")
	if c == nil {
		return []string{s}
	}
	values := make([]string, len(c.Values))
	for i, v := range c.Values {
		values[i] = v.Text
	}
	return values
}

// valueText is the one value of an operator in the language.
func valueText(op, s string) string {
	if takesList(op) {
		t := s
		if !strings.HasPrefix(t, "(") {
			t = "(" + t + ")"
		}
		if c := comparison("a.b " + op + " " + t); c != nil {
			return t
		}
		return "(" + memberText(s) + ")"
	}
	if plain(s) {
		return s
	}
	if t := pasted(s); comparison("a.b "+op+" "+t) != nil {
		return t
	}
	return quoted(s)
}
