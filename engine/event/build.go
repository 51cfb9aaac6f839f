// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

// The builders below are the vocabulary of the table: each makes one parameter, so that a plain row is one line.

type params = []Param
type parts = []Part

func on(nr64 int, nr32 ...int) (a, b []int) {
	if nr64 >= 0 {
		a = []int{nr64}
	}
	return a, nr32
}

// row makes a row of a system call; nr gives its numbers.
func row(name string, c Category, f RowFlags, nr64 int, nr32 []int, o Object, caught parts, p params) Row {
	a, b := on(nr64, nr32...)
	return Row{Name: name, Category: c, Flags: f, NR64: a, NR32: b, Object: o, Parts: caught, Params: p}
}

func res() Param { return Param{Name: "res", Type: Errno, Print: Dec} }

// newFD is the descriptor that the call returned.
func newFD() Param { return Param{Name: "fd", Type: FD, Print: Dec} }

// fd is a descriptor argument.
func fd(name string, arg uint8) Param { return number(name, FD, Dec, arg, 4) }

func number(name string, t Type, p Print, arg, size uint8) Param {
	return Param{Name: name, Type: t, Print: p, view: view{kind: viewArg, arg: arg, size: size}}
}

func flags(name string, t Type, p Print, s *FlagSet, arg uint8, num func(*Record, uint64) uint64) Param {
	return Param{Name: name, Type: t, Print: p, Flags: s, view: view{kind: viewArg, arg: arg, size: 4, num: num}}
}

// path is the first string argument, an absolute path or one relative to the working directory.
func path(name string) Param  { return text(name, FSPath, PartName) }
func path2(name string) Param { return text(name, FSPath, PartName2) }

// relPath is a string argument that is relative to the descriptor in parameter dirfd.
func relPath(name string, k PartKind, dirfd int8) Param {
	p := text(name, FSRelPath, k)
	p.DirFD = dirfd
	return p
}

func text(name string, t Type, k PartKind) Param {
	return Param{Name: name, Type: t, view: view{kind: viewPart, part: k}}
}

func cut(name string, t Type, k PartKind, f func([]byte) []byte) Param {
	return Param{Name: name, Type: t, view: view{kind: viewPart, part: k, cut: f}}
}

// in is a number inside a captured structure.
func in(name string, t Type, p Print, k PartKind, off uintptr, size uint8, num func(*Record, uint64) uint64) Param {
	return Param{Name: name, Type: t, Print: p, view: view{kind: viewPart, part: k, off: uint16(off), size: size, num: num}}
}

func task(name string, t Type, p Print, off uintptr, size uint8) Param {
	return in(name, t, p, PartTask, off, size, nil)
}

var (
	fileAt FileFacts
	taskAt TaskFacts
)

func devIno() params {
	return params{
		in("dev", Uint32, Hex, PartFile, unsafe.Offsetof(fileAt.Dev), 4, device),
		in("ino", Uint64, Dec, PartFile, unsafe.Offsetof(fileAt.Ino), 8, same),
	}
}

func str(k PartKind, arg uint8) Part { return Part{Kind: k, Op: OpStr, Arg: arg} }

func dir(k PartKind, arg uint8, of uint8) Part { return Part{Kind: k, Op: OpDir, Arg: arg, Aux: of} }

// named is what a call on a path that leaves no object captures: the string in arg and the directory it starts from.
func named(dirfd, arg uint8) parts {
	return parts{str(PartName, arg), dir(PartDir, dirfd, 0)}
}

// renamed is named for calls with two paths.
func renamed(dirfd, arg, dirfd2, arg2 uint8) parts {
	return parts{str(PartName, arg), str(PartName2, arg2), dir(PartDir, dirfd, 0), dir(PartDir2, dirfd2, 1)}
}

// opened is what a call that opens the path in arg captures: the string, and the file that the kernel made of it. The steps of all
// walks of a record are bounded together: the file's path comes before the directory that a caller chooses the depth of.
func opened(dirfd, arg uint8, more ...Part) parts {
	p := append(parts{str(PartName, arg)}, more...)
	return append(p, Part{Kind: PartFile, Op: OpFile}, Part{Kind: PartPath, Op: OpPath}, Part{Kind: PartFSPath, Op: OpFSPath}, dir(PartDir, dirfd, 0))
}

// file is what a call on a descriptor of a file captures.
func file() parts {
	return parts{{Kind: PartFile, Op: OpFile}, {Kind: PartPath, Op: OpPath}, {Kind: PartFSPath, Op: OpFSPath}}
}

// socket is what a call on a descriptor of a socket captures.
func socket(more ...Part) parts {
	return append(parts{{Kind: PartFile, Op: OpFile}, {Kind: PartSock, Op: OpSock}}, more...)
}

func join(p ...params) (all params) {
	for _, l := range p {
		all = append(all, l...)
	}
	return all
}
