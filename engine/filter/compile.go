// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"errors"
	"fmt"
	"slices"

	"falconet/engine/field"
)

// Warning is something in a condition that is probably not what its author means.
type Warning struct {
	Pos  Pos
	Len  int
	Msg  string
	Ours bool // Falco does not warn of this
}

// Compiler turns trees into programs. Programs of one compiler share their fields and comparisons.
type Compiler struct {
	epoch    uint64
	reads    map[string]*read
	made     map[string]*applied
	gates    map[string]*gated
	preds    map[string]*predicate
	warned   map[Pos]bool
	warnings []Warning
	places   places // where comparisons are and when they count

	// fields is the field table: field.Resolve, but for tests of operators on types that no field has yet
	fields func(name, arg string, hasArg bool) (*field.Def, field.Arg, error)
}

// NewCompiler returns a compiler that has compiled nothing.
func NewCompiler() *Compiler {
	return &Compiler{reads: make(map[string]*read), made: make(map[string]*applied), gates: make(map[string]*gated), preds: make(map[string]*predicate), warned: make(map[Pos]bool), fields: field.Resolve}
}

// Begin tells the programs that what they match next is another event.
func (k *Compiler) Begin() { k.epoch++ }

// Compile makes a program of e, in which no macro may be left. The error is an *Error. A place in a text is warned of once, by the first
// program that it becomes a part of.
func (k *Compiler) Compile(e Expr) (*Program, []Warning, error) {
	k.warnings = nil
	root, err := k.expr(e, true)
	if err != nil {
		return nil, nil, err
	}
	k.places.add(e)
	return newProgram(root), k.warnings, nil
}

// expr compiles e; positive is false under an odd number of nots.
func (k *Compiler) expr(e Expr, positive bool) (node, error) {
	switch e := e.(type) {
	case *And:
		kids, err := k.exprs(e.Kids, positive)
		return allOf(kids), err
	case *Or:
		kids, err := k.exprs(mergeChecks(e.Kids), positive)
		return anyOf(kids), err
	case *Not:
		kid, err := k.expr(e.Kid, !positive)
		return noneOf(kid), err
	case *Macro:
		return nil, &Error{Pos: e.At, Len: len(e.Name), Msg: "Undefined macro '" + e.Name + "' used in filter."}
	case *Check:
		return k.check(e, positive)
	}
	return nil, fmt.Errorf("BUG: a condition holds a %T", e)
}

func (k *Compiler) exprs(list []Expr, positive bool) (nodes []node, err error) {
	nodes = make([]node, len(list))
	for i, e := range list {
		if nodes[i], err = k.expr(e, positive); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// typed is an operand whose field is known, and with kind and list what its transformers make of it.
type typed struct {
	*Operand
	field.Resolved
}

func (k *Compiler) resolve(o *Operand) (typed, error) {
	r, err := o.Resolve(k.fields, field.OutputOnly)
	if err == nil {
		return typed{o, r}, nil
	}
	at := o.At
	at.Off, at.Col = at.Off+err.Off-o.Off, at.Col+err.Off-o.Off
	e := &Error{Pos: at, Len: err.Len, Msg: err.Msg, Hint: err.Hint}
	if errors.Is(err, field.ErrUnknown) {
		e.Hint = didYouMean(nearest(err.Name, fieldNames))
	}
	return typed{}, e
}

func fieldNames(yield func(string) bool) {
	for _, d := range field.All() {
		if d.Flags&field.TableOnly == 0 && !yield(d.Name) {
			return
		}
	}
}

// source returns where the operand's value comes from; alt asks for the second spelling.
func (k *Compiler) source(t typed, alt bool) source {
	r, key := k.read(t, alt)
	var s source = r
	list := t.Def.List
	for _, fn := range t.Resolved.Fns {
		var call func(field.Value) (field.Value, bool)
		call, list = fn.On(list)
		key += "\x00" + fn.Name
		a := k.made[key]
		if a == nil {
			a = &applied{epoch: &k.epoch, over: s, fn: call}
			k.made[key] = a
		}
		s = a
	}
	if !alt || t.Def.MayAlt == nil {
		return s
	}
	g := k.gates[key]
	if g == nil {
		g = &gated{t.Def.MayAlt, s}
		k.gates[key] = g
	}
	return g
}

// read returns the field of an operand, without its transformers, and the key that it has in the compiler.
func (k *Compiler) read(t typed, alt bool) (*read, string) {
	from, key := t.Def.Get, t.Def.Name+"\x00"+t.Arg.Key
	if alt {
		from, key = t.Def.Alt, key+"\x00alt"
	}
	r := k.reads[key]
	if r == nil {
		r = &read{epoch: &k.epoch, from: from, arg: t.Arg}
		k.reads[key] = r
	}
	return r, key
}

func (k *Compiler) check(c *Check, positive bool) (node, error) {
	left, err := k.resolve(&c.Left)
	if err != nil {
		return nil, err
	}
	if slices.Contains(left.Operand.Fns, "val") {
		return nil, &Error{Pos: c.Left.At, Len: c.Left.Len, Msg: "val() stands on the right of a comparison only"}
	}
	if left.Def.Name == "evt.dir" {
		// A syscall event here carries what entering and leaving did, so a test for either side says nothing: it must
		// neither hold nor prevent a match.
		return constantNode(positive), nil
	}
	k.warnMisused(c)
	// Under a negation, and for !=, only the kernel's spelling of a path counts.
	lenient := positive && c.Op != "!="
	twice := lenient && left.Def.Alt != nil
	key := Print(c)
	if lenient && (left.Def.Alt != nil || left.Def.Flags&field.Gaps != 0) {
		key += "\x00alt"
	}
	if p := k.preds[key]; p != nil {
		return p, nil
	}
	p := &predicate{epoch: &k.epoch, est: estimateCheck(c, left)}
	if c.Right != nil {
		p.test, err = k.againstField(c, left, twice, lenient)
	} else {
		p.test, err = k.againstValues(c, left, twice, lenient)
	}
	if err != nil {
		return nil, err
	}
	p.wants, p.types = k.wants(c, left, twice), typesOf(c)
	k.preds[key] = p
	return p, nil
}

func (k *Compiler) againstValues(c *Check, left typed, twice, lenient bool) (func(*field.Ctx) bool, error) {
	if c.Op == "exists" {
		return k.exists(left), nil
	}
	t, err := k.valueTest(c, left)
	if err != nil {
		return nil, err
	}
	m := perhaps(c, left, lenient)
	if left.several() {
		return multi(left.Def, c.Op, t, m), nil
	}
	s := k.source(left, false)
	if left.List {
		return listTest(s, c.Op, t), nil
	}
	if m != nil {
		return k.lenient(left, t, m, twice), nil
	}
	if !twice {
		if r, plain := s.(*read); plain { // most are, and a call that the compiler knows is faster
			return func(x *field.Ctx) bool {
				v, ok := r.get(x)
				return ok && t(v)
			}, nil
		}
		return func(x *field.Ctx) bool {
			v, ok := s.get(x)
			return ok && t(v)
		}, nil
	}
	alt := k.source(left, true)
	return func(x *field.Ctx) bool {
		if v, ok := s.get(x); ok && t(v) {
			return true
		}
		v, ok := alt.get(x)
		return ok && t(v)
	}, nil
}

// lenient is a comparison that also holds where it may.
func (k *Compiler) lenient(left typed, t test, m maybe, twice bool) func(*field.Ctx) bool {
	s := k.source(left, false)
	if !twice {
		return func(x *field.Ctx) bool {
			v, ok := s.get(x)
			return ok && (t(v) || v.HasGap() && m.holds(x, v))
		}
	}
	alt := k.source(left, true)
	return func(x *field.Ctx) bool {
		v, ok := s.get(x)
		if ok && t(v) {
			return true
		}
		gap := ok && v.HasGap()
		if w, ok := alt.get(x); ok && t(w) {
			return true
		}
		return gap && m.holds(x, v)
	}
}

func (k *Compiler) exists(left typed) func(*field.Ctx) bool {
	if d := left.Def; d.Multi != nil && !left.Arg.Present {
		if d.Any != nil {
			return d.Any
		}
		return multi(d, "exists", func(*field.Value) bool { return true }, nil)
	}
	s := k.source(left, false)
	return func(x *field.Ctx) bool {
		_, ok := s.get(x)
		return ok
	}
}

// multi is a comparison of a field that stands for several values: one that satisfies it is enough, unless the field wants them
// all to differ.
func multi(d *field.Def, op string, t test, perhaps maybe) func(*field.Ctx) bool {
	everyOne := op == "!=" && d.Flags&field.AllDiffer != 0
	m := &multiTest{test: t, perhaps: perhaps, everyOne: everyOne}
	yield := m.yield
	return func(x *field.Ctx) bool {
		m.ctx, m.seen, m.held = x, false, everyOne
		d.Multi(x, yield)
		return m.seen && m.held
	}
}

type multiTest struct {
	test       test
	perhaps    maybe
	ctx        *field.Ctx
	everyOne   bool
	seen, held bool
	v          field.Value // so that no value escapes
}

func (m *multiTest) yield(v field.Value) bool {
	m.seen, m.v = true, v
	held := m.test(&m.v) || v.HasGap() && m.perhaps != nil && m.perhaps.holds(m.ctx, &m.v)
	if held != m.everyOne {
		m.held = !m.everyOne
		return false
	}
	return true
}

// listTest is a comparison of a list: with `in` every element must satisfy it, with `intersects` one.
func listTest(s source, op string, t test) func(*field.Ctx) bool {
	all := op == "in"
	return func(x *field.Ctx) bool {
		v, ok := s.get(x)
		if !ok {
			return false
		}
		list := v.List()
		for i := range list {
			if t(&list[i]) != all {
				return !all
			}
		}
		return all
	}
}

func (k *Compiler) againstField(c *Check, left typed, twice, lenient bool) (func(*field.Ctx) bool, error) {
	right, err := k.resolve(c.Right)
	if err != nil {
		return nil, err
	}
	bad := func(msg string) error { return &Error{Pos: c.Right.At, Len: c.Right.Len, Msg: msg} }
	if (left.Def.Flags|right.Def.Flags)&field.NoRHS != 0 {
		return nil, bad("fields " + left.Def.Name + " and " + right.Def.Name + " cannot be compared with one another")
	}
	if c.Op == "regex" || c.Op == "pmatch" {
		return nil, bad("operator " + c.Op + " takes constants only")
	}
	set := c.Op == "in" || c.Op == "intersects"
	if classOf(left.Type) != classOf(right.Type) || left.List != right.List && !set {
		return nil, bad(fmt.Sprintf("%s is a %s and %s a %s", left.Def.Name, field.TypeName(left.Type, left.List), right.Def.Name, field.TypeName(right.Type, right.List)))
	}
	if e := k.allowed(c, left); e != nil {
		return nil, e
	}
	two := compareFields(c.Op, left.Type)
	if two == nil {
		return nil, bad("operator " + c.Op + " takes constants only")
	}
	a, b := k.source(left, false), k.source(right, false)
	holds := func(x *field.Ctx, a source) bool {
		l, ok := a.get(x)
		if !ok {
			return false
		}
		r, ok := b.get(x)
		return ok && (compareLists(c.Op, two, l, r, left.List, right.List) || lenient && (l.HasGap() || r.HasGap()) && perhapsOf(c.Op, x, l, r))
	}
	if !twice {
		return func(x *field.Ctx) bool { return holds(x, a) }, nil
	}
	alt := k.source(left, true)
	return func(x *field.Ctx) bool { return holds(x, a) || holds(x, alt) }, nil
}

func compareLists(op string, two func(a, b *field.Value) bool, l, r *field.Value, leftList, rightList bool) bool {
	if !leftList && !rightList {
		return two(l, r)
	}
	in := func(v *field.Value) bool {
		if !rightList {
			return two(v, r)
		}
		members := r.List()
		for i := range members {
			if two(v, &members[i]) {
				return true
			}
		}
		return false
	}
	if !leftList {
		return in(l)
	}
	list := l.List()
	for i := range list {
		if in(&list[i]) != (op == "in") {
			return op != "in"
		}
	}
	return op == "in"
}
