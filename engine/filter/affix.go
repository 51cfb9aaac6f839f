// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"
	"strings"
)

// affixes finds which of many texts a string begins with.
type affixes struct {
	list  []affix        // sorted, once linked
	known map[string]int // places in list, until linked
}

type affix struct {
	text    string
	values  []int32
	shorter int // place of the longest other text that this one begins with, or -1
}

func (a *affixes) add(text string, value int32) {
	if a.known == nil {
		a.known = make(map[string]int)
	}
	i, ok := a.known[text]
	if !ok {
		i = len(a.list)
		a.list = append(a.list, affix{text: text})
		a.known[text] = i
	}
	a.list[i].values = append(a.list[i].values, value)
}

// link sorts the texts and ties each to the longest that it begins with.
func (a *affixes) link() {
	a.known = nil
	slices.SortFunc(a.list, func(x, y affix) int { return strings.Compare(x.text, y.text) })
	for i := range a.list {
		before := i - 1
		for before >= 0 && !strings.HasPrefix(a.list[i].text, a.list[before].text) {
			before = a.list[before].shorter
		}
		a.list[i].shorter = before
	}
}

// last is the place of the last text that is not behind s, -1 for none. What s begins with is that text, or one that it begins with.
func (a *affixes) last(s string) int {
	low, high := 0, len(a.list)
	for low < high {
		if mid := (low + high) / 2; a.list[mid].text <= s {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low - 1
}

// find calls yield for the values of every text that s begins with.
func (a *affixes) find(s string, yield func([]int32)) {
	for i := a.last(s); i >= 0; i = a.list[i].shorter {
		if strings.HasPrefix(s, a.list[i].text) {
			yield(a.list[i].values)
		}
	}
}

// findPath calls yield for the values of every text that s, a path without a slash at its beginning, is or is below.
func (a *affixes) findPath(s string, yield func([]int32)) {
	for i := a.last(s); i >= 0; i = a.list[i].shorter {
		if isBelow(s, a.list[i].text) {
			yield(a.list[i].values)
		}
	}
}

// anyPath reports whether s is one of the texts, or below it.
func (a *affixes) anyPath(s string) bool {
	for i := a.last(s); i >= 0; i = a.list[i].shorter {
		if isBelow(s, a.list[i].text) {
			return true
		}
	}
	return false
}

// isBelow reports whether path is dir, or below it; everything is below "".
func isBelow(path, dir string) bool {
	n := len(dir)
	return n == 0 || strings.HasPrefix(path, dir) && (len(path) == n || path[n] == '/')
}

// any reports whether s begins with one of the texts.
func (a *affixes) any(s string) bool {
	for i := a.last(s); i >= 0; i = a.list[i].shorter {
		if strings.HasPrefix(s, a.list[i].text) {
			return true
		}
	}
	return false
}

// reversed appends the bytes of s from the last to the first, but no more than n: a string ends with a text when it begins with it then.
func reversed(dst []byte, s string, n int) []byte {
	for i := len(s) - 1; i >= 0 && n > 0; i-- {
		dst = append(dst, s[i])
		n--
	}
	return dst
}
