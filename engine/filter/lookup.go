// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"net/netip"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// lookup is where programs take a value from, and what they want of it.
type lookup struct {
	anchor
	equal    map[string][]int32 // programs by value
	numbers  map[uint64][]int32
	nets     []netTable
	below    affixes // paths without their first slash
	prefixes affixes
	suffixes affixes // of reversed texts
	longest  int     // of the suffixes
	part     automatonBuilder
	folded   automatonBuilder
	parts    [2]*automaton // of part and folded
	users    []uint64      // a bit for every program

	may     []uint64 // what is found is marked here
	yield   func([]int32)
	yieldIn func([]int32) bool
	each    func(field.Value) bool
	scratch []byte
	v       field.Value // so that no value escapes
}

// netTable is the networks of one size.
type netTable struct {
	bits int
	is4  bool
	nets map[netip.Addr][]int32
}

func newLookup(at anchor, words int) *lookup {
	l := &lookup{
		anchor: at, users: make([]uint64, words), folded: automatonBuilder{fold: true},
		equal: make(map[string][]int32), numbers: make(map[uint64][]int32),
	}
	l.yield = l.mark
	l.yieldIn = func(programs []int32) bool { l.mark(programs); return true }
	l.each = func(v field.Value) bool { l.v = v; l.see(&l.v); return true }
	return l
}

func (l *lookup) mark(programs []int32) { setBits(l.may, programs) }

// markAll marks the programs that look at the value, whatever they want of it.
func (l *lookup) markAll() {
	for i, u := range l.users {
		l.may[i] |= u
	}
}

func setBits(set []uint64, programs []int32) {
	for _, p := range programs {
		set[p>>6] |= 1 << (p & 63)
	}
}

// add notes what a program wants. It is false when there is no more room.
func (l *lookup) add(w want, program int32) bool {
	l.users[program>>6] |= 1 << (program & 63)
	switch w.kind {
	case wantEqual:
		l.equal[w.text] = append(l.equal[w.text], program)
	case wantNumber:
		l.numbers[w.n] = append(l.numbers[w.n], program)
	case wantNet:
		l.addNet(w.net, program)
	case wantBelow:
		l.below.add(w.text, program)
	case wantPrefix:
		l.prefixes.add(w.text, program)
	case wantSuffix:
		l.suffixes.add(string(reversed(nil, w.text, len(w.text))), program)
		l.longest = max(l.longest, len(w.text))
	case wantPart:
		return l.part.add(w.text, program)
	case wantFolded:
		return l.folded.add(w.text, program)
	}
	return true
}

func (l *lookup) addNet(p netip.Prefix, program int32) {
	for i := range l.nets {
		if t := &l.nets[i]; t.bits == p.Bits() && t.is4 == p.Addr().Is4() {
			t.nets[p.Addr()] = append(t.nets[p.Addr()], program)
			return
		}
	}
	l.nets = append(l.nets, netTable{p.Bits(), p.Addr().Is4(), map[netip.Addr][]int32{p.Addr(): {program}}})
}

// link makes the tables ready for use.
func (l *lookup) link() {
	l.below.link()
	l.prefixes.link()
	l.suffixes.link()
	l.parts = [2]*automaton{l.part.build(), l.folded.build()}
	l.part, l.folded = automatonBuilder{}, automatonBuilder{}
}

// look marks the programs for which the present event's value is enough.
func (l *lookup) look(c *field.Ctx, may []uint64) {
	l.may = may
	if l.several != nil {
		l.several.Multi(c, l.each)
		return
	}
	if v, ok := l.from.get(c); ok {
		list := v.List()
		for i := range list {
			l.see(&list[i])
		}
		if !v.IsList() {
			l.see(v)
		}
	}
	if l.alt == nil {
		return
	}
	if v, ok := l.alt.get(c); ok {
		l.see(v)
	}
}

// see marks the programs that a value is enough for.
func (l *lookup) see(v *field.Value) {
	switch classOf(v.Kind) {
	case classText, classBytes:
		l.seeText(v)
		return
	case classIP, classNet:
		l.seeAddress(v)
		return
	}
	if programs := l.numbers[v.N]; programs != nil {
		l.mark(programs)
	}
}

func (l *lookup) seeText(v *field.Value) {
	s := v.S
	if v.HasGap() { // a comparison holds for what may be in the gap
		l.markAll()
		return
	}
	if v.Kind != event.ByteBuf && strings.IndexByte(s, 0) >= 0 {
		if s = trimNUL(v); strings.IndexByte(s, 0) >= 0 {
			// Some operators take such a text up to its first NUL, others as it is: no look-up is right for all.
			l.markAll()
			return
		}
	}
	if len(l.equal) > 0 {
		if programs := l.equal[s]; programs != nil {
			l.mark(programs)
		}
	}
	if len(l.below.list) > 0 {
		l.below.findPath(cleanPath(s, &l.scratch), l.yield)
	}
	if len(l.prefixes.list) > 0 {
		l.prefixes.find(s, l.yield)
	}
	if len(l.suffixes.list) > 0 {
		l.scratch = reversed(l.scratch[:0], s, l.longest)
		l.suffixes.find(asString(l.scratch), l.yield)
	}
	for _, a := range l.parts {
		if a != nil {
			a.find(s, l.yieldIn)
		}
	}
}

func (l *lookup) seeAddress(v *field.Value) {
	if programs := l.equal[v.S]; programs != nil {
		l.mark(programs)
	}
	if len(l.nets) == 0 {
		return
	}
	a, ok := addrOf(v)
	if !ok {
		return
	}
	for i := range l.nets {
		t := &l.nets[i]
		if t.is4 != a.Is4() {
			continue
		}
		if p, err := a.Prefix(t.bits); err == nil {
			if programs := t.nets[p.Addr()]; programs != nil {
				l.mark(programs)
			}
		}
	}
}
