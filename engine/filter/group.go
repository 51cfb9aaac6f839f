// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"math/bits"
	"slices"

	"falconet/engine/field"
)

// Group is a list of programs that look at the same events. It finds those that may hold by looking up the values of a few fields,
// instead of asking one after the other: most rules want a field to equal, to begin with or to contain one of some constants, and no two
// rules want the same.
type Group struct {
	programs []*Program
	epoch    *uint64  // the compiler's
	always   []uint64 // a bit for every program that has to be asked
	may      []uint64 // for the present event: those that have to be asked
	lookups  []*lookup
}

// fewPrograms is up to how many programs, of a group or for one field, asking one by one is cheaper.
const fewPrograms = 3

// Group makes a group of programs of this compiler. It may be used as long as they are.
func (k *Compiler) Group(programs []*Program) *Group {
	words := (len(programs) + 63) / 64
	g := &Group{programs: programs, epoch: &k.epoch, always: make([]uint64, words), may: make([]uint64, words)}
	chosen := make([][]want, len(programs))
	if len(programs) > fewPrograms {
		choose(programs, chosen)
	}
	at := make(map[anchor]*lookup)
	for i, list := range chosen {
		if list == nil {
			g.always[i/64] |= 1 << (i % 64)
		}
		for _, w := range list {
			l := at[w.anchor]
			if l == nil {
				l = newLookup(w.anchor, words)
				at[w.anchor] = l
				g.lookups = append(g.lookups, l)
			}
			if !l.add(w, int32(i)) {
				g.always[i/64] |= 1 << (i % 64)
			}
		}
	}
	for _, l := range g.lookups {
		l.link()
	}
	return g
}

// choose finds for each program the wants that the fewest others share. It is nil where there are none, or too few programs look at one
// of the fields for a look-up to pay.
func choose(programs []*Program, chosen [][]want) {
	shared := make(map[want]int)
	for _, p := range programs {
		seen := make(map[want]bool)
		eachWant(p.root, func(w want) {
			if !seen[w] {
				seen[w] = true
				shared[w]++
			}
		})
	}
	banned := make(map[anchor]bool)
	for range maxChoices {
		users := make(map[anchor]int)
		for i, p := range programs {
			chosen[i], _ = best(p.root, shared, banned)
			counted := make(map[anchor]bool, 1)
			for _, w := range chosen[i] {
				if !counted[w.anchor] {
					counted[w.anchor] = true
					users[w.anchor]++
				}
			}
		}
		all := true
		for at, n := range users {
			if n < fewPrograms {
				banned[at], all = true, false
			}
		}
		if all {
			return
		}
	}
	for i, list := range chosen { // the last choice stands only where it is of fields that are looked up anyway
		if slices.ContainsFunc(list, func(w want) bool { return banned[w.anchor] }) {
			chosen[i] = nil
		}
	}
}

// maxChoices bounds how often programs choose again because too few others look at the field that they chose.
const maxChoices = 4

// eachWant yields every want of a program that may be chosen.
func eachWant(n node, yield func(want)) {
	switch n := n.(type) {
	case *predicate:
		for _, w := range n.wants {
			yield(w)
		}
	case *groupNode:
		for _, kid := range n.kids {
			eachWant(kid, yield)
		}
	}
}

// best returns wants one of which is met whenever n holds, and how many programs they stand for in all: -1 when there are none. The
// list is not nil when there are.
func best(n node, shared map[want]int, banned map[anchor]bool) (list []want, cost int) {
	switch n := n.(type) {
	case *predicate:
		if n.wants == nil {
			return nil, -1
		}
		for _, w := range n.wants {
			if banned[w.anchor] {
				return nil, -1
			}
			cost += shared[w]
		}
		return n.wants, cost
	case *groupNode:
		if !n.and {
			return unite(n.kids, shared, banned)
		}
		cost = -1 // each of the kids will do
		for _, kid := range n.kids {
			if l, c := best(kid, shared, banned); c >= 0 && (cost < 0 || c < cost) {
				list, cost = l, c
			}
		}
		return list, cost
	}
	return nil, -1
}

// unite is best for nodes joined by or: it takes the wants of all of them.
func unite(kids []node, shared map[want]int, banned map[anchor]bool) (list []want, cost int) {
	list = []want{}
	for _, kid := range kids {
		l, c := best(kid, shared, banned)
		if c < 0 {
			return nil, -1
		}
		if list, cost = append(list, l...), cost+c; len(list) > maxWants {
			return nil, -1
		}
	}
	return list, cost
}

// Match calls fn with the place of every program that holds for the event of c, in order, until fn returns false. Compiler.Begin must
// have been called for that event. During the call c.Uncertain says whether the program holds only because a part of a path is not
// known. It allocates nothing.
func (g *Group) Match(c *field.Ctx, fn func(i int) bool) {
	may := g.may
	copy(may, g.always)
	for _, l := range g.lookups {
		l.look(c, may)
	}
	for word, left := range may {
		for ; left != 0; left &= left - 1 {
			i := word*64 + bits.TrailingZeros64(left)
			if !g.programs[i].root.eval(c) {
				continue
			}
			c.Uncertain = c.Guessed() && !g.certain(i, c)
			if !fn(i) {
				return
			}
		}
	}
}

// certain reports whether a program holds without comparisons that only may hold. Everything is decided anew for it, and once more for the
// programs that come after it.
func (g *Group) certain(i int, c *field.Ctx) bool {
	*g.epoch++
	c.Certain(true)
	held := g.programs[i].root.eval(c)
	c.Certain(false)
	*g.epoch++
	return held
}
