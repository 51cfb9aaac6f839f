// SPDX-License-Identifier: Apache-2.0

package filter

import "slices"

// MaxConstant is how many bytes a value of a condition may have.
const MaxConstant = maxConstant

// Nearest returns the candidate that text is most likely a misspelling of, "" when none is close.
func Nearest(text string, candidates []string) string {
	return nearest(text, slices.Values(candidates))
}
