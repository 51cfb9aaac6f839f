// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"
	"strconv"

	"falconet/engine/event"
)

// appendPolled appends the descriptors of a poll as Falco writes them: each with the letter of its kind ("?" where nothing is behind it)
// and what the call found, in hexadecimal: "3:f1 4:p0".
func appendPolled(dst, list []byte) []byte {
	for i := 0; ; i++ {
		f, ok := event.Poll(list, i)
		if !ok {
			return dst
		}
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(strconv.AppendInt(dst, int64(f.FD), 10), ':')
		if f.Found != 0 {
			name, _, _ := bytes.Cut(f.Name[:], []byte{0})
			dst = append(dst, kindOf(f.Kind, name).char...)
		} else {
			dst = append(dst, '?')
		}
		dst = strconv.AppendUint(dst, uint64(f.Revents), 16)
	}
}

// appendSignals appends the names of a set of signals, the first of which is bit 0.
func appendSignals(dst []byte, set uint64) []byte {
	mark := len(dst)
	for n := uint64(1); n <= 32; n++ {
		name := signalName(n)
		if set>>(n-1)&1 == 0 || name == "" {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, ' ')
		}
		dst = append(dst, name...)
	}
	return dst
}

// appendMode names the permissions of a file and its type, whose bits stand for one value together.
func appendMode(dst []byte, set *event.FlagSet, n uint64) []byte {
	const kind = 0o170000
	mark := len(dst)
	for _, f := range set.Flags {
		bits := uint64(f.Value)
		if bits&kind != 0 && n&kind != bits || n&bits != bits {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, '|')
		}
		dst = append(dst, f.Name...)
	}
	return dst
}
