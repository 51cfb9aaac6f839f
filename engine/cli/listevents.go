// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"

	"falconet/engine/event"
	"falconet/engine/pushdown"
)

// eventKinds are the headings of the event listing. The last two are empty here: no plugin makes events, nor does the program itself.
var eventKinds = []string{"Syscall events", "Tracepoint events", "Plugin events", "Metaevents"}

type paramEntry struct {
	Flags []string `json:"flags,omitempty"`
	Name  string   `json:"name"`
	Type  string   `json:"type"`
}

// eventEntry is an event as JSON has it: Falco's keys, and its category. Available says whether it is captured without option -A.
type eventEntry struct {
	Available bool         `json:"available"`
	Category  string       `json:"category"`
	Dir       string       `json:"dir"`
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`
	Params    []paramEntry `json:"params"`
}

// eventEntries are the rows of the event table by kind, and every system call that has none under its own name.
func eventEntries() map[string][]eventEntry {
	out := make(map[string][]eventEntry)
	for _, kind := range eventKinds {
		out[kind] = []eventEntry{}
	}
	add := func(kind string, e eventEntry) {
		e.Available = !pushdown.IsHighVolume(e.Name)
		e.Kind = kind
		out[kind] = append(out[kind], e)
	}
	var generic eventEntry
	for i := range event.Rows() {
		row := &event.Rows()[i]
		if i == 0 || row.Internal() {
			continue
		}
		e := eventEntry{Name: row.Name, Category: row.Category.String(), Dir: "<", Params: paramEntries(row.Params)}
		switch {
		case row.ID == event.Generic:
			generic = e
			add(eventKinds[0], e)
		case row.Flags&event.Tracepoint != 0:
			e.Dir = ">"
			add(eventKinds[1], e)
		default:
			add(eventKinds[0], e)
		}
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		e := generic
		if id := rowOf(nr64, nr32); id != event.Generic {
			row := event.RowOf(id)
			if len(event.ByName(name)) > 0 || row.Name == name {
				return true
			}
			e.Category, e.Params = row.Category.String(), paramEntries(row.Params) // the row has another name, as in Falco
		}
		e.Name = name
		add(eventKinds[0], e)
		return true
	})
	return out
}

// rowOf is the row of a system call with a number in either table.
func rowOf(nr64, nr32 int) event.ID {
	if id := event.ByNumber(nr64, false); nr64 >= 0 && id != event.Generic {
		return id
	}
	if nr32 >= 0 {
		return event.ByNumber(nr32, true)
	}
	return event.Generic
}

func paramEntries(params []event.Param) []paramEntry {
	out := make([]paramEntry, len(params))
	for i := range params {
		p := &params[i]
		out[i] = paramEntry{Name: p.Name, Type: p.Type.String()}
		if p.Flags != nil {
			for _, f := range p.Flags.Flags {
				out[i].Flags = append(out[i].Flags, f.Name)
			}
		}
	}
	return out
}

func (c *command) printEvents() error {
	form, err := c.formatOf()
	if err != nil {
		return err
	}
	entries := eventEntries()
	if form == "json" {
		out := []eventEntry{}
		for _, kind := range eventKinds {
			out = append(out, entries[kind]...)
		}
		return c.writeJSON(out)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "The events below are valid for Falco *Schema Version*: %s\n", schemaVersion)
	for _, kind := range eventKinds {
		fmt.Fprintf(&b, "## %s\n\n", kind)
		if form == "markdown" {
			b.WriteString("Default | Dir | Name | Params \n:-------|:----|:-----|:-----\n")
		}
		for _, e := range entries[kind] {
			if form == "markdown" {
				available := map[bool]string{true: "Yes", false: "No"}[e.Available]
				fmt.Fprintf(&b, "%s | `%s` | `%s` | %s\n", available, e.Dir, e.Name, paramList(e.Params, "*"))
				continue
			}
			fmt.Fprintf(&b, "%s %s(%s)\n", e.Dir, e.Name, paramList(e.Params, ""))
		}
		b.WriteByte('\n')
	}
	return c.write(b.Bytes())
}

// paramList writes parameters as listings do, with quote around the names of flags.
func paramList(params []paramEntry, quote string) string {
	list := make([]string, len(params))
	for i, p := range params {
		list[i] = p.Type + " **" + p.Name + "**"
		for k, f := range p.Flags {
			list[i] += map[bool]string{true: ": ", false: ", "}[k == 0] + quote + f + quote
		}
	}
	return strings.Join(list, ", ")
}

func (c *command) printIgnored() error {
	var b bytes.Buffer
	b.WriteString("Ignored syscall(s):\n")
	for _, name := range pushdown.HighVolume {
		fmt.Fprintln(&b, "- "+name)
	}
	b.WriteByte('\n')
	return c.write(b.Bytes())
}
