// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostileNames are names of files that are made to fool who reads the alerts.
var hostileNames = []string{
	"new\nline",
	"forged\n00:00:00.000000000: Critical E2E forged",
	"forged\n" + `{"hostname":"h","output":"E2E forged","output_fields":{},"priority":"Critical","rule":"E2E forged","source":"syscall","tags":[],"time":"2000-01-01T00:00:00.000000000Z"}`,
	`quote","rule":"E2E forged","x":"`,
	"return\rE2E",
	"escape \x1b[2J\x1b]0;E2E\x07",
	"back\b\b\b\bspace",
	"c1 \u009b2J \u0085next",
	"separators \u2028 and \u2029",
	"override \u202etxt.exe\u2066",
	"invalid \xff\xfe \xc0\x80 \xed\xa0\x80",
	"cut \xe2\x80",
	`back\slash \n %fd.name %s`,
	"tab\tand\vand\fand\x7f",
	"plain ünïcödé 漢字 🦅",
}

// TestHostileNames wants one line of output for each such file, in which the name can do no harm and from which JSON readers get
// it back unchanged.
func TestHostileNames(t *testing.T) {
	privileged(t)
	for _, text := range []bool{false, true} {
		t.Run(map[bool]string{false: "json", true: "text"}[text], func(t *testing.T) {
			dir := filepath.Join(tempDir(t), "evil")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			sh, err := os.ReadFile("/bin/sh")
			if err != nil {
				t.Fatal(err)
			}
			d := start(t, launch{text: text, rules: fmt.Sprintf(`- rule: E2E hostile
  desc: A file of the test is opened.
  condition: evt.type in (open, openat, openat2) and evt.is_open_read=true and evt.is_open_create=false and fd.name startswith %s/file and proc.exepath startswith %[1]s/sh
  output: hostile name=<%%fd.name> proc=<%%proc.name> cmdline=<%%proc.cmdline> exe=<%%proc.exepath> cwd=<%%proc.cwd> args=<%%evt.args> env=<%%proc.env[E2E]>
  priority: NOTICE
`, dir)})
			for i, name := range hostileNames {
				file, prog, cwd := filepath.Join(dir, "file "+name), filepath.Join(dir, "sh "+name), filepath.Join(dir, "cwd "+name)
				write(t, file, "")
				if err := os.WriteFile(prog, sh, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(cwd, 0o755); err != nil {
					t.Fatal(err)
				}
				from := d.mark()
				cmd := exec.Command(prog, "-c", `: <"$1"`, "x", file)
				cmd.Dir = cwd
				cmd.Env = []string{"E2E=" + name}
				perform(t, cmd)
				d.sync()
				var lines []string
				for _, line := range d.since(from) {
					if !strings.Contains(line, d.canary) {
						lines = append(lines, line)
					}
				}
				if len(lines) != 1 {
					t.Errorf("name %d: %d lines of output, want one: %q", i, len(lines), lines)
				}
				for _, line := range lines {
					checkHostile(t, d, line, file, prog)
				}
			}
			d.stop()
		})
	}
}

func checkHostile(t *testing.T, d *daemon, line, file, prog string) {
	t.Helper()
	checkLine(t, line)
	a, ok := d.parse(line)
	if !ok || a.Priority != "Notice" {
		t.Errorf("line is no alert of the rule: %q", line)
		return
	}
	if d.text {
		if plain := strings.Map(printable, file); plain == file && !strings.Contains(line, "name=<"+file+">") {
			t.Errorf("line does not hold the name %q as it is: %q", file, line)
		}
		return
	}
	if a.Rule != "E2E hostile" {
		t.Errorf("rule is %q", a.Rule)
	}
	for field, want := range map[string]string{"fd.name": file, "proc.exepath": prog} {
		if got := a.str(field); utf8.ValidString(want) && got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

// printable drops what is not shown as it is in a line of text.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f || r >= 0x2000 && r <= 0x206f || r == utf8.RuneError {
		return -1
	}
	return r
}
