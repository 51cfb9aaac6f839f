// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// An asm is a program of a few system calls, written as machine code: what Go's runtime cannot do (a raw vfork, a call through
// the other table, a process without any other call) and without a toolchain. It uses no stack.
type asm struct {
	bits    int  // 64 or 32: the kind of ELF file
	int80   bool // 64-bit code that calls through the 32-bit table
	code    []byte
	data    []byte
	results int // slots of results so far
}

// The file is one segment: headers, code, results, data, each at a fixed place.
const (
	asmBase    = 0x400000
	asmCode    = 0x1000
	asmResults = 0x2000
	asmData    = 0x3000
	asmRoom    = 0x4000 // of data
)

func newAsm(bits int) *asm { return &asm{bits: bits, int80: bits == 32} }

func (a *asm) emit(b ...byte) { a.code = append(a.code, b...) }

// put places bytes in the data, aligned for any use.
func (a *asm) put(b []byte) uint64 {
	at := len(a.data)
	a.data = append(a.data, b...)
	a.data = append(a.data, make([]byte, 16-len(a.data)%16)...)
	return asmBase + asmData + uint64(at)
}

func (a *asm) str(s string) uint64 { return a.put(append([]byte(s), 0)) }

// words is a vector of pointers.
func (a *asm) words(w ...uint64) uint64 {
	var b []byte
	for _, v := range w {
		if a.bits == 32 || a.int80 {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		} else {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	return a.put(b)
}

// space is the end of room for a stack.
func (a *asm) space() uint64 { return a.put(make([]byte, 1024)) + 1024 }

// imm loads register r (0 to 15) with a number.
func (a *asm) imm(r int, v uint64) {
	if a.bits == 32 {
		a.emit(0xb8 + byte(r))
		a.code = binary.LittleEndian.AppendUint32(a.code, uint32(v))
		return
	}
	a.emit(0x48|byte(r>>3), 0xb8+byte(r&7))
	a.code = binary.LittleEndian.AppendUint64(a.code, v)
}

// moffs emits an instruction with an absolute address: 0xa3 stores the result register, 0xa1 loads it.
func (a *asm) moffs(op byte, at uint64) {
	if a.bits == 32 {
		a.emit(op)
		a.code = binary.LittleEndian.AppendUint32(a.code, uint32(at))
		return
	}
	a.emit(0x48, op)
	a.code = binary.LittleEndian.AppendUint64(a.code, at)
}

// sys makes a system call and keeps its result in the slot whose number it returns.
func (a *asm) sys(nr int, args ...uint64) int {
	registers := []int{7, 6, 2, 10, 8, 9} // di si dx r10 r8 r9
	if a.int80 {
		registers = []int{3, 1, 2, 6, 7, 5} // bx cx dx si di bp
	}
	for i, r := range registers {
		v := uint64(0)
		if i < len(args) {
			v = args[i]
		}
		a.imm(r, v)
	}
	a.imm(0, uint64(nr))
	if a.int80 {
		a.emit(0xcd, 0x80)
	} else {
		a.emit(0x0f, 0x05)
	}
	a.moffs(0xa3, asmBase+asmResults+8*uint64(a.results))
	a.results++
	return a.results - 1
}

// ifZero runs the instructions of f when the last result was 0.
func (a *asm) ifZero(f func()) {
	a.emit(0x85, 0xc0, 0x0f, 0x85, 0, 0, 0, 0) // test eax, eax; jnz over f
	from := len(a.code)
	f()
	binary.LittleEndian.PutUint32(a.code[from-4:], uint32(len(a.code)-from))
}

// pause waits for the signal that ends the process.
func (a *asm) pause() {
	from := len(a.code)
	a.sys(a.nr(syscall.SYS_PAUSE, 29))
	a.emit(0xe9)
	a.code = binary.LittleEndian.AppendUint32(a.code, uint32(from-len(a.code)-4))
}

// nr picks the number of a call in the table that the program uses.
func (a *asm) nr(native, compat int) int {
	if a.int80 {
		return compat
	}
	return native
}

func (a *asm) exit(code uint64) { a.sys(a.nr(syscall.SYS_EXIT_GROUP, 252), code) }

// file writes the program.
func (a *asm) file(t testing.TB, dir, name string) string {
	t.Helper()
	if len(a.code) > asmResults-asmCode || 8*a.results > asmData-asmResults || len(a.data) > asmRoom {
		t.Fatal("the program is too long")
	}
	image := make([]byte, asmData+asmRoom)
	copy(image, a.header(uint64(len(image))))
	copy(image[asmCode:], a.code)
	copy(image[asmData:], a.data)
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, image, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// header is the ELF header and the one program header behind it (elf(5)).
func (a *asm) header(size uint64) []byte {
	class, machine, word, ehsize, phsize := byte(2), uint16(62), 8, 64, 56
	if a.bits == 32 {
		class, machine, word, ehsize, phsize = 1, 3, 4, 52, 32
	}
	var b []byte
	le := binary.LittleEndian
	long := func(v uint64) {
		if word == 4 {
			b = le.AppendUint32(b, uint32(v))
		} else {
			b = le.AppendUint64(b, v)
		}
	}
	b = append(b, 0x7f, 'E', 'L', 'F', class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint16(b, 2) // ET_EXEC
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1)
	long(asmBase + asmCode)
	long(uint64(ehsize))
	long(0)
	b = le.AppendUint32(b, 0)
	for _, v := range []int{ehsize, phsize, 1, 0, 0, 0} {
		b = le.AppendUint16(b, uint16(v))
	}
	const load, rwx = 1, 7
	b = le.AppendUint32(b, load)
	if word == 8 {
		b = le.AppendUint32(b, rwx)
	}
	long(0)
	long(asmBase)
	long(asmBase)
	long(size)
	long(size)
	if word == 4 {
		b = le.AppendUint32(b, rwx)
	}
	long(0x1000)
	return b
}

// paused is a program that does nothing until it is killed.
func paused(t testing.TB, bits int, dir, name string) string {
	a := newAsm(bits)
	a.pause()
	return a.file(t, dir, name)
}
