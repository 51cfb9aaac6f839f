// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/field"

	"go.yaml.in/yaml/v3"
)

// exception is a named reason for a rule not to match: fields, the operators to compare them with, and values. With one field that was
// not written as a list, values are the members of one comparison; else each value is a tuple, one for every field.
type exception struct {
	name   string
	scalar bool
	fields []string
	comps  []string
	values []*yaml.Node
}

var exceptionKeys = []string{"name", "fields", "comps", "values"}

var compOps = []string{
	"=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "bcontains", "glob", "iglob", "startswith", "bstartswith",
	"endswith", "in", "intersects", "pmatch", "regex", "exists",
}

func (r *rule) setExceptions(it *item, ch change) bool {
	if ch["exceptions"] == "" {
		return true
	}
	n := it.keys["exceptions"]
	if n.Kind != yaml.SequenceNode {
		it.file.fail(ErrYAMLValidate, "'exceptions' is not a sequence", it.where(), at("exceptions", "", n))
		return false
	}
	if ch["exceptions"] == "replace" {
		r.exceptions = nil
	}
	for _, c := range n.Content {
		if !r.addException(it, resolve(c), ch["exceptions"] == "append") {
			return false
		}
	}
	return true
}

func (r *rule) addException(it *item, n *yaml.Node, appends bool) bool {
	bad := func(code Code, name, msg string) bool {
		it.file.fail(code, msg, it.where(), at("exception", name, n))
		return false
	}
	if n.Kind != yaml.MappingNode {
		return bad(ErrYAMLValidate, "", "an exception is a map with a name")
	}
	keys := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i].Value
		if !slices.Contains(exceptionKeys, k) {
			it.file.warn(UnknownKey, "key '"+k+"' is not known in an exception", it.where(), at("exception", "", n.Content[i]))
		}
		keys[k] = resolve(n.Content[i+1])
	}
	if keys["name"] == nil || keys["name"].Value == "" {
		return bad(ErrYAMLValidate, "", "an exception has a name")
	}
	name := keys["name"].Value
	var values []*yaml.Node
	if v := keys["values"]; v != nil && !isNull(v) {
		if v.Kind != yaml.SequenceNode {
			return bad(ErrYAMLValidate, name, "'values' is not a sequence")
		}
		values = v.Content
	}
	i := slices.IndexFunc(r.exceptions, func(e *exception) bool { return e.name == name })
	if i >= 0 && appends {
		if keys["fields"] != nil || keys["comps"] != nil {
			return bad(ErrValidate, name, "an exception that is there already takes only more values")
		}
		if len(values) == 0 {
			it.file.warn(AppendNoValues, "nothing is appended to the exception", it.where(), at("exception", name, n))
		}
		r.exceptions[i].values = append(slices.Clone(r.exceptions[i].values), values...)
		return true
	}
	if i >= 0 {
		it.file.warn(ExceptionNotUnique, "two exceptions of the rule have this name", it.where(), at("exception", name, n))
	}
	e := &exception{name: name, values: values}
	if msg := e.shape(keys["fields"], keys["comps"], r.unknownSource); msg != "" {
		return bad(ErrValidate, name, msg)
	}
	r.exceptions = append(r.exceptions, e)
	return true
}

// shape reads fields and comps; the message says what is wrong with them. Fields of a foreign source are not known here.
func (e *exception) shape(fields, comps *yaml.Node, foreign bool) string {
	if fields == nil {
		return "an exception needs 'fields'"
	}
	e.scalar = fields.Kind == yaml.ScalarNode
	e.fields = scalars(fields)
	if len(e.fields) == 0 {
		return "'fields' is empty"
	}
	switch {
	case comps != nil:
		if e.scalar != (comps.Kind == yaml.ScalarNode) {
			return "'fields' and 'comps' are both one value or both lists"
		}
		e.comps = scalars(comps)
	case e.scalar:
		e.comps = []string{"in"}
	default:
		e.comps = slices.Repeat([]string{"="}, len(e.fields))
	}
	for _, f := range e.fields {
		if !foreign && unknownField(f) {
			return "'" + f + "' is not a field"
		}
	}
	if len(e.comps) != len(e.fields) {
		return fmt.Sprintf("there are %d fields and %d comps", len(e.fields), len(e.comps))
	}
	for _, c := range e.comps {
		if !slices.Contains(compOps, c) || e.scalar && c != "in" && c != "pmatch" && c != "intersects" {
			return "'" + c + "' is no operator for this exception"
		}
	}
	return ""
}

// unknownField reports whether text names a field that neither this program nor Falco has.
func unknownField(text string) bool {
	_, _, n, err := field.Scan(text)
	if !errors.Is(err, field.ErrUnknown) {
		return err == nil && n < len(text)
	}
	name, _, _ := strings.Cut(text, "[")
	_, known := field.Missing(name)
	return !known
}

func scalars(n *yaml.Node) (out []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	for _, c := range n.Content {
		out = append(out, resolve(c).Value)
	}
	return out
}

// maxCondition bounds the text of a condition with what its exceptions add, in bytes. Aliases in the YAML could multiply it.
const maxCondition = 16 << 20

// condition writes the exception in the language of conditions; it is "" without values.
func (e *exception) condition() (string, error) {
	if len(e.values) == 0 {
		return "", nil
	}
	var b strings.Builder
	if e.scalar {
		b.WriteString(e.fields[0] + " " + e.comps[0] + " ")
	}
	b.WriteByte('(')
	separator := ""
	for _, v := range e.values {
		b.WriteString(separator)
		var err error
		if v = resolve(v); e.scalar {
			err = e.member(&b, v)
			separator = ", "
		} else {
			err = e.tuple(&b, v)
			separator = " or "
		}
		if err == nil && b.Len() > maxCondition {
			err = fmt.Errorf("values of more than %d bytes", maxCondition)
		}
		if err != nil {
			return "", fmt.Errorf("exception %s: %w", e.name, err)
		}
	}
	b.WriteByte(')')
	return b.String(), nil
}

func (e *exception) member(b *strings.Builder, v *yaml.Node) error {
	if v.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: one value for each entry, because 'fields' is one field", v.Line)
	}
	b.WriteString(quoteItem(v.Value))
	return nil
}

func (e *exception) tuple(b *strings.Builder, v *yaml.Node) error {
	if v.Kind != yaml.SequenceNode || len(v.Content) != len(e.fields) {
		return fmt.Errorf("line %d: every value has as many members as there are fields (%d)", v.Line, len(e.fields))
	}
	b.WriteByte('(')
	for k, m := range v.Content {
		if k > 0 {
			b.WriteString(" and ")
		}
		if m = resolve(m); m.Kind != yaml.SequenceNode && m.Kind != yaml.ScalarNode || b.Len() > maxCondition {
			return fmt.Errorf("line %d: not a value or a list of values, or too many of them", m.Line)
		}
		b.WriteString(e.fields[k] + " " + e.comps[k] + " " + operand(e.comps[k], m))
	}
	b.WriteByte(')')
	return nil
}

func operand(op string, n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		items := scalars(n)
		for i := range items {
			items[i] = quoteItem(items[i])
		}
		return "(" + strings.Join(items, ", ") + ")"
	}
	if op == "in" || op == "pmatch" || op == "intersects" {
		if strings.HasPrefix(n.Value, "(") {
			return n.Value
		}
		return "(" + quoteItem(n.Value) + ")"
	}
	return quoteItem(n.Value)
}

// quoteItem puts a value in quotes when the language needs them and it does not have them.
func quoteItem(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s
	}
	if s != "" && !strings.ContainsAny(s, " \t\r\n\b\f\v()\"'=,") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + `"`
}
