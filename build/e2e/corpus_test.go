// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestCorpus replays captures that build/kernels/corpus.sh has recorded, without privileges, and compares the alerts on them.
func TestCorpus(t *testing.T) {
	dir := filepath.Join(shared.root, "build", "e2e", "testdata", "corpus")
	files, err := filepath.Glob(filepath.Join(dir, "*.scap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	const all, few = "(proc.aname = e2e-grand)", "(proc.aname = e2e-grand and (not fd.name exists or not fd.name startswith / or fd.name startswith /c or evt.type in (execve, procexit)))"
	rules := write(t, filepath.Join(tempDir(t), "rules.yaml"), strings.Replace(recordedRules, all, few, 1))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			config := quietConfig(t, tempDir(t), "")
			r := command(t, "-c", config, "-r", rules, "-o", "time_format_iso_8601=true", "-e", file)
			if r.code != 0 {
				t.Fatalf("ends with %d and says\n%s", r.code, indent(r.stderr))
			}
			golden := file[:len(file)-len(".scap")] + ".golden"
			if *update {
				write(t, golden, r.stdout)
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if r.stdout != string(want) {
				t.Errorf("alerts\n%s\nwant\n%s", indent(r.stdout), indent(string(want)))
			}
		})
	}
}
