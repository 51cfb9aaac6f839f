// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"

	"falconet/engine/field"
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

func nearest(text string, candidates func(yield func(string) bool)) string {
	return field.Nearest(text, candidates)
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean '" + name + "'?"
}
