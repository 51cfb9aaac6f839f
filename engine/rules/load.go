// SPDX-License-Identifier: Apache-2.0

// Package rules reads rule files as Falco has them and makes a rule set of them: rules, macros, lists, exceptions, what later files
// append and override, and which rules are enabled.
package rules

import (
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/format"
)

// Options say how files become a set.
type Options struct {
	MinPriority alert.Priority // rules below it never match
	Matching    Matching
	Select      []Selection // applied in order
	Suffix      format.Suffix
	Append      []Append          // in order
	Static      map[string]string // static_fields of the configuration; nil where there is none
	Strict      bool              // warnings that Falco does not give are errors
}

// Append adds to the outputs of rules: of those with the name Rule, the source Source and all of Tags, as far as these are not empty.
type Append struct {
	Rule, Source string
	Tags         []string
	Output       string  // put behind the output, after a blank
	Fields       []Extra // put into the fields of alerts, and not into their text
}

// Extra is a field of alerts: one of the field table, or with Text an output under a name of its own.
type Extra struct{ Name, Text string }

func (a *Append) matches(r *rule) bool {
	return (a.Rule == "" || a.Rule == r.name) && (a.Source == "" || a.Source == r.source) &&
		!slices.ContainsFunc(a.Tags, func(t string) bool { return !slices.Contains(r.tags, t) })
}

// Selection enables or disables rules: those whose name matches Rule, where * stands for anything, and those with tag Tag.
type Selection struct {
	Enable bool
	Rule   string // "" for none
	Tag    string // "" for none
}

// Load makes a set of files. Every file has a result, in the same order; the set is nil when one of them was refused.
// A problem of what several files say together is in the result of the file that was last to say it. What depends on a file that was
// refused is not held against the others.
func Load(o Options, files ...File) (*Set, []*Result) {
	set, _, results := loadAll(o, files)
	return set, results
}

// loadAll is Load for those as well who ask what became of everything that the files say. There is no builder without a set.
func loadAll(o Options, files []File) (*Set, *builder, []*Result) {
	c := newCollection()
	results := make([]*Result, len(files))
	for i, f := range files {
		results[i] = &Result{Name: f.Name}
		s := &source{File: f, result: results[i]}
		c.sources = append(c.sources, s)
		items, good := parseFile(s)
		for _, it := range items {
			if !c.add(it) {
				good = false
				break
			}
			c.items = append(c.items, it)
		}
		if !good {
			c.refused = append(c.refused, s)
		}
	}
	b := newBuilder(c, o)
	set := b.build()
	ok := true
	for _, r := range results {
		if o.Strict {
			r.strict()
		}
		ok = ok && r.OK()
	}
	if !ok {
		return nil, nil, results
	}
	set.lists, set.macros, set.needs = c.lists, c.macros, c.needs
	for _, s := range o.Select {
		set.apply(s)
	}
	set.index()
	return set, b, results
}

func (s *Set) apply(sel Selection) {
	for _, r := range s.Rules {
		named := sel.Rule != "" && wildcard(sel.Rule, r.Name)
		tagged := sel.Tag != "" && slices.Contains(r.Tags, sel.Tag)
		switch {
		case !named && !tagged:
		case sel.Enable:
			s.enable(r)
		default:
			r.Enabled = false
		}
	}
	s.active = slices.DeleteFunc(s.active, func(r *Rule) bool { return !r.Enabled })
}

// wildcard matches a whole name with a pattern in which * stands for any text.
func wildcard(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return strings.HasSuffix(name, last)
}
