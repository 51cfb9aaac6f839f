// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"slices"

	"falconet/engine/filter"
)

// parse reads a condition and puts lists and macros into it.
func (b *builder) parse(w written) (filter.Expr, error) {
	b.texts = append(b.texts, w)
	src := len(b.texts) - 1
	e, err := filter.ParseFrom(w.text, src)
	if err != nil {
		return nil, err
	}
	if e, err = b.expandLists(e, src); err != nil {
		return nil, err
	}
	var inner error
	local := e
	e, err = filter.Substitute(e, func(name string) (filter.Expr, bool) {
		m := b.macroOf[name]
		if m == nil || inner != nil {
			return nil, false
		}
		at := &b.texts[src].refs
		at.add(&at.macros, name)
		found, err := b.macro(m)
		if err != nil {
			inner = err
			return nil, false
		}
		return found, true
	})
	if inner != nil {
		return nil, inner
	}
	if err == nil {
		err = b.measure(local, &b.texts[src])
	}
	return e, err
}

// The bounds on a condition with its macros in it. Macros that name others twice could double it with every step.
const (
	maxNodes = 1 << 18
	maxDepth = 1000
)

// measure counts the nodes of a condition, and how deep it is, as they are with macros in it.
func (b *builder) measure(e filter.Expr, w *written) error {
	w.nodes, w.depth = b.size(e)
	if w.nodes > maxNodes || w.depth > maxDepth {
		msg := fmt.Sprintf("with its macros the condition has more than %d terms, or is nested deeper than %d levels", maxNodes, maxDepth)
		return &filter.Error{Pos: e.Place(), Len: 1, Msg: msg}
	}
	return nil
}

func (b *builder) size(e filter.Expr) (nodes, depth int) {
	var kids []filter.Expr
	switch e := e.(type) {
	case *filter.Macro:
		m := b.macroOf[e.Name]
		return m.nodes, m.depth
	case *filter.Not:
		kids = []filter.Expr{e.Kid}
	case *filter.And:
		kids = e.Kids
	case *filter.Or:
		kids = e.Kids
	}
	for _, k := range kids {
		n, d := b.size(k)
		nodes, depth = nodes+n, max(depth, d)
	}
	return nodes + 1, depth + 1
}

// macro returns the tree of a macro. Rules share it.
func (b *builder) macro(m *macro) (filter.Expr, error) {
	m.used = true
	if e := b.macroAST[m.name]; e != nil {
		return e, nil
	}
	if m.err != nil {
		return nil, m.err
	}
	if b.busy[m.name] {
		return nil, &macroError{m, errors.New("macro is part of itself")}
	}
	b.busy[m.name] = true
	defer delete(b.busy, m.name)
	src := len(b.texts)
	e, err := b.parse(written{kind: "condition", name: m.name, item: m.item, text: joined(m.condition), parts: m.condition})
	if err != nil {
		var deeper *macroError
		if !errors.As(err, &deeper) {
			err = &macroError{m, err}
		}
		m.err = err
		return nil, err
	}
	b.macroAST[m.name] = e
	m.tree, m.refs, m.nodes, m.depth = e, b.texts[src].refs, b.texts[src].nodes, b.texts[src].depth
	return e, nil
}

// maxExpanded bounds the members that all conditions and lists get from lists.
const maxExpanded = 4 << 20

// spend counts members that a list gives to a condition or to another list.
func (b *builder) spend(n int) error {
	if b.expanded += n; b.expanded > maxExpanded {
		return fmt.Errorf("lists that give more than %d members in all", maxExpanded)
	}
	return nil
}

// expandLists puts the members of lists where conditions name them: in lists of values and, of lists with one member, wherever a value
// may stand.
func (b *builder) expandLists(e filter.Expr, src int) (_ filter.Expr, err error) {
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok && err == nil {
			err = b.expandCheck(c, src)
		}
		return err == nil
	})
	return e, err
}

func (b *builder) expandCheck(c *filter.Check, src int) error {
	many := c.List || c.Quant != "" || c.Op == "in" || c.Op == "pmatch" || c.Op == "intersects"
	var out []filter.Value
	for i, v := range c.Values {
		l := b.listOf[v.Text]
		if l == nil || v.Len != len(v.Text) { // a quoted word is no name
			out = append(out, v)
			continue
		}
		members, err := b.members(l)
		if err == nil {
			err = b.spend(len(members))
		}
		if err != nil {
			return &filter.Error{Pos: v.At, Len: v.Len, Msg: err.Error()}
		}
		if !many && len(members) != 1 {
			w := &b.texts[src]
			w.item.file.warn(CompileCondition, fmt.Sprintf("'%s' stands for itself here, not for the list: with %d members that takes 'in'", l.name, len(members)), w.item.where(), w.where(v.At))
			out = append(out, v)
			continue
		}
		at := &b.texts[src].refs
		at.add(&at.lists, l.name)
		out = slices.Grow(out, len(members)+len(c.Values)-i-1)
		for _, m := range members {
			out = append(out, filter.Value{At: v.At, Len: v.Len, Text: m, List: l.name})
		}
		c.List = many
	}
	c.Values = out
	return nil
}

// members returns the members of a list, with those of the lists that it names.
func (b *builder) members(l *list) ([]string, error) {
	l.used = true
	switch {
	case l.flat != nil:
		return l.flat, nil
	case l.err != nil:
		return nil, l.err
	}
	l.err = fmt.Errorf("list '%s' is part of itself", l.name) // until it is known not to be
	out := make([]string, 0, len(l.items))
	for _, it := range l.items {
		other := b.listOf[it]
		if other == nil || other == l {
			out = append(out, it)
			continue
		}
		m, err := b.members(other)
		if err == nil {
			err = b.spend(len(m))
		}
		if err != nil {
			l.err = err
			return nil, err
		}
		out = append(out, m...)
	}
	l.flat, l.err = out, nil
	return out, nil
}
