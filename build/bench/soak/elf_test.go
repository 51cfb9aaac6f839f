// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestTinyProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny")
	if err := os.WriteFile(path, tinyProgram(), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "argument").CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v: %q", err, out)
	}
}

func BenchmarkStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "tiny")
	if err := os.WriteFile(path, tinyProgram(), 0o755); err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := exec.Command(path).Run(); err != nil {
				b.Error(err)
			}
		}
	})
}
