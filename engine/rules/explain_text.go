// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"falconet/engine/filter"
)

const (
	textWidth = 110
	// foldText is how many members of a list, or names in a row, are written before the rest is only counted.
	foldText = 5
	// widestCell bounds the first column of a table; what is longer has the line to itself.
	widestCell = 44
)

// Text writes the explanation for a person. Long lists are cut unless verbose is set.
func (x *Explanation) Text(verbose bool) string {
	t := &explainText{fold: foldText}
	if verbose {
		t.fold = 0
	}
	t.head(x)
	for i, w := range x.Written {
		t.section(map[bool]string{true: "Condition as written", false: "Appended"}[i == 0], w.Place.String())
		t.wrapped(w.Text)
	}
	if x.tree != nil {
		t.section("Condition with its macros, lists and exceptions", "")
		t.block(filter.Pretty(x.tree, textWidth-indentText, t.fold))
		t.events(x)
		t.clauses(x)
	}
	t.definitions(x)
	t.exceptions(x)
	t.output(x)
	if len(x.Warnings) > 0 {
		t.section("Warnings", "")
		for _, w := range x.Warnings {
			t.wrapped(w)
		}
	}
	return t.b.String()
}

type explainText struct {
	b    strings.Builder
	fold int
}

const indentText = 2

func (t *explainText) head(x *Explanation) {
	t.b.WriteString(x.Rule + "\n")
	t.wrapped(x.Desc)
	state := map[bool]string{true: "enabled", false: "disabled"}[x.Enabled] + " (" + x.EnabledBy + ")"
	if x.LeftOut != "" {
		state = "left out: " + x.LeftOut
	}
	tags := "none"
	if len(x.Tags) > 0 {
		tags = strings.Join(x.Tags, ", ")
	}
	t.table([][]string{{"place", x.Place.String()}, {"state", state}, {"priority", x.Priority}, {"source", x.Source}, {"tags", tags}})
}

func (t *explainText) section(title, place string) {
	if place != "" {
		title += " (" + place + ")"
	}
	t.b.WriteString("\n" + title + "\n")
}

// wrapped writes text as paragraphs of whole words.
func (t *explainText) wrapped(text string) {
	for _, line := range wrap(text, textWidth-indentText) {
		t.b.WriteString(strings.Repeat(" ", indentText) + line + "\n")
	}
}

func (t *explainText) block(text string) {
	for line := range strings.Lines(text + "\n") {
		t.b.WriteString(strings.Repeat(" ", indentText) + line)
	}
}

// table writes rows with their columns below one another.
func (t *explainText) table(rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if n := utf8.RuneCountInString(cell); n <= widestCell {
				widths[i] = max(widths[i], n)
			}
		}
	}
	for _, r := range rows {
		for len(r) > 1 && r[len(r)-1] == "" {
			r = r[:len(r)-1]
		}
		at := indentText
		t.b.WriteString(strings.Repeat(" ", indentText))
		for i, cell := range r {
			if n := utf8.RuneCountInString(cell); i < len(r)-1 && n > widths[i] {
				t.b.WriteString(cell + "\n" + strings.Repeat(" ", at+widths[i]+2))
			} else if i < len(r)-1 {
				t.b.WriteString(cell + strings.Repeat(" ", widths[i]-n+2))
			} else {
				t.last(cell, at)
			}
			at += widths[i] + 2
		}
	}
}

// last writes the last cell of a row, which begins in column at.
func (t *explainText) last(cell string, at int) {
	for i, line := range wrap(cell, max(textWidth-at, 30)) {
		if i > 0 {
			t.b.WriteString(strings.Repeat(" ", at))
		}
		t.b.WriteString(line + "\n")
	}
}

func (t *explainText) events(x *Explanation) {
	e := &x.Events
	t.section("Events", "")
	var rows [][]string
	add := func(what string, names []string) {
		if len(names) > 0 {
			rows = append(rows, []string{what, t.names(names)})
		}
	}
	switch {
	case e.All && len(e.Except) == 0:
		rows = append(rows, []string{"types", "every one: the condition names none"})
	case e.All:
		add("all but", e.Except)
	case len(e.Rows)+len(e.Calls) == 0:
		rows = append(rows, []string{"types", "none: the rule never matches"})
	default:
		add("types", e.Rows)
		add("by number only", e.Calls)
	}
	for _, r := range e.NotReported {
		rows = append(rows, []string{"never reported", r.Name + ": " + r.Why})
	}
	for _, r := range e.NotCaptured {
		rows = append(rows, []string{"not captured", r.Name + ": " + r.Why})
	}
	for _, f := range x.FoundBy {
		how := "none, the rule is asked each time"
		if len(f.Fields) > 0 {
			how = "by " + strings.Join(f.Fields, ", ")
		}
		if len(x.FoundBy) > 1 {
			how += ": " + t.names(f.Events)
		}
		rows = append(rows, []string{"look-up", how})
	}
	for _, h := range x.Held {
		rows = append(rows, []string{"held", fmt.Sprintf("%s, for %s: %s", t.names(h.Events), strings.Join(h.By, ", "), h.text())})
	}
	t.table(rows)
}

// maxNames is how many event types are written before the rest is counted.
const maxNames = 12

func (t *explainText) names(names []string) string {
	if more := len(names) - maxNames; t.fold > 0 && more > 1 {
		return fmt.Sprintf("%s, ... %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

func (t *explainText) clauses(x *Explanation) {
	t.section("Comparisons: cost, what they read", "")
	var rows [][]string
	for _, c := range x.Clauses {
		text := filter.Pretty(c.check, 1<<20, t.fold)
		if c.Negated {
			text = "not " + text
		}
		cost := c.Class
		if c.LookUp {
			cost = "look-up"
		}
		reads := c.Reads.String()
		if c.Lacks != "" {
			cost, reads = "never", c.Lacks
		}
		rows = append(rows, []string{cost, reads, text})
	}
	t.table(rows)
}

// String lists pieces of the record, parameters, and what is at hand.
func (r Reads) String() string {
	text := strings.Join(slices.Concat(r.From, r.Pieces), ", ")
	if text == "" && len(r.Parameters) == 0 {
		return "nothing" // of these events nothing of the kind is captured
	}
	if len(r.Parameters) > 0 {
		params := "parameter"
		if len(r.Parameters) > 1 {
			params += "s"
		}
		text = strings.TrimPrefix(text+"; "+params+" "+strings.Join(r.Parameters, ", "), "; ")
	}
	return text
}

func (t *explainText) definitions(x *Explanation) {
	if len(x.Macros)+len(x.Lists) == 0 {
		return
	}
	t.section("Uses", "")
	var rows [][]string
	add := func(kind string, list []Definition) {
		for _, d := range list {
			place, members := fmt.Sprintf("%s:%d", d.Place.File, d.Place.Line), ""
			if d.By != "" {
				place += ", for " + d.By
			}
			if kind == "list" {
				members = counted(d.Members, "member")
			}
			rows = append(rows, []string{kind, d.Name, members, place})
		}
	}
	add("macro", x.Macros)
	add("list", x.Lists)
	t.table(rows)
}

func (t *explainText) exceptions(x *Explanation) {
	if len(x.Exceptions) == 0 {
		return
	}
	t.section("Exceptions", "")
	var rows [][]string
	for _, e := range x.Exceptions {
		pairs := make([]string, len(e.Fields))
		for i := range e.Fields {
			pairs[i] = e.Fields[i] + " " + e.Comps[i]
		}
		values := counted(e.Values, "value")
		if e.Values == 0 {
			values = "no values: it excepts nothing"
		}
		rows = append(rows, []string{e.Name, strings.Join(pairs, ", "), values})
	}
	t.table(rows)
}

func (t *explainText) output(x *Explanation) {
	t.section("Output", "")
	t.wrapped(x.Output)
	var rows [][]string
	at := make(map[string]int) // fields that read the same share a row
	for _, f := range x.Fields {
		reads := f.Reads.String()
		if f.Lacks != "" {
			reads = "prints as <NA>: " + f.Lacks
		}
		i, again := at[reads]
		if !again {
			at[reads] = len(rows)
			rows = append(rows, []string{reads, "%" + f.Text})
			continue
		}
		rows[i][1] += " %" + f.Text
	}
	t.table(rows)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrap breaks text into lines of up to width characters, between words where it can.
func wrap(text string, width int) (lines []string) {
	line := ""
	for w := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
