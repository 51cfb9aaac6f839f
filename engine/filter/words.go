// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"
	"strings"

	"falconet/engine/field"
)

// noWord finds text that is not made of the words that a field is made of.
func (q *question) noWord(v Value) (a answer, ok bool) {
	d := &q.domain
	if d.Words == nil {
		return a, false
	}
	p, text := q.compared(v)
	wrong := text
	if d.Join == "" && !d.Numbers {
		holds := q.heldBy(v)
		if holds > 0 && !(q.op == "!=" && holds == len(d.Words)) {
			return a, false
		}
		if q.op == "!=" {
			// asked as equality: with all words equal it never holds, with none always
			a.always = holds > 0
		}
	} else if wrong, ok = q.strangeWord(v); !ok {
		return a, false
	}
	switch known := wordsOnly(d.Words); {
	case len(known) == 0 && d.Numbers:
		a.why = q.name + " is a number" + q.where
	case len(known) == 1 && d.Join == "" && !d.Numbers:
		a.why = q.name + " is always " + known[0] + q.where
	case p == partNone || p == partBegin && q.op == "glob":
		a.why, a.hint = q.op+" '"+v.Text+"' fits no "+q.name+q.where, oneOfWords(known)
	default:
		a.why = p.said(q.name, text) + q.where
		if len(wrong) > 2 { // what is shorter is like anything
			a.hint = didYouMean(nearest(wrong, slices.Values(known)))
		}
		if a.hint == "" {
			a.hint = oneOfWords(known)
		}
	}
	return a, true
}

// wordsOnly are the words without what stands for a value that is not there.
func wordsOnly(words []string) (out []string) {
	for _, w := range words {
		if w != field.NoArg {
			out = append(out, w)
		}
	}
	return out
}

// fewWords is up to how many words a message lists them.
const fewWords = 12

func oneOfWords(words []string) string {
	if len(words) > fewWords {
		return ""
	}
	return "it is one of " + strings.Join(words, ", ")
}

// heldBy returns for how many of the words the comparison with v holds; `!=` is asked as equality.
func (q *question) heldBy(v Value) (n int) {
	t := q.test(v)
	for _, w := range q.domain.Words {
		c, err := parseConstant(Value{Text: w}, q.kind)
		if t == nil || err != nil || t(&field.Value{Kind: q.kind, N: c.n, S: c.s}) {
			n++
		}
	}
	return n
}

// test is the comparison with one constant; `!=` is equality. It is nil when there is no telling.
func (q *question) test(v Value) test {
	switch c, err := parseConstant(v, q.kind); {
	case q.op == "pmatch":
		return pmatch([]constant{c})
	case isMember(q.op) || q.op == "!=":
		if err != nil {
			return nil
		}
		return equal(q.kind, c)
	}
	t, err := q.compiler.single(q.op, v, q.kind)
	if err != nil {
		return nil
	}
	return t
}

// strangeWord returns the part of the text that no value has, of values that are several words or numbers.
func (q *question) strangeWord(v Value) (wrong string, found bool) {
	d := &q.domain
	p, text := q.compared(v)
	words := d.Words
	if q.op == "icontains" {
		p, text, words = partInside, strings.ToLower(v.Text), lowered(words)
	}
	if p == partNone || text == "" || d.Numbers && strings.Trim(text, "0123456789ABCDEFabcdef-") == "" {
		return "", false
	}
	pieces := []string{text}
	if d.Join != "" {
		pieces = strings.Split(text, d.Join)
	}
	for i, piece := range pieces {
		// a piece at an end of the text may be a part of a word, where the operator leaves that end open
		cutFront := i == 0 && (p == partEnd || p == partInside)
		cutBack := i == len(pieces)-1 && (p == partBegin || p == partInside)
		if !slices.ContainsFunc(words, func(w string) bool { return hasPiece(w, piece, cutFront, cutBack) }) {
			return piece, true
		}
	}
	return "", false
}

func hasPiece(word, piece string, cutFront, cutBack bool) bool {
	switch {
	case cutFront && cutBack:
		return strings.Contains(word, piece)
	case cutFront:
		return strings.HasSuffix(word, piece)
	case cutBack:
		return strings.HasPrefix(word, piece)
	}
	return word == piece
}

func lowered(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}
