// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"math/bits"
	"slices"
	"strings"

	"falconet/engine/field"
)

// Group is a list of programs that look at the same events. It finds those that may hold by looking up the values of a few fields,
// instead of asking one after the other: most rules want a field to equal, or to begin with, one of some constants, and no two rules
// want the same.
type Group struct {
	programs []*Program
	always   []uint64 // a bit for every program that has to be asked
	may      []uint64 // for the present event: those that have to be asked
	lookups  []*lookup
}

// fewPrograms is up to how many programs, of a group or for one field, asking one by one is cheaper.
const fewPrograms = 8

// lookup is one field and what programs want of it.
type lookup struct {
	anchor
	exact    map[string][]int // programs by value
	prefixes []prefix         // sorted
	known    map[string]int   // places of prefixes, until they are sorted
}

type prefix struct {
	text     string
	programs []int
	shorter  int // place of the longest prefix that this one begins with, or -1
}

// anchor is where a comparison takes text from: a field, and its second spelling where that counts too.
type anchor struct {
	from, alt *read
}

// want is a text that a value equals, or that it begins with.
type want struct {
	anchor
	text   string
	prefix bool
}

// maxWants bounds the wants of one program: long lists are left to the sets that comparisons have.
const maxWants = 64

// wants returns texts one of which the field has whenever the comparison holds, nil when there is no telling.
func (k *Compiler) wants(c *Check, left typed, twice bool) (list []want) {
	d := left.Def
	switch {
	case c.Right != nil, c.Quant == "allof", len(c.Values) > maxWants, classOf(left.Type) != classText, left.List, len(left.Resolved.Fns) > 0:
		return nil
	case d.Multi != nil && !left.Arg.Present, d.Name == "evt.type": // programs of a group look at the same types
		return nil
	}
	var at anchor
	at.from, _ = k.read(left, false)
	if twice {
		at.alt, _ = k.read(left, true)
	}
	for _, v := range c.Values {
		w := want{anchor: at, text: v.Text}
		switch c.Op {
		case "=", "in", "intersects":
		case "startswith":
			w.prefix = true
		case "glob":
			if n := strings.IndexAny(v.Text, `*?[\`); n >= 0 {
				w.text, w.prefix = v.Text[:n], true
			}
		default:
			return nil
		}
		if w.prefix && w.text == "" || strings.IndexByte(w.text, 0) >= 0 {
			return nil
		}
		list = append(list, w)
	}
	return list
}

// Group makes a group of programs of this compiler. It may be used as long as they are.
func (k *Compiler) Group(programs []*Program) *Group {
	words := (len(programs) + 63) / 64
	g := &Group{programs: programs, always: make([]uint64, words), may: make([]uint64, words)}
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
				l = &lookup{anchor: w.anchor, exact: make(map[string][]int), known: make(map[string]int)}
				at[w.anchor] = l
				g.lookups = append(g.lookups, l)
			}
			l.add(w, i)
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
	users := make(map[anchor]map[int]bool)
	for i, p := range programs {
		list, cost := best(p.root, shared)
		if cost < 0 {
			continue
		}
		chosen[i] = list
		for _, w := range list {
			if users[w.anchor] == nil {
				users[w.anchor] = make(map[int]bool)
			}
			users[w.anchor][i] = true
		}
	}
	for again := true; again; {
		again = false
		for i, list := range chosen {
			if slices.ContainsFunc(list, func(w want) bool { return len(users[w.anchor]) < fewPrograms }) {
				for _, w := range list {
					delete(users[w.anchor], i)
				}
				chosen[i], again = nil, true
			}
		}
	}
}

// eachWant yields every want of a program that may be chosen.
func eachWant(n node, yield func(want)) {
	switch n := n.(type) {
	case *predicate:
		for _, w := range n.wants {
			yield(w)
		}
	case *allOf:
		for _, kid := range n.kids {
			eachWant(kid, yield)
		}
	case *anyOf:
		for _, kid := range n.kids {
			eachWant(kid, yield)
		}
	}
}

// best returns wants one of which is met whenever n holds, and how many programs they stand for in all: -1 when there are none. The
// list is not nil when there are.
func best(n node, shared map[want]int) (list []want, cost int) {
	switch n := n.(type) {
	case *predicate:
		if n.wants == nil {
			return nil, -1
		}
		for _, w := range n.wants {
			cost += shared[w]
		}
		return n.wants, cost
	case *allOf: // each of the kids will do
		cost = -1
		for _, kid := range n.kids {
			if l, c := best(kid, shared); c >= 0 && (cost < 0 || c < cost) {
				list, cost = l, c
			}
		}
		return list, cost
	case *anyOf: // it takes all of them
		list = []want{}
		for _, kid := range n.kids {
			l, c := best(kid, shared)
			if c < 0 {
				return nil, -1
			}
			if list, cost = append(list, l...), cost+c; len(list) > maxWants {
				return nil, -1
			}
		}
		return list, cost
	}
	return nil, -1
}

func (l *lookup) add(w want, program int) {
	if !w.prefix {
		l.exact[w.text] = append(l.exact[w.text], program)
		return
	}
	i, ok := l.known[w.text]
	if !ok {
		i = len(l.prefixes)
		l.prefixes = append(l.prefixes, prefix{text: w.text})
		l.known[w.text] = i
	}
	l.prefixes[i].programs = append(l.prefixes[i].programs, program)
}

// link sorts the prefixes and ties each to the longest that it begins with.
func (l *lookup) link() {
	l.known = nil
	slices.SortFunc(l.prefixes, func(a, b prefix) int { return strings.Compare(a.text, b.text) })
	for i := range l.prefixes {
		before := i - 1
		for before >= 0 && !strings.HasPrefix(l.prefixes[i].text, l.prefixes[before].text) {
			before = l.prefixes[before].shorter
		}
		l.prefixes[i].shorter = before
	}
}

// mark sets the bits of the programs that a value is enough for.
func (l *lookup) mark(s string, may []uint64) {
	for _, p := range l.exact[s] {
		may[p/64] |= 1 << (p % 64)
	}
	// What begins s is, of the prefixes up to s, the last one or one that the last one begins with.
	low, high := 0, len(l.prefixes)
	for low < high {
		if mid := (low + high) / 2; l.prefixes[mid].text <= s {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for i := low - 1; i >= 0; i = l.prefixes[i].shorter {
		if strings.HasPrefix(s, l.prefixes[i].text) {
			for _, p := range l.prefixes[i].programs {
				may[p/64] |= 1 << (p % 64)
			}
		}
	}
}

// Match calls fn with the place of every program that holds for the event of c, in order, until fn returns false. Compiler.Begin must
// have been called for that event. It allocates nothing.
func (g *Group) Match(c *field.Ctx, fn func(i int) bool) {
	may := g.may
	copy(may, g.always)
	for _, l := range g.lookups {
		if v, ok := l.from.get(c); ok {
			l.mark(cString(v), may)
		}
		if l.alt == nil {
			continue
		}
		if v, ok := l.alt.get(c); ok {
			l.mark(cString(v), may)
		}
	}
	for word, left := range may {
		for ; left != 0; left &= left - 1 {
			i := word*64 + bits.TrailingZeros64(left)
			if g.programs[i].root.eval(c) && !fn(i) {
				return
			}
		}
	}
}
