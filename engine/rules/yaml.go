// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// File is one rules file, already read.
type File struct {
	Name string
	Data []byte
}

// maxFile bounds a file; the largest public rule sets are below one megabyte.
const maxFile = 64 << 20

// item is one entry of a rules file.
type item struct {
	file *source
	kind string // the key that says what it is
	name string
	node *yaml.Node
	keys map[string]*yaml.Node
	line int
	col  int
}

// source is a file under work.
type source struct {
	File
	result *Result
}

func (s *source) fail(code Code, msg string, where ...Location) {
	s.result.Errors = append(s.result.Errors, Problem{Code: code, Message: msg, File: s.Name, Where: where})
}

func (s *source) warn(code Code, msg string, where ...Location) {
	s.result.Warnings = append(s.result.Warnings, Problem{Code: code, Message: msg, File: s.Name, Where: where})
}

// kinds are the keys that make an item what it is, in the order in which they are looked for.
var kinds = []string{"required_engine_version", "required_plugin_versions", "list", "macro", "rule"}

// parseFile splits a file into its items. It stops at the first error, which it notes.
func parseFile(s *source) (items []*item, ok bool) {
	if len(s.Data) > maxFile {
		s.fail(ErrFileRead, fmt.Sprintf("the file is larger than %d bytes", maxFile))
		return nil, false
	}
	if bytes.IndexByte(s.Data, 0) < 0 && !utf8.Valid(s.Data) { // UTF-16 has NULs, and the YAML library reads it
		s.warn(InvalidText, "the file is not valid UTF-8: what is not is read as U+FFFD")
		s.Data = bytes.ToValidUTF8(s.Data, []byte("\uFFFD"))
	}
	d := yaml.NewDecoder(bytes.NewReader(s.Data))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return items, true
		}
		if err != nil {
			s.fail(ErrYAMLParse, strings.TrimPrefix(err.Error(), "yaml: "), yamlLine(s, err))
			return nil, false
		}
		if len(doc.Content) == 0 || isNull(doc.Content[0]) {
			continue
		}
		root := doc.Content[0]
		if root.Kind != yaml.SequenceNode {
			s.fail(ErrYAMLValidate, "a rules file is a sequence of items, each beginning with a dash", at("file", s.Name, root))
			return nil, false
		}
		for _, n := range root.Content {
			if n = resolve(n); isNull(n) {
				continue
			}
			it, ok := parseItem(s, n)
			if !ok {
				return nil, false
			}
			if it != nil {
				items = append(items, it)
			}
		}
	}
}

// yamlLine finds the line that the YAML library names in its message.
func yamlLine(s *source, err error) Location {
	l := Location{ItemType: "file", ItemName: s.Name, Line: 1, Col: 1}
	if _, rest, ok := strings.Cut(err.Error(), "line "); ok {
		digits, _, _ := strings.Cut(rest, ":")
		if n, err := strconv.Atoi(digits); err == nil {
			l.Line = n
		}
	}
	return l
}

func parseItem(s *source, n *yaml.Node) (*item, bool) {
	if n.Kind != yaml.MappingNode {
		s.fail(ErrYAMLValidate, "an item is a map: one of "+strings.Join(kinds, ", ")+" and its keys", at("item", "", n))
		return nil, false
	}
	it := &item{file: s, node: n, keys: make(map[string]*yaml.Node), line: n.Line, col: n.Column}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if it.keys[key] != nil {
			s.warn(UnknownKey, "key '"+key+"' is there twice: the first counts", at("item", "", n.Content[i]))
			continue
		}
		it.keys[key] = resolve(n.Content[i+1])
	}
	for _, k := range kinds {
		v := it.keys[k]
		if v == nil {
			continue
		}
		it.kind = k
		if v.Kind == yaml.ScalarNode {
			it.name = v.Value
		} else if k != "required_plugin_versions" {
			s.fail(ErrYAMLValidate, k+" needs a name", at(k, "", v))
			return nil, false
		}
		if it.name == "" && k != "required_plugin_versions" {
			s.fail(ErrYAMLValidate, k+" has an empty name", at(k, "", v))
			return nil, false
		}
		return it, true
	}
	s.warn(UnknownItem, "item is none of "+strings.Join(kinds, ", "), at("item", "", n))
	return nil, true
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

func (it *item) where() Location {
	return Location{ItemType: it.kind, ItemName: it.name, Line: it.line, Col: it.col}
}

func (it *item) fail(code Code, msg string) { it.file.fail(code, msg, it.where()) }

// text returns a scalar key. ok is false, and the reason noted, when the key is there and no scalar.
func (it *item) text(key string) (value string, has, ok bool) {
	n := it.keys[key]
	if n == nil || isNull(n) {
		return "", false, true
	}
	if n.Kind != yaml.ScalarNode {
		it.file.fail(ErrYAMLValidate, "'"+key+"' is not a single value", it.where(), at(key, "", n))
		return "", true, false
	}
	return n.Value, true, true
}

// boolean returns a key that is true or false.
func (it *item) boolean(key string, def bool) (value, ok bool) {
	text, has, ok := it.text(key)
	if !ok || !has {
		return def, ok
	}
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	it.file.fail(ErrYAMLValidate, "'"+key+"' is neither true nor false", it.where(), at(key, "", it.keys[key]))
	return def, false
}

// strings returns a key that is a sequence of scalars.
func (it *item) strings(key string) (values []string, has, ok bool) {
	n := it.keys[key]
	if n == nil || isNull(n) {
		return nil, n != nil, true
	}
	if n.Kind != yaml.SequenceNode {
		it.file.fail(ErrYAMLValidate, "'"+key+"' is not a sequence", it.where(), at(key, "", n))
		return nil, true, false
	}
	for _, c := range n.Content {
		c = resolve(c)
		if c.Kind != yaml.ScalarNode {
			it.file.fail(ErrYAMLValidate, "'"+key+"' holds something that is no single value", it.where(), at(key, "", c))
			return nil, true, false
		}
		values = append(values, c.Value)
	}
	return values, true, true
}

// segment is text of a condition and the node that it was written in.
type segment struct {
	text string
	node *yaml.Node
	file *source
}

// place finds the line and column of a byte of the segment's text in its file. Blank space is written in many ways in YAML, so the
// place is found by counting what is not blank. The end of the text is the place after its last byte.
func (g *segment) place(off int) (line, col int) {
	count := 0
	end := off > 0 && strings.TrimSpace(g.text[min(off, len(g.text)):]) == ""
	for i := 0; i < off && i < len(g.text); i++ {
		if !blank(g.text[i]) {
			count++
		}
	}
	data, pos := g.file.Data, 0
	for l := 1; l < g.node.Line; l++ {
		i := bytes.IndexByte(data[pos:], '\n')
		if i < 0 {
			return g.node.Line, g.node.Column
		}
		pos += i + 1
	}
	line, lineStart := g.node.Line, pos
	pos += g.node.Column - 1
	if g.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		i := bytes.IndexByte(data[min(pos, len(data)):], '\n')
		pos += i + 1
		line, lineStart = line+1, pos
	} else if g.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		pos++
	}
	for ; pos < len(data); pos++ {
		c := data[pos]
		if c == '\n' {
			line, lineStart = line+1, pos+1
		}
		if blank(c) {
			continue
		}
		if count == 0 {
			return line, pos - lineStart + 1
		}
		if count--; count == 0 && end {
			return line, pos - lineStart + 2
		}
	}
	return g.node.Line, g.node.Column
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
