// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"falconet/engine/field"
)

// Program is a compiled condition. It shares what it reads and decides with the other programs of its Compiler.
type Program struct {
	root node
}

// Match reports whether the condition holds for the event of c. Compiler.Begin must have been called for that event. It allocates
// nothing.
func (p *Program) Match(c *field.Ctx) bool { return p.root.eval(c) }

// node is a part of a program.
type node interface {
	eval(c *field.Ctx) bool
	cost() int
}

type allOf struct {
	kids  []node
	price int
}

func (n *allOf) cost() int { return n.price }

func (n *allOf) eval(c *field.Ctx) bool {
	for _, k := range n.kids {
		if !k.eval(c) {
			return false
		}
	}
	return true
}

type anyOf struct {
	kids  []node
	price int
}

func (n *anyOf) cost() int { return n.price }

func (n *anyOf) eval(c *field.Ctx) bool {
	for _, k := range n.kids {
		if k.eval(c) {
			return true
		}
	}
	return false
}

type noneOf struct{ kid node }

func (n *noneOf) cost() int              { return n.kid.cost() }
func (n *noneOf) eval(c *field.Ctx) bool { return !n.kid.eval(c) }

type constantNode bool

func (n constantNode) cost() int            { return 0 }
func (n constantNode) eval(*field.Ctx) bool { return bool(n) }

// predicate is one comparison, decided at most once per event however many rules ask.
type predicate struct {
	epoch *uint64 // the compiler's: the present event
	seen  uint64  // the event for which held is known
	held  bool
	price int
	test  func(c *field.Ctx) bool
	wants []want // where not nil: one of them is met whenever it holds
}

func (p *predicate) cost() int { return p.price }

func (p *predicate) eval(c *field.Ctx) bool {
	if p.seen != *p.epoch {
		p.held = p.test(c)
		p.seen = *p.epoch
	}
	return p.held
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
