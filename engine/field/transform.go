// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/base64"
	"strings"

	"falconet/engine/event"
)

// Transformer is a function on values that conditions and templates can put around a field. In says whether it works on values
// of a type, Out what type it makes of one. Make returns an instance with buffers of its own: what it returns is valid until it is
// called again, and ok is false when there is no result. TakesList says that it takes a list as a whole and makes a single value of it.
type Transformer struct {
	Name      string
	In        func(t event.Type, list bool) bool
	Out       func(t event.Type, list bool) (event.Type, bool)
	Make      func() func(v Value) (Value, bool)
	TakesList bool
	Of        func(Domain) Domain // which values it makes of those of a domain; nil when nothing is known
}

func textOnly(t event.Type, _ bool) bool { return t.IsString() }

func textOrBytes(t event.Type, _ bool) bool { return t.IsString() || t == event.ByteBuf }

func sameType(t event.Type, list bool) (event.Type, bool) { return t, list }

func transformers() []Transformer {
	return []Transformer{
		{"tolower", textOnly, sameType, func() func(Value) (Value, bool) { return mapBytes(lowerByte) }, false, lowerDomain},
		{"toupper", textOnly, sameType, func() func(Value) (Value, bool) { return mapBytes(upperByte) }, false, upperDomain},
		{"b64", textOrBytes, sameType, decodeBase64, false, nil},
		{"basename", textOnly, sameType, lastComponent, false, lastDomain},
		{"len", func(t event.Type, list bool) bool { return list || textOrBytes(t, false) },
			func(event.Type, bool) (event.Type, bool) { return event.Uint64, false }, length, true, nil},
		{"val", func(event.Type, bool) bool { return true }, sameType, identity, false, nil},
	}
}

var transformerTable = transformers()

// TransformerOf returns the named transformer, nil when there is none.
func TransformerOf(name string) *Transformer {
	for i := range transformerTable {
		if transformerTable[i].Name == name {
			return &transformerTable[i]
		}
	}
	return nil
}

// IsTransformer reports whether name is a transformer, of one argument or of several.
func IsTransformer(name string) bool { return TransformerOf(name) != nil || combinerOf(name) != nil }

// TransformerNames yields the name of every transformer.
func TransformerNames(yield func(string) bool) {
	for i := range transformerTable {
		if !yield(transformerTable[i].Name) {
			return
		}
	}
	for i := range combiners {
		if !yield(combiners[i].name) {
			return
		}
	}
}

// On returns an instance for values that are lists, when list is set, or none. A transformer of single values works on every element of a
// list, and leaves out those without a result. out says whether the result is a list.
func (t *Transformer) On(list bool) (call func(v Value) (Value, bool), out bool) {
	one := t.Make()
	if !list || t.TakesList {
		return one, false
	}
	var l listBuilder
	return func(v Value) (Value, bool) {
		l.begin()
		for _, e := range v.List() {
			e, ok := one(e)
			if !ok {
				continue
			}
			mark := len(l.buf) // one uses its buffer again for the next element
			l.buf = append(l.buf, e.S...)
			e.S = text(l.buf[mark:])
			l.list = append(l.list, e)
		}
		return ListOf(v.Kind, l.list), true
	}, true
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upperByte(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func mapBytes(f func(byte) byte) func(Value) (Value, bool) {
	var buf []byte
	return func(v Value) (Value, bool) {
		buf = buf[:0]
		for i := range len(v.S) {
			buf = append(buf, f(v.S[i]))
		}
		v.S = text(buf)
		return v, true
	}
}

func decodeBase64() func(Value) (Value, bool) {
	var in, out []byte
	return func(v Value) (Value, bool) {
		in = append(in[:0], strings.TrimRight(v.S, "=")...)
		if n := base64.RawStdEncoding.DecodedLen(len(in)); cap(out) < n {
			out = make([]byte, n)
		}
		n, err := base64.RawStdEncoding.Decode(out[:cap(out)], in)
		v.S = text(out[:n])
		return v, err == nil
	}
}

func lastComponent() func(Value) (Value, bool) {
	return func(v Value) (Value, bool) {
		v.S = v.S[strings.LastIndexByte(v.S, '/')+1:]
		return v, true
	}
}

func length() func(Value) (Value, bool) {
	return func(v Value) (Value, bool) {
		n := len(v.S)
		return Value{Kind: event.Uint64, N: uint64(n)}, true
	}
}

func identity() func(Value) (Value, bool) {
	return func(v Value) (Value, bool) { return v, true }
}
