// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"net/netip"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"falconet/engine/event"
	"falconet/engine/field"
)

// A comparison wants something of a value: to equal a text, to begin with one, to contain one. It is met whenever the comparison holds, and
// mostly also the other way round. Wants are what a Group looks programs up by.
type want struct {
	anchor
	kind wantKind
	text string
	n    uint64
	net  netip.Prefix
}

// anchor is where a comparison takes its value from: a source and its second spelling, where that counts too; or the values of a field that
// has several.
type anchor struct {
	from, alt source
	several   *field.Def
}

type wantKind uint8

const (
	wantNothing wantKind = iota // there is no telling
	wantEqual                   // the text; addresses by their bytes
	wantNumber                  // the number
	wantNet                     // an address of the network
	wantBelow                   // the path, or one below it
	wantPrefix
	wantSuffix
	wantPart   // the text somewhere
	wantFolded // the text somewhere, without regard to case
)

// maxWants bounds the wants of one program: long lists are left to the sets that comparisons have.
const maxWants = 64

// wants returns wants one of which is met whenever the comparison holds, nil when there is no telling.
func (k *Compiler) wants(c *Check, left typed, twice bool) (list []want) {
	class := classOf(left.Type)
	switch {
	case left.Def.Flags&field.Within != 0: // what it is near to is not what it is
		return nil
	case c.Right != nil, c.Quant == "allof", len(c.Values) > maxWants, left.List && c.Op != "intersects", left.Def.Name == "evt.type":
		return nil
	}
	var at anchor
	if left.several() {
		at.several = left.Def
	} else if at.from = k.source(left, false); twice {
		at.alt = k.source(left, true)
	}
	for _, v := range c.Values {
		var w want
		var ok bool
		switch class {
		case classText, classBytes:
			w, ok = textWant(c.Op, v.Text)
		case classNet, classIP:
			w, ok = addressWant(c.Op, v, left.Type)
		case classSigned, classNumber:
			w, ok = numberWant(c.Op, v, left.Type)
		}
		if !ok {
			return nil
		}
		w.anchor = at
		list = append(list, w)
	}
	return list
}

// several reports whether a comparison of the operand looks at several values.
func (t typed) several() bool {
	return t.Def.Multi != nil && !t.Arg.Present && len(t.Resolved.Fns) == 0
}

func isMember(op string) bool { return op == "=" || op == "in" || op == "intersects" }

func addressWant(op string, v Value, t event.Type) (w want, ok bool) {
	c, err := parseConstant(v, t)
	if err != nil || !isMember(op) {
		return w, false
	}
	if t == event.IPNet {
		return want{kind: wantNet, net: c.addr}, true
	}
	return want{kind: wantEqual, text: c.s}, true
}

func numberWant(op string, v Value, t event.Type) (w want, ok bool) {
	c, err := parseConstant(v, t)
	return want{kind: wantNumber, n: c.n}, err == nil && isMember(op)
}

// textWant returns what an operator with a constant wants of a text.
func textWant(op, text string) (w want, ok bool) {
	switch op {
	case "=", "in", "intersects":
		w = want{kind: wantEqual, text: text}
	case "startswith":
		w = want{kind: wantPrefix, text: text}
	case "endswith":
		w = want{kind: wantSuffix, text: text}
	case "contains":
		w = want{kind: wantPart, text: text}
	case "icontains":
		w = want{kind: wantFolded, text: text}
	case "glob":
		w = globWant(text)
	case "iglob":
		w = want{kind: wantFolded, text: globWant(text).text}
	case "regex":
		w = regexWant(text)
	case "pmatch":
		w = pathWant(text)
	default:
		return w, false
	}
	// Comparisons take text up to its first NUL: a text with one in it is met by none.
	return w, w.kind != wantNothing && strings.IndexByte(w.text, 0) < 0 && (w.text != "" || w.kind == wantEqual)
}

// pathWant returns what pmatch with a path wants; without a path it is met by everything.
func pathWant(path string) want {
	parts := components(path)
	if !strings.ContainsAny(path, "?*[\\") {
		return want{kind: wantBelow, text: strings.Join(parts, "/")}
	}
	best := ""
	for _, p := range parts {
		if !strings.ContainsAny(p, "?*[\\") && len(p) > len(best) {
			best = p
		}
	}
	return want{kind: wantPart, text: best}
}

// globWant returns the text that everything that the pattern matches begins or ends with, or contains.
func globWant(pattern string) want {
	end := strings.IndexAny(pattern, `?*[\`)
	if end < 0 {
		return want{kind: wantEqual, text: pattern}
	}
	if end > 0 {
		return want{kind: wantPrefix, text: pattern[:end]}
	}
	if strings.ContainsAny(pattern, `[\`) { // what closes what is the business of glob
		return want{}
	}
	last := strings.LastIndexAny(pattern, "?*") + 1
	if last < len(pattern) {
		return want{kind: wantSuffix, text: pattern[last:]}
	}
	best := ""
	for _, p := range strings.FieldsFunc(pattern, func(r rune) bool { return r == '?' || r == '*' }) {
		if len(p) > len(best) {
			best = p
		}
	}
	return want{kind: wantPart, text: best}
}

// regexWant returns the text that everything that the expression matches begins or ends with, or contains: whole values have to match.
func regexWant(text string) want {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return want{}
	}
	parts := literals(re, nil)
	if len(parts) == 0 {
		return want{}
	}
	if first := parts[0]; first.exact && first.text != "" && !first.fold {
		if len(parts) == 1 {
			return want{kind: wantEqual, text: first.text}
		}
		return want{kind: wantPrefix, text: first.text}
	}
	if last := parts[len(parts)-1]; last.exact && last.text != "" && !last.fold {
		return want{kind: wantSuffix, text: last.text}
	}
	best := literal{}
	for _, p := range parts {
		if len(p.text) > len(best.text) {
			best = p
		}
	}
	if best.fold {
		return want{kind: wantFolded, text: best.text}
	}
	return want{kind: wantPart, text: best.text}
}

// literal is a piece of a regular expression: text that has to be there, or "" for something else. exact says that the text is all there is
// to the piece.
type literal struct {
	text        string
	exact, fold bool
}

// literals appends the pieces that a match consists of, one behind the other.
func literals(re *syntax.Regexp, to []literal) []literal {
	switch re.Op {
	case syntax.OpLiteral:
		text := string(re.Rune)
		if strings.ContainsRune(text, utf8.RuneError) { // stands for bytes that are no text as well
			return append(to, literal{})
		}
		fold := re.Flags&syntax.FoldCase != 0
		if lowered := strings.ToLower(text); fold && (lowered != text || !isASCII(text)) {
			if text = lowered; !isASCII(text) {
				return append(to, literal{}) // letters beyond ASCII have more than two forms
			}
		}
		// Two letters of ASCII have a form beyond it when case is nothing: the Kelvin sign and the long s.
		if fold && strings.ContainsAny(text, "ks") {
			return append(to, literal{})
		}
		if n := len(to); n > 0 && to[n-1].exact && to[n-1].fold == fold {
			to[n-1].text += text
			return to
		}
		return append(to, literal{text, true, fold})
	case syntax.OpCapture:
		return literals(re.Sub[0], to)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			to = literals(sub, to)
		}
		return to
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText:
		return to
	case syntax.OpPlus:
		return append(inner(re.Sub[0], to), literal{})
	case syntax.OpRepeat:
		if re.Min > 0 {
			return append(inner(re.Sub[0], to), literal{})
		}
	}
	return append(to, literal{})
}

// inner appends what one round of a repetition has to have.
func inner(re *syntax.Regexp, to []literal) []literal {
	for _, l := range literals(re, nil) {
		l.exact = false
		to = append(to, l)
	}
	return to
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
