// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mismatchRules tell of every open whether the path leads to the file that was opened.
const mismatchRules = `- rule: E2E opened
  desc: A process of the tests opens a file.
  condition: (proc.aname=e2e-grand or proc.pname=e2e-parent) and evt.type in (open, openat) and evt.arg_mismatch exists
  output: mismatch=<%evt.arg_mismatch> name=<%fd.name> raw=<%fd.nameraw> proc=<%proc.name>
  priority: NOTICE
`

func TestArgMismatch(t *testing.T) {
	privileged(t)
	s := newStage(t)
	d := start(t, launch{rules: mismatchRules})
	write(t, filepath.Join(s.dir, "pathA"), "a\n")
	write(t, filepath.Join(s.dir, "pathB"), "b\n")
	if err := os.Symlink(".", filepath.Join(s.dir, "self")); err != nil {
		t.Fatal(err)
	}
	play := func(script string) (outputs []string) {
		t.Helper()
		from := d.mark()
		s.play(t, scene{script: script})
		d.sync()
		for _, a := range d.alerts(from) {
			outputs = append(outputs, a.Output)
		}
		return outputs
	}
	count := func(outputs []string, what ...string) (n int) {
		for _, o := range outputs {
			all := true
			for _, w := range what {
				all = all && strings.Contains(o, w)
			}
			if all {
				n++
			}
		}
		return n
	}
	t.Run("links", func(t *testing.T) {
		out := play(`exec 9<self/pathA; cd self/self; exec 9<self/./self/pathB; sleep 1; :`)
		if count(out, "mismatch=<false> name=<"+s.dir+"/pathA> raw=<self/pathA>") == 0 || count(out, "mismatch=<true>") != 0 {
			t.Errorf("of a path through a link:\n%s", strings.Join(out, "\n"))
		}
	})
	t.Run("libraries", func(t *testing.T) {
		if to, err := os.Readlink("/lib"); err != nil || to != "usr/lib" {
			t.Skip("/lib is no link here")
		}
		out := play(`sleep 1; :`)
		if count(out, "mismatch=<false> name=</usr/lib/", "raw=</lib/", "libc.so", "proc=<sleep>") == 0 || count(out, "mismatch=<true>") != 0 {
			t.Errorf("of libraries:\n%s", strings.Join(out, "\n"))
		}
	})
	t.Run("rewritten", func(t *testing.T) {
		out := play(`"$ACT" rewrite "$D/pathX" "$D/pathB"`)
		if count(out, "mismatch=<true> name=<"+s.dir+"/pathX> raw=<"+s.dir+"/pathB>") == 0 || count(out, "mismatch=<false> name=<"+s.dir+"/pathX> raw=<"+s.dir+"/pathX>") == 0 {
			t.Errorf("of a path that changed while it was used:\n%s", strings.Join(out, "\n"))
		}
	})
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}
