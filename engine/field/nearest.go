// SPDX-License-Identifier: Apache-2.0

package field

// Nearest returns the candidate that text is most likely a misspelling of, "" when none is close.
func Nearest(text string, candidates func(yield func(string) bool)) string {
	best, distance := "", max(2, len(text)/4)+1
	candidates(func(c string) bool {
		if d := editDistance(text, c, distance); d < distance {
			best, distance = c, d
		}
		return true
	})
	return best
}

// editDistance is Levenshtein's, given up at limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 256 {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
			least = min(least, row[j+1])
		}
		if least >= limit {
			return limit
		}
	}
	return row[len(b)]
}
