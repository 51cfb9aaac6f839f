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
		return inTexts(list, trimNUL)
	case c == classBytes || c == classIP:
		return inTexts(list, func(v *field.Value) string { return v.S })
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

// inTexts is `in` for values that are text as soon as of has looked at them.
func inTexts(list []constant, of func(*field.Value) string) test {
	if len(list) <= few {
		return func(v *field.Value) bool {
			s := of(v)
			for i := range list {
				if list[i].s == s {
					return true
				}
			}
			return false
		}
	}
	set := make(map[string]struct{}, len(list))
	for _, c := range list {
		set[c.s] = struct{}{}
	}
	return func(v *field.Value) bool {
		_, ok := set[of(v)]
		return ok
	}
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
	plain map[string]struct{} // components joined by one slash each, without a leading one
	globs [][]string
	all   bool // a path without components has everything below it
}

func pmatch(list []constant) test {
	p := &pathPrefixes{plain: make(map[string]struct{})}
	for _, c := range list {
		parts := components(c.s)
		switch {
		case len(parts) == 0:
			p.all = true
		case strings.ContainsAny(c.s, "?*["):
			p.globs = append(p.globs, parts)
		default:
			p.plain[strings.Join(parts, "/")] = struct{}{}
		}
	}
	var scratch []byte
	return func(v *field.Value) bool {
		if p.all {
			return true
		}
		scratch = appendClean(scratch[:0], trimNUL(v))
		return p.match(asString(scratch))
	}
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// appendClean appends path without a leading slash and without empty components.
func appendClean(b []byte, path string) []byte {
	for i := range len(path) {
		if path[i] == '/' && (len(b) == 0 || b[len(b)-1] == '/') {
			continue
		}
		b = append(b, path[i])
	}
	for len(b) > 0 && b[len(b)-1] == '/' {
		b = b[:len(b)-1]
	}
	return b
}

func (p *pathPrefixes) match(path string) bool {
	if len(p.plain) > 0 {
		for end := 0; end <= len(path); end++ {
			if end == len(path) || path[end] == '/' {
				if _, ok := p.plain[path[:end]]; ok {
					return true
				}
			}
		}
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
		if !glob(g, part, false) {
			return false
		}
		path = rest
	}
	return true
}
