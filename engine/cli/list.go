// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"falconet/engine/field"
)

// formatOf is the form of a listing.
func (c *command) formatOf() (string, error) {
	f := c.format
	if c.markdown {
		if f != "" {
			return "", fmt.Errorf("options --markdown and --format exclude one another")
		}
		f = "markdown"
	}
	switch f {
	case "":
		return "text", nil
	case "text", "markdown", "json":
		return f, nil
	}
	return "", fmt.Errorf("option --format: '%s' is none of text, markdown, json", f)
}

func (c *command) writeJSON(v any) error { return c.encode(v, "  ") }

// encode writes v as JSON, in one line when indent is "".
func (c *command) encode(v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return c.write(b.Bytes())
}

// classes are the headings of the field listing.
var classes = map[string]struct{ title, desc string }{
	"evt":       {"All event types", "What an event is: its type, time, arguments and result."},
	"process":   {"Additional information about the process", "The process that made the event, and its ancestors."},
	"user":      {"Information about the user executing the event", "The user that the process runs as."},
	"group":     {"Information about the user group", "The group that the process runs as."},
	"container": {"Container information", "The container that the process runs in."},
	"fd":        {"Information about the descriptor", "The file or socket that the event is about."},
	"fs.path":   {"Every syscall that has a filesystem path in its arguments", "The paths of calls on files."},
	"syslog":    {"Content of Syslog messages", "What programs send to the system's log."},
	"static":    {"Fields of the configuration", "What static_fields of the configuration says of this machine."},
	"fdlist":    {"Poll event related fields", "The descriptors that poll and ppoll wait for."},
}

// listed are the fields that rules may use.
func listed() (defs []*field.Def) {
	for _, d := range field.All() {
		if d.Flags&(field.TableOnly|field.OutputOnly) == 0 {
			defs = append(defs, d)
		}
	}
	return defs
}

func (c *command) printFields() error {
	form, err := c.formatOf()
	if err != nil {
		return err
	}
	if c.list != "syscall" {
		return fmt.Errorf("event source '%s' is not known: there is syscall", c.list)
	}
	var classed [][]*field.Def // by class, in the order of the table
	for _, d := range listed() {
		if n := len(classed); n > 0 && classed[n-1][0].Class == d.Class {
			classed[n-1] = append(classed[n-1], d)
		} else {
			classed = append(classed, []*field.Def{d})
		}
	}
	switch {
	case form == "json" && c.names:
		return c.writeJSON(fieldNames())
	case form == "json":
		return c.writeJSON(fieldEntries())
	case c.names:
		return c.write([]byte(strings.Join(fieldNames(), "\n") + "\n"))
	}
	var b bytes.Buffer
	for _, defs := range classed {
		if form == "markdown" {
			printClassMarkdown(&b, defs)
		} else {
			c.printClass(&b, defs)
		}
		b.WriteByte('\n')
	}
	return c.write(b.Bytes())
}

func fieldNames() (names []string) {
	for _, d := range listed() {
		names = append(names, d.Name)
	}
	return names
}

// The columns of listings.
const (
	leftColumn = 30
	lineWidth  = 120
)

func (c *command) printClass(b *bytes.Buffer, defs []*field.Def) {
	name := defs[0].Class
	h := classes[name]
	fmt.Fprintf(b, "-------------------------------\n%-*s%s (%s)\n", leftColumn, "Field Class:", name, h.title)
	fmt.Fprintf(b, "%-*s%s\n%-*s%s\n\n", leftColumn, "Description:", wrap(h.desc, leftColumn, lineWidth), leftColumn, "Event Sources:", "syscall")
	for _, d := range defs {
		desc := d.Desc
		if tags := tagsOf(d); tags != "" {
			desc = "(" + tags + ") " + desc
		}
		if c.verbose {
			desc = "(Type: " + d.Type.String() + ") " + desc
		}
		left := fmt.Sprintf("%-*s", leftColumn, d.Name)
		if len(d.Name) >= leftColumn {
			left = fmt.Sprintf("%s\n%*s", d.Name, leftColumn, "")
		}
		fmt.Fprintf(b, "%s%s\n", left, wrap(desc, leftColumn, lineWidth))
	}
}

func printClassMarkdown(b *bytes.Buffer, defs []*field.Def) {
	name := defs[0].Class
	fmt.Fprintf(b, "## Field Class: %s\n\n%s\n\nEvent Sources: syscall\n\nName | Type | Description\n:----|:-----|:-----------\n", name, classes[name].desc)
	for _, d := range defs {
		fmt.Fprintf(b, "`%s` | %s | %s\n", d.Name, field.TypeName(d.Type, d.List), d.Desc)
	}
}

func tagsOf(d *field.Def) string {
	var tags []string
	switch d.Arg {
	case field.ArgOptional:
		tags = append(tags, "ARG_ALLOWED")
	case field.ArgRequired:
		tags = append(tags, "ARG_REQUIRED")
	}
	if d.List {
		tags = append(tags, "EPF_IS_LIST")
	}
	if d.Flags&field.NoRHS != 0 {
		tags = append(tags, "EPF_NO_RHS")
	}
	if d.Flags&field.NoTransformer != 0 {
		tags = append(tags, "EPF_NO_TRANSFORMER")
	}
	if d.Flags&field.FilterOnly != 0 {
		tags = append(tags, "FILTER_ONLY")
	}
	return strings.Join(tags, ",")
}

// wrap breaks a text into lines that end before column width; all but the first, which begins at column left, are indented to it.
func wrap(text string, left, width int) string {
	var b strings.Builder
	at := left
	for i, w := range strings.Fields(text) {
		if i > 0 && at+1+len(w) > width {
			fmt.Fprintf(&b, "\n%*s", left, "")
			at = left
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(w)
		at += len(w)
	}
	return b.String()
}

// fieldEntry is a field as JSON has it: the keys of Falco's listing, and falconet's own.
type fieldEntry struct {
	Argument *argument `json:"argument"`
	Class    string    `json:"class"`
	Desc     string    `json:"desc"`
	Example  string    `json:"example"`
	Ours     bool      `json:"falconet_only,omitempty"`
	List     bool      `json:"is_list"`
	Name     string    `json:"name"`
	Tags     string    `json:"tags,omitempty"`
	Type     string    `json:"type"`
}

type argument struct {
	Required bool     `json:"required"`
	Type     []string `json:"type"`
}

func fieldEntries() (out []fieldEntry) {
	for _, d := range listed() {
		out = append(out, fieldEntry{argumentOf(d), d.Class, d.Desc, d.Example, d.Flags&field.Ours != 0, d.List, d.Name, tagsOf(d), d.Type.String()})
	}
	return out
}

func argumentOf(d *field.Def) *argument {
	if d.Arg == field.ArgNone {
		return nil
	}
	a := &argument{Required: d.Arg == field.ArgRequired, Type: []string{}}
	if d.Form&field.ByIndex != 0 {
		a.Type = append(a.Type, "INDEX")
	}
	if d.Form&(field.ByKey|field.ByDot|field.DotOnly) != 0 {
		a.Type = append(a.Type, "KEY")
	}
	return a
}
