// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	Key  string // the full key, "metrics.interval"
	At   string // "FILE:LINE:COLUMN", or the option it came from
	Text string
}

func (p *Problem) Error() string {
	if p.Key == "" {
		return p.At + ": " + p.Text
	}
	return p.At + ": " + p.Key + ": " + p.Text
}

// Problems are all that is wrong with a configuration, in the order of the files.
type Problems []*Problem

// Error returns one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// checker holds what a user wrote against the schema and gives it types.
type checker struct {
	lenient  bool // unknown keys are warnings
	problems Problems
	warnings []string
}

func (c *checker) fail(p *prop, n *node, format string, args ...any) {
	c.problems = append(c.problems, &Problem{Key: p.path, At: n.at.String(), Text: fmt.Sprintf(format, args...)})
}

// value returns n as p wants it; ok is false where there is none, because nothing was written or because it is wrong.
func (c *checker) value(p *prop, n *node) (v any, ok bool) {
	if n.kind == nullNode && p.kind != anyProp {
		return nil, false
	}
	switch p.kind {
	case anyProp:
		return n.native(), true
	case objectProp:
		return c.object(p, n)
	case listProp:
		return c.list(p, n)
	case textsProp:
		return c.texts(p, n)
	}
	if n.kind != scalarNode {
		c.fail(p, n, "must be %s, not %s", p.wants(), n.describe())
		return nil, false
	}
	switch p.kind {
	case boolProp:
		if b, ok := parseBool(n.text); ok {
			return b, true
		}
	case intProp:
		if i, ok := parseInt(n.text); ok {
			return i, c.inRange(p, n, float64(i))
		}
	case floatProp:
		if f, err := strconv.ParseFloat(strings.TrimSpace(n.text), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, c.inRange(p, n, f)
		}
	case stringProp:
		return c.text(p, n)
	}
	c.fail(p, n, "must be %s, not %s", p.wants(), n.describe())
	return nil, false
}

func (c *checker) text(p *prop, n *node) (any, bool) {
	if p.enum == nil {
		return n.text, true
	}
	text := strings.TrimSpace(n.text)
	for _, e := range p.enum {
		if strings.EqualFold(e, text) {
			return e, true
		}
	}
	if strings.EqualFold(text, "info") && slices.Contains(p.enum, "informational") {
		return "informational", true
	}
	if strings.EqualFold(text, "informational") && slices.Contains(p.enum, "info") {
		return "info", true
	}
	c.fail(p, n, "must be %s, not %s%s", p.wants(), n.describe(), hint(text, p.enum))
	return nil, false
}

func (c *checker) inRange(p *prop, n *node, v float64) bool {
	if v >= p.min && v <= p.max {
		return true
	}
	c.fail(p, n, "must be %s, not %s", p.wants(), n.text)
	return false
}

func (c *checker) list(p *prop, n *node) (any, bool) {
	items := n.list
	if n.kind == scalarNode {
		// A single text stands for a list of one, as in Falco.
		items = []*node{n}
	} else if n.kind != listNode {
		c.fail(p, n, "must be %s, not %s", p.wants(), n.describe())
		return nil, false
	}
	out := make([]any, 0, len(items))
	for _, item := range items {
		if item.kind == nullNode {
			continue
		}
		if v, ok := c.value(p.item, item); ok {
			out = append(out, v)
		}
	}
	return out, true
}

func (c *checker) texts(p *prop, n *node) (any, bool) {
	if n.kind != mapNode {
		c.fail(p, n, "must be %s, not %s", p.wants(), n.describe())
		return nil, false
	}
	out := map[string]any{}
	for _, e := range n.keys {
		if e.val.kind != scalarNode {
			c.fail(&prop{path: p.path + "." + e.key}, e.val, "must be a text, not %s", e.val.describe())
			continue
		}
		out[e.key] = e.val.text
	}
	return out, true
}

func (c *checker) object(p *prop, n *node) (any, bool) {
	if n.kind == scalarNode && p.scalar != "" {
		n = &node{kind: mapNode, at: n.at, keys: []entry{{key: p.scalar, at: n.at, val: n}}}
	}
	if n.kind != mapNode {
		c.fail(p, n, "must be %s, not %s", p.wants(), n.describe())
		return nil, false
	}
	out := map[string]any{}
	for _, e := range n.keys {
		child := p.child(e.key)
		if child == nil {
			c.unknown(p, e)
			continue
		}
		if v, ok := c.value(child, e.val); ok {
			out[e.key] = v
		}
	}
	if strings.HasSuffix(p.path, "[]") {
		// Items of lists have no layer of defaults beneath them.
		for _, child := range p.props {
			if _, given := out[child.name]; !given && child.def != "" {
				out[child.name] = child.defaultValue()
			}
		}
	}
	return out, true
}

func (c *checker) unknown(p *prop, e entry) {
	names := make([]string, len(p.props))
	for i, child := range p.props {
		names[i] = child.name
	}
	path := e.key
	if p.path != "" {
		path = p.path + "." + e.key
	}
	if text := retired(path); text != "" {
		c.warnings = append(c.warnings, (&Problem{Key: path, At: e.at.String(), Text: text}).Error())
		return
	}
	problem := &Problem{Key: path, At: e.at.String(), Text: "no such key" + hint(e.key, names)}
	if c.lenient {
		problem.Text += "; it is ignored"
		c.warnings = append(c.warnings, problem.Error())
		return
	}
	c.problems = append(c.problems, problem)
}

// wants says in words what a value must be.
func (p *prop) wants() string {
	switch p.kind {
	case boolProp:
		return "true or false"
	case intProp, floatProp:
		what := "a whole number"
		if p.kind == floatProp {
			what = "a number"
		}
		switch {
		case !math.IsInf(p.min, 0) && !math.IsInf(p.max, 0):
			return fmt.Sprintf("%s from %s to %s", what, number(p.min), number(p.max))
		case !math.IsInf(p.min, 0):
			return fmt.Sprintf("%s from %s on", what, number(p.min))
		}
		return what
	case stringProp:
		if p.enum != nil {
			return "one of " + strings.Join(p.enum, ", ")
		}
		return "a text"
	case listProp:
		return "a list"
	case anyProp:
		return "any value"
	}
	return "a map"
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// parseBool knows YAML 1.1's words, which Falco accepts.
func parseBool(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

func parseInt(s string) (int, bool) {
	s = strings.TrimSpace(s)
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		i, err = strconv.ParseInt(s, 0, 64)
	}
	if err != nil || int64(int(i)) != i {
		return 0, false
	}
	return int(i), true
}

// hint returns "; did you mean X?" for a near miss, and what there is otherwise where that is short.
func hint(word string, known []string) string {
	best, bestAt := "", len(word)/3+2
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < bestAt {
			best, bestAt = k, d
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// distance is how many letters to insert, delete, replace or swap with their neighbour make b of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return math.MaxInt
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, prev, prev2 := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
