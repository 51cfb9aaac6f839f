// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/filter"
)

// maxExpanded bounds the members that all conditions and lists get from lists.
const maxExpanded = 4 << 20

// spend counts members that a list gives to a condition or to another list.
func (b *builder) spend(n int) error {
	if b.expanded += n; b.expanded > maxExpanded {
		return fmt.Errorf("lists that give more than %d members in all", maxExpanded)
	}
	return nil
}

// members returns the members of a list, with those of the lists that it names. A name within the list that it names itself, by
// whatever way, stands for itself.
func (b *builder) members(l *list) ([]string, error) {
	l.used = true
	if l.flat != nil {
		return l.flat, nil
	}
	l.busy = true
	defer func() { l.busy = false }()
	out := make([]string, 0, len(l.items))
	for _, it := range l.items {
		other := b.listOf[it]
		if other == nil || other == l {
			out = append(out, memberValues(it)...)
			continue
		}
		if other.busy {
			b.warnCycle(l, other)
			out = append(out, it)
			continue
		}
		m, err := b.members(other)
		if err == nil {
			err = b.spend(len(m))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	l.flat = out
	return out, nil
}

func (b *builder) warnCycle(l, other *list) {
	where := []Location{l.item.where()}
	for _, n := range l.item.keys["items"].Content {
		if n = resolve(n); n.Value == other.name {
			where = append(where, at("item", n.Value, n))
			break
		}
	}
	l.item.file.warn(Dubious, fmt.Sprintf("list '%s' is part of itself: here the name stands for itself", other.name), where...)
}

// expandLists puts the members of lists where conditions name them: in lists of values and, of lists with one member, wherever a value
// may stand.
func (b *builder) expandLists(e filter.Expr, src int) (_ filter.Expr, err error) {
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Check); ok && err == nil {
			err = b.expandCheck(c, src)
		}
		return err == nil
	})
	return e, err
}

func (b *builder) expandCheck(c *filter.Check, src int) error {
	many := c.List || c.Quant != "" || slices.Contains(listOps, c.Op)
	named := slices.ContainsFunc(c.Values, func(v filter.Value) bool { return b.listOf[v.Text] != nil && v.Len == len(v.Text) })
	if !named {
		b.warnNearList(c, src)
		return nil
	}
	var out []filter.Value
	for i, v := range c.Values {
		l := b.listOf[v.Text]
		if l == nil || v.Len != len(v.Text) { // a quoted word is no name
			out = append(out, v)
			continue
		}
		members, err := b.members(l)
		if err == nil {
			err = b.spend(len(members))
		}
		if err != nil {
			return &filter.Error{Pos: v.At, Len: v.Len, Msg: err.Error()}
		}
		if !many && len(members) != 1 {
			msg := fmt.Sprintf("operator '%s' takes one value, and '%s' is a list of %d", c.Op, l.name, len(members))
			return &filter.Error{Pos: v.At, Len: v.Len, Msg: msg, Hint: "write in (" + l.name + "), or \"" + l.name + "\" for the word itself"}
		}
		at := &b.texts[src].refs
		at.add(&at.lists, l.name)
		out = slices.Grow(out, len(members)+len(c.Values)-i-1)
		for _, m := range members {
			if len(m) > filter.MaxConstant {
				msg := fmt.Sprintf("list '%s' has a member that is longer than %d bytes", l.name, filter.MaxConstant)
				return &filter.Error{Pos: v.At, Len: v.Len, Msg: msg}
			}
			out = append(out, filter.Value{At: v.At, Len: v.Len, Text: m, List: l.name})
		}
		c.List = many
	}
	c.Values = out
	return nil
}

// warnNearList warns of a word in a list of values that is nearly the name of a list. The names of lists have underscores, those of
// programs and files seldom.
func (b *builder) warnNearList(c *filter.Check, src int) {
	if !c.List || len(c.Values) > 8 {
		return
	}
	for _, v := range c.Values {
		if v.Len != len(v.Text) || strings.Count(v.Text, "_") == 0 || len(v.Text) < 8 {
			continue
		}
		if near := filter.Nearest(v.Text, names(b.lists)); near != "" && len(near) > 6 && !b.mayDefine(v.Text) {
			it, where := b.texts[src].where(v.At, v.Len)
			it.file.warn(Dubious, fmt.Sprintf("there is no list '%s': the word stands for itself%s", v.Text, didYouMean(v.Text, []string{near})), where...)
		}
	}
}

// aliased makes names of lists that are no words into words, so that the text can be parsed: Falco takes them, with a warning. The
// length stays the same.
func (b *builder) aliased(text string) string {
	for _, l := range b.oddLists {
		alias := l.alias()
		for from := 0; ; {
			i := strings.Index(text[from:], l.name)
			if i < 0 {
				break
			}
			i += from
			from = i + len(l.name)
			if bounded(text, i, from) && !inQuotes(text[:i]) {
				text = text[:i] + alias + text[from:]
			}
		}
	}
	return text
}

// alias is a word of the same length as the name of a list.
func (l *list) alias() string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && !plain(string(r)) {
			return 1
		}
		return r
	}, l.name)
}

// bounded reports whether a name from i to end stands by itself.
func bounded(text string, i, end int) bool {
	const delimiters = " \t\n\r(),="
	return (i == 0 || strings.IndexByte(delimiters, text[i-1]) >= 0) && (end == len(text) || strings.IndexByte(delimiters, text[end]) >= 0)
}

// inQuotes reports whether a string is open at the end of text.
func inQuotes(text string) bool {
	open := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case open == 0 && (c == '"' || c == '\''):
			open = c
		case open != 0 && c == '\\':
			i++
		case c == open:
			open = 0
		}
	}
	return open != 0
}
