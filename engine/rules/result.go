// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Code says what kind of problem a file has, under Falco's names.
type Code string

// The codes. Those with ERR refuse the file; the others are warnings.
const (
	ErrFileRead         Code = "LOAD_ERR_FILE_READ"
	ErrYAMLParse        Code = "LOAD_ERR_YAML_PARSE"
	ErrYAMLValidate     Code = "LOAD_ERR_YAML_VALIDATE"
	ErrCompileCondition Code = "LOAD_ERR_COMPILE_CONDITION"
	ErrCompileOutput    Code = "LOAD_ERR_COMPILE_OUTPUT"
	ErrValidate         Code = "LOAD_ERR_VALIDATE"

	UnknownSource      Code = "LOAD_UNKNOWN_SOURCE"
	NoEventType        Code = "LOAD_NO_EVTTYPE"
	UnknownFilter      Code = "LOAD_UNKNOWN_FILTER"
	UnusedMacro        Code = "LOAD_UNUSED_MACRO"
	UnusedList         Code = "LOAD_UNUSED_LIST"
	UnknownItem        Code = "LOAD_UNKNOWN_ITEM"
	UnknownKey         Code = "LOAD_UNKNOWN_KEY"
	DeprecatedItem     Code = "LOAD_DEPRECATED_ITEM"
	AppendNoValues     Code = "LOAD_APPEND_NO_VALUES"
	ExceptionNotUnique Code = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
	InvalidMacroName   Code = "LOAD_INVALID_MACRO_NAME"
	InvalidListName    Code = "LOAD_INVALID_LIST_NAME"
	CompileCondition   Code = "LOAD_COMPILE_CONDITION"
	InvalidText        Code = "LOAD_INVALID_TEXT" // Falco has no such code
)

var codeText = map[Code]string{
	ErrFileRead: "File cannot be read", ErrYAMLParse: "File is not YAML", ErrYAMLValidate: "File does not have the form of a rules file",
	ErrCompileCondition: "Condition does not compile", ErrCompileOutput: "Output does not compile",
	ErrValidate: "Rule, macro, list or exception is not valid", UnknownSource: "Source is not known",
	NoEventType: "Condition names no event type", UnknownFilter: "Condition or output uses a field that is not known",
	UnusedMacro: "Macro is not used", UnusedList: "List is not used", UnknownItem: "Item is of no known kind", UnknownKey: "Key is not known",
	DeprecatedItem: "Item is deprecated", AppendNoValues: "Appended exception has no values",
	ExceptionNotUnique: "Exception name is used twice", InvalidMacroName: "Macro has an invalid name",
	InvalidText: "File is not valid text", InvalidListName: "List has an invalid name", CompileCondition: "Condition may not mean what it says",
}

// Text describes the code in a few words.
func (c Code) Text() string { return codeText[c] }

// Location is a place in a file: the item it is in, and line and column from 1.
type Location struct {
	ItemType string // "rule", "macro", "list", "exception", "file" and the like
	ItemName string
	Line     int
	Col      int
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
	switch {
	case !r.OK():
		return r.Name + ": Invalid"
	case len(r.Warnings) > 0:
		return r.Name + ": Ok, with warnings"
	}
	return r.Name + ": Ok"
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

// Line is the problem in one line: file, line, column, what is wrong.
func (p *Problem) Line() string {
	at := p.File
	if n := len(p.Where); n > 0 {
		at = fmt.Sprintf("%s:%d:%d", p.File, p.Where[n-1].Line, p.Where[n-1].Col)
	}
	item := ""
	for _, w := range p.Where {
		if w.ItemName != "" {
			item = fmt.Sprintf("%s '%s': ", w.ItemType, w.ItemName)
		}
	}
	return fmt.Sprintf("%s: %s%s (%s)", at, item, p.Message, p.Code)
}

// Text is the problem with its context, from the outside in.
func (p *Problem) Text() string {
	var b strings.Builder
	for i, w := range p.Where {
		b.WriteString([]string{"In ", "    "}[min(i, 1)] + w.ItemType)
		if w.ItemName != "" {
			b.WriteString(" '" + w.ItemName + "'")
		}
		fmt.Fprintf(&b, ": (%s:%d:%d)\n", p.File, w.Line, w.Col)
	}
	if p.Snippet != "" {
		b.WriteString("------\n" + p.Snippet + "\n------\n")
	}
	fmt.Fprintf(&b, "%s (%s): %s", p.Code, p.Code.Text(), p.Message)
	return b.String()
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
				c.Locations = append(c.Locations, location{w.ItemName, w.ItemType, position{max(0, w.Col-1), max(0, w.Line-1), p.File, 0}})
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
