// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

func num(k Kind, n uint64) Value { return Value{Kind: k, N: n} }

func boolean(b bool) Value {
	v := Value{Kind: event.Bool}
	if b {
		v.N = 1
	}
	return v
}

// Bool reports whether the value is true.
func (v Value) Bool() bool { return v.N != 0 }

// Int returns a number with its sign.
func (v Value) Int() int64 { return int64(v.N) }

// constant is the extractor of a field that never changes.
func constant(v Value) func(*Ctx, Arg) (Value, bool) {
	return func(*Ctx, Arg) (Value, bool) { return v, true }
}

// never is the extractor of a field that system calls do not have, which is what Falco says of them too.
func never(*Ctx, Arg) (Value, bool) { return Value{}, false }
