// SPDX-License-Identifier: Apache-2.0

package event

// calc is a number that is made of more than one register or captured number; also names the pieces that f reads.
func calc(name string, t Type, p Print, f func(*Record) (uint64, bool), also ...PartKind) Param {
	return Param{Name: name, Type: t, Print: p, view: view{kind: viewCalc, calc: f, also: PartsOf(also...)}}
}

// named gives a number the names of a flag set.
func (p Param) named(s *FlagSet) Param {
	p.Flags = s
	return p
}

// printed gives a parameter another notation.
func (p Param) printed(as Print) Param {
	p.Print = as
	return p
}

// ret is the call's result under another name or type than an error's.
func ret(name string, t Type, p Print) Param { return Param{Name: name, Type: t, Print: p} }

// enum is an argument whose values are the schema's.
func enum(name string, t Type, s *FlagSet, arg uint8) Param {
	return flags(name, t, Dec, s, arg, nil)
}

// textWhen is a string argument that only some calls have: what their register points to means nothing for the others.
func textWhen(name string, k PartKind, when func(*Record) bool) Param {
	p := text(name, CharBuf, k)
	p.view.when = when
	return p
}

// optional is a part of a call that need not have it: where the register is no pointer to something that can be read, it is absent,
// and nothing is wrong.
func optional(k PartKind, op Op, arg uint8, size, off uint16) Part {
	return Part{Kind: k, Op: op, Arg: arg, Aux: 1, Size: size, Off: off}
}

// at reads a number from user memory that was captured from the pointer in register arg. A call without the pointer has 0; ok is false
// when the memory could not be read.
func (r *Record) at(arg int, k PartKind, off, size int) (v uint64, ok bool) {
	if r.Args[arg] == 0 {
		return 0, true
	}
	b, ok := r.Part(k)
	if !ok || len(b) < off+size {
		return 0, false
	}
	return load(b[off:], uint8(size)), true
}

// word is the size of a long in the call's table.
func (r *Record) word() int {
	if r.Compat32() {
		return 4
	}
	return 8
}

// signed is an argument as a signed number of the size of a long.
func (r *Record) signed(arg int) uint64 { return extend(r.Args[arg], uint8(r.word()), true) }

// twoWords are the parts of a structure of two longs at the pointer in register arg. A 32-bit call has both in the first part; what
// follows is not its own.
func twoWords(arg uint8) parts {
	return parts{{Kind: PartMem, Op: OpMem, Arg: arg, Aux: 1, Size: 8}, {Kind: PartMem2, Op: OpMem, Arg: arg, Aux: 1, Size: 8, Off: 8}}
}

// long reads the i-th long of twoWords.
func (r *Record) long(arg, i int) (uint64, bool) {
	switch {
	case r.Compat32():
		return r.at(arg, PartMem, 4*i, 4)
	case i == 0:
		return r.at(arg, PartMem, 0, 8)
	}
	return r.at(arg, PartMem2, 0, 8)
}
