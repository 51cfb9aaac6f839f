// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"strings"

	"falconet/engine/field"
)

// A path may be known in part only: it is longer than what can be captured, or the directory that it starts from is gone. Whether a
// comparison holds for it is then not known either. Where holding makes an alert more likely it counts as holding whenever it may;
// under a negation, where it would make one less likely, it does not.

// maybe reports whether a comparison with constants may hold for a text of which only the beginning and the end are known.
type maybe func(front, back string) bool

// perhaps returns when the comparison may hold, nil where the values of the field are known whole or where only what is sure counts.
func perhaps(c *Check, left typed, positive bool) maybe {
	made := perhapsOps[c.Op]
	if !positive || left.Def.Flags&field.Gaps == 0 || classOf(left.Type) != classText || left.List || made == nil {
		return nil
	}
	list := make([]maybe, len(c.Values))
	for i, v := range c.Values {
		list[i] = made(v.Text)
	}
	all := c.Quant == "allof"
	return func(front, back string) bool {
		for _, m := range list {
			if m(front, back) != all {
				return !all
			}
		}
		return all && len(list) > 0
	}
}

// holds reports whether the comparison counts as holding for a value that does not satisfy it as it stands.
func (m maybe) holds(c *field.Ctx, v *field.Value) bool {
	front, back, whole := v.Known()
	return !whole && m(front, back) && c.Perhaps()
}

// perhapsOf is the same of two values of which one has a gap, or both.
func perhapsOf(op string, c *field.Ctx, left, right *field.Value) bool {
	begins, ends, whole := left.Known()
	if whole {
		ends = left.S
	}
	front, back, known := right.Known()
	if known {
		back = right.S
	}
	switch {
	case whole && known:
		return false
	case op == "=", op == "in":
		return agree(begins, front, false) && agreeAtEnd(ends, back, false) && c.Perhaps()
	case op == "startswith":
		return agree(begins, front, false) && c.Perhaps()
	case op == "endswith":
		return agreeAtEnd(ends, back, false) && c.Perhaps()
	}
	return perhapsOps[op] != nil && c.Perhaps()
}

// perhapsOps are the operators on texts.
var perhapsOps = map[string]func(operand string) maybe{
	"=":          perhapsEqual,
	"in":         perhapsEqual,
	"intersects": perhapsEqual,
	"contains":   func(string) maybe { return anything },
	"icontains":  func(string) maybe { return anything },
	"startswith": func(operand string) maybe { return func(front, _ string) bool { return agree(front, operand, false) } },
	"endswith": func(operand string) maybe {
		return func(_, back string) bool { return agreeAtEnd(back, operand, false) }
	},
	"glob":   func(pattern string) maybe { return perhapsGlob(pattern, false) },
	"iglob":  func(pattern string) maybe { return perhapsGlob(pattern, true) },
	"pmatch": perhapsBelow,
	"regex":  perhapsRegex,
}

func anything(string, string) bool { return true }

// agree reports whether one of two texts begins with the other.
func agree(a, b string, fold bool) bool {
	n := min(len(a), len(b))
	return a[:n] == b[:n] || fold && equalFold(a[:n], b[:n])
}

func agreeAtEnd(a, b string, fold bool) bool {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	return a == b || fold && equalFold(a, b)
}

func perhapsEqual(operand string) maybe {
	return func(front, back string) bool {
		return len(operand) >= len(front)+len(back) && strings.HasPrefix(operand, front) && strings.HasSuffix(operand, back)
	}
}

// perhapsGlob looks at what stands before the first special character of a pattern and behind the last.
func perhapsGlob(pattern string, fold bool) maybe {
	first := strings.IndexAny(pattern, globSpecial)
	if first < 0 {
		return func(front, back string) bool {
			return len(pattern) >= len(front)+len(back) && agree(pattern, front, fold) && agreeAtEnd(pattern, back, fold)
		}
	}
	begin, end := pattern[:first], pattern[strings.LastIndexAny(pattern, globSpecial)+1:]
	return func(front, back string) bool { return agree(front, begin, fold) && agreeAtEnd(back, end, fold) }
}

// globSpecial are the characters of a pattern that need not stand for themselves. What is between brackets ends with one.
const globSpecial = `*?[]\`

func perhapsRegex(operand string) maybe {
	w := regexWant(operand)
	if w.kind != wantEqual && w.kind != wantPrefix {
		return anything
	}
	return func(front, _ string) bool { return agree(front, w.text, false) }
}

// perhapsBelow is pmatch: what is known of the beginning leads to the path, or on from it.
func perhapsBelow(operand string) maybe {
	parts := components(operand)
	return func(front, _ string) bool {
		for _, want := range parts {
			front = strings.TrimLeft(front, "/")
			part, rest, more := strings.Cut(front, "/")
			if !more { // the last component that is known may go on
				return part == "" || strings.ContainsAny(want, globSpecial) || strings.HasPrefix(want, part)
			}
			if !field.Glob(want, part, false) {
				return false
			}
			front = rest
		}
		return true
	}
}
