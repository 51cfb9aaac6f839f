// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestStorm lets many processes replace their program over and over while their threads open files, and wants each open to be
// reported with the program that made it: names of programs and files go in pairs.
func TestStorm(t *testing.T) {
	privileged(t)
	const (
		chains  = 24
		links   = 12
		threads = 3 // as in act
	)
	dir := tempDir(t)
	want := map[string]string{}
	for n := range chains {
		for k := range links {
			img := fmt.Sprintf("img-%d-%d", n, k)
			link(t, actor(t), filepath.Join(dir, img))
			for th := range threads {
				want[write(t, filepath.Join(dir, fmt.Sprintf("open-%d-%d-%d", n, k, th)), "")] = img
			}
		}
	}
	d := start(t, launch{rules: fmt.Sprintf(`- rule: E2E storm
  desc: A file of the storm is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/open-
  output: storm %%fd.name %%proc.name %%proc.exepath %%proc.exe %%proc.cmdline %%proc.pname %%thread.ismain
  priority: INFO
`, dir)})
	from := d.mark()
	perform(t, exec.Command(actor(t), "chain", dir))
	d.sync()
	seen := map[string]int{}
	wrong := 0
	for _, a := range d.alerts(from) {
		name := a.str("fd.name")
		img, ok := want[name]
		if !ok {
			t.Errorf("alert for a file that is not there: %s", a.Line)
			continue
		}
		seen[name]++
		path := filepath.Join(dir, img)
		if a.str("proc.name") != img || a.str("proc.exepath") != path || a.str("proc.exe") != path || a.str("proc.cmdline") != img+" --chain" || a.str("proc.pname") != "act" {
			if wrong++; wrong <= 10 {
				t.Errorf("opened by %s, but reported is %s", img, a.Line)
			}
		}
	}
	if wrong > 10 {
		t.Errorf("and %d more with the wrong program", wrong-10)
	}
	odd := 0
	for name := range want {
		if seen[name] == 1 {
			continue
		}
		if odd++; odd <= 10 {
			t.Errorf("%s was reported %d times", name, seen[name])
		}
	}
	if odd > 0 {
		t.Errorf("%d of %d opens were not reported once", odd, len(want))
	}
}

// TestShortLived wants the right program for processes that have ended long before their event is read, and for scripts the
// script's name beside the interpreter's path.
func TestShortLived(t *testing.T) {
	privileged(t)
	const runs = 200
	dir := tempDir(t)
	var all strings.Builder
	for n := range runs {
		script := filepath.Join(dir, fmt.Sprintf("job-%d", n))
		write(t, script, fmt.Sprintf("#!/bin/sh\n: <%s/in-%d\n", dir, n))
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("in-%d", n)), "")
		fmt.Fprintf(&all, "%s &\n", script)
		if n%20 == 19 {
			all.WriteString("wait\n")
		}
	}
	d := start(t, launch{rules: fmt.Sprintf(`- rule: E2E short-lived
  desc: A file of the test is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith %s/in-
  output: opened %%fd.name %%proc.name %%proc.cmdline %%proc.pname
  priority: INFO
`, dir)})
	from := d.mark()
	perform(t, exec.Command("/bin/sh", "-c", all.String()))
	d.sync()
	seen := 0
	for _, a := range d.alerts(from) {
		var n int
		if _, err := fmt.Sscanf(strings.TrimPrefix(a.str("fd.name"), dir), "/in-%d", &n); err != nil {
			t.Errorf("alert for another file: %s", a.Line)
			continue
		}
		seen++
		job := fmt.Sprintf("job-%d", n)
		if a.str("proc.name") != job || a.str("proc.cmdline") != fmt.Sprintf("%s %s/%s", job, dir, job) || a.str("proc.pname") != "sh" {
			t.Errorf("opened by %s, but reported is %s", job, a.Line)
		}
	}
	if seen != runs {
		t.Errorf("%d of %d opens were reported", seen, runs)
	}
}
