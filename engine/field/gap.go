// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"
	"slices"
	"strings"

	"falconet/engine/event"
)

// Unknown stands in a path for the part that is not known: Falco's word for a directory that it does not know.
const Unknown = "<UNKNOWN>"

// unknownDir is Unknown as a directory.
var unknownDir = []byte(Unknown)

// pathValue is the value of a path, of which gap says that a part is not known.
func pathValue(s string, gap bool) Value {
	v := Str(s)
	if gap {
		v.form = formGap
	}
	return v
}

// WithGap makes a text of which a part is not known. Unknown stands there.
func WithGap(s string) Value { return pathValue(s, true) }

// HasGap reports whether a part of the text is not known.
func (v *Value) HasGap() bool { return v.form == formGap }

// captured is the value of a captured path; ok is false when it was not captured.
func (c *Ctx) captured(k event.PartKind) (v Value, ok bool) {
	b, ok := c.Rec.Part(k)
	return pathValue(text(b), ok && c.Rec.Truncated(k)), ok
}

// Known returns what is known of a text with a gap: what it begins with, and what it ends with. whole means that all of it is
// known after all: what a transformer left of the text has no gap. A directory may well have the name that stands for the gap; then less is
// known than could be, but nothing wrong.
func (v *Value) Known() (front, back string, whole bool) {
	first, last := -1, 0
	for _, word := range [...]string{Unknown, lowerUnknown} {
		if i := strings.Index(v.S, word); i >= 0 && (first < 0 || i < first) {
			first = i
		}
		if i := strings.LastIndex(v.S, word); i >= 0 {
			last = max(last, i+len(word))
		}
	}
	if first < 0 {
		return v.S, "", true
	}
	return v.S[:first], v.S[last:], false
}

// lowerUnknown is what tolower() makes of it.
var lowerUnknown = strings.ToLower(Unknown)

// Certain says whether comparisons that only may hold, as a part of their value is not known, count as such that do not. It is for who
// wants to know whether what matched would have matched without them, and is false for every new event.
func (c *Ctx) Certain(yes bool) { c.certain = yes }

// Perhaps reports whether a comparison that may hold counts as one that does, and remembers that there was one.
func (c *Ctx) Perhaps() bool {
	if c.certain {
		return false
	}
	c.guessed = true
	return true
}

// Guessed reports whether Perhaps was true since Begin.
func (c *Ctx) Guessed() bool { return c.guessed }

// stepUp takes the last component from a path that is being made in the arena from mark on. Above a gap everything is a part of it.
func (c *Ctx) stepUp(mark int, gap bool) {
	n := bytes.LastIndexByte(c.arena[mark:], '/')
	if gap && bytes.Contains(c.arena[mark+max(n, 0):], unknownDir) {
		c.arena = append(c.arena[:mark], unknownDir...)
		return
	}
	if n >= 0 {
		c.arena = c.arena[:mark+n]
	}
}

// pathGapField is whether a part of a path of the event is not known.
func pathGapField() Def {
	var paths []Def
	needs := Needs{Inside: true}
	for _, d := range slices.Concat(fdFields(), fsPathFields()) {
		if d.Flags&Gaps != 0 {
			paths = append(paths, d)
			needs.Parts |= d.Needs.Parts
		}
	}
	return Def{Name: "evt.is_path_unknown", Type: event.Bool, Flags: Ours, Example: "evt.is_path_unknown = true", Needs: needs,
		Desc: "whether a part of a path of the event is not known, for which " + Unknown + " stands: it is very long, or the directory that it starts from is gone",
		Get: func(c *Ctx, _ Arg) (Value, bool) {
			for i := range paths {
				if v, ok := paths[i].Get(c, Arg{}); ok && v.HasGap() {
					return boolean(true), true
				}
			}
			return boolean(false), true
		}}
}
