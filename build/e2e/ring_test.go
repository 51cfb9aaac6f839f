// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"
)

// ringOutput adds to the outputs of Falco's rules, which stay as they are otherwise, by what way the call was made.
const ringOutput = `
- rule: Read sensitive file untrusted
  output: ring=%evt.is_io_uring
  override: {output: append}

- rule: Create Symlink Over Sensitive Files
  output: ring=%evt.is_io_uring
  override: {output: append}
`

// TestFalcoRulesOnRings wants Falco's own rules, which know nothing of io_uring, to see what is asked of a ring, by the process that asked.
func TestFalcoRulesOnRings(t *testing.T) {
	privileged(t)
	files := falcoRules(t)
	s := newStage(t)
	d := start(t, launch{files: files[len(files)-1:], rules: ringOutput})
	const read, linked = "Read sensitive file untrusted", "Create Symlink Over Sensitive Files"
	for _, c := range []struct {
		name, script, rule string
		want               map[string]any
	}{
		{"call", `"$ACT" cat /etc/shadow`, read, map[string]any{"evt.type": "openat", "fd.name": "/etc/shadow", "evt.is_io_uring": false, "proc.cmdline": "act cat /etc/shadow"}},
		{"ring", `"$ACT" ring /etc/shadow plain`, read,
			map[string]any{"evt.type": "openat", "fd.name": "/etc/shadow", "evt.is_io_uring": true, "proc.cmdline": "act ring /etc/shadow plain", "proc.exepath": s.act}},
		{"worker", `"$ACT" ring /etc/../etc/shadow async`, read,
			map[string]any{"evt.type": "openat", "fd.name": "/etc/shadow", "evt.is_io_uring": true, "proc.name": "act", "user.name": "root"}},
		{"kernel's thread", `"$ACT" ring /etc/shadow polled`, read,
			map[string]any{"evt.type": "openat", "fd.name": "/etc/shadow", "evt.is_io_uring": true, "proc.cmdline": "act ring /etc/shadow polled", "proc.exepath": s.act}},
		{"link", `"$ACT" ring /etc/shadow plain ring-link`, linked,
			map[string]any{"evt.type": "symlinkat", "evt.arg.target": "/etc/shadow", "evt.is_io_uring": true, "proc.name": "act"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := d.mark()
			s.play(t, scene{name: c.name, script: c.script})
			d.sync()
			var got []alert
			for _, a := range d.alerts(from) {
				if a.Rule == c.rule && a.str("proc.name") == "act" {
					got = append(got, a)
				}
			}
			if len(got) != 1 {
				t.Fatalf("%d alerts, want one: %v", len(got), got)
			}
			for field, want := range c.want {
				if v := got[0].Fields[field]; v != want {
					t.Errorf("%s is %v, want %v", field, v, want)
				}
			}
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}
