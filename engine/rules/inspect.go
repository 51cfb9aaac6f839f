// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/filter"
)

// Place is where something stands in a file: line and column from 1.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
}

func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// inspection is files that were loaded, for those who say what is in them.
type inspection struct {
	*builder
	set     *Set
	results []*Result
}

// inspect loads files. The inspection has no set when one of them was refused.
func inspect(o Options, files []File) *inspection {
	set, b, results := loadAll(o, files)
	return &inspection{b, set, results}
}

// at finds a place of a condition.
func (in *inspection) at(p filter.Pos) Place {
	it, where := in.texts[p.Src].where(p, 1)
	l := where[len(where)-1]
	return Place{it.file.Name, l.Line, l.Col}
}

func (it *item) place() Place { return Place{it.file.Name, it.node.Line, it.node.Column} }

// rule finds a rule by its name. The error proposes names that are near.
func (in *inspection) rule(name string) (*rule, error) {
	var names []string
	for _, r := range in.rules {
		if r.name == name {
			return r, nil
		}
		names = append(names, r.name)
	}
	if near := similar(name, names); len(near) > 0 {
		return nil, fmt.Errorf("there is no rule named '%s': did you mean %s?", name, strings.Join(near, " or "))
	}
	return nil, fmt.Errorf("there is no rule named '%s' among the %d that were read", name, len(names))
}

// maxSimilar is how many names are proposed.
const maxSimilar = 3

// similar returns the names that one may have meant: one that differs in a few letters, or those that have all of the words.
func similar(name string, names []string) (near []string) {
	lower := make([]string, len(names))
	for i, n := range names {
		lower[i] = strings.ToLower(n)
	}
	if one := filter.Nearest(strings.ToLower(name), lower); one != "" {
		return []string{"'" + names[slices.Index(lower, one)] + "'"}
	}
	for i, n := range lower {
		missing := func(word string) bool { return !strings.Contains(n, word) }
		if len(near) < maxSimilar && name != "" && !slices.ContainsFunc(strings.Fields(strings.ToLower(name)), missing) {
			near = append(near, "'"+names[i]+"'")
		}
	}
	return near
}

// use is a macro or list that a condition names, itself or through another macro.
type use struct {
	macro *macro
	list  *list
	by    string // the macro that names it, "" for the condition itself
}

// uses returns the macros and lists of a condition in the order in which they are first met.
func (in *inspection) uses(of refs) (out []use) {
	seenMacro, seenList := make(map[string]bool), make(map[string]bool)
	var visit func(of refs, by string)
	visit = func(of refs, by string) {
		for _, name := range of.macros {
			if m := in.macroOf[name]; !seenMacro[name] {
				seenMacro[name] = true
				out = append(out, use{macro: m, by: by})
				visit(m.refs, name)
			}
		}
		for _, name := range of.lists {
			if !seenList[name] {
				seenList[name] = true
				out = append(out, use{list: in.listOf[name], by: by})
			}
		}
	}
	visit(of, "")
	return out
}

// enabledBy says whether a rule is enabled, and what decides it: the last entry that names it, or its file.
func (in *inspection) enabledBy(r *rule) (on bool, why string) {
	on, why = r.enabled, map[bool]string{true: "nothing disables it", false: "its file says enabled: false"}[r.enabled]
	for i, s := range in.opts.Select {
		if !s.selects(r.name, r.tags) {
			continue
		}
		on = s.Enable
		what := "rule: " + s.Rule
		if s.Rule == "" || !wildcard(s.Rule, r.name) {
			what = "tag: " + s.Tag
		}
		why = fmt.Sprintf("entry %d of the configuration's rules: %s {%s}", i+1, map[bool]string{true: "enable", false: "disable"}[on], what)
	}
	if on && !r.priority.AtLeast(in.opts.MinPriority) {
		return false, fmt.Sprintf("its priority %s is below %s, the least that is asked for", r.priority, in.opts.MinPriority)
	}
	return on, why
}

func (s Selection) selects(name string, tags []string) bool {
	return s.Rule != "" && wildcard(s.Rule, name) || s.Tag != "" && slices.Contains(tags, s.Tag)
}
