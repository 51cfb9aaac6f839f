// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// withLibraries returns a program and all that it needs to start, each at the path it has here.
func withLibraries(program string) ([]fileArg, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	files := []fileArg{{path, path}}
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	libs, err := f.ImportedLibraries()
	_ = f.Close()
	if err != nil || len(libs) == 0 {
		return files, err
	}
	// The loader itself says which files it would take: "name => /path (address)" or "/path (address)".
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		return nil, fmt.Errorf("list the libraries of %s: %w", path, err)
	}
	for line := range strings.Lines(string(out)) {
		for word := range strings.FieldsSeq(line) {
			if !strings.HasPrefix(word, "/") {
				continue
			}
			if _, err := os.Stat(word); errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("%s needs %s, which is not there", path, word)
			}
			files = append(files, fileArg{word, word})
		}
	}
	return files, nil
}
