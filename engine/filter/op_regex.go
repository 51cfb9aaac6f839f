// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"regexp"

	"falconet/engine/field"
)

// regexTest makes the test of `regex`: RE2 syntax, and the whole value must match. Classes such as \d, which Falco's POSIX mode
// refuses silently, mean what they say.
func regexTest(v Value) (test, *Error) {
	re, err := regexp.Compile("^(?:" + v.Text + ")$")
	if err != nil {
		if _, plain := regexp.Compile(v.Text); plain != nil {
			err = plain // without the anchors, which are not the author's
		}
		return nil, &Error{Pos: v.At, Len: v.Len, Msg: "bad regular expression: " + err.Error()}
	}
	return func(v *field.Value) bool { return re.MatchString(trimNUL(v)) }, nil
}
