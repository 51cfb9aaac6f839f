// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// longPathRule wants the beginning and the end of a path, which rules ask for most.
const longPathRule = `- rule: E2E far
  desc: A file of the tests is opened, however far down it is.
  condition: evt.type in (open, openat) and evt.is_open_read=true and fd.name startswith %s/ and fd.filename in (f, %s) and proc.aname=e2e-grand
  output: name=%%fd.name dir=%%fd.directory path=%%fs.path.name place=%%fd.fspath ino=%%fd.ino cwd=%%proc.cwd raw=%%fd.nameraw
  priority: WARNING
`

// TestLongPaths opens files far down. What a path says is exact as long as the kernel's own longest path, and of a longer one the beginning and
// the last name are; what is not known says so.
func TestLongPaths(t *testing.T) {
	privileged(t)
	s := newStage(t)
	long := strings.Repeat("n", 255)
	place := placeOf(t, s.dir)
	d := start(t, launch{rules: fmt.Sprintf(longPathRule, s.dir, long)})
	for i, c := range []struct {
		name         string
		length, step int
		file         string
	}{
		{"a thousand directories", len(s.dir) + 2003, 1, "f"},
		{"as long as a path may be", syscall.PathMax - 3, 1, "f"},
		{"as long as a path may be, by long names", syscall.PathMax - 3, 255, "f"},
		{"a long name", len(s.dir) + 300, 255, long},
		{"a little longer", syscall.PathMax + 10, 1, "f"},
		{"longer", 6000, 200, "f"},
		{"a long name of a longer path", 6000, 255, long},
		{"much longer", 40_000, 250, "f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := filepath.Join(s.dir, fmt.Sprint(i))
			if err := os.Mkdir(top, 0o755); err != nil {
				t.Fatal(err)
			}
			from := d.mark()
			s.play(t, scene{script: fmt.Sprintf(`"$ACT" evade far %s %d %d %s`, top, c.length, c.step, c.file)})
			d.sync()
			alerts := d.alerts(from)
			if len(alerts) != 1 {
				t.Fatalf("%d alerts, want one", len(alerts))
			}
			dir := top
			for len(dir)+1+c.step <= c.length {
				dir += "/" + strings.Repeat("d", c.step)
			}
			a := alerts[0]
			checkLongPath(t, a, "fd.name", dir+"/"+c.file)
			checkLongPath(t, a, "fs.path.name", dir+"/"+c.file)
			checkLongPath(t, a, "fd.fspath", place+strings.TrimPrefix(dir, s.dir)+"/"+c.file)
			checkLongPath(t, a, "proc.cwd", dir+"/")
			if len(dir)+1+len(c.file) < syscall.PathMax {
				checkLongPath(t, a, "fd.directory", dir)
			}
			if raw := a.str("fd.nameraw"); raw != c.file {
				t.Errorf("fd.nameraw is %q, want %q", raw, c.file)
			}
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// unknownPathRules ask for directories of which nothing can be said where they may be in the middle of a path that is longer than what is kept.
const unknownPathRules = `- macro: e2e_far
  condition: evt.type in (open, openat) and evt.is_open_read=true and fd.filename=f and proc.aname=e2e-grand

- rule: E2E below
  desc: A file of the tests is opened.
  condition: e2e_far and fd.name startswith %[1]s/
  output: &output name=%%fd.name
  priority: WARNING

- rule: E2E inside
  desc: A file is opened below a directory of a certain name.
  condition: e2e_far and fd.name contains /secret/
  output: *output
  priority: WARNING

- rule: E2E outside
  desc: A file is opened that is not below one.
  condition: e2e_far and not fd.name contains /secret/
  output: *output
  priority: WARNING

- rule: E2E elsewhere
  desc: A file is opened that lies elsewhere.
  condition: e2e_far and fd.name startswith %[1]s/elsewhere/
  output: *output
  priority: WARNING
`

// TestUnknownPaths opens a file below a thousand directories, with a path that is known and with one that is not: what may be is reported, and
// the alert says that it is no more than that.
func TestUnknownPaths(t *testing.T) {
	privileged(t)
	s := newStage(t)
	d := start(t, launch{rules: fmt.Sprintf(unknownPathRules, s.dir)})
	for _, c := range []struct {
		name string
		step int
		want string
	}{
		{"known", 1, "E2E below, E2E outside"},
		{"unknown", 5, "E2E below, E2E inside perhaps, E2E outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := d.mark()
			top := filepath.Join(s.dir, c.name)
			s.play(t, scene{script: fmt.Sprintf(`mkdir %[1]s; "$ACT" evade far %[1]s %[2]d %[3]d f`, top, len(top)+1000*(1+c.step), c.step)})
			d.sync()
			var got []string
			for _, a := range d.alerts(from) {
				rule := a.Rule
				marked := a.Fields["evt.is_path_unknown"] == true
				if marked != strings.HasSuffix(a.Output, " (perhaps: a part of a path is not known)") {
					t.Errorf("mark and output differ: %s", a.Line)
				}
				if marked {
					rule += " perhaps"
				}
				got = append(got, rule)
			}
			slices.Sort(got)
			if said := strings.Join(got, ", "); said != c.want {
				t.Errorf("alerts are %s, want %s", said, c.want)
			}
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// checkLongPath wants a path whole where it is one that the kernel would take, else as much of it as is kept.
func checkLongPath(t *testing.T, a alert, field, want string) {
	t.Helper()
	got := a.str(field)
	if len(strings.TrimSuffix(want, "/")) < syscall.PathMax {
		if got != want {
			t.Errorf("%s has %d bytes, want %d:\n%q\n%q", field, len(got), len(want), got, want)
		}
		return
	}
	front, tail, cut := strings.Cut(got, "<UNKNOWN>")
	if !cut || len(front) < 1500 || len(tail) < 256 || !strings.HasPrefix(want, front) || !strings.HasSuffix(want, tail) {
		t.Errorf("%s is not the beginning and the end of a path of %d bytes: %q", field, len(want), got)
	}
}
