// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/pushdown"
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

func (c *command) writeJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return c.write(append(b, '\n'))
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
}

func listed() (defs []*field.Def) {
	for _, d := range field.All() {
		if d.Flags&(field.TableOnly|field.OutputOnly) == 0 {
			defs = append(defs, d)
		}
	}
	return defs
}

func typeOf(d *field.Def) string {
	if d.List {
		return "LIST(" + d.Type.String() + ")"
	}
	return d.Type.String()
}

func (c *command) printFields() error {
	form, err := c.formatOf()
	if err != nil {
		return err
	}
	if c.list != "syscall" {
		return fmt.Errorf("event source '%s' is not known: there is syscall", c.list)
	}
	if c.names {
		var b bytes.Buffer
		for _, d := range listed() {
			fmt.Fprintln(&b, d.Name)
		}
		return c.write(b.Bytes())
	}
	if form == "json" {
		return c.writeJSON(fieldEntries())
	}
	var b bytes.Buffer
	class := ""
	for _, d := range listed() {
		if d.Class != class {
			class = d.Class
			heading(&b, class, form == "markdown")
		}
		if form == "markdown" {
			fmt.Fprintf(&b, "`%s` | %s | %s\n", d.Name, typeOf(d), d.Desc)
			continue
		}
		desc := d.Desc
		if c.verbose {
			desc = "(Type: " + typeOf(d) + ") " + desc
		}
		if tags := tagsOf(d); tags != "" {
			desc = "(" + tags + ") " + desc
		}
		fmt.Fprint(&b, twoColumns(d.Name, desc, 30, 120))
	}
	return c.write(b.Bytes())
}

func heading(b *bytes.Buffer, class string, markdown bool) {
	h := classes[class]
	if markdown {
		fmt.Fprintf(b, "\n## Field Class: %s\n\n%s\n\nEvent Sources: syscall\n\nName | Type | Description\n:----|:-----|:-----------\n", class, h.desc)
		return
	}
	fmt.Fprintf(b, "-------------------------------\n%-30s%s (%s)\n%-30s%s\n%-30ssyscall\n\n", "Field Class:", class, h.title, "Description:", h.desc, "Event Sources:")
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

// twoColumns writes a name and a wrapped description.
func twoColumns(name, desc string, left, width int) string {
	var b strings.Builder
	if len(name) >= left {
		fmt.Fprintf(&b, "%s\n%*s", name, left, "")
	} else {
		fmt.Fprintf(&b, "%-*s", left, name)
	}
	at := left
	for i, w := range strings.Fields(desc) {
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
	b.WriteByte('\n')
	return b.String()
}

type fieldEntry struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Class   string `json:"class"`
	Desc    string `json:"description"`
	Tags    string `json:"tags,omitempty"`
	Ours    bool   `json:"falconet_only,omitempty"`
	Example string `json:"example,omitempty"`
}

func fieldEntries() (out []fieldEntry) {
	for _, d := range listed() {
		out = append(out, fieldEntry{d.Name, typeOf(d), d.Class, d.Desc, tagsOf(d), d.Flags&field.Ours != 0, d.Example})
	}
	return out
}

type paramEntry struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Flags []string `json:"flags,omitempty"`
}

type eventEntry struct {
	Name     string       `json:"name"`
	Category string       `json:"category"`
	Params   []paramEntry `json:"params"`
	kind     string
}

// eventEntries are the rows of the event table, and every system call that has none under its own name.
func eventEntries() (out []eventEntry) {
	var generic eventEntry
	for _, row := range event.Rows()[1:] {
		if row.Internal() {
			continue
		}
		e := eventEntry{Name: row.Name, Category: row.Category.String(), Params: []paramEntry{}, kind: "Syscall events"}
		if row.Flags&event.Tracepoint != 0 {
			e.kind = "Tracepoint events"
		}
		for _, p := range row.Params {
			entry := paramEntry{Name: p.Name, Type: p.Type.String()}
			if p.Flags != nil {
				for _, f := range p.Flags.Flags {
					entry.Flags = append(entry.Flags, f.Name)
				}
			}
			e.Params = append(e.Params, entry)
		}
		if row.ID == event.Generic {
			generic = e
		}
		out = append(out, e)
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		if nr64 >= 0 && event.ByNumber(nr64, false) != event.Generic || nr32 >= 0 && event.ByNumber(nr32, true) != event.Generic {
			return true
		}
		e := generic
		e.Name = name
		out = append(out, e)
		return true
	})
	return out
}

func (c *command) printEvents() error {
	form, err := c.formatOf()
	if err != nil {
		return err
	}
	entries := eventEntries()
	if form == "json" {
		return c.writeJSON(entries)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "The events below are valid for Falco *Schema Version*: %s\n", schemaVersion)
	for _, kind := range []string{"Syscall events", "Tracepoint events"} {
		fmt.Fprintf(&b, "\n## %s\n\n", kind)
		if form == "markdown" {
			b.WriteString("Default | Dir | Name | Params\n:-------|:----|:-----|:-----\n")
		}
		for _, e := range entries {
			if e.kind != kind {
				continue
			}
			if form == "markdown" {
				fmt.Fprintf(&b, "Yes | `<` | `%s` | %s\n", e.Name, paramList(e.Params))
				continue
			}
			fmt.Fprintf(&b, "< %s(%s)\n", e.Name, paramList(e.Params))
		}
	}
	return c.write(b.Bytes())
}

func paramList(params []paramEntry) string {
	list := make([]string, len(params))
	for i, p := range params {
		list[i] = p.Type + " **" + p.Name + "**"
		if len(p.Flags) > 0 {
			list[i] += ": " + strings.Join(p.Flags, ", ")
		}
	}
	return strings.Join(list, ", ")
}

func (c *command) printIgnored() error {
	var b bytes.Buffer
	b.WriteString("Ignored system call(s), unless option -A is given and a rule asks for them:\n")
	for _, name := range pushdown.HighVolume {
		fmt.Fprintln(&b, "- "+name)
	}
	return c.write(b.Bytes())
}
