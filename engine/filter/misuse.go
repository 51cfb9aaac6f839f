// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"

	"falconet/engine/field"
)

// warnMisused points at constants that look like something else, and at regular expressions that need not be any.
func (k *Compiler) warnMisused(c *Check) {
	for _, v := range c.Values {
		bare := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\r\n\v\f", r) {
				return -1
			}
			return r
		}, v.Text)
		name, _, call := strings.Cut(bare, "(")
		switch {
		case c.Op == "regex" && isPlainRegex(v.Text):
			k.warn(v, fmt.Sprintf("regex '%s' could be a simpler and faster operator: =, contains, startswith or endswith", v.Text))
		case strings.Contains(bare, ".") && isField(bare):
			k.warn(v, fmt.Sprintf("'%s' may be a valid field misused as a constant: write val(%s) to compare with the field", v.Text, bare))
		case call && strings.HasSuffix(bare, ")") && field.IsTransformer(name):
			k.warn(v, fmt.Sprintf("'%s' may be a valid transformer misused as a constant: without quotes it is one", v.Text))
		}
	}
}

// isField reports whether all of the text is a field.
func isField(text string) bool {
	_, _, n, err := field.Scan(text)
	return err == nil && n == len(text)
}

// isPlainRegex reports whether a regular expression has nothing special but anchors, and any text at its ends.
func isPlainRegex(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$")
	for _, any := range []string{".*", ".+", ".?"} {
		if rest, ok := strings.CutPrefix(s, any); ok {
			s = rest
			break
		}
	}
	for _, any := range []string{".*", ".+", ".?"} {
		if rest, ok := strings.CutSuffix(s, any); ok {
			s = rest
			break
		}
	}
	return !strings.ContainsAny(s, `.+*?^$()[]{}|\`)
}
