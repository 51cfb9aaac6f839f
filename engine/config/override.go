// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strconv"
	"strings"
)

// override is one "key=value" of the command line or the environment.
type override struct {
	at   origin
	path []step
	val  *node
}

// step is one part of an override's path: a key, an index, or (append) the place after the last item.
type step struct {
	key    string
	index  int
	isItem bool
	append bool
}

// parseOverride reads "a.b=c", "a[]=x", "a[2].b=x" and "a={k: v}". In keys a backslash takes the meaning from . [ ] and itself.
func parseOverride(text string, at origin) (*override, error) {
	key, val, ok := cutUnescaped(text)
	if !ok {
		return nil, fmt.Errorf("%v: must be KEY=VALUE", at)
	}
	path, err := parsePath(key)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", at, err)
	}
	o := &override{at: at, path: path, val: &node{kind: scalarNode, at: at, text: val}}
	if strings.HasPrefix(val, "{") && strings.HasSuffix(val, "}") {
		n, _, err := readYAML(at.file, []byte(val), false)
		if err != nil {
			return nil, err
		}
		n.relocate(at)
		o.val = n
	}
	return o, nil
}

// cutUnescaped splits at the first = of the text.
func cutUnescaped(text string) (key, val string, ok bool) {
	key, val, ok = strings.Cut(text, "=")
	return strings.TrimSpace(key), val, ok && strings.TrimSpace(key) != ""
}

// relocate makes at the place of n and all that it holds: lines within an option tell nobody anything.
func (n *node) relocate(at origin) {
	n.at = at
	for _, c := range n.list {
		c.relocate(at)
	}
	for i := range n.keys {
		n.keys[i].at = at
		n.keys[i].val.relocate(at)
	}
}

func parsePath(text string) ([]step, error) {
	var path []step
	var key strings.Builder
	keyOpen := true // a key is expected or being read
	closeKey := func() error {
		if !keyOpen {
			return nil
		}
		if key.Len() == 0 {
			return fmt.Errorf("key %q has an empty part", text)
		}
		path = append(path, step{key: key.String()})
		key.Reset()
		keyOpen = false
		return nil
	}
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '\\' && i+1 < len(text) && strings.IndexByte(`.[]\`, text[i+1]) >= 0 && keyOpen:
			i++
			key.WriteByte(text[i])
		case ch == '.':
			if err := closeKey(); err != nil {
				return nil, err
			}
			keyOpen = true
		case ch == '[':
			if err := closeKey(); err != nil {
				return nil, err
			}
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("key %q has a [ without its ]", text)
			}
			s, err := parseIndex(text[i+1 : i+end])
			if err != nil {
				return nil, fmt.Errorf("key %q: %w", text, err)
			}
			path = append(path, s)
			i += end
		case ch == ']':
			return nil, fmt.Errorf("key %q has a ] without its [", text)
		case !keyOpen:
			return nil, fmt.Errorf("key %q: after ] comes a dot, another [ or nothing", text)
		default:
			key.WriteByte(ch)
		}
	}
	if err := closeKey(); err != nil {
		return nil, err
	}
	return path, nil
}

func parseIndex(text string) (step, error) {
	if text == "" {
		return step{isItem: true, append: true}, nil
	}
	i, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return step{}, fmt.Errorf("[%s] is no position in a list", text)
	}
	return step{isItem: true, index: int(i)}, nil
}

// apply puts the value at its place below root, making maps and lists on the way.
func (o *override) apply(root *node) error {
	n := root
	for i, s := range o.path {
		last := i == len(o.path)-1
		next := o.val
		if !last {
			next = &node{kind: nullNode, at: o.at}
		}
		var err error
		if s.isItem {
			n, err = o.item(n, s, next, last)
		} else {
			n, err = o.member(n, s, next, last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *override) member(n *node, s step, next *node, last bool) (*node, error) {
	switch n.kind {
	case nullNode:
		n.kind, n.at = mapNode, o.at
	case mapNode:
	default:
		return nil, fmt.Errorf("%v: %s cannot be set within %s", o.at, s.key, n.describe())
	}
	if old, ok := n.get(s.key); ok && !last {
		return old, nil
	}
	n.set(s.key, o.at, next)
	return next, nil
}

func (o *override) item(n *node, s step, next *node, last bool) (*node, error) {
	switch {
	case n.kind == nullNode:
		n.kind, n.at = listNode, o.at
	case n.kind == scalarNode:
		// A single text stands for a list of one.
		*n = node{kind: listNode, at: n.at, list: []*node{{kind: scalarNode, at: n.at, text: n.text, plain: n.plain}}}
	case n.kind != listNode:
		return nil, fmt.Errorf("%v: %s is not a list", o.at, n.describe())
	}
	switch {
	case s.append || s.index == len(n.list):
		n.list = append(n.list, next)
		return next, nil
	case s.index > len(n.list):
		return nil, fmt.Errorf("%v: position [%d] is beyond the end of a list of %d", o.at, s.index, len(n.list))
	case last:
		n.list[s.index] = next
		return next, nil
	}
	return n.list[s.index], nil
}
