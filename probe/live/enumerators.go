// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// kernelTypes is the running kernel's type information.
const kernelTypes = "/sys/kernel/btf/vmlinux"

var errTypes = errors.New("malformed type information")

// enumerators returns the values of constants of enumerations without a name, which cannot be looked up: 0 for one that does not exist.
// To decode all types for them would take longer than everything else that a start does. The format is that of
// Documentation/bpf/btf.rst, in the machine's byte order.
func enumerators(types []byte, names ...string) ([]uint32, error) {
	const header = 24
	if len(types) < header || binary.LittleEndian.Uint16(types) != 0xeb9f {
		return nil, errTypes
	}
	word := func(at int) int { return int(binary.LittleEndian.Uint32(types[at:])) }
	begin := word(4)
	section := func(at int) ([]byte, bool) {
		from, size := begin+word(at), word(at+4)
		if from > len(types) || size > len(types)-from {
			return nil, false
		}
		return types[from : from+size], true
	}
	list, ok := section(8)
	text, ok2 := section(16)
	if !ok || !ok2 {
		return nil, errTypes
	}
	wanted := make(map[uint32]int)
	for i, name := range names {
		if at := bytes.Index(text, []byte("\x00"+name+"\x00")); at >= 0 {
			wanted[uint32(at+1)] = i
		}
	}
	values := make([]uint32, len(names))
	for len(list) >= 12 {
		info := binary.LittleEndian.Uint32(list[4:])
		kind, n := info>>24&0x1f, int(info&0xffff)
		list = list[12:]
		fixed, each := extra(kind)
		size := fixed + each*n
		if size > len(list) {
			return nil, errTypes
		}
		if kind == kindEnum || kind == kindEnum64 {
			for e := list[:size]; len(e) >= each; e = e[each:] {
				if i, ok := wanted[binary.LittleEndian.Uint32(e)]; ok {
					values[i] = binary.LittleEndian.Uint32(e[4:])
				}
			}
		}
		list = list[size:]
	}
	return values, nil
}

const (
	kindEnum   = 6
	kindEnum64 = 19
)

// extra is how many bytes follow the three words of a type: in all, and for each of its members.
func extra(kind uint32) (fixed, each int) {
	switch kind {
	case 1, 14, 17: // integer, variable, tag
		return 4, 0
	case 3: // array
		return 12, 0
	case 4, 5, 15, kindEnum64: // structure, union, section
		return 0, 12
	case kindEnum, 13: // function prototype
		return 0, 8
	}
	return 0, 0
}
