// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// heldRules are about what is gone when a call returns.
const heldRules = `- macro: e2e_caller
  condition: proc.aname=e2e-grand or proc.pname=e2e-parent

- rule: E2E closed
  desc: A process of the tests closes a file.
  condition: e2e_caller and evt.type = close and fd.name contains /held-
  output: <%evt.type> name=<%fd.name> type=<%fd.type> ino=<%fd.ino> fspath=<%fd.fspath> compat=<%evt.is_compat32>
  priority: NOTICE

- rule: E2E replaced
  desc: A process of the tests puts another file in the place of one that it has open.
  condition: e2e_caller and evt.type in (dup2, dup3) and fd.replaced contains /held-
  output: <%evt.type> name=<%fd.name> replaced=<%fd.replaced>
  priority: NOTICE

- rule: E2E path
  desc: A process of the tests changes a name.
  condition: e2e_caller and evt.type in (unlink, unlinkat, rmdir, rename, renameat, renameat2, chmod, fchmodat, umount2, mkdir)
  output: <%evt.type> origin=<%fs.path.origin> name=<%fs.path.name> source=<%fs.path.source> target=<%fs.path.target> ino=<%fd.ino> raw=<%fs.path.nameraw>
  priority: NOTICE
`

func TestHeld(t *testing.T) {
	privileged(t)
	s := newStage(t)
	d := start(t, launch{rules: heldRules})
	for _, dir := range []string{"real", "real/dir"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("real", filepath.Join(s.dir, "alias")); err != nil {
		t.Fatal(err)
	}
	ino := make(map[string]string)
	for _, name := range []string{"held-one", "held-two", "held-three", "real/x", "real/y", "real/mode"} {
		var st syscall.Stat_t
		if err := syscall.Stat(write(t, filepath.Join(s.dir, name), "text\n"), &st); err != nil {
			t.Fatal(err)
		}
		ino[name] = strconv.FormatUint(st.Ino, 10)
	}
	real, alias := s.dir+"/real", s.dir+"/alias"
	for _, c := range []struct {
		name, script string
		want         string // on every kernel, or with the kernel's own path
		argument     string // where there is but the argument
	}{
		{"close", `exec 9<held-one; exec 9<&-`, "<close> name=<" + s.dir + "/held-one> type=<file> ino=<" + ino["held-one"] + ">", ""},
		{"32-bit close", `"$ACT386" cat held-two`, "<close> name=<" + s.dir + "/held-two> type=<file> ino=<" + ino["held-two"] + ">", ""},
		{"replaced", `bash -c "exec 9<held-three; exec 9</dev/null"`, "> name=</dev/null> replaced=<" + s.dir + "/held-three>", ""},
		{"unlink", `rm alias/x`, "origin=<kernel> name=<" + real + "/x> source=<<NA>> target=<<NA>> ino=<" + ino["real/x"] + ">", "origin=<argument> name=<" + alias + "/x>"},
		{"rename", `mv alias/y alias/z`, "origin=<kernel> name=<<NA>> source=<" + real + "/y> target=<" + real + "/z> ino=<" + ino["real/y"] + ">",
			"origin=<argument> name=<<NA>> source=<" + alias + "/y> target=<" + alias + "/z>"},
		{"rmdir", `rmdir alias/dir`, "origin=<kernel> name=<" + real + "/dir>", "origin=<argument> name=<" + alias + "/dir>"},
		{"mkdir", `mkdir alias/made`, "origin=<kernel> name=<" + real + "/made>", "origin=<argument> name=<" + alias + "/made>"},
		{"chmod", `chmod 600 alias/mode`, "origin=<kernel> name=<" + real + "/mode> source=<<NA>> target=<<NA>> ino=<" + ino["real/mode"] + ">",
			"origin=<argument> name=<" + alias + "/mode>"},
		{"umount", `unshare -m "$0" -c 'mount -t tmpfs e2e alias; umount -i alias; :'`, "<umount2> origin=<kernel> name=<" + real + ">", "<umount2> origin=<argument> name=<"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "32-bit close" {
				runs32(t)
			}
			from := d.mark()
			s.play(t, scene{name: c.name, script: c.script})
			d.sync()
			found := false
			for _, a := range d.alerts(from) {
				t.Log(a.Line)
				argument := c.argument != "" && os.Getenv("FALCONET_REQUIRE_32BIT") != "1" && strings.Contains(a.Output, c.argument)
				found = found || argument || strings.Contains(a.Output, c.want)
			}
			if !found {
				t.Errorf("no alert with %q", c.want)
			}
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}
