// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"encoding/hex"
	"fmt"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// textOps are the operators on two texts. Neither may be kept.
var textOps = map[string]func(s, operand string) bool{
	"contains":   strings.Contains,
	"startswith": strings.HasPrefix,
	"endswith":   strings.HasSuffix,
	"icontains":  containsFold,
	"glob":       func(s, pattern string) bool { return field.Glob(pattern, s, false) },
	"iglob":      func(s, pattern string) bool { return field.Glob(pattern, s, true) },
}

// textTest makes the test of a text operator with a constant.
func textTest(op string, v Value) (test, *Error) {
	operand := v.Text
	switch op {
	case "bcontains", "bstartswith":
		raw, err := hex.DecodeString(operand)
		if err != nil {
			return nil, &Error{Pos: v.At, Len: v.Len, Msg: fmt.Sprintf("'%s' is not a string of hexadecimal bytes", operand), Hint: "write two digits for each byte, like 48656c6c6f"}
		}
		operand, op = string(raw), op[1:]
		two := textOps[op]
		return func(v *field.Value) bool { return two(v.S, operand) }, nil
	case "contains":
		if operand == "" {
			return func(*field.Value) bool { return true }, nil
		}
	}
	if strings.IndexByte(operand, 0) < 0 {
		switch op { // the same without a search for the NUL
		case "startswith":
			return func(v *field.Value) bool { return strings.HasPrefix(v.S, operand) }, nil
		case "contains":
			return func(v *field.Value) bool {
				i := strings.Index(v.S, operand)
				return i >= 0 && (v.Kind == event.ByteBuf || strings.IndexByte(v.S[:i], 0) < 0)
			}, nil
		}
	}
	two := textOps[op]
	return func(v *field.Value) bool { return two(cString(v), operand) }, nil
}

// containsFold is contains without regard to the case of ASCII letters.
func containsFold(s, sub string) bool {
	if sub == "" {
		return true
	}
	for i := 0; i+len(sub) <= len(s); i++ {
		if lower(s[i]) == lower(sub[0]) && equalFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

func equalFold(a, b string) bool {
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
