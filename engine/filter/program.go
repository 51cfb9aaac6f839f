// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"

	"falconet/engine/field"
)

// Program is a compiled condition. It shares what it reads and decides with the other programs of its Compiler.
type Program struct {
	root  node
	types []*predicate        // the comparisons of evt.type in it
	made  map[string]*Program // what For returned, by what the comparisons of evt.type say
}

func newProgram(root node) *Program {
	p := &Program{root: root}
	eachPredicate(root, func(q *predicate) {
		if q.types != nil && !slices.Contains(p.types, q) {
			p.types = append(p.types, q)
		}
	})
	return p
}

// Match reports whether the condition holds for the event of c. Compiler.Begin must have been called for that event. It allocates
// nothing.
func (p *Program) Match(c *field.Ctx) bool { return p.root.eval(c) }

// For returns what is left of the program for events of a type: the same program for types that it does not tell apart.
func (p *Program) For(eventType string) *Program {
	if len(p.types) == 0 {
		return p
	}
	says := make([]byte, len(p.types))
	for i, q := range p.types {
		says[i] = '-'
		if q.types.Has(eventType) {
			says[i] = '+'
		}
	}
	made := p.made[string(says)]
	if made == nil {
		made = &Program{root: forType(p.root, eventType)}
		if p.made == nil {
			p.made = make(map[string]*Program)
		}
		p.made[string(says)] = made
	}
	return made
}

// Never reports whether the program holds for no event.
func (p *Program) Never() bool {
	c, ok := p.root.(constantNode)
	return ok && !bool(c)
}

// node is a part of a program.
type node interface {
	eval(c *field.Ctx) bool
	estimate() estimate
}

// groupNode is nodes joined by and, or by or: two or more, none of which is a group of the same kind or a constant.
type groupNode struct {
	kids []node
	and  bool
	est  estimate
}

func (n *groupNode) estimate() estimate { return n.est }

func (n *groupNode) eval(c *field.Ctx) bool {
	for _, k := range n.kids {
		if k.eval(c) != n.and {
			return !n.and
		}
	}
	return n.and
}

type notNode struct{ kid node }

func (n *notNode) eval(c *field.Ctx) bool { return !n.kid.eval(c) }

func (n *notNode) estimate() estimate {
	e := n.kid.estimate()
	e.holds = 1 - e.holds
	return e
}

type constantNode bool

func (n constantNode) estimate() estimate   { return estimate{} }
func (n constantNode) eval(*field.Ctx) bool { return bool(n) }

// predicate is one comparison, decided at most once per event however many rules ask.
type predicate struct {
	epoch *uint64 // the compiler's: the present event
	seen  uint64  // the event for which held is known
	held  bool
	est   estimate
	test  func(c *field.Ctx) bool
	wants []want    // where not nil: one of them is met whenever it holds
	types *EventSet // the event types for which it holds, where it depends on nothing else
}

func (p *predicate) estimate() estimate { return p.est }

func (p *predicate) eval(c *field.Ctx) bool {
	if p.seen != *p.epoch {
		p.held = p.test(c)
		p.seen = *p.epoch
	}
	return p.held
}

// eachPredicate calls fn for every comparison of a node.
func eachPredicate(n node, fn func(*predicate)) {
	switch n := n.(type) {
	case *predicate:
		fn(n)
	case *notNode:
		eachPredicate(n.kid, fn)
	case *groupNode:
		for _, kid := range n.kids {
			eachPredicate(kid, fn)
		}
	}
}

// forType returns what is left of a node when the event's type is known.
func forType(n node, eventType string) node {
	switch n := n.(type) {
	case *predicate:
		if n.types != nil {
			return constantNode(n.types.Has(eventType))
		}
	case *notNode:
		return noneOf(forType(n.kid, eventType))
	case *groupNode:
		kids := make([]node, len(n.kids))
		for i, kid := range n.kids {
			kids[i] = forType(kid, eventType)
		}
		return join(kids, n.and)
	}
	return n
}

// source is where a comparison gets a value from.
type source interface {
	get(c *field.Ctx) (*field.Value, bool)
}

// read is a field with its argument, read at most once per event.
type read struct {
	epoch *uint64
	seen  uint64
	ok    bool
	v     field.Value
	from  func(c *field.Ctx, a field.Arg) (field.Value, bool)
	arg   field.Arg
}

func (r *read) get(c *field.Ctx) (*field.Value, bool) {
	if r.seen != *r.epoch {
		r.v, r.ok = r.from(c, r.arg)
		r.seen = *r.epoch
	}
	return &r.v, r.ok
}

// gated is a source that has a value in a few events only, which gate tells.
type gated struct {
	gate func(c *field.Ctx) bool
	over source
}

func (g *gated) get(c *field.Ctx) (*field.Value, bool) {
	if !g.gate(c) {
		return nil, false
	}
	return g.over.get(c)
}

// applied is a transformer over another source, called at most once per event.
type applied struct {
	epoch *uint64
	seen  uint64
	ok    bool

	over source
	fn   func(field.Value) (field.Value, bool)
	v    field.Value
}

func (a *applied) get(c *field.Ctx) (*field.Value, bool) {
	if a.seen != *a.epoch {
		v, ok := a.over.get(c)
		if ok {
			a.v, ok = a.fn(*v)
		}
		a.ok, a.seen = ok, *a.epoch
	}
	return &a.v, a.ok
}
