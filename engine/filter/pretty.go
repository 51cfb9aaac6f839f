// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"strings"
)

// Pretty writes a condition over several lines, as one would write it by hand: terms that do not fit in width columns stand below one
// another, and what is in parentheses is set in. Of lists of values that are longer only the first fold members are written, and how many
// more there are; with fold 0 all are, and parsing the text gives a tree that means the same.
func Pretty(e Expr, width, fold int) string {
	p := &pretty{width: width, fold: fold}
	p.put(0, "", e, 0)
	return strings.TrimSuffix(p.b.String(), "\n")
}

type pretty struct {
	width, fold int
	b           strings.Builder
}

const step = 2 // columns that something is set in by

// put writes e behind lead. It is in parentheses where inside, the kind of node around it, asks for them.
func (p *pretty) put(indent int, lead string, e Expr, inside byte) {
	if text := lead + p.line(e, inside); indent+len(text) <= p.width {
		p.write(indent, text)
		return
	}
	switch e := e.(type) {
	case *Not:
		p.put(indent, lead+"not ", e.Kid, 'n')
	case *Check:
		p.putCheck(indent, lead, e)
	default:
		word, kids, self := terms(e)
		if kids == nil {
			p.write(indent, lead+p.line(e, inside))
			return
		}
		if inside != 0 {
			p.write(indent, lead+"(")
			indent, lead = indent+step, ""
		}
		for i, k := range kids {
			if i > 0 {
				lead = word + " "
			}
			p.put(indent, lead, k, self)
		}
		if inside != 0 {
			p.write(indent-step, ")")
		}
	}
}

// putCheck writes a comparison whose list is too long for a line.
func (p *pretty) putCheck(indent int, lead string, c *Check) {
	head, values, ok := strings.Cut(p.line(c, 0), " (")
	if !ok || !c.List || len(c.Values) < 2 {
		p.write(indent, lead+p.line(c, 0))
		return
	}
	p.write(indent, lead+head+" (")
	line := ""
	for _, v := range splitList(strings.TrimSuffix(values, ")")) {
		if line != "" && indent+step+len(line)+len(" ")+len(v) > p.width {
			p.write(indent+step, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+v, " ")
	}
	p.write(indent+step, line)
	p.write(indent, ")")
}

// splitList splits the written members of a list behind their commas.
func splitList(s string) (members []string) {
	for start, i, quoted := 0, 0, false; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == ',':
			members = append(members, strings.TrimSpace(s[start:i+1]))
			start = i + 1
		}
		if i >= len(s)-1 {
			members = append(members, strings.TrimSpace(s[start:]))
		}
	}
	return members
}

func (p *pretty) write(indent int, text string) {
	p.b.WriteString(strings.Repeat(" ", indent) + text + "\n")
}

// terms are the kids of an And or Or, those of kids of the same kind among them.
func terms(e Expr) (word string, kids []Expr, self byte) {
	switch e := e.(type) {
	case *And:
		for _, k := range e.Kids {
			if _, more, same := terms(k); same == 'a' {
				kids = append(kids, more...)
			} else {
				kids = append(kids, k)
			}
		}
		return "and", kids, 'a'
	case *Or:
		for _, k := range e.Kids {
			if _, more, same := terms(k); same == 'o' {
				kids = append(kids, more...)
			} else {
				kids = append(kids, k)
			}
		}
		return "or", kids, 'o'
	}
	return "", nil, 0
}

// line writes e in one line.
func (p *pretty) line(e Expr, inside byte) string {
	switch e := e.(type) {
	case *Not:
		return "not " + p.line(e.Kid, 'n')
	case *Check:
		return p.checkLine(e)
	case *Macro:
		return e.Name
	}
	word, kids, self := terms(e)
	var b strings.Builder
	for i, k := range kids {
		if i > 0 {
			b.WriteString(" " + word + " ")
		}
		b.WriteString(p.line(k, self))
	}
	if inside != 0 {
		return "(" + b.String() + ")"
	}
	return b.String()
}

func (p *pretty) checkLine(c *Check) string {
	more := len(c.Values) - p.fold
	if p.fold == 0 || !c.List || more < 2 {
		return Print(c)
	}
	cut := *c
	cut.Values = c.Values[:p.fold]
	return fmt.Sprintf("%s, ... %d more)", strings.TrimSuffix(Print(&cut), ")"), more)
}
