// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// origin is where a value was written.
type origin struct {
	file string // a path, or what else the value came from ("option -o json_output=yes")
	line int    // 1-based, 0 where there are no lines
	col  int
}

func (o origin) String() string {
	if o.line == 0 {
		return o.file
	}
	return o.file + ":" + strconv.Itoa(o.line) + ":" + strconv.Itoa(o.col)
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	nullNode
	listNode
	mapNode
)

// node is one value as a user wrote it: untyped, with its place. What it must be is for the schema to say.
type node struct {
	kind nodeKind
	at   origin
	text string // scalarNode
	// plain is set for a scalar without quotes: where anything may stand, it keeps YAML's own type.
	plain bool
	list  []*node
	keys  []entry
}

// entry is one key of a map, in the order of the file.
type entry struct {
	key string
	at  origin
	val *node
}

func (n *node) get(key string) (*node, bool) {
	for i := range n.keys {
		if n.keys[i].key == key {
			return n.keys[i].val, true
		}
	}
	return nil, false
}

func (n *node) set(key string, at origin, val *node) {
	for i := range n.keys {
		if n.keys[i].key == key {
			n.keys[i].at, n.keys[i].val = at, val
			return
		}
	}
	n.keys = append(n.keys, entry{key: key, at: at, val: val})
}

// A document larger than this once its aliases are written out is refused: aliases of aliases grow without bound.
const maxNodes = 200_000

// reader turns YAML into nodes.
type reader struct {
	file   string
	expand bool // fill in ${NAME} from the environment
	nodes  int
	open   map[*yaml.Node]bool // anchors being read, to refuse one inside itself
	warn   []string
}

// readYAML reads the first document of data, whose root must be a map. An empty document is an empty map.
func readYAML(file string, data []byte, expand bool) (*node, []string, error) {
	var doc yaml.Node
	err := yaml.NewDecoder(strings.NewReader(string(data))).Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &node{kind: mapNode, at: origin{file: file, line: 1, col: 1}}, nil, nil
	}
	if err != nil {
		return nil, nil, yamlError(file, err)
	}
	r := &reader{file: file, expand: expand, open: map[*yaml.Node]bool{}}
	root, err := r.read(&doc)
	if err != nil {
		return nil, nil, err
	}
	if root.kind == nullNode {
		root = &node{kind: mapNode, at: root.at}
	}
	if root.kind != mapNode {
		return nil, nil, fmt.Errorf("%v: a configuration is a map of keys, this is %s", root.at, root.describe())
	}
	return root, r.warn, nil
}

// yamlError rewrites "yaml: line 3: ..." as "FILE:3: ...".
func yamlError(file string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if num, msg, ok := strings.Cut(rest, ": "); ok {
			return fmt.Errorf("%s:%s: not valid YAML: %s", file, num, msg)
		}
	}
	return fmt.Errorf("%s: not valid YAML: %s", file, text)
}

func (r *reader) read(y *yaml.Node) (*node, error) {
	at := origin{file: r.file, line: y.Line, col: y.Column}
	if r.nodes++; r.nodes > maxNodes {
		return nil, fmt.Errorf("%v: more than %d values", at, maxNodes)
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return r.read(y.Content[0])
	case yaml.AliasNode:
		if r.open[y.Alias] {
			return nil, fmt.Errorf("%v: *%s is an alias of a value that holds it", at, y.Value)
		}
		return r.read(y.Alias)
	case yaml.SequenceNode:
		defer r.enter(y)()
		n := &node{kind: listNode, at: at}
		for _, c := range y.Content {
			v, err := r.read(c)
			if err != nil {
				return nil, err
			}
			n.list = append(n.list, v)
		}
		return n, nil
	case yaml.MappingNode:
		defer r.enter(y)()
		return r.readMap(y, at)
	default:
		return r.readScalar(y, at)
	}
}

// enter marks an anchored value as being read until the function it returns is called.
func (r *reader) enter(y *yaml.Node) func() {
	if y.Anchor == "" {
		return func() {}
	}
	r.open[y] = true
	return func() { delete(r.open, y) }
}

func (r *reader) readMap(y *yaml.Node, at origin) (*node, error) {
	n := &node{kind: mapNode, at: at}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		kat := origin{file: r.file, line: k.Line, col: k.Column}
		if k.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("%v: a key must be a plain text", kat)
		}
		v, err := r.read(y.Content[i+1])
		if err != nil {
			return nil, err
		}
		if _, twice := n.get(k.Value); twice {
			r.warn = append(r.warn, fmt.Sprintf("%v: key %s is there twice: the first counts", kat, k.Value))
			continue
		}
		n.set(k.Value, kat, v)
	}
	return n, nil
}

func (r *reader) readScalar(y *yaml.Node, at origin) (*node, error) {
	quoted := y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	n := &node{kind: scalarNode, at: at, text: y.Value, plain: !quoted}
	if !quoted && y.ShortTag() == "!!null" {
		n.kind = nullNode
		return n, nil
	}
	if !r.expand || !strings.Contains(n.text, "$") {
		return n, nil
	}
	text, err := expandEnv(n.text)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", at, err)
	}
	if text != n.text {
		n.text = text
		n.plain = false
	}
	return n, nil
}

// describe names what the user wrote, for error messages.
func (n *node) describe() string {
	switch n.kind {
	case mapNode:
		return "a map"
	case listNode:
		return "a list"
	case nullNode:
		return "nothing"
	}
	text := n.text
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return strconv.Quote(text)
}

// native returns the value with YAML's own types, for keys where anything may stand.
func (n *node) native() any {
	switch n.kind {
	case nullNode:
		return nil
	case listNode:
		out := make([]any, len(n.list))
		for i, c := range n.list {
			out[i] = c.native()
		}
		return out
	case mapNode:
		out := make(map[string]any, len(n.keys))
		for _, e := range n.keys {
			out[e.key] = e.val.native()
		}
		return out
	}
	if n.plain {
		var v any
		if err := yaml.Unmarshal([]byte(n.text), &v); err == nil {
			switch v.(type) {
			case bool, int, int64, uint64, float64:
				return v
			}
		}
	}
	return n.text
}
