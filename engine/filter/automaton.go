// SPDX-License-Identifier: Apache-2.0

package filter

import "slices"

// automaton finds which of many texts a string contains in one pass over it, after Aho and Corasick (1975). Bytes that no text has are one
// class: the tables stay small, and the states that strings without a match visit stay in the cache.
type automaton struct {
	class  [256]uint8
	width  int32   // classes
	next   []int32 // state*width + class
	found  [][]int32
	longer []int32 // the next state with findings among those whose text ends here too, 0 for none
}

// maxStates bounds an automaton; texts beyond it are not taken.
const maxStates = 1 << 16

// automatonBuilder collects the texts of an automaton.
type automatonBuilder struct {
	texts  [][]byte
	values []int32
	bytes  int
	fold   bool // texts are in lower case, and strings are read so
}

// add takes a text, which must not be empty, and what is found with it. It is false when there are too many.
func (b *automatonBuilder) add(text string, value int32) bool {
	if b.bytes += len(text); b.bytes >= maxStates {
		return false
	}
	t := []byte(text)
	if b.fold {
		for i := range t {
			t[i] = lower(t[i])
		}
	}
	b.texts, b.values = append(b.texts, t), append(b.values, value)
	return true
}

// build makes the automaton, nil of no texts.
func (b *automatonBuilder) build() *automaton {
	if len(b.texts) == 0 {
		return nil
	}
	a := &automaton{width: 1}
	for _, t := range b.texts {
		for _, c := range t {
			if a.class[c] == 0 && a.width < 256 {
				a.class[c] = uint8(a.width)
				a.width++
			}
		}
	}
	if b.fold {
		for c := byte('A'); c <= 'Z'; c++ {
			a.class[c] = a.class[lower(c)]
		}
	}
	a.state()
	for i, t := range b.texts {
		s := int32(0)
		for _, c := range t {
			at := s*a.width + int32(a.class[c])
			if a.next[at] == 0 {
				a.next[at] = a.state()
			}
			s = a.next[at]
		}
		a.found[s] = append(a.found[s], b.values[i])
	}
	a.link()
	return a
}

func (a *automaton) state() int32 {
	a.next = append(a.next, make([]int32, a.width)...)
	a.found = append(a.found, nil)
	a.longer = append(a.longer, 0)
	return int32(len(a.found) - 1)
}

// link fills in where a byte leads that no text goes on with: to the state of the longest text end that is a beginning of another text.
func (a *automaton) link() {
	fail := make([]int32, len(a.found))
	queue := make([]int32, 0, len(a.found))
	for c := range a.width {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if f := fail[s]; a.found[f] != nil {
			a.longer[s] = f
		} else {
			a.longer[s] = a.longer[f]
		}
		for c := range a.width {
			to := a.next[s*a.width+c]
			back := a.next[fail[s]*a.width+c]
			if to == 0 {
				a.next[s*a.width+c] = back
				continue
			}
			fail[to] = back
			queue = append(queue, to)
		}
	}
	for s := range a.found {
		slices.Sort(a.found[s])
		a.found[s] = slices.Compact(a.found[s])
	}
}

// find calls yield for what is found in s, some of it more than once, until yield returns false.
func (a *automaton) find(s string, yield func([]int32) bool) {
	state := int32(0)
	for i := range len(s) {
		state = a.next[state*a.width+int32(a.class[s[i]])]
		for at := state; at != 0; at = a.longer[at] {
			if a.found[at] != nil && !yield(a.found[at]) {
				return
			}
		}
	}
}

// any reports whether s contains one of the texts.
func (a *automaton) any(s string) bool {
	state := int32(0)
	for i := range len(s) {
		state = a.next[state*a.width+int32(a.class[s[i]])]
		if a.found[state] != nil || a.longer[state] != 0 {
			return true
		}
	}
	return false
}
