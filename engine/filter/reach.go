// SPDX-License-Identifier: Apache-2.0

package filter

// place is a comparison and the event types for which its truth matters to one of the programs that it is a part of.
type place struct {
	check *Check
	types EventSet
}

// places are the comparisons of all programs, in the order in which they came. What a macro says belongs to many programs: it is in vain
// only if it is so in all of them.
type places struct {
	list []*place
	at   map[*Check]*place
}

// add takes the comparisons of a condition.
func (p *places) add(e Expr) {
	if p.at == nil {
		p.at = make(map[*Check]*place)
	}
	r := reach{known: make(map[Expr]outcome), found: func(c *Check, types EventSet, _ bool) {
		had := p.at[c]
		if had == nil {
			had = &place{check: c}
			p.at[c] = had
			p.list = append(p.list, had)
		}
		if !had.types.All() {
			had.types = had.types.or(types)
		}
	}}
	r.walk(e, AllEvents(), false)
}

// outcome says for which event types a condition can hold, and for which it can fail.
type outcome struct{ holds, fails EventSet }

// reach finds the event types for which each comparison of a condition matters: the truth of a term of an And matters only where the others
// can hold, that of a term of an Or only where the others can fail.
type reach struct {
	known map[Expr]outcome
	found func(c *Check, types EventSet, negated bool)
}

func (r *reach) walk(e Expr, types EventSet, negated bool) {
	switch e := e.(type) {
	case *Not:
		r.walk(e.Kid, types, !negated)
	case *And:
		r.terms(e.Kids, types, negated, func(o outcome) EventSet { return o.holds })
	case *Or:
		r.terms(e.Kids, types, negated, func(o outcome) EventSet { return o.fails })
	case *Check:
		r.found(e, types, negated)
	}
}

func (r *reach) terms(kids []Expr, types EventSet, negated bool, open func(outcome) EventSet) {
	after := make([]EventSet, len(kids)+1) // types that kids from there on leave open
	after[len(kids)] = AllEvents()
	for i := len(kids) - 1; i >= 0; i-- {
		after[i] = bothOf(after[i+1], open(r.outcome(kids[i])))
	}
	for i, k := range kids {
		r.walk(k, bothOf(types, after[i+1]), negated)
		types = bothOf(types, open(r.outcome(k)))
	}
}

func (r *reach) outcome(e Expr) outcome {
	if o, ok := r.known[e]; ok {
		return o
	}
	o := outcome{AllEvents(), AllEvents()}
	switch e := e.(type) {
	case *Not:
		kid := r.outcome(e.Kid)
		o = outcome{kid.fails, kid.holds}
	case *And:
		o.fails = EventSet{}
		for _, k := range e.Kids {
			kid := r.outcome(k)
			o = outcome{bothOf(o.holds, kid.holds), eitherOf(o.fails, kid.fails)}
		}
	case *Or:
		o.holds = EventSet{}
		for _, k := range e.Kids {
			kid := r.outcome(k)
			o = outcome{eitherOf(o.holds, kid.holds), bothOf(o.fails, kid.fails)}
		}
	case *Check:
		if s, ok := ofCheck(e); ok {
			o = outcome{s, s.not()}
		}
		return o // as quickly found as kept
	}
	r.known[e] = o
	return o
}

// bothOf and eitherOf are and and or, quick where a set is everything.
func bothOf(a, b EventSet) EventSet {
	switch {
	case a.All():
		return b
	case b.All():
		return a
	}
	return a.and(b)
}

func eitherOf(a, b EventSet) EventSet {
	if a.All() || b.All() {
		return AllEvents()
	}
	return a.or(b)
}
