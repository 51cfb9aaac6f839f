// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file; the largest public rule sets are below one megabyte.
const maxFile = 64 << 20

// item is one entry of a rules file.
type item struct {
	file   *source
	kind   string // the key that says what it is
	name   string
	node   *yaml.Node
	keys   map[string]*yaml.Node // the values
	labels map[string]*yaml.Node // the keys themselves
}

// kinds are the keys that make an item what it is, in the order in which they are looked for.
var kinds = []string{"required_engine_version", "required_plugin_versions", "list", "macro", "rule"}

// parseFile splits a file into its items. It stops at the first error, which it notes.
func parseFile(s *source) (items []*item, ok bool) {
	if s.Err != nil {
		s.fail(ErrFileRead, s.Err.Error())
		return nil, false
	}
	if len(s.Data) > maxFile {
		s.fail(ErrFileRead, fmt.Sprintf("the file is larger than %d bytes", maxFile))
		return nil, false
	}
	if !s.text() {
		s.fail(ErrYAMLParse, "the file holds NUL bytes, so it is no text", s.top())
		return nil, false
	}
	roots, ok := s.documents()
	if !ok {
		return nil, false
	}
	for _, root := range roots {
		if root.Kind != yaml.SequenceNode {
			s.fail(ErrYAMLValidate, "a rules file is a sequence of items, each beginning with a dash", at("file", s.Name, root))
			return items, false
		}
		for _, n := range root.Content {
			if n = resolve(n); isNull(n) {
				continue
			}
			it, ok := parseItem(s, n)
			if !ok {
				return items, false
			}
			if it != nil {
				items = append(items, it)
			}
		}
	}
	return items, true
}

// documents returns what is in the documents of a file.
func (s *source) documents() (roots []*yaml.Node, ok bool) {
	d := yaml.NewDecoder(bytes.NewReader(s.Data))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return roots, true
		}
		if err != nil {
			line, msg := yamlError(err)
			where := s.top()
			start, end := s.line(line)
			for ; line > 1 && start == end; line-- { // what is missing is missing where the text ends
				start, end = s.line(line - 1)
			}
			where.Line = line
			if _, name, ok := strings.Cut(msg, "unknown anchor '"); ok { // the library does not say where
				name, _, _ = strings.Cut(name, "'")
				where.Line, where.Col = s.locate(max(0, bytes.Index(s.Data, []byte("*"+name))))
				s.fail(ErrYAMLParse, msg, where)
				return nil, false
			}
			where.Col += len(s.Data[start:end]) - len(bytes.TrimLeft(s.Data[start:end], " "))
			s.fail(ErrYAMLParse, msg, where)
			return nil, false
		}
		if len(doc.Content) > 0 && !isNull(doc.Content[0]) {
			roots = append(roots, doc.Content[0])
		}
	}
}

// top is the place where a file begins.
func (s *source) top() Location { return Location{ItemType: "file", ItemName: s.Name, Line: 1, Col: 1} }

// parserMessages begin what the YAML library's parser says. Its lines count from 0, those of the scanner below it from 1.
var parserMessages = []string{"did not find expected", "found duplicate %", "found undefined tag", "found incompatible"}

// yamlError takes the line out of an error of the YAML library.
func yamlError(err error) (line int, msg string) {
	msg = strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
	rest, ok := strings.CutPrefix(msg, "line ")
	if !ok {
		return 1, msg
	}
	digits, rest, _ := strings.Cut(rest, ": ")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 1, msg
	}
	if slices.ContainsFunc(parserMessages, func(m string) bool { return strings.HasPrefix(rest, m) }) {
		n++
		rest += " in what begins here"
	}
	return n, rest
}

// parseItem returns nil for an item of no known kind.
func parseItem(s *source, n *yaml.Node) (*item, bool) {
	if n.Kind != yaml.MappingNode {
		s.fail(ErrYAMLValidate, "an item is a map: one of "+strings.Join(kinds, ", ")+" and its keys", at("item", "", n))
		return nil, false
	}
	it := &item{file: s, node: n, keys: make(map[string]*yaml.Node), labels: make(map[string]*yaml.Node)}
	if !it.readMap(n, it.keys, it.labels) {
		return nil, false
	}
	for _, k := range kinds {
		if it.keys[k] == nil {
			continue
		}
		it.kind = k
		if k == "required_plugin_versions" {
			return it, true
		}
		name, ok := it.text(k)
		it.name = name
		return it, ok
	}
	msg := "item is none of " + strings.Join(kinds, ", ")
	for _, l := range it.inOrder() {
		if hint := didYouMean(l.Value, kinds); hint != "" {
			s.warn(UnknownItem, msg+hint, at("item", "", l))
			return nil, true
		}
	}
	s.warn(UnknownItem, msg, at("item", "", n))
	return nil, true
}

// readMap takes a map apart.
func (it *item) readMap(n *yaml.Node, values, labels map[string]*yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		label := resolve(n.Content[i])
		if label.Kind != yaml.ScalarNode {
			it.file.fail(ErrValidate, "a key is a single value", at("key", "", label))
			return false
		}
		if values[label.Value] != nil {
			it.file.warn(NoEffect, "key '"+label.Value+"' is there twice: the first counts", at("key", "", label))
			continue
		}
		values[label.Value], labels[label.Value] = resolve(n.Content[i+1]), label
	}
	return true
}

// inOrder returns the keys of an item as they follow one another.
func (it *item) inOrder() []*yaml.Node {
	labels := make([]*yaml.Node, 0, len(it.labels))
	for i := 0; i+1 < len(it.node.Content); i += 2 {
		if l := resolve(it.node.Content[i]); it.labels[l.Value] == l {
			labels = append(labels, l)
		}
	}
	return labels
}

// resolve follows an alias. Aliases are used as they are and never expanded, so that they cannot blow up.
func resolve(n *yaml.Node) *yaml.Node {
	for depth := 0; n.Kind == yaml.AliasNode && n.Alias != nil && depth < 16; depth++ {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func at(kind, name string, n *yaml.Node) Location {
	return Location{ItemType: kind, ItemName: name, Line: n.Line, Col: n.Column}
}

func (it *item) where() Location { return at(it.kind, it.name, it.node) }

// fail notes what is wrong with the value of a key.
func (it *item) failKey(code Code, key, msg string) {
	it.file.fail(code, msg, it.where(), at(key, "", it.keys[key]))
}

func (it *item) fail(code Code, msg string) { it.file.fail(code, msg, it.where()) }
