// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"

	"falconet/engine/filter"
)

// parse reads a condition and puts lists and macros into it. The text is kept: it is b.texts[src].
func (b *builder) parse(w written) (_ filter.Expr, src int, err error) {
	src = len(b.texts)
	w.text = b.aliased(w.text)
	b.texts = append(b.texts, w)
	e, err := filter.ParseFrom(w.text, src)
	if err != nil {
		return nil, src, err
	}
	if e, err = b.expandLists(e, src); err != nil {
		return nil, src, err
	}
	var inner error
	undefined := ""
	local := e
	e, err = filter.Substitute(e, func(name string) (filter.Expr, bool) {
		if inner != nil {
			return nil, false
		}
		found, ok, err := b.named(name, src)
		if inner = err; !ok {
			undefined = name
		}
		return found, ok && err == nil
	})
	if inner != nil {
		return nil, src, inner
	}
	if err != nil {
		return nil, src, b.undefined(undefined, err)
	}
	return e, src, b.measure(local, &b.texts[src])
}

// named returns the condition that a name in a text stands for. A list with one member is its text.
func (b *builder) named(name string, src int) (e filter.Expr, ok bool, err error) {
	at := &b.texts[src].refs
	if m := b.macroOf[name]; m != nil {
		at.add(&at.macros, name)
		e, err = b.macro(m)
		return e, true, err
	}
	l := b.listOf[name]
	if l == nil || b.busy[name] {
		return nil, false, nil
	}
	members, err := b.members(l)
	if err != nil || len(members) != 1 {
		return nil, false, err
	}
	b.busy[name] = true
	defer delete(b.busy, name)
	at.add(&at.lists, name)
	w := written{kind: "list", name: name, item: l.item}
	w.condition("", []segment{{members[0], l.item.keys["items"], l.item}})
	e, _, err = b.parse(w)
	return e, true, err
}

// undefinedError is the name of a macro that there is not.
type undefinedError struct {
	name string
	at   *filter.Error
}

func (e *undefinedError) Error() string { return e.at.Error() }
func (e *undefinedError) Unwrap() error { return e.at }

func (b *builder) undefined(name string, err error) error {
	var fe *filter.Error
	if !errors.As(err, &fe) {
		return err
	}
	switch near := filter.Nearest(name, names(b.macros)); {
	case b.listOf[name] != nil:
		fe.Hint = "'" + name + "' is a list: it stands in parentheses behind a field and in, intersects or pmatch"
	case near != "":
		fe.Hint = "did you mean '" + near + "'?"
	}
	return &undefinedError{name, fe}
}

// The bounds on a condition with its macros in it. Macros that name others twice could double it with every step.
const (
	maxNodes = 1 << 18
	maxDepth = 1000
)

// measure counts the nodes of a condition, and how deep it is, as they are with macros in it.
func (b *builder) measure(e filter.Expr, w *written) error {
	w.nodes, w.depth = b.size(e)
	if w.nodes > maxNodes && len(w.marks) < maxNodes || w.depth > maxDepth {
		msg := fmt.Sprintf("with its macros the condition has more than %d terms, or is nested deeper than %d levels", maxNodes, maxDepth)
		return &filter.Error{Pos: e.Place(), Len: 1, Msg: msg}
	}
	return nil
}

func (b *builder) size(e filter.Expr) (nodes, depth int) {
	var kids []filter.Expr
	switch e := e.(type) {
	case *filter.Macro:
		if m := b.macroOf[e.Name]; m != nil {
			return m.nodes, m.depth
		}
		return 1, 1
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
	if m.tree != nil || m.err != nil {
		return m.tree, m.err
	}
	if b.busy[m.name] {
		return nil, &macroError{m: m, err: errors.New("macro is part of itself")}
	}
	b.busy[m.name] = true
	defer delete(b.busy, m.name)
	e, src, err := b.parse(m.write())
	if err != nil {
		var deeper *macroError
		if !errors.As(err, &deeper) {
			err = &macroError{m: m, err: err}
		}
		m.err = err
		return nil, err
	}
	w := &b.texts[src]
	m.tree, m.refs, m.nodes, m.depth = e, w.refs, w.nodes, w.depth
	return e, nil
}
