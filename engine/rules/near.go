// SPDX-License-Identifier: Apache-2.0

package rules

import "falconet/engine/filter"

// didYouMean proposes a candidate for a word that is none of them, as the end of a message; "" when none is close.
func didYouMean(word string, candidates []string) string {
	if near := filter.Nearest(word, candidates); near != "" {
		return " (did you mean '" + near + "'?)"
	}
	return ""
}
