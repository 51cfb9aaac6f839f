// SPDX-License-Identifier: Apache-2.0

// Package elfcheck tests what the release binary must be: one static file that any Linux starts, hardened, with its symbols beside it.
package elfcheck

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func open(t *testing.T) (path string, f *elf.File) {
	t.Helper()
	path = os.Getenv("FALCONET_BIN")
	if path == "" {
		path = "../bin/falconet"
	}
	f, err := elf.Open(path)
	if err != nil {
		if os.Getenv("FALCONET_BIN") == "" && os.IsNotExist(err) {
			t.Skip("make build has not run")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return path, f
}

func TestStaticAndHardened(t *testing.T) {
	_, f := open(t)
	if f.Type != elf.ET_DYN {
		t.Errorf("the binary is %v, not position-independent", f.Type)
	}
	relro := false
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			t.Error("the binary asks for an interpreter: it is not static")
		case elf.PT_GNU_RELRO:
			relro = true
		case elf.PT_GNU_STACK:
			if p.Flags&elf.PF_X != 0 {
				t.Error("the stack is executable")
			}
		case elf.PT_LOAD:
			if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
				t.Error("a segment is writable and executable")
			}
		}
	}
	if !relro {
		t.Error("no segment is made read-only after relocation (RELRO)")
	}
	libs, err := f.ImportedLibraries()
	if err != nil || len(libs) > 0 {
		t.Errorf("the binary needs libraries: %q, %v", libs, err)
	}
	flags, err := f.DynValue(elf.DT_FLAGS)
	flags1, err1 := f.DynValue(elf.DT_FLAGS_1)
	now := err == nil && len(flags) > 0 && flags[0]&uint64(elf.DF_BIND_NOW) != 0 ||
		err1 == nil && len(flags1) > 0 && flags1[0]&uint64(elf.DF_1_NOW) != 0
	if !now {
		t.Error("symbols are not bound at start (BIND_NOW): RELRO is not full")
	}
}

func TestLinkedAgainstMusl(t *testing.T) {
	path, _ := open(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"GNU C Library", "GLIBC_2", "GLIBC_PRIVATE"} {
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("the binary contains %q: its C library is glibc", text)
		}
	}
}

func TestSymbolsAreBesideIt(t *testing.T) {
	path, f := open(t)
	if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
		t.Error("the binary is not stripped")
	}
	link := f.Section(".gnu_debuglink")
	if link == nil {
		t.Fatal("the binary does not name its symbols (.gnu_debuglink)")
	}
	b, err := link.Data()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := bytes.Cut(b, []byte{0})
	d, err := elf.Open(filepath.Join(filepath.Dir(path), string(name)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	symbols, err := d.Symbols()
	if err != nil || d.Section(".debug_info") == nil {
		t.Errorf("%s has no symbols: %v", name, err)
	}
	// A function that musl has and glibc does not: linking without any C library is no way around glibc either.
	if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == "__init_libc" }) {
		t.Errorf("%s has no symbol of musl", name)
	}
	id, other := buildID(f), buildID(d)
	if !bytes.Equal(id, other) || len(id) == 0 {
		t.Errorf("%s is of another build", name)
	}
}

func buildID(f *elf.File) []byte {
	s := f.Section(".note.gnu.build-id")
	if s == nil {
		return nil
	}
	b, err := s.Data()
	if err != nil {
		return nil
	}
	return b
}
