// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// secretRule watches one file of the machine and one of the test, by its names and by what it is whatever it is called.
const secretRule = `- list: e2e_secrets
  items: [/etc/shadow, %[1]s/secret]

- macro: e2e_open
  condition: evt.type in (open, openat, openat2, creat)

- rule: E2E secret opened
  desc: Somebody looks at what the tests keep secret.
  condition: e2e_open and evt.is_open_read=true and fd.num>=0 and (fd.name in (e2e_secrets) or (fd.ino=%[2]d and fd.dev=%[3]d)) and proc.aname=e2e-grand
  output: secret opened fd.name=<%%fd.name> fd.nameraw=<%%fd.nameraw> proc.name=<%%proc.name> proc.cmdline=<%%proc.cmdline> proc.pname=<%%proc.pname> proc.aname[2]=<%%proc.aname[2]> user.name=<%%user.name> user.uid=<%%user.uid> container.id=<%%container.id>
  priority: WARNING
  tags: [e2e, a_tag]
`

// secretFields are the fields of that rule's output.
var secretFields = []string{"container.id", "fd.name", "fd.nameraw", "proc.aname[2]", "proc.cmdline", "proc.name", "proc.pname", "user.name", "user.uid"}

// scene is one way to open a file. The script runs in a shell named e2e-parent, which one named e2e-grand has started.
type scene struct {
	name   string
	script string
	uid    uint32
	want   map[string]string // nil: nothing may be reported
}

// stage is where scenes are played.
type stage struct {
	dir    string // with the secret in it
	act    string
	act386 string
	parent string
	grand  string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir := tempDir(t)
	s := &stage{dir: dir, act: filepath.Join(dir, "act"), act386: filepath.Join(dir, "act386")}
	link(t, actor(t), s.act)
	link(t, program(t, shared.act386), s.act386)
	s.parent, s.grand = filepath.Join(dir, "e2e-parent"), filepath.Join(dir, "e2e-grand")
	for _, to := range []string{s.parent, s.grand} {
		sh, err := os.ReadFile("/bin/sh")
		if err == nil {
			err = os.WriteFile(to, sh, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"secret", "other"} {
		write(t, filepath.Join(dir, name), "the tests' own\n")
	}
	return s
}

func link(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Link(from, to); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) rule(t *testing.T) string {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(s.dir, "secret"), &st); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(secretRule, s.dir, st.Ino, st.Dev)
}

// play runs a script three generations below the test.
func (s *stage) play(t *testing.T, sc scene) {
	t.Helper()
	perform(t, s.command(sc))
}

func (s *stage) command(sc scene) *exec.Cmd {
	// The colons keep the shells from replacing themselves by their last command.
	cmd := exec.Command(s.grand, "-c", `"$0" -e -c "$1; :"; r=$?; exit $r`, s.parent, sc.script)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "D=" + s.dir, "ACT=" + s.act, "ACT386=" + s.act386}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: sc.uid, Gid: sc.uid}}
	return cmd
}

func (s *stage) scenes() []scene {
	secret := s.dir + "/secret"
	id := strings.Repeat("0123456789abcdef", 4)
	saw := func(file, raw, cmdline string) map[string]string {
		name, _, _ := strings.Cut(cmdline, " ")
		return map[string]string{"fd.name": file, "fd.nameraw": raw, "proc.name": name, "proc.cmdline": cmdline,
			"proc.pname": "e2e-parent", "proc.aname[2]": "e2e-grand", "user.name": "root", "user.uid": "0", "container.id": "host"}
	}
	with := func(m map[string]string, pairs ...string) map[string]string {
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	return []scene{
		{name: "plain", script: `cat /etc/shadow >/dev/null`, want: saw("/etc/shadow", "/etc/shadow", "cat /etc/shadow")},
		{name: "symlink", script: `ln -s /etc/shadow link; cat "$D/link" >/dev/null`,
			want: saw("/etc/shadow", s.dir+"/link", "cat "+s.dir+"/link")},
		{name: "symlink of a directory", script: `ln -s /etc etc; cat etc/shadow >/dev/null`, want: saw("/etc/shadow", "etc/shadow", "cat etc/shadow")},
		{name: "relative", script: `cd /etc; cat ../etc/./shadow >/dev/null`, want: saw("/etc/shadow", "../etc/./shadow", "cat ../etc/./shadow")},
		{name: "32-bit program", script: `"$ACT386" cat /etc/shadow`, want: saw("/etc/shadow", "/etc/shadow", "act386 cat /etc/shadow")},
		{name: "32-bit open", script: `"$ACT386" int80 /etc/shadow`, want: saw("/etc/shadow", "/etc/shadow", "act386 int80 /etc/shadow")},
		{name: "32-bit call of a 64-bit program", script: `"$ACT" int80 /etc/shadow`, want: saw("/etc/shadow", "/etc/shadow", "act int80 /etc/shadow")},
		{name: "openat2", script: `"$ACT" openat2 /etc/shadow`, want: saw("/etc/shadow", "/etc/shadow", "act openat2 /etc/shadow")},
		{name: "io_uring", script: `"$ACT" ring /etc/shadow plain`, want: saw("/etc/shadow", "/etc/shadow", "act ring /etc/shadow plain")},
		{name: "symlink through io_uring", script: `ln -s /etc/shadow link2; "$ACT" ring link2 async`, want: saw("/etc/shadow", "link2", "act ring link2 async")},
		{name: "io_uring of a thread of the kernel's", script: `"$ACT" ring /etc/shadow polled`, want: saw("/etc/shadow", "/etc/shadow", "act ring /etc/shadow polled")},
		{name: "32-bit io_uring", script: `"$ACT386" ring /etc/shadow plain`,
			want: saw("/etc/shadow", "/etc/shadow", "act386 ring /etc/shadow plain")},
		{name: "/proc/self/root", script: `cat /proc/self/root/etc/shadow >/dev/null`,
			want: saw("/etc/shadow", "/proc/self/root/etc/shadow", "cat /proc/self/root/etc/shadow")},
		{name: "mount namespace", script: `unshare -m "$0" -c 'mount -t tmpfs e2e /mnt; cat /etc/shadow >/dev/null; :'`,
			want: with(saw("/etc/shadow", "/etc/shadow", "cat /etc/shadow"), "proc.aname[2]", "e2e-parent")},
		{name: "chroot", script: `mkdir -p jail/etc; cp "$ACT" jail/act; echo jailed >jail/etc/shadow; chroot jail /act cat /etc/shadow`,
			want: saw("/etc/shadow", "/etc/shadow", "act cat /etc/shadow")},
		{name: "hard link", script: `ln secret hard; cat "$D/hard" >/dev/null`, want: saw(s.dir+"/hard", s.dir+"/hard", "cat "+s.dir+"/hard")},
		{name: "bind mount", script: `touch bound; unshare -m "$0" -c 'mount --bind secret bound; cat "$D/bound" >/dev/null; :'`,
			want: with(saw(s.dir+"/bound", s.dir+"/bound", "cat "+s.dir+"/bound"), "proc.aname[2]", "e2e-parent")},
		{name: "container", script: `"$ACT" cgroup /falconet-e2e-$$/` + id + ` cat /etc/shadow >/dev/null`,
			want: with(saw("/etc/shadow", "/etc/shadow", "cat /etc/shadow"), "proc.pname", "act", "proc.aname[2]", "e2e-parent", "container.id", id[:12])},
		{name: "other user", uid: 65534, script: `cat "$D/secret" >/dev/null`,
			want: with(saw(secret, secret, "cat "+secret), "user.name", "nobody", "user.uid", "65534")},
		{name: "other file", script: `cat other /etc/passwd >/dev/null`},
		{name: "name in another place", script: `mkdir -p not/etc; touch not/etc/shadow; cat not/etc/shadow "$D/not/etc/shadow" >/dev/null`},
		{name: "chroot's other file", script: `mkdir -p jail2; cp "$ACT" jail2/act; touch jail2/shadow; chroot jail2 /act cat /shadow`},
		{name: "no such file", script: `cat /etc/shadow/x 2>/dev/null || :`},
		{name: "no permission", uid: 65534, script: `cat /etc/shadow 2>/dev/null || :`},
		{name: "writing", script: `echo x >>secret`},
	}
}

func TestScenarios(t *testing.T) {
	privileged(t)
	for _, text := range []bool{false, true} {
		t.Run(map[bool]string{false: "json", true: "text"}[text], func(t *testing.T) {
			s := newStage(t)
			d := start(t, launch{rules: s.rule(t), text: text})
			for _, sc := range s.scenes() {
				t.Run(strings.ReplaceAll(sc.name, "/", "_"), func(t *testing.T) {
					if strings.HasPrefix(sc.name, "32-bit") {
						runs32(t)
					}
					from := d.mark()
					s.play(t, sc)
					d.sync()
					checkScene(t, sc, d.alerts(from), text)
				})
			}
			if code, _ := d.stop(); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
		})
	}
}

// TestPlaces runs falconet with less around it than a host gives: the same alert has to come.
func TestPlaces(t *testing.T) {
	privileged(t)
	for _, place := range []struct {
		name string
		by   []string
	}{
		{"least capabilities", []string{"setpriv", "--bounding-set", "-all,+bpf,+perfmon", "--"}},
		{"pid namespace", []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}},
		{"empty root", nil},
	} {
		t.Run(place.name, func(t *testing.T) {
			s := newStage(t)
			by := place.by
			if by == nil {
				by = emptyRoot(t)
			}
			d := start(t, launch{rules: s.rule(t), by: by})
			sc := s.scenes()[0]
			from := d.mark()
			s.play(t, sc)
			d.sync()
			checkScene(t, sc, d.alerts(from), false)
		})
	}
}

// emptyRoot returns a command that starts a program with hardly more than it and its files to be seen, as an image that holds
// nothing else does.
func emptyRoot(t *testing.T) []string {
	t.Helper()
	const script = `set -e
mount -t tmpfs e2e "$0"
for dir in /proc /sys "$1" "$(dirname "$2")"; do mkdir -p "$0$dir"; mount --rbind "$dir" "$0$dir"; done
mkdir -p "$0/etc"
cp /etc/passwd /etc/group "$0/etc/"
shift
exec chroot "$0" "$@"`
	return []string{"unshare", "--mount", "sh", "-c", script, tempDir(t), shared.dir}
}

func checkScene(t *testing.T, sc scene, got []alert, text bool) {
	t.Helper()
	if sc.want == nil {
		for _, a := range got {
			t.Errorf("nothing is to be reported: %s", a.Line)
		}
		return
	}
	if len(got) != 1 {
		for _, a := range got {
			t.Log(a.Line)
		}
		t.Fatalf("%d alerts, want one", len(got))
	}
	a := got[0]
	for _, f := range secretFields {
		if v := a.str(f); v != sc.want[f] {
			t.Errorf("%s is %q, want %q", f, v, sc.want[f])
		}
	}
	if text {
		checkText(t, a, "Warning")
		return
	}
	checkJSON(t, a, "E2E secret opened", "Warning", []string{"a_tag", "e2e"})
	keys := append([]string{"evt.time"}, secretFields...)
	slices.Sort(keys)
	for f := range a.Fields {
		if !slices.Contains(keys, f) {
			t.Errorf("output_fields holds %s, which the output does not", f)
		}
	}
	if t.Failed() {
		t.Log(a.Line)
	}
}
