// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// question is a comparison of which is asked whether its constants make sense.
type question struct {
	compiler *Compiler
	name     string // of the operand
	op       string
	kind     event.Type
	domain   field.Domain
	where    string // in which events the domain is that, where it differs
}

// answer is why the comparison with a constant never holds.
type answer struct {
	why, hint string
	always    bool // it always holds
	unlike    bool // it may hold, but not for what the constant says
	value     Value
	about     int // place of the doubt in the list
	more      int // members of the same list of which the same is true
}

func (a *answer) text(many bool) string {
	var b strings.Builder
	if !a.unlike {
		b.WriteString(map[bool]string{true: "always ", false: "never "}[a.always] + map[bool]string{true: "met: ", false: "holds: "}[many])
	}
	b.WriteString(a.why)
	if a.hint != "" {
		b.WriteString(" (" + a.hint + ")")
	}
	if a.more > 0 {
		fmt.Fprintf(&b, "; the same is true of %d more in list %s", a.more, a.value.List)
	}
	return b.String()
}

// doubts are asked in this order, the first with an answer counts.
var doubts = []func(q *question, v Value) (answer, bool){
	(*question).tooLong, (*question).noWord, (*question).badBegin, (*question).badSlash, (*question).wrongCase, (*question).hasNUL,
	(*question).outOfRange, (*question).mapped,
}

// doubts returns an answer for every constant that makes no sense, and of the members of one list one for each kind.
func (q *question) doubts(values []Value) (out []*answer) {
	same := make(map[string]*answer)
	for _, v := range values {
		a, ok := q.ask(v)
		if !ok {
			continue
		}
		if key := fmt.Sprint(v.At, v.List, a.about); v.List == "" || same[key] == nil {
			same[key] = &a
			out = append(out, &a)
		} else {
			same[key].more++
		}
	}
	return out
}

func (q *question) ask(v Value) (answer, bool) {
	for i, doubt := range doubts {
		if a, ok := doubt(q, v); ok {
			a.value, a.about = v, i
			if q.op == "!=" && !a.unlike {
				a.always = !a.always
			}
			return a, true
		}
	}
	return answer{}, false
}

// part says which part of a value an operator compares.
type part uint8

const (
	partNone   part = iota // none that could be told
	partWhole              // all of it
	partBegin              // what it begins with
	partEnd                // what it ends with
	partInside             // any
)

// compared returns the text that has to be a part of a value: of a pattern what stands before its first special character.
func (q *question) compared(v Value) (part, string) {
	switch q.op {
	case "=", "!=", "in", "intersects":
		return partWhole, v.Text
	case "startswith":
		return partBegin, v.Text
	case "endswith":
		return partEnd, v.Text
	case "contains":
		return partInside, v.Text
	case "glob":
		if n := strings.IndexAny(v.Text, `*?[\`); n >= 0 {
			return partBegin, v.Text[:n]
		}
		return partWhole, v.Text
	}
	return partNone, ""
}

// said is how a message names what is compared.
func (p part) said(name, text string) string {
	switch p {
	case partBegin:
		return fmt.Sprintf("no %s begins with '%s'", name, text)
	case partEnd:
		return fmt.Sprintf("no %s ends with '%s'", name, text)
	case partInside:
		return fmt.Sprintf("no %s contains '%s'", name, text)
	}
	return fmt.Sprintf("no %s is '%s'", name, text)
}

func (q *question) isText() bool { return classOf(q.kind) == classText }

// tooLong finds text that no value has room for.
func (q *question) tooLong(v Value) (a answer, ok bool) {
	p, text := q.compared(v)
	if q.op == "icontains" {
		p, text = partInside, v.Text
	}
	if p == partNone || q.domain.Max == 0 || len(text) <= q.domain.Max {
		return a, false
	}
	a.why = fmt.Sprintf("%s has up to %d bytes, and '%s' has %d", q.name, q.domain.Max, text, len(text))
	if p == partWhole || p == partBegin {
		a.hint = "write '" + text[:q.domain.Max] + "'"
	}
	if q.domain.Instead != "" {
		a.hint = strings.TrimPrefix(a.hint+", or compare "+q.domain.Instead, ", or ")
	}
	return a, true
}

// badBegin finds paths that are not whole.
func (q *question) badBegin(v Value) (a answer, ok bool) {
	p, text := q.compared(v)
	if q.domain.Begins == nil || text == "" || p != partWhole && p != partBegin || q.domain.Loose && !strings.Contains(text, "/") {
		return a, false
	}
	for _, b := range q.domain.Begins {
		if strings.HasPrefix(text, b) || p == partBegin && strings.HasPrefix(b, text) {
			return a, false
		}
	}
	a.why = p.said(q.name, text) + q.where + ": it is a path from '/' on"
	a.hint = "write the whole path, or use endswith"
	return a, true
}

// badSlash finds slashes where no value has one, and those that are missing.
func (q *question) badSlash(v Value) (a answer, ok bool) {
	p, text := q.compared(v)
	switch shape := q.domain.Shape; {
	case text == "" || text == "/":
		return a, q.op == "pmatch" && shape&field.Leaf != 0 && q.deepPath(v, &a)
	case shape&field.Leaf != 0 && strings.Contains(text, "/"):
		a.why, a.hint = p.said(q.name, text)+": it is the last part of a path", "write '"+text[strings.LastIndexByte(strings.TrimRight(text, "/"), '/')+1:]+"'"
	case shape&field.Bare != 0 && (p == partWhole || p == partEnd) && strings.HasSuffix(text, "/"):
		a.why, a.hint = p.said(q.name, text)+": it has no slash at its end", "write '"+strings.TrimRight(text, "/")+"'"
	case shape&field.Slashed != 0 && (p == partWhole || p == partEnd) && !strings.HasSuffix(text, "/"):
		a.why, a.hint = p.said(q.name, text)+": it has a slash at its end", "write '"+text+"/'"
	default:
		return a, false
	}
	return a, true
}

func (q *question) deepPath(v Value, a *answer) bool {
	a.why = partWhole.said(q.name, v.Text) + ": it is the last part of a path"
	return len(components(v.Text)) > 1
}

// wrongCase finds letters that a transformer leaves none of.
func (q *question) wrongCase(v Value) (a answer, ok bool) {
	p, text := q.compared(v)
	if q.op == "pmatch" && !strings.ContainsAny(v.Text, `*?[`) {
		p, text = partWhole, v.Text
	}
	isWrong := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	right, kind := strings.ToLower, "upper-case"
	switch shape := q.domain.Shape; {
	case shape&field.AllLower != 0:
	case shape&field.AllUpper != 0:
		isWrong = func(r rune) bool { return r >= 'a' && r <= 'z' }
		right, kind = strings.ToUpper, "lower-case"
	default:
		return a, false
	}
	if p == partNone || !strings.ContainsFunc(text, isWrong) {
		return a, false
	}
	a.why, a.hint = p.said(q.name, text)+": it has no "+kind+" letters", "write '"+right(v.Text)+"'"
	return a, true
}

// hasNUL finds bytes that end a text.
func (q *question) hasNUL(v Value) (a answer, ok bool) {
	if p, text := q.compared(v); !q.isText() || p == partNone || q.op == "in" || q.op == "intersects" || strings.IndexByte(text, 0) < 0 {
		return a, false
	}
	a.why = "text ends at its first NUL"
	return a, true
}

// outOfRange finds numbers that the type does not have.
func (q *question) outOfRange(v Value) (a answer, ok bool) {
	low, high, ok := rangeOf(q.kind)
	if !ok {
		return a, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	equality := slices.Contains([]string{"=", "!=", "in", "intersects"}, q.op)
	switch {
	case err != nil: // larger than that, or the name of a port
		if _, err := strconv.ParseUint(v.Text, 10, 64); err != nil || high > 1<<63-1 {
			return a, false
		}
	case n < 0 && low == 0:
		if n == -1 && equality { // the number whose bits are all set: nobody, for users
			return a, false
		}
		a.unlike = true
		a.why = fmt.Sprintf("%s is never negative: %d stands for %d here", q.name, n, narrow(n, q.kind))
		return a, true
	case n >= low && (n < 0 || uint64(n) <= high):
		return a, false
	}
	if err == nil && n < low {
		a.why, a.always = fmt.Sprintf("%s is at least %d", q.name, low), strings.HasPrefix(q.op, ">")
	} else {
		a.why, a.always = fmt.Sprintf("%s is at most %d", q.name, high), strings.HasPrefix(q.op, "<")
	}
	return a, true
}

// rangeOf returns the least and the largest number of a type.
func rangeOf(t event.Type) (low int64, high uint64, ok bool) {
	switch t {
	case event.Int8:
		return -1 << 7, 1<<7 - 1, true
	case event.Int16:
		return -1 << 15, 1<<15 - 1, true
	case event.Int32:
		return -1 << 31, 1<<31 - 1, true
	case event.Int64, event.Errno, event.FD, event.PID:
		return -1 << 63, 1<<63 - 1, true
	case event.Bool:
		return 0, 0, false
	}
	if classOf(t) != classNumber {
		return 0, 0, false
	}
	return 0, narrow(-1, t), true
}

// mapped finds addresses of IPv4 that are written as IPv6.
func (q *question) mapped(v Value) (a answer, ok bool) {
	var addr netip.Addr
	rest := ""
	switch classOf(q.kind) {
	case classIP:
		addr, _ = netip.ParseAddr(v.Text)
	case classNet:
		p, err := netip.ParsePrefix(v.Text)
		if err != nil || p.Bits() < 96 {
			return a, false
		}
		addr, rest = p.Addr(), "/"+strconv.Itoa(p.Bits()-96)
	}
	if !addr.Is4In6() {
		return a, false
	}
	a.why, a.hint = "IPv4 spoken over a socket of IPv6 has addresses of IPv4 here", "write '"+addr.Unmap().String()+rest+"'"
	return a, true
}
