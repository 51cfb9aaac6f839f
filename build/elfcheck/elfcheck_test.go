// SPDX-License-Identifier: Apache-2.0

// Package elfcheck tests what the release binary must be: one static, position-independent file without anything that a
// loader, a C library or a debugger would have to bring along.
//
// The binary is $FALCONET_BIN; the tests are skipped when that is not set, for a plain `go build` makes another kind of file.
package elfcheck

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T) (*elf.File, string) {
	t.Helper()
	path := os.Getenv("FALCONET_BIN")
	if path == "" {
		t.Skip("FALCONET_BIN names no release binary")
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, path
}

func TestIsStaticPIE(t *testing.T) {
	f, _ := open(t)
	if f.Type != elf.ET_DYN {
		t.Errorf("type is %v, want %v: not position-independent", f.Type, elf.ET_DYN)
	}
	if f.Machine != elf.EM_X86_64 {
		t.Errorf("machine is %v, want %v", f.Machine, elf.EM_X86_64)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			path := make([]byte, min(p.Filesz, 256))
			_, _ = p.ReadAt(path, 0)
			t.Errorf("PT_INTERP: it asks for the loader %q", bytes.TrimRight(path, "\x00"))
		}
	}
	libs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	if len(libs) > 0 {
		t.Errorf("DT_NEEDED: it asks for %s", strings.Join(libs, ", "))
	}
	if !hasFlag(t, f, elf.DT_FLAGS_1, uint64(elf.DF_1_PIE)) {
		t.Error("DF_1_PIE is not set")
	}
}

func TestIsHardened(t *testing.T) {
	f, _ := open(t)
	if !hasFlag(t, f, elf.DT_FLAGS, uint64(elf.DF_BIND_NOW)) && !hasFlag(t, f, elf.DT_FLAGS_1, uint64(elf.DF_1_NOW)) {
		t.Error("BIND_NOW is not set")
	}
	relro, stack := false, false
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_GNU_RELRO:
			relro = relocationsReadOnly(f, p)
		case elf.PT_GNU_STACK:
			stack = p.Flags&elf.PF_X == 0
		}
		if p.Type == elf.PT_LOAD && p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
			t.Errorf("the segment at %#x is both writable and executable", p.Vaddr)
		}
	}
	if !relro {
		t.Error("RELRO is missing or does not cover the global offset table")
	}
	if !stack {
		t.Error("the stack is executable, or PT_GNU_STACK is missing")
	}
}

// relocationsReadOnly: full RELRO means that the whole offset table is made read-only, .got.plt too where there is one.
func relocationsReadOnly(f *elf.File, relro *elf.Prog) bool {
	for _, name := range []string{".dynamic", ".got", ".got.plt"} {
		s := f.Section(name)
		if s != nil && (s.Addr < relro.Vaddr || s.Addr+s.Size > relro.Vaddr+relro.Memsz) {
			return false
		}
	}
	return f.Section(".dynamic") != nil
}

// TestIsLinkedWithMusl looks for traces in the file and in its symbols, which are beside it.
func TestIsLinkedWithMusl(t *testing.T) {
	_, path := open(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// glibc carries its version and the names of what it would load; musl has neither.
	for _, trace := range []string{"GNU C Library", "GLIBC_2.", "glibc 2.", "libnss_", "ld-linux-x86-64.so"} {
		if at := bytes.Index(content, []byte(trace)); at >= 0 {
			t.Errorf("the C library is glibc: %q at %#x", trace, at)
		}
	}
	names := symbols(t, path)
	// musl's internal names: its thread start and its list of threads' start.
	for _, name := range []string{"__libc_start_main", "__init_libc", "__init_tp", "__dls3"} {
		if names[name] {
			continue
		}
		if name == "__dls3" { // of musl's dynamic loader: static programs lack it
			continue
		}
		t.Errorf("%s is not among its symbols: it is not linked with musl", name)
	}
	if names["__dls3"] {
		t.Error("__dls3 is among its symbols: musl's dynamic loader is linked in")
	}
}

// symbols reads the file of debug symbols.
func symbols(t *testing.T, path string) map[string]bool {
	t.Helper()
	f, err := elf.Open(debugFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	list, err := f.Symbols()
	if err != nil {
		t.Fatalf("read symbols: %v", err)
	}
	names := make(map[string]bool, len(list))
	for _, s := range list {
		names[s.Name] = true
	}
	return names
}

// debugFile follows the link that the binary holds.
func debugFile(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	link := f.Section(".gnu_debuglink")
	if link == nil {
		t.Fatal("no .gnu_debuglink: debuggers do not find its symbols")
	}
	data, err := link.Data()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := bytes.Cut(data, []byte{0})
	return filepath.Join(filepath.Dir(path), string(name))
}

func TestIsStripped(t *testing.T) {
	f, path := open(t)
	for _, s := range f.Sections {
		if s.Type == elf.SHT_SYMTAB || strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, ".zdebug_") {
			t.Errorf("section %s is still there", s.Name)
		}
	}
	debug, err := elf.Open(debugFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = debug.Close() }()
	if debug.Section(".debug_info") == nil && debug.Section(".zdebug_info") == nil {
		t.Error("the symbols beside it hold no debug information")
	}
}

func hasFlag(t *testing.T, f *elf.File, tag elf.DynTag, bit uint64) bool {
	t.Helper()
	values, err := f.DynValue(tag)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if v&bit != 0 {
			return true
		}
	}
	return false
}
