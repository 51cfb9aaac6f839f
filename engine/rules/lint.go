// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/filter"
)

// LintOptions say which findings are wanted.
type LintOptions struct {
	Options
	Disable []string // names of checks, or codes of warnings
}

// Finding is something in a rule file that is weak, and how to mend it.
type Finding struct {
	Place
	Check   string `json:"check"`
	Item    string `json:"item"` // like "rule 'X'"
	Message string `json:"message"`
	Mend    string `json:"mend,omitempty"`
}

// lintCheck looks for one kind of weakness.
type lintCheck struct {
	name string
	desc string
	run  func(l *linter)
}

// lintChecks run in this order; findings are sorted by place.
var lintChecks = []lintCheck{
	{"contradiction", "terms of one conjunction that exclude one another: the rule never matches there", (*linter).contradictions},
	{"duplicate", "a term, or a value of a list, that is there twice", (*linter).duplicates},
	{"implied", "a term that says nothing beside another", (*linter).impliedTerms},
	{"shadowed", "a rule that never raises an alert, as an earlier one matches whenever it does (rule_matching: first)", (*linter).shadowed},
	{"evadable-name", "an exception for whatever takes a name or a command line", (*linter).evadableNames},
	{"cmdline-only", "a rule whose only evidence is text in a command line", (*linter).commandLinesOnly},
	{"raw-path", "a path as it was passed to the call, which a symlink disguises", (*linter).rawPaths},
	{"relative-path", "a path that does not begin at the root", (*linter).relativePaths},
	{"output-process", "an output that does not say which process or user it was", (*linter).outputProcess},
	{"output-container", "an output that does not say which container it was", (*linter).outputContainer},
	{"priority-case", "a priority that is not written in upper case", (*linter).priorities},
	{"no-description", "a rule with an empty desc", (*linter).descriptions},
	{"no-tags", "a rule without tags", (*linter).tags},
	{"dead-exception", "an exception without values whose fields are not there", (*linter).deadExceptions},
}

// LintChecks calls fn with the name of every check and what it finds.
func LintChecks(fn func(name, desc string)) {
	for _, c := range lintChecks {
		fn(c.name, c.desc)
	}
}

// Lint looks for what is weak in rule files. Results say what is wrong with files that are refused; then there are no findings. The error is
// a check to disable that there is not.
func Lint(o LintOptions, files ...File) ([]Finding, []*Result, error) {
	for _, name := range o.Disable {
		if err := knownCheck(name); err != nil {
			return nil, nil, err
		}
	}
	in := inspect(o.Options, files)
	if in.set == nil {
		return nil, in.results, nil
	}
	l := &linter{inspection: in, seen: make(map[Finding]bool)}
	for _, c := range lintChecks {
		if l.check = c.name; !slices.Contains(o.Disable, c.name) {
			c.run(l)
		}
	}
	l.loadWarnings(o.Disable)
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(l.order(a.File)-l.order(b.File), a.Line-b.Line, a.Col-b.Col)
	})
	return l.found, in.results, nil
}

func knownCheck(name string) error {
	var names []string
	for _, c := range lintChecks {
		names = append(names, c.name)
	}
	for code := range codeText {
		names = append(names, string(code))
	}
	if slices.Contains(names, name) {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("there is no check '%s'%s", name, didYouMean(name, names))
}

type linter struct {
	*inspection
	check string
	found []Finding
	seen  map[Finding]bool // by place and check: macros are looked at for every rule that uses them
}

// order is the place of a file among those that were loaded.
func (l *linter) order(file string) int {
	return slices.IndexFunc(l.results, func(r *Result) bool { return r.Name == file })
}

func (l *linter) add(p Place, item, msg, mend string) {
	key := Finding{Place: p, Check: l.check}
	if !l.seen[key] {
		l.seen[key] = true
		l.found = append(l.found, Finding{p, l.check, item, msg, mend})
	}
}

// term reports something about a place of a condition.
func (l *linter) term(e filter.Expr, msg, mend string) {
	p := e.Place()
	l.add(l.at(p), l.texts[p.Src].owner(), msg, mend)
}

// ofRule reports something about a rule as a whole.
func (l *linter) ofRule(r *rule, msg, mend string) {
	l.add(r.first.place(), "rule '"+r.name+"'", msg, mend)
}

// owner is the rule or macro that a text belongs to.
func (w *written) owner() string { return w.item.kind + " '" + w.item.name + "'" }

// eachRule calls fn for every rule whose condition is known.
func (l *linter) eachRule(fn func(r *rule)) {
	for _, r := range l.rules {
		if r.tree != nil {
			fn(r)
		}
	}
}

// mends are what to do about warnings of the loader.
var mends = map[Code]string{
	NotSupported: "leave it if the rule is for Falco as well; else compare what is there", UnknownFilter: "correct the name, or leave the rule out",
	UnusedMacro: "remove it, or use it", UnusedList: "remove it, or use it",
	NoEventType:    "begin the condition with the event types that it is about, as in evt.type in (open, openat)",
	DeprecatedItem: "write what has taken its place", AppendNoValues: "give it values, or remove it",
	ExceptionNotUnique: "give it another name", InvalidMacroName: "use letters, digits and underscores", InvalidListName: "use no blanks and none of ()\"'=,",
	UnknownKey: "remove it, or correct its name", UnknownItem: "remove it, or correct its first key",
}

// loadWarnings are what loading the files warned of.
func (l *linter) loadWarnings(disabled []string) {
	for _, res := range l.results {
		for i := range res.Warnings {
			w := &res.Warnings[i]
			if slices.Contains(disabled, string(w.Code)) {
				continue
			}
			f := Finding{Place: Place{File: w.File, Line: 1, Col: 1}, Check: string(w.Code), Message: w.Message, Mend: mends[w.Code]}
			for _, at := range w.Where {
				f.Line, f.Col = at.Line, at.Col
				if f.Item == "" && at.ItemName != "" {
					f.Item = at.ItemType + " '" + at.ItemName + "'"
				}
			}
			l.found = append(l.found, f)
		}
	}
}

// FindingsText writes findings for a person, with a count at the end.
func FindingsText(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		item := ""
		if f.Item != "" {
			item = f.Item + ": "
		}
		fmt.Fprintf(&b, "%s: %s: %s%s\n", f.Place, f.Check, item, f.Message)
		if f.Mend != "" {
			b.WriteString("    " + f.Mend + "\n")
		}
	}
	if len(list) == 0 {
		return "no findings\n"
	}
	return b.String() + counted(len(list), "finding") + "\n"
}
