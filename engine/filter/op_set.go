// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"net/netip"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// few is up to how many constants comparing one by one beats a hash.
const few = 4

// member is `in` for one value.
func member(t event.Type, list []constant) test {
	switch c := classOf(t); {
	case c == classNet:
		return inNets(list)
	case c == classText:
		return inTexts(list, false)
	case c == classBytes || c == classIP:
		return inTexts(list, true)
	}
	set := make(map[uint64]struct{}, len(list))
	for _, c := range list {
		set[c.n] = struct{}{}
	}
	return func(v *field.Value) bool {
		_, ok := set[v.N]
		return ok
	}
}

// textSet is a set of texts. Most values that it is asked for are no members, and most of these have a length that no member has.
type textSet struct {
	lengths uint64 // a bit for every length of a member, the last for all that are longer
	members map[string]struct{}
	list    []string // the members where they are few: comparing beats a hash then
}

func newTextSet(list []string) *textSet {
	s := &textSet{}
	for _, m := range list {
		s.lengths |= 1 << min(len(m), 63)
	}
	if len(list) <= few {
		s.list = list
		return s
	}
	s.members = make(map[string]struct{}, len(list))
	for _, m := range list {
		s.members[m] = struct{}{}
	}
	return s
}

func (s *textSet) has(text string) bool {
	if s.lengths&(1<<min(len(text), 63)) == 0 {
		return false
	}
	for _, m := range s.list {
		if m == text {
			return true
		}
	}
	if s.members == nil {
		return false
	}
	_, ok := s.members[text]
	return ok
}

// inTexts is `in` for values that are text.
func inTexts(list []constant, raw bool) test {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.s
	}
	set := newTextSet(texts)
	if raw {
		return func(v *field.Value) bool { return set.has(v.S) }
	}
	return func(v *field.Value) bool { return set.has(trimNUL(v)) }
}

func inNets(list []constant) test {
	nets := make([]netip.Prefix, len(list))
	for i, c := range list {
		nets[i] = c.addr
	}
	return func(v *field.Value) bool {
		a, ok := addrOf(v)
		if !ok {
			return false
		}
		for _, n := range nets {
			if n.Contains(a) {
				return true
			}
		}
		return false
	}
}

// pathPrefixes is `pmatch`: one of the paths equals the value, or the value is below it.
type pathPrefixes struct {
	plain affixes // components joined by one slash each, without a leading one
	globs [][]string
}

func pmatch(list []constant) test {
	p := &pathPrefixes{}
	for _, c := range list {
		parts := components(c.s)
		if strings.ContainsAny(c.s, "?*[") {
			p.globs = append(p.globs, parts)
			continue
		}
		p.plain.add(strings.Join(parts, "/"), 0)
	}
	p.plain.link()
	var scratch []byte
	return func(v *field.Value) bool { return p.match(cleanPath(trimNUL(v), &scratch)) }
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// cleanPath returns path without a leading slash and without empty components. It is made in scratch where path is not so already.
func cleanPath(path string, scratch *[]byte) string {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	for len(path) > 0 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if !strings.Contains(path, "//") {
		return path
	}
	b := (*scratch)[:0]
	for i := range len(path) {
		if path[i] != '/' || path[i-1] != '/' {
			b = append(b, path[i])
		}
	}
	*scratch = b
	return asString(b)
}

func (p *pathPrefixes) match(path string) bool {
	if p.plain.anyPath(path) {
		return true
	}
	for _, g := range p.globs {
		if globPrefix(g, path) {
			return true
		}
	}
	return false
}

// globPrefix reports whether the components match the first ones of path, one by one.
func globPrefix(pattern []string, path string) bool {
	for _, g := range pattern {
		if path == "" {
			return false
		}
		part, rest, _ := strings.Cut(path, "/")
		if !field.Glob(g, part, false) {
			return false
		}
		path = rest
	}
	return true
}
