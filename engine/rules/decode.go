// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// has reports whether the item has the key, be it empty.
func (it *item) has(key string) bool { return it.keys[key] != nil }

// text returns the scalar of a key, which must be there and not be empty. If it is not so, ok is false and the reason noted.
func (it *item) text(key string) (value string, ok bool) {
	n := it.keys[key]
	if n == nil {
		it.fail(ErrYAMLValidate, it.kind+" has no '"+key+"'")
		return "", false
	}
	if msg := notScalar(n); msg != "" {
		it.failKey(ErrYAMLValidate, key, "'"+key+"' "+msg)
		return "", false
	}
	return n.Value, true
}

// notScalar says what keeps n from being a single value with something in it.
func notScalar(n *yaml.Node) string {
	switch {
	case isNull(n), n.Kind == yaml.ScalarNode && n.Value == "":
		return "is empty"
	case n.Kind != yaml.ScalarNode:
		return "is not a single value"
	}
	return ""
}

// boolean returns a key that is true or false. It must not be empty.
func (it *item) boolean(key string, def bool) (value, ok bool) {
	if !it.has(key) {
		return def, true
	}
	text, ok := it.text(key)
	if !ok {
		return def, false
	}
	value, ok = parseBool(text)
	if !ok {
		it.failKey(ErrYAMLValidate, key, "'"+key+"' is neither true nor false")
	}
	return value, ok
}

// parseBool reads the words that YAML 1.1 has for truth: in small letters, in capitals, or with one capital in front.
func parseBool(s string) (value, ok bool) {
	low := strings.ToLower(s)
	if s != low && s != strings.ToUpper(s) && s[1:] != low[1:] {
		return false, false
	}
	switch low {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// parseUint reads a number as Falco's YAML library does: decimal, hexadecimal with 0x in front, octal with 0.
func parseUint(s string) (uint32, bool) {
	if strings.ContainsAny(s, "_bBoO") && !strings.HasPrefix(strings.ToLower(s), "0x") || strings.Contains(s, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 0, 32)
	return uint32(n), err == nil
}

// strings returns a key that is a sequence of scalars. Whether the key must be there is for the caller to check.
func (it *item) strings(key string) (values []string, ok bool) {
	n := it.keys[key]
	if n == nil {
		return nil, true
	}
	if n.Kind != yaml.SequenceNode {
		it.failKey(ErrYAMLValidate, key, "'"+key+"' is not a sequence")
		return nil, false
	}
	values = make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		if c = resolve(c); c.Kind != yaml.ScalarNode || isNull(c) {
			it.file.fail(ErrYAMLValidate, "'"+key+"' holds something that is no single value", it.where(), at(key, "", c))
			return nil, false
		}
		values = append(values, c.Value)
	}
	return values, true
}
