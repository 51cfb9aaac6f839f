// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestEveryFieldIsRead wants each field that falconet lists to be asked of it by a test of this package: what a field says is to be held against
// what the machine itself says.
func TestEveryFieldIsRead(t *testing.T) {
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, b...)
	}
	r := command(t, "--list", "--format", "json")
	var fields []struct{ Name string }
	if err := json.Unmarshal([]byte(r.stdout), &fields); err != nil || len(fields) < 257 {
		t.Fatalf("%d fields, %v", len(fields), err)
	}
	for _, f := range fields {
		if !regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(f.Name) + `($|\W)`).Match(tests) {
			t.Errorf("no test asks for %s", f.Name)
		}
	}
}
