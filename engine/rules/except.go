// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxCondition bounds the text of a condition with what its exceptions add, in bytes. Aliases in the YAML could multiply it.
const maxCondition = 32 << 20

// mark says that the text of a condition from a byte on is a value of an exception.
type mark struct {
	off  int
	node *yaml.Node
	of   *exception
}

// exceptionError is a value that does not suit its exception.
type exceptionError struct {
	code Code
	of   *exception
	node *yaml.Node
	msg  string
}

func (e *exceptionError) Error() string { return "exception " + e.of.name + ": " + e.msg }

// conditionText writes conditions: what was written, and what exceptions add to it.
type conditionText struct {
	strings.Builder
	marks []mark
}

// exception writes ` and not (...)`, or nothing for an exception without values.
func (b *conditionText) exception(e *exception) *exceptionError {
	if len(e.values) == 0 {
		return nil
	}
	b.WriteString(" and not ")
	if e.scalar {
		b.WriteString(e.fields[0] + " " + e.comps[0] + " ")
	}
	b.WriteByte('(')
	for i, v := range e.values {
		if v = resolve(v); i > 0 {
			b.WriteString(map[bool]string{true: ", ", false: " or "}[e.scalar])
		}
		var err *exceptionError
		if e.scalar {
			err = b.member(e, v)
		} else {
			err = b.tuple(e, v)
		}
		if err != nil {
			return err
		}
	}
	b.WriteByte(')')
	return nil
}

// bounded checks a value before it is written.
func (b *conditionText) bounded(e *exception, n *yaml.Node, msg string) *exceptionError {
	switch {
	case b.Len() > maxCondition:
		return &exceptionError{ErrValidate, e, n, fmt.Sprintf("values of more than %d bytes", maxCondition)}
	case n.Kind == yaml.ScalarNode && (n.Value == "" || isNull(n)):
		return &exceptionError{ErrYAMLValidate, e, n, `a value is empty: write '""' for the text that is`}
	case n.Kind != yaml.ScalarNode:
		return &exceptionError{ErrValidate, e, n, msg}
	}
	return nil
}

func (b *conditionText) member(e *exception, v *yaml.Node) *exceptionError {
	if err := b.bounded(e, v, "one value for each entry, because 'fields' is one field"); err != nil {
		return err
	}
	b.marks = append(b.marks, mark{b.Len(), v, e})
	b.WriteString(memberText(v.Value))
	return nil
}

func (b *conditionText) tuple(e *exception, v *yaml.Node) *exceptionError {
	if v.Kind != yaml.SequenceNode || len(v.Content) != len(e.fields) {
		return &exceptionError{ErrValidate, e, v, fmt.Sprintf("every value has as many members as there are fields (%d)", len(e.fields))}
	}
	b.WriteByte('(')
	for k, m := range v.Content {
		if k > 0 {
			b.WriteString(" and ")
		}
		m = resolve(m)
		b.marks = append(b.marks, mark{b.Len(), m, e})
		b.WriteString(e.fields[k] + " " + e.comps[k] + " ")
		if m.Kind == yaml.SequenceNode {
			if err := b.list(e, m); err != nil {
				return err
			}
			continue
		}
		if err := b.bounded(e, m, "a member is a value or a list of values"); err != nil {
			return err
		}
		b.WriteString(valueText(e.comps[k], m.Value))
	}
	b.WriteByte(')')
	return nil
}

func (b *conditionText) list(e *exception, n *yaml.Node) *exceptionError {
	b.WriteByte('(')
	for i, m := range n.Content {
		m = resolve(m)
		if err := b.bounded(e, m, "a member of a list is a value"); err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.marks = append(b.marks, mark{b.Len(), m, e})
		b.WriteString(memberText(m.Value))
	}
	b.WriteByte(')')
	return nil
}
