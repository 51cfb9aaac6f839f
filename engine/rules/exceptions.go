// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/field"
	"falconet/engine/filter"

	"go.yaml.in/yaml/v3"
)

// exception is a named reason for a rule not to match: fields, the operators to compare them with, and values. With one field that was
// not written as a list, values are the members of one comparison; else each value is a tuple, one for every field.
type exception struct {
	item   *item
	name   string
	scalar bool
	fields []string
	comps  []string
	values []*yaml.Node
}

var exceptionKeys = []string{"name", "fields", "comps", "values"}

// writtenException is an exception as one item has it.
type writtenException struct {
	*exception
	node   *yaml.Node
	values map[string]*yaml.Node
	labels map[string]*yaml.Node
}

func (w *writtenException) where(key string) []Location {
	at1 := []Location{w.item.where(), at("exception", w.name, w.node)}
	if n := w.values[key]; n != nil {
		at1 = append(at1, at(key, "", n))
	}
	return at1
}

func (w *writtenException) fail(code Code, key, msg string) bool {
	w.item.file.fail(code, msg, w.where(key)...)
	return false
}

func (r *rule) setExceptions(it *item, ch change) bool {
	if ch["exceptions"] == "" {
		return true
	}
	appends := ch["exceptions"] == "append"
	n := it.keys["exceptions"]
	if !appends {
		r.exceptions = nil
	}
	if isNull(n) {
		return true
	}
	if n.Kind != yaml.SequenceNode {
		it.failKey(ErrYAMLValidate, "exceptions", "'exceptions' is not a sequence")
		return false
	}
	names := make(map[string]bool)
	for _, c := range n.Content {
		w, ok := readException(it, resolve(c), appends)
		if !ok {
			return false
		}
		if names[w.name] {
			it.file.warn(ExceptionNotUnique, "two exceptions of the rule have this name", w.where("name")...)
		}
		names[w.name] = true
		if !r.addException(w, appends) {
			return false
		}
	}
	return true
}

// readException takes a map apart. What appends need not say fields.
func readException(it *item, n *yaml.Node, appends bool) (w *writtenException, ok bool) {
	w = &writtenException{exception: &exception{item: it}, node: n, values: make(map[string]*yaml.Node), labels: make(map[string]*yaml.Node)}
	if n.Kind != yaml.MappingNode {
		return w, w.fail(ErrYAMLValidate, "", "an exception is a map with a name")
	}
	if !it.readMap(n, w.values, w.labels) {
		return w, false
	}
	var labels []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		labels = append(labels, resolve(n.Content[i]))
	}
	switch name := w.values["name"]; {
	case name == nil:
		it.warnUnknown(labels, exceptionKeys, "exception", at("exception", "", n))
		return w, w.fail(ErrYAMLValidate, "", "an exception has a name")
	case notScalar(name) != "":
		return w, w.fail(ErrYAMLValidate, "name", "'name' "+notScalar(name))
	default:
		w.name = name.Value
	}
	it.warnUnknown(labels, exceptionKeys, "exception", at("exception", w.name, n))
	if w.values["fields"] == nil && !appends {
		return w, w.fail(ErrYAMLValidate, "", "an exception needs 'fields'")
	}
	for _, k := range []string{"fields", "comps"} {
		if n := w.values[k]; n != nil && n.Kind == yaml.ScalarNode && n.Value == "" && !isNull(n) {
			return w, w.fail(ErrYAMLValidate, k, "'"+k+"' is empty")
		}
	}
	if v := w.values["values"]; v != nil {
		if v.Kind != yaml.SequenceNode {
			return w, w.fail(ErrYAMLValidate, "values", "'values' is not a sequence")
		}
		w.exception.values = v.Content
	}
	return w, true
}

func (r *rule) addException(w *writtenException, appends bool) bool {
	i := -1
	if appends {
		if w.values["values"] == nil {
			w.item.file.warn(AppendNoValues, "nothing is appended to the exception", w.where("name")...)
		}
		i = slices.IndexFunc(r.exceptions, func(e *exception) bool { return e.name == w.name })
	}
	fields, comps := w.values["fields"], w.values["comps"]
	switch {
	case i >= 0:
		for _, k := range []string{"fields", "comps"} {
			if n := w.values[k]; n != nil && !isNull(n) {
				return w.fail(ErrValidate, k, "an exception that is there already takes only more values")
			}
		}
		// the item that defined the exception keeps its values, which other rules may share
		r.exceptions[i] = r.exceptions[i].with(w.exception.values)
		return true
	case fields == nil || isNull(fields):
		return w.fail(ErrValidate, "fields", "an exception needs 'fields'"+r.exceptionHint(w.name))
	case appends && len(w.exception.values) == 0:
		return w.fail(ErrValidate, "values", "an exception that is new to the rule needs 'values'"+r.exceptionHint(w.name))
	}
	if key, msg := w.shape(fields, comps, r.unknownSource); msg != "" {
		return w.fail(ErrValidate, key, msg)
	}
	r.exceptions = append(r.exceptions, w.exception)
	return true
}

// exceptionHint proposes an exception that a rule has for a name that it does not have.
func (r *rule) exceptionHint(name string) string {
	var names []string
	for _, e := range r.exceptions {
		names = append(names, e.name)
	}
	return didYouMean(name, names)
}

func (e *exception) with(values []*yaml.Node) *exception {
	more := *e
	more.values = slices.Concat(e.values, values)
	return &more
}

// shape reads fields and comps; the message says what is wrong with them, and with which. Fields of a foreign source are not known here.
func (w *writtenException) shape(fields, comps *yaml.Node, foreign bool) (key, msg string) {
	w.scalar = fields.Kind == yaml.ScalarNode
	w.fields = scalars(fields)
	switch {
	case comps != nil && !isNull(comps):
		if w.scalar != (comps.Kind == yaml.ScalarNode) {
			return "comps", "'fields' and 'comps' are both one value or both lists"
		}
		w.comps = scalars(comps)
	case w.scalar:
		w.comps = []string{"in"}
	default:
		w.comps = slices.Repeat([]string{"="}, len(w.fields))
	}
	if len(w.comps) != len(w.fields) {
		return "comps", fmt.Sprintf("there are %d fields and %d comps", len(w.fields), len(w.comps))
	}
	for i, c := range w.comps {
		w.comps[i] = strings.Join(strings.Fields(c), " ")
		if msg := badOperator(w.comps[i], w.scalar); msg != "" {
			return "comps", msg
		}
	}
	for i, f := range w.fields {
		w.fields[i] = strings.TrimSpace(f)
		if msg := badField(w.fields[i]); msg != "" && !foreign {
			return "fields", msg
		}
	}
	return "", ""
}

var (
	compOps = []string{
		"=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "bcontains", "glob", "iglob", "startswith", "bstartswith",
		"endswith", "in", "intersects", "pmatch", "regex", "exists",
	}
	listOps   = []string{"in", "intersects", "pmatch"}
	modifiers = []string{"oneof", "anyof", "allof"} // behind a text operator: it takes a list then
	modified  = []string{"=", "==", "!=", "contains", "icontains", "bcontains", "glob", "iglob", "startswith", "bstartswith", "endswith", "regex"}
)

// takesList reports whether the operator stands before a list of values.
func takesList(op string) bool {
	base, modifier, _ := strings.Cut(op, " ")
	return modifier == "" && slices.Contains(listOps, base) || slices.Contains(modifiers, modifier) && slices.Contains(modified, base)
}

// badOperator says why an operator does not suit an exception.
func badOperator(op string, scalar bool) string {
	if takesList(op) || !scalar && slices.Contains(compOps, op) {
		return ""
	}
	if scalar {
		return "'" + op + "' is no operator for an exception of one field: it takes in, intersects, pmatch, or a text operator with oneof, anyof or allof"
	}
	return "'" + op + "' is no operator" + didYouMean(op, compOps)
}

// badField says why text is no field that a condition could compare. Fields that Falco has and this program does not are fields.
func badField(text string) string {
	e, err := filter.Parse(text + " exists")
	c, ok := e.(*filter.Check)
	if err != nil || !ok || c.Op != "exists" || c.Right != nil {
		return "'" + text + "' is not a field"
	}
	if _, lacks := lackOf(&c.Left); lacks {
		return ""
	}
	msg := ""
	c.Left.Fields(func(f *field.Operand) {
		_, _, err := field.Resolve(f.Field, f.Arg, f.HasArg)
		switch {
		case errors.Is(err, field.ErrUnknown):
			msg = "'" + f.Field + "' is not a field" + didYouMean(f.Field, fieldNames())
		case err != nil:
			msg = err.Error()
		}
	})
	return msg
}

func fieldNames() (names []string) {
	for _, d := range field.All() {
		if d.Flags&field.TableOnly == 0 {
			names = append(names, d.Name)
		}
	}
	return names
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
