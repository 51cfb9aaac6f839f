// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"falconet/engine/filter"
)

// didYouMean proposes a candidate for a word that is none of them, as the end of a message; "" when none is close.
func didYouMean(word string, candidates []string) string {
	near := filter.Nearest(word, candidates)
	for _, c := range candidates {
		if near == "" && len(word) > 2 && strings.HasPrefix(c, word) {
			near = c // cut short
		}
	}
	if near == "" {
		return ""
	}
	return " (did you mean '" + near + "'?)"
}
