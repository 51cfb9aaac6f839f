// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Defaults returns falconet.yaml: every key that has an effect, with what it means and its default. Loading it changes nothing. Lists and
// maps that are empty unless they are written stand in comments, because an empty one may mean something else than none.
func Defaults() []byte {
	p := &printer{explain: true}
	p.line(0, "# Every key of the configuration with its default. What is left out keeps it.")
	p.keys(schema(), nil, 0)
	return p.out.Bytes()
}

// YAML returns the configuration as it is in effect, a key a line. Behind what somebody wrote stands where.
func (c *Config) YAML() []byte {
	p := &printer{}
	p.keys(schema(), c.tree, 0)
	return p.out.Bytes()
}

// printer writes keys as YAML.
type printer struct {
	out     bytes.Buffer
	explain bool // what keys mean, not where they were written
}

// lineWidth is where comments are wrapped.
const lineWidth = 110

func (p *printer) line(depth int, text string) {
	p.out.WriteString(strings.Repeat("  ", depth))
	p.out.WriteString(text)
	p.out.WriteByte('\n')
}

// keys writes what is below p, whose values as they were written are n, nil for none.
func (p *printer) keys(of *prop, n *node, depth int) {
	for _, c := range of.props {
		var v *node
		if n != nil {
			if got, ok := n.get(c.name); ok && got.kind != nullNode {
				v = got
			}
		}
		if v == nil && (c.idle() || !p.explain && c.optional()) {
			continue
		}
		if p.explain {
			if depth == 0 {
				p.out.WriteByte('\n')
			}
			p.comment(c, depth)
		}
		p.key(c, v, depth)
	}
}

func (p *printer) key(c *prop, n *node, depth int) {
	switch {
	case c.kind == objectProp:
		p.line(depth, c.name+":")
		p.keys(c, n, depth+1)
	case n == nil && c.optional():
		p.line(depth, "# "+c.name+": "+c.empty())
	case n == nil && c.kind == listProp:
		p.line(depth, c.name+":")
		for _, item := range c.defaultValue().([]any) {
			p.line(depth+1, "- "+flow(item))
		}
	case n == nil && c.def == "":
		p.line(depth, c.name+": "+c.empty())
	case n == nil:
		p.line(depth, c.name+": "+flow(c.defaultValue()))
	case n.kind == listNode && len(n.list) > 0:
		p.line(depth, c.name+":")
		for _, item := range n.list {
			p.line(depth+1, "- "+flow(valueOf(c.item, item))+written(item))
		}
	default:
		p.line(depth, c.name+": "+flow(valueOf(c, n))+written(n))
	}
}

// comment says what a key means.
func (p *printer) comment(c *prop, depth int) {
	if c.doc != "" {
		p.wrap(depth, c.doc)
	}
	switch {
	case c.enum != nil:
		p.wrap(depth, "One of "+strings.Join(c.enum, ", ")+".")
	case c.kind == listProp && c.item.enum != nil:
		p.wrap(depth, "Of "+strings.Join(c.item.enum, ", ")+".")
	case c.kind == listProp && c.item.kind == objectProp:
		p.entries(c.item, "", depth)
	}
}

// entries says of what the entries of a list are made.
func (p *printer) entries(of *prop, above string, depth int) {
	for _, c := range of.props {
		if c.kind == objectProp {
			p.entries(c, above+c.name+".", depth)
			continue
		}
		p.wrap(depth, "  "+above+c.name+": "+c.doc)
	}
}

// wrap writes text as a comment of several lines. Blanks at its beginning begin every line.
func (p *printer) wrap(depth int, text string) {
	words := strings.Fields(text)
	indent := "# " + text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := indent
	for i, w := range words {
		if i > 0 && 2*depth+len(line)+len(w) >= lineWidth {
			p.line(depth, strings.TrimRight(line, " "))
			line = indent
		}
		line += w + " "
	}
	p.line(depth, strings.TrimRight(line, " "))
}

// idle reports whether a key is known and changes nothing.
func (c *prop) idle() bool {
	if c.kind != objectProp {
		return strings.HasPrefix(c.doc, idleDoc) || strings.HasPrefix(c.doc, oldDoc)
	}
	for _, child := range c.props {
		if !child.idle() {
			return false
		}
	}
	return true
}

// How the descriptions of such keys begin.
const (
	idleDoc = "Known from Falco"
	oldDoc  = "Old name of"
)

// optional reports whether a key has no value unless it is written.
func (c *prop) optional() bool {
	return c.def == "" && (c.kind == listProp || c.kind == textsProp || c.kind == anyProp)
}

// empty is the value of a key without a default.
func (c *prop) empty() string {
	switch c.kind {
	case boolProp:
		return "false"
	case intProp, floatProp:
		return "0"
	case listProp:
		return "[]"
	case textsProp, objectProp:
		return "{}"
	}
	return `""`
}

// valueOf is what a value that was checked before became.
func valueOf(p *prop, n *node) any {
	v, _ := (&checker{lenient: true}).value(p, n)
	return v
}

// flow writes a value in one line.
func flow(v any) string {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	n.Style = yaml.FlowStyle
	if n.Kind == yaml.ScalarNode {
		n.Style &^= yaml.FlowStyle
		if n.ShortTag() == "!!str" {
			n.Style = quoting(n.Value)
		}
	}
	b, err := yaml.Marshal(&n)
	if err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	return strings.TrimSpace(string(b))
}

// quoting keeps a text in one line.
func quoting(s string) yaml.Style {
	if s == "" || strings.ContainsAny(s, "\n\r\t") {
		return yaml.DoubleQuotedStyle
	}
	return 0
}

// written is where a value was written, as a comment; nothing for what the binary holds.
func written(n *node) string {
	if n.at.file == embeddedFile {
		return ""
	}
	return "  # " + strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, n.at.String())
}
