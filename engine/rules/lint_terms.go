// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"

	"falconet/engine/filter"
)

// maxTerms bounds the groups whose terms are compared with one another.
const maxTerms = 100

// eachGroup calls fn with the terms of every And and Or of a condition.
func eachGroup(e filter.Expr, fn func(and bool, terms []filter.Expr)) {
	filter.Groups(e, func(and bool, terms []filter.Expr) {
		if len(terms) <= maxTerms {
			fn(and, terms)
		}
	})
}

func (l *linter) contradictions() {
	l.eachRule(func(r *rule) {
		eachGroup(r.tree, func(and bool, terms []filter.Expr) {
			for i, a := range terms {
				for _, b := range terms[:i] {
					if and && isTerm(a) && isTerm(b) && !isEventType(a) && l.compiler.Excludes(b, a) {
						l.term(a, fmt.Sprintf("'%s' and '%s' (%s) exclude one another", short(a), short(b), l.at(b.Place())),
							"join them by or, or remove one")
					}
				}
			}
		})
	})
}

func (l *linter) duplicates() {
	l.eachRule(func(r *rule) {
		eachGroup(r.tree, func(and bool, terms []filter.Expr) {
			first := make(map[string]filter.Expr)
			for _, e := range terms {
				text := filter.Print(e)
				if had := first[text]; had != nil && sameText(had, e) && had.Place() != e.Place() {
					l.term(e, fmt.Sprintf("'%s' is there twice (%s)", short(e), l.at(had.Place())), "remove one")
				} else if had == nil {
					first[text] = e
				}
			}
		})
		filter.Walk(r.tree, func(e filter.Expr) bool {
			c, ok := e.(*filter.Check)
			if !ok {
				return true
			}
			seen := make(map[string]bool)
			for _, v := range c.Values {
				if v.List != "" {
					continue
				}
				if seen[v.Text] {
					l.add(l.at(v.At), l.texts[v.At.Src].owner(), fmt.Sprintf("'%s' is twice in the list", v.Text), "remove one")
				}
				seen[v.Text] = true
			}
			return true
		})
	})
	for _, it := range l.items {
		if it.kind == "list" {
			l.duplicateItems(it)
		}
	}
}

func (l *linter) duplicateItems(it *item) {
	seen := make(map[string]bool)
	for _, n := range resolve(it.keys["items"]).Content {
		if n = resolve(n); seen[n.Value] {
			l.add(Place{it.file.Name, n.Line, n.Column}, "list '"+it.name+"'", fmt.Sprintf("'%s' is twice in the list", n.Value), "remove one")
		}
		seen[n.Value] = true
	}
}

func (l *linter) impliedTerms() {
	l.eachRule(func(r *rule) {
		eachGroup(r.tree, func(and bool, terms []filter.Expr) {
			for i, a := range terms {
				for j, b := range terms {
					// what is written in different texts is put together by macros, which have other uses
					if i == j || !isTerm(a) || !isTerm(b) || !sameText(a, b) || filter.Print(a) == filter.Print(b) || a.Place() == b.Place() {
						continue
					}
					if and && l.compiler.Implies(b, a) {
						l.term(a, fmt.Sprintf("'%s' always holds where '%s' does", short(a), short(b)), "remove it, or make it narrower")
					} else if !and && l.compiler.Implies(a, b) {
						l.term(a, fmt.Sprintf("'%s' never holds where '%s' does not", short(a), short(b)), "remove it, or make the other narrower")
					}
				}
			}
		})
	})
}

// isTerm reports whether e is a comparison that says something, or the negation of one.
func isTerm(e filter.Expr) bool {
	if n, ok := e.(*filter.Not); ok {
		e = n.Kid
	}
	c, ok := e.(*filter.Check)
	return ok && c.Left.Field != "evt.dir" && c.Left.Field != "evt.num" // evt.num = 0 is a way to say never
}

// isEventType reports whether e is a comparison of evt.type: that several exclude one another the loader says.
func isEventType(e filter.Expr) bool {
	c, ok := e.(*filter.Check)
	return ok && c.Left.Field == "evt.type"
}

func sameText(a, b filter.Expr) bool { return a.Place().Src == b.Place().Src }

// short writes a term with few of its values.
func short(e filter.Expr) string {
	const few, long = 2, 60
	text := filter.Pretty(e, 1<<20, few)
	if r := []rune(text); len(r) > long {
		return string(r[:long]) + "..."
	}
	return text
}
