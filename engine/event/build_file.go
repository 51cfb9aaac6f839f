// SPDX-License-Identifier: Apache-2.0

package event

// via is a number in another numbering than the kernel's.
func (p Param) via(num func(*Record, uint64) uint64) Param {
	p.view.num = num
	return p
}

// calc is a number that is made of more than one register or captured number; also names the pieces that f reads.
func calc(name string, t Type, p Print, f func(*Record) (uint64, bool), also ...PartKind) Param {
	return Param{Name: name, Type: t, Print: p, view: view{kind: viewCalc, calc: f, also: PartsOf(also...)}}
}

// descriptor is what a call on a descriptor of any kind captures.
func descriptor(more ...Part) parts {
	return append(socket(more...), Part{Kind: PartPath, Op: OpPath}, Part{Kind: PartFSPath, Op: OpFSPath})
}

// twoHalves are the parts of a structure of two numbers of size bytes at the pointer in register arg, which need not be there: what
// follows the first may be another's.
func twoHalves(arg uint8, size uint16) parts {
	return parts{{Kind: PartMem, Op: OpMem, Arg: arg, Aux: 1, Size: size}, {Kind: PartMem2, Op: OpMem, Arg: arg, Aux: 1, Size: size, Off: size}}
}

// half reads one of twoHalves.
func (r *Record) half(k PartKind, size uint8) (uint64, bool) {
	b, ok := r.Part(k)
	if !ok || len(b) < int(size) {
		return 0, false
	}
	return load(b, size), true
}
