// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	"falconet/engine/filter"
)

// written is the text of one condition and where it stands.
type written struct {
	kind, name string
	item       *item
	text       string
	parts      []part
	marks      []mark // in the order of the text
	refs
	nodes, depth int // with macros in it
}

// part is a segment of a written condition: its text, without blanks at its ends, begins there at byte off.
type part struct {
	segment
	off int
}

// refs are the macros and lists that a text names itself.
type refs struct{ macros, lists []string }

func (r *refs) add(to *[]string, name string) {
	if !slices.Contains(*to, name) {
		*to = append(*to, name)
	}
}

// condition joins segments as appending does. prefix stands in front of them.
func (w *written) condition(prefix string, segments []segment) {
	off := len(prefix)
	for _, s := range segments {
		w.parts = append(w.parts, part{s, off})
		off += len(strings.TrimSpace(s.text)) + 1
	}
	w.text = prefix + joined(segments)
}

// write is the whole condition of a rule: what was written, and what exceptions add to it.
func (r *rule) write() (w written, err *exceptionError) {
	w = written{kind: "condition", name: r.name, item: r.item}
	if !slices.ContainsFunc(r.exceptions, func(e *exception) bool { return len(e.values) > 0 }) {
		w.condition("", r.condition)
		return w, nil
	}
	w.condition("(", r.condition)
	var b conditionText
	b.WriteString(w.text + "\n)")
	for _, e := range r.exceptions {
		if err := b.exception(e); err != nil {
			return w, err
		}
	}
	w.text, w.marks = b.String(), b.marks
	return w, nil
}

func (m *macro) write() written {
	w := written{kind: "condition", name: m.name, item: m.item}
	w.condition("", m.condition)
	return w
}

// where finds a place of the condition: the item that wrote it, and the place in that item's file. n is how many bytes it takes.
func (w *written) where(p filter.Pos, n int) (it *item, where []Location) {
	if i := slices.IndexFunc(w.marks, func(m mark) bool { return m.off > p.Off }); i > 0 || i < 0 && len(w.marks) > 0 {
		if i < 0 {
			i = len(w.marks)
		}
		m := w.marks[i-1]
		return m.of.item, []Location{m.of.item.where(), at("exception", m.of.name, m.node)}
	}
	last := 0
	for i := range w.parts {
		if w.parts[i].off <= p.Off {
			last = i
		}
	}
	s := &w.parts[last]
	lead := len(s.text) - len(strings.TrimLeft(s.text, " \t\r\n"))
	off := s.place(lead + min(max(0, p.Off-s.off), len(strings.TrimSpace(s.text))))
	line, col := s.item.file.locate(off)
	return s.item, []Location{s.item.where(), {ItemType: w.kind, ItemName: w.name, Line: line, Col: col, size: max(1, n)}}
}
