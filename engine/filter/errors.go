// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"
)

// Pos is a place in a condition: a byte offset from 0, and a line and a column from 1. Columns count bytes. Src is the number that
// ParseFrom was given for the text, to tell the texts of macros apart.
type Pos struct{ Off, Line, Col, Src int }

// Error is a condition that does not mean anything. Len is how many bytes from Pos on are at fault.
type Error struct {
	Pos  Pos
	Len  int
	Msg  string
	Hint string // what to write instead; "" when there is nothing to propose
}

func (e *Error) Error() string {
	if e.Hint != "" {
		return fmt.Sprintf("%d:%d: %s (%s)", e.Pos.Line, e.Pos.Col, e.Msg, e.Hint)
	}
	return fmt.Sprintf("%d:%d: %s", e.Pos.Line, e.Pos.Col, e.Msg)
}

// maxSnippet is how much of a line an error shows.
const maxSnippet = 160

// Snippet returns the line of text that the error is in, and under it a caret for every byte at fault.
func (e *Error) Snippet(text string) string {
	start := strings.LastIndexByte(text[:min(e.Pos.Off, len(text))], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	at := e.Pos.Off - start
	if len(line) > maxSnippet {
		cut := max(0, min(at-maxSnippet/2, len(line)-maxSnippet))
		line, at = line[cut:cut+maxSnippet], at-cut
	}
	n := max(1, min(e.Len, len(line)-at))
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, line[:min(at, len(line))])
	return line + "\n" + pad + strings.Repeat("^", n)
}

// nearest returns the candidate that text is most likely a misspelling of, "" when none is close.
func nearest(text string, candidates func(yield func(string) bool)) string {
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

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean '" + name + "'?"
}
