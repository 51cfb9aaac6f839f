// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// outputProcess looks for outputs that name nobody.
func (l *linter) outputProcess() {
	l.eachRule(func(r *rule) {
		if r.made != nil && !reads(r.made.Output, "process", "user") {
			l.ofRule(r, "the output does not say who did it", "add proc.exepath, proc.cmdline and user.name, as in (command=%proc.cmdline user=%user.name)")
		}
	})
}

func (l *linter) outputContainer() {
	const few = 3 // where more rules of a file are so it is a choice, and said once
	var order []string
	byFile := make(map[string][]*rule)
	l.eachRule(func(r *rule) {
		if r.made != nil && !reads(r.made.Output, "container") && !onHost(r.tree) {
			name := r.item.file.Name
			if byFile[name] == nil {
				order = append(order, name)
			}
			byFile[name] = append(byFile[name], r)
		}
	})
	const mend = "add %container.id, or have it added to all outputs: -p container, append_output"
	for _, name := range order {
		list := byFile[name]
		if len(list) > few {
			l.ofRule(list[0], fmt.Sprintf("its output and those of %d more rules do not say in which container it was done", len(list)-1), mend)
			continue
		}
		for _, r := range list {
			l.ofRule(r, "the output does not say in which container it was done", mend)
		}
	}
}

// reads reports whether an output has a field of one of the classes, be it one that is not there.
func reads(t *format.Template, classes ...string) bool {
	return slices.ContainsFunc(t.Reads(), func(r format.Ref) bool {
		if r.Def == nil {
			class, _, _ := strings.Cut(r.Text, ".")
			return slices.Contains(classes, class)
		}
		return slices.Contains(classes, r.Def.Class)
	})
}

// onHost reports whether a condition holds outside of containers only.
func onHost(e filter.Expr) bool {
	return slices.ContainsFunc(filter.Terms(e), func(t filter.Expr) bool {
		c, ok := t.(*filter.Check)
		return ok && c.Left.Field == "container.id" && c.Op == "=" && len(c.Values) == 1 && c.Values[0].Text == "host"
	})
}

func (l *linter) priorities() {
	for _, it := range l.items {
		n := it.keys["priority"]
		if it.kind != "rule" || n == nil {
			continue
		}
		if _, err := alert.Parse(n.Value); err == nil && n.Value != strings.ToUpper(n.Value) {
			l.add(Place{it.file.Name, n.Line, n.Column}, "rule '"+it.name+"'", fmt.Sprintf("priority '%s': the schema of rule files has them in upper case", n.Value),
				"write "+strings.ToUpper(n.Value))
		}
	}
}

func (l *linter) descriptions() {
	l.eachRule(func(r *rule) {
		if desc := strings.TrimSpace(r.desc); desc == "" || desc == r.name {
			l.ofRule(r, "it has no description", "say in desc what was done and why it matters")
		}
	})
}

func (l *linter) tags() {
	l.eachRule(func(r *rule) {
		if len(r.tags) == 0 {
			l.ofRule(r, "it has no tags", "add tags, by which rules are switched and their outputs changed")
		}
	})
}

// deadExceptions looks for exceptions that nobody has given values yet, and that would do nothing with them.
func (l *linter) deadExceptions() {
	l.eachRule(func(r *rule) {
		for _, e := range r.exceptions {
			if len(e.values) > 0 {
				continue
			}
			for _, f := range e.fields {
				if t, err := filter.Parse(f + " exists"); err == nil {
					if lack, ok := lackOf(&t.(*filter.Check).Left); ok {
						l.ofRule(r, fmt.Sprintf("exception '%s' compares %s, which is not there: %s", e.name, f, lack.why), "compare another field, or remove it")
					}
				}
			}
		}
	})
}
