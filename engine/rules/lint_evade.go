// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/filter"
)

// fieldOf is the field that a comparison is of, nil when it is none alone.
func fieldOf(c *filter.Check) *field.Def {
	d, _, err := field.Resolve(c.Left.Field, c.Left.Arg, c.Left.HasArg)
	if err != nil {
		return nil
	}
	return d
}

func selfChosen(d *field.Def) bool { return d != nil && d.Flags&field.SelfChosen != 0 }

// evadableNames looks for exceptions that any process meets which takes a name, or is started by one that does.
func (l *linter) evadableNames() {
	l.eachRule(func(r *rule) {
		eachException(r.tree, func(e filter.Expr) {
			more := make(map[int]int) // one finding for each text: what a macro says belongs together
			var first []*filter.Check
			for _, c := range evadable(e) {
				if more[c.Place().Src]++; more[c.Place().Src] == 1 {
					first = append(first, c)
				}
			}
			for _, c := range first {
				what := "'" + short(c) + "'"
				if n := more[c.Place().Src] - 1; n > 0 {
					what += fmt.Sprintf(" and %d more like it", n)
				}
				mend := "compare the path of the program as well"
				if instead := fieldOf(c).Domain.Instead; instead != "" {
					mend = "compare " + instead + ", beside it or instead"
				}
				l.term(c, "the exception for "+what+" lets through whatever says so of itself", mend)
			}
		})
	})
}

// eachException calls fn with what stands under a not where the rule else matches.
func eachException(e filter.Expr, fn func(filter.Expr)) {
	switch e := e.(type) {
	case *filter.Not:
		if n, twice := e.Kid.(*filter.Not); twice {
			eachException(n.Kid, fn)
			return
		}
		fn(e.Kid)
	default:
		for _, k := range filter.Kids(e) {
			eachException(k, fn)
		}
	}
}

// evadable returns the comparisons by which a process meets an exception as it likes; none when the exception asks for more than what a
// process says of itself. What the event is about is no hindrance: it is what the rule watches.
func evadable(e filter.Expr) (by []*filter.Check) {
	switch e := e.(type) {
	case *filter.Check:
		if selfChosen(fieldOf(e)) && e.Op != "!=" && e.Op != "exists" && (e.Right != nil || slices.ContainsFunc(e.Values, isName)) {
			return []*filter.Check{e}
		}
	case *filter.Or:
		for _, k := range e.Kids {
			by = append(by, evadable(k)...)
		}
	case *filter.And:
		for _, k := range filter.Terms(e) {
			found := evadable(k)
			if found == nil && !aboutEvent(k) {
				return nil
			}
			by = append(by, found...)
		}
	}
	return by
}

// isName is false for what stands for a name that is not known.
func isName(v filter.Value) bool { return v.Text != "" && v.Text != "<NA>" && v.Text != "N/A" }

// aboutEvent reports whether a condition says nothing of who did it.
func aboutEvent(e filter.Expr) bool {
	about := true
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok {
			d := fieldOf(c)
			about = about && d != nil && slices.Contains([]string{"evt", "fd", "fs.path"}, d.Class)
		}
		return about
	})
	return about
}

// commandLinesOnly looks for rules that text in a command line is enough for.
func (l *linter) commandLinesOnly() {
	l.eachRule(func(r *rule) {
		if weak := weakEvidence(r.tree); len(weak) > 0 {
			l.term(weak[0], fmt.Sprintf("'%s' is all that the rule goes by besides the event: quotes, other options or another way to the same end evade it", short(weak[0])),
				"compare what the kernel knows as well: proc.exepath, fd.name, proc.is_exe_upper_layer and the like")
		}
	})
}

// partOps are the operators that look at a part of a text.
var partOps = []string{"contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex"}

// weakEvidence returns the comparisons of text in command lines where there is no other evidence.
func weakEvidence(e filter.Expr) (weak []*filter.Check) {
	strong := false
	for _, k := range filter.Terms(e) {
		switch k := k.(type) {
		case *filter.Check:
			d := fieldOf(k)
			switch {
			case d == nil || k.Op == "exists" || k.Op == "!=" || !isEvidence(d):
			case selfChosen(d) && d.Domain.Max == 0 && d.Form&field.ByKey == 0 && slices.Contains(partOps, k.Op):
				weak = append(weak, k)
			default:
				strong = true
			}
		case *filter.Or:
			found, all := []*filter.Check(nil), true
			for _, arm := range k.Kids {
				w, s := weakEvidence(arm), hasEvidence(arm)
				found, all = append(found, w...), all && s && len(w) == 0
			}
			weak, strong = append(weak, found...), strong || all
		}
	}
	if strong {
		return nil
	}
	return weak
}

// hasEvidence reports whether a condition has a positive comparison that says anything of what is done.
func hasEvidence(e filter.Expr) bool {
	has := false
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok {
			d := fieldOf(c)
			has = has || d == nil || isEvidence(d)
		}
		_, not := e.(*filter.Not)
		return !not
	})
	return has
}

// isEvidence is false for fields that say when and where something was done, and not what.
func isEvidence(d *field.Def) bool {
	switch d.Class {
	case "evt":
		return d.Arg != field.ArgNone || d.Needs.Params != nil
	case "container", "user", "group":
		return false
	}
	return true
}

// rawPaths looks for paths as they were passed, where the kernel's own are there to compare.
func (l *linter) rawPaths() {
	l.eachRule(func(r *rule) {
		for _, c := range l.compiler.Clauses(r.tree) {
			d, a, err := field.Resolve(c.Check.Left.Field, c.Check.Left.Arg, c.Check.Left.HasArg)
			if err != nil || c.Check.Op == "exists" || slices.ContainsFunc(c.Check.Values, func(v filter.Value) bool { return strings.Contains(v.Text, "..") }) {
				continue
			}
			rows, calls := filter.RowsOf(c.Types)
			instead := ""
			if cooked, ok := field.Lookup(strings.TrimSuffix(d.Name, "raw")); ok && cooked != d {
				instead = cooked.Name
			} else if d.Name == "evt.arg" && len(calls) == 0 && len(rows) > 0 && !slices.ContainsFunc(rows, func(row *event.Row) bool { return !opensPath(row, a) }) {
				instead = "fd.name"
			}
			if instead != "" {
				l.term(c.Check, fmt.Sprintf("'%s' compares the path as it was passed: a symlink, a directory or .. disguises the file", short(c.Check)), "compare "+instead)
			}
		}
	})
}

// opensPath reports whether the argument is the path of a file that the row's events open.
func opensPath(row *event.Row, a field.Arg) bool {
	i, ok := row.Param(a.Key)
	if a.IsIndex {
		i, ok = a.Index, a.Index < len(row.Params)
	}
	return ok && (row.Params[i].Type == event.FSPath || row.Params[i].Type == event.FSRelPath) && row.Captures(event.PartPath) && row.HeldFrom != event.ObjInside
}

// relativePaths looks for paths that do not begin at the root.
func (l *linter) relativePaths() {
	l.eachRule(func(r *rule) {
		for _, c := range l.compiler.Clauses(r.tree) {
			for _, v := range l.compiler.RelativePaths(c) {
				l.add(l.at(v.At), l.texts[v.At.Src].owner(), fmt.Sprintf("'%s' is no whole path: hardly any %s is so", v.Text, c.Check.Left.String()),
					"write it from '/' on, or compare the name alone by fd.filename or endswith")
			}
		}
	})
}
