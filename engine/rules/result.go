// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Location is a place in a file: the item it is in, and line and column from 1. Columns count characters.
type Location struct {
	ItemType string // "rule", "macro", "list", "exception", "file" and the like
	ItemName string
	Line     int
	Col      int

	off  int // in bytes from the beginning of the file
	size int // bytes at fault, 0 for the word there
}

// Problem is an error or a warning.
type Problem struct {
	Code    Code
	Message string
	File    string
	Where   []Location // from the outside in
	Snippet string     // the line at fault, with carets under it; may be empty
}

// Result is what loading one file gave.
type Result struct {
	Name     string
	Errors   []Problem
	Warnings []Problem
}

// OK reports whether the file was accepted.
func (r *Result) OK() bool { return len(r.Errors) == 0 }

// Summary is the first line of the result.
func (r *Result) Summary() string {
	name := printable(r.Name)
	switch {
	case !r.OK():
		return name + ": Invalid"
	case len(r.Warnings) > 0:
		return name + ": Ok, with warnings"
	}
	return name + ": Ok"
}

// Text is the result as a person reads it. Warnings are listed only if verbose is set; errors always.
func (r *Result) Text(verbose bool) string {
	var b strings.Builder
	b.WriteString(r.Summary())
	list := func(kind string, problems []Problem) {
		if len(problems) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%d %s:", len(problems), kind)
		for i := range problems {
			b.WriteString("\n" + problems[i].Text())
		}
	}
	list("Errors", r.Errors)
	if verbose {
		list("Warnings", r.Warnings)
	}
	return b.String()
}

// strict makes errors of the warnings that Falco does not give.
func (r *Result) strict() {
	kept := r.Warnings[:0]
	for _, w := range r.Warnings {
		if w.Code.Ours() {
			r.Errors = append(r.Errors, w)
		} else {
			kept = append(kept, w)
		}
	}
	r.Warnings = kept
}

// Line is the problem in one line: file, line, column, what is wrong.
func (p *Problem) Line() string {
	at := printable(p.File)
	if n := len(p.Where); n > 0 {
		at = fmt.Sprintf("%s:%d:%d", at, p.Where[n-1].Line, p.Where[n-1].Col)
	}
	item := ""
	for _, w := range p.Where {
		if w.ItemName != "" {
			item = fmt.Sprintf("%s '%s': ", w.ItemType, printable(w.ItemName))
		}
	}
	return fmt.Sprintf("%s: %s%s (%s)", at, item, printable(p.Message), p.Code)
}

// Text is the problem with its context, from the outside in.
func (p *Problem) Text() string {
	var b strings.Builder
	for i, w := range p.Where {
		b.WriteString([]string{"In ", "    "}[min(i, 1)] + printable(w.ItemType))
		if w.ItemName != "" {
			b.WriteString(" '" + printable(w.ItemName) + "'")
		}
		fmt.Fprintf(&b, ": (%s:%d:%d)\n", printable(p.File), w.Line, w.Col)
	}
	if p.Snippet != "" {
		b.WriteString("------\n" + p.Snippet + "\n------\n")
	}
	fmt.Fprintf(&b, "%s (%s): %s", p.Code, p.Code.Text(), printable(p.Message))
	return b.String()
}

// printable spells out what could disturb a terminal or forge a line: names and messages hold what files say.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// MarshalJSON writes the result as -V prints it with json_output: as Falco does, with lines and columns from 0 there.
func (r *Result) MarshalJSON() ([]byte, error) {
	type position struct {
		Column int    `json:"column"`
		Line   int    `json:"line"`
		Name   string `json:"name"`
		Offset int    `json:"offset"`
	}
	type location struct {
		ItemName string   `json:"item_name"`
		ItemType string   `json:"item_type"`
		Position position `json:"position"`
	}
	type context struct {
		Locations []location `json:"locations"`
		Snippet   string     `json:"snippet"`
	}
	type problem struct {
		Code     Code    `json:"code"`
		CodeDesc string  `json:"codedesc"`
		Context  context `json:"context"`
		Message  string  `json:"message"`
	}
	list := func(in []Problem) []problem {
		out := make([]problem, 0, len(in))
		for _, p := range in {
			c := context{Locations: []location{}, Snippet: p.Snippet}
			for _, w := range p.Where {
				c.Locations = append(c.Locations, location{w.ItemName, w.ItemType, position{max(0, w.Col-1), max(0, w.Line-1), p.File, w.off}})
			}
			out = append(out, problem{p.Code, p.Code.Text(), c, p.Message})
		}
		return out
	}
	schema := r.schemaWarnings()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Errors         []problem `json:"errors"`
		Name           string    `json:"name"`
		SchemaValid    bool      `json:"schema_valid"`
		SchemaWarnings []string  `json:"schema_warnings"`
		Successful     bool      `json:"successful"`
		Warnings       []problem `json:"warnings"`
	}{list(r.Errors), r.Name, len(schema) == 0, schema, r.OK(), list(r.Warnings)})
	return b.Bytes(), err
}

// schemaWarnings are the problems for which the file does not have the form that Schema describes.
func (r *Result) schemaWarnings() []string {
	out := []string{}
	for _, list := range [][]Problem{r.Errors, r.Warnings} {
		for i := range list {
			switch p := &list[i]; p.Code {
			case ErrYAMLParse, ErrYAMLValidate, UnknownItem, UnknownKey:
				out = append(out, p.Line())
			}
		}
	}
	return out
}
