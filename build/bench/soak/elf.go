// SPDX-License-Identifier: Apache-2.0

package main

import "encoding/binary"

// exits is machine code of x86-64 that calls exit(0).
var exits = []byte{
	0x31, 0xff, // xor %edi, %edi
	0xb8, 60, 0, 0, 0, // mov $60, %eax: exit
	0x0f, 0x05, // syscall
}

// tinyProgram is a static executable that does nothing but end: the two headers without which Linux runs no ELF file, and nine bytes of
// code. Starting it costs what the kernel needs to make and end a process, and no loader, libc or runtime.
func tinyProgram() []byte {
	const (
		fileHeader    = 64
		programHeader = 56
		base          = 0x400000
		start         = fileHeader + programHeader
	)
	size := uint64(start + len(exits))
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */, 1 /* version */, 15: 0}
	b = le.AppendUint16(b, 2)          // type: executable at a fixed address
	b = le.AppendUint16(b, 62)         // machine: x86-64
	b = le.AppendUint32(b, 1)          // version
	b = le.AppendUint64(b, base+start) // entry
	b = le.AppendUint64(b, fileHeader) // where the program headers are
	b = le.AppendUint64(b, 0)          // no section headers
	b = le.AppendUint32(b, 0)          // flags
	b = le.AppendUint16(b, fileHeader) // size of this header
	b = le.AppendUint16(b, programHeader)
	b = le.AppendUint16(b, 1) // one program header
	b = append(b, 0, 0, 0, 0, 0, 0)

	b = le.AppendUint32(b, 1)    // type: load
	b = le.AppendUint32(b, 5)    // readable, executable
	b = le.AppendUint64(b, 0)    // from the start of the file
	b = le.AppendUint64(b, base) // to this address
	b = le.AppendUint64(b, base)
	b = le.AppendUint64(b, size) // in the file
	b = le.AppendUint64(b, size) // in memory
	b = le.AppendUint64(b, 0x1000)
	return append(b, exits...)
}
