// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"encoding/base64"
	"strings"
	"unsafe"

	"falconet/engine/event"
	"falconet/engine/field"
)

// transformer is a function on values. make returns an instance with buffers of its own: what it returns is valid until it is
// called again. ok is false when there is no result.
type transformer struct {
	name string
	in   func(t event.Type, list bool) bool
	out  func(t event.Type, list bool) (event.Type, bool)
	make func() func(v field.Value) (field.Value, bool)
}

func textOnly(t event.Type, _ bool) bool { return t.IsString() }

func textOrBytes(t event.Type, _ bool) bool { return t.IsString() || t == event.ByteBuf }

func sameType(t event.Type, list bool) (event.Type, bool) { return t, list }

func transformers() []transformer {
	return []transformer{
		{"tolower", textOnly, sameType, func() func(field.Value) (field.Value, bool) { return mapBytes(lower) }},
		{"toupper", textOnly, sameType, func() func(field.Value) (field.Value, bool) { return mapBytes(upper) }},
		{"b64", textOrBytes, sameType, decodeBase64},
		{"basename", textOnly, sameType, basename},
		{"len", func(t event.Type, list bool) bool { return list || textOrBytes(t, false) },
			func(event.Type, bool) (event.Type, bool) { return event.Uint64, false }, length},
		{"val", func(event.Type, bool) bool { return true }, sameType, identity},
	}
}

var transformerTable = transformers()

func transformerOf(name string) *transformer {
	for i := range transformerTable {
		if transformerTable[i].name == name {
			return &transformerTable[i]
		}
	}
	return nil
}

func isTransformer(name string) bool { return transformerOf(name) != nil }

func transformerNames(yield func(string) bool) {
	for i := range transformerTable {
		if !yield(transformerTable[i].name) {
			return
		}
	}
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func mapBytes(f func(byte) byte) func(field.Value) (field.Value, bool) {
	var buf []byte
	return func(v field.Value) (field.Value, bool) {
		buf = buf[:0]
		for i := range len(v.S) {
			buf = append(buf, f(v.S[i]))
		}
		v.S = asString(buf)
		return v, true
	}
}

func decodeBase64() func(field.Value) (field.Value, bool) {
	var in, out []byte
	return func(v field.Value) (field.Value, bool) {
		in = append(in[:0], strings.TrimRight(v.S, "=")...)
		if n := base64.RawStdEncoding.DecodedLen(len(in)); cap(out) < n {
			out = make([]byte, n)
		}
		n, err := base64.RawStdEncoding.Decode(out[:cap(out)], in)
		v.S = asString(out[:n])
		return v, err == nil
	}
}

func basename() func(field.Value) (field.Value, bool) {
	return func(v field.Value) (field.Value, bool) {
		v.S = v.S[strings.LastIndexByte(v.S, '/')+1:]
		return v, true
	}
}

func length() func(field.Value) (field.Value, bool) {
	return func(v field.Value) (field.Value, bool) {
		n := len(v.S)
		if v.List != nil {
			n = len(v.List)
		}
		return field.Value{Kind: event.Uint64, N: uint64(n)}, true
	}
}

func identity() func(field.Value) (field.Value, bool) {
	return func(v field.Value) (field.Value, bool) { return v, true }
}
