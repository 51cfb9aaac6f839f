// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// evasionRules watch files by name, by their place in their filesystem, and by what they are whatever they are called. An alert of one
// of them says what the event is about; which of them fired is a part of what is expected.
const evasionRules = `- list: e2e_names
  items: [%[1]s/secret, %[1]s/fifo]

- list: e2e_places
  items: ['%[2]s/secret', '%[2]s/fifo']

- macro: e2e_use
  condition: evt.type in (open, openat, openat2, open_by_handle_at, fchmod) and fd.num>=0 and proc.aname=e2e-grand

- rule: E2E by name
  desc: A file is used that the rule names.
  condition: e2e_use and fd.name in (e2e_names)
  output: &output kind=<%%evt.type> name=<%%fd.name> raw=<%%fd.nameraw> place=<%%fd.fspath> ino=<%%fd.ino> arg=<%%evt.arg.name> pid=<%%proc.pid> proc=<%%proc.name> exe=<%%proc.exepath> memory=<%%proc.is_exe_from_memfd>
  priority: WARNING

- rule: E2E by place
  desc: A file is used that lies at a place of a filesystem, wherever that is mounted.
  condition: e2e_use and fd.fspath in (e2e_places)
  output: *output
  priority: WARNING

- rule: E2E by file
  desc: A file is used that is the one that is meant.
  condition: e2e_use and fd.ino in (%[3]d, %[4]d) and fd.dev=%[5]d
  output: *output
  priority: WARNING
`

// use is an event about a watched file. Its inode is the file's own whatever else is said.
type use struct {
	event string
	name  string // of the file, as the kernel has it
	raw   string // as it was passed; "" of calls that pass none, unreadable where it could not be read
	place string // in the filesystem, below the directory of the stage
	by    string // the rules that fire: "name place file" or some of them
}

// unreadable stands for a name that was gone when the call ended.
const unreadable = "\x00"

const (
	byAll   = "file name place"
	byPlace = "file place"
	byFile  = "file"
)

type evasion struct {
	name   string
	script string
	bits32 bool
	fifo   bool // it is about the pipe and not about the file
	want   []use
	image  map[string]string // fields of the process, where it is special; pid is what the script prints
}

func evasions(s *stage) []evasion {
	secret := s.dir + "/secret"
	open := func(raw string) use { return use{"openat", secret, raw, "/secret", byAll} }
	way := func(how string, more ...string) string {
		return `"$ACT" evade ` + how + ` "$D/secret" ` + strings.Join(more, " ")
	}
	cat := func(name string) string { return `"$ACT" cat ` + name }
	return []evasion{
		{name: "symbolic link", script: `ln -s secret link; ` + cat("link"), want: []use{open("link")}},
		{name: "link to a link in another directory", script: `mkdir -p l; ln -s ../secret l/one; ln -s l/one two; ` + cat("two"), want: []use{open("two")}},
		{name: "hard link", script: `ln secret hard; ` + cat("hard") + `; rm hard`, want: []use{{"openat", s.dir + "/hard", "hard", "/hard", byFile}}},
		{name: "dot dot", script: `mkdir -p a/b; ` + cat("a/b/.././../secret"), want: []use{open("a/b/.././../secret")}},
		{name: "root of a process", script: cat(`"/proc/self/root$D/secret"`), want: []use{open("/proc/self/root" + secret)}},
		{name: "working directory of a process", script: cat(`/proc/self/cwd/secret`), want: []use{open("/proc/self/cwd/secret")}},
		{name: "bind mount", script: `touch bound; unshare -m "$0" -c 'mount --bind secret bound; "$ACT" cat bound; :'`,
			want: []use{{"openat", s.dir + "/bound", "bound", "/secret", byPlace}}},
		{name: "bind mount of the directory", script: `mkdir -p there; unshare -m "$0" -c 'mount --bind . there; "$ACT" cat there/secret; :'`,
			want: []use{{"openat", s.dir + "/there/secret", "there/secret", "/secret", byPlace}}},
		{name: "detached mount", script: way("detached"), want: []use{{"openat", "/secret", "secret", "/secret", byPlace}}},
		{name: "another root", script: way("jail"), want: []use{{"openat", "/secret", "/secret", "/secret", byPlace}}},
		{name: "descriptor from outside the root", script: `mkdir -p jail; ` + way("chroot", `"$D/jail"`), want: []use{open("secret")}},
		{name: "descriptor of a directory", script: way("dirfd"), want: []use{open("./secret")}},
		{name: "descriptor opened again", script: way("devfd"), want: []use{open(secret), open("/dev/fd/N")}},
		{name: "descriptor of a path alone opened again", script: way("o-path"), want: []use{open(secret), open("/proc/self/fd/N")}},
		{name: "handle", script: way("handle"), want: []use{{"open_by_handle_at", secret, "", "/secret", byAll}}},
		{name: "renamed after the open", script: way("rename", `"$D/moved"`), want: []use{open(secret), {"fchmod", s.dir + "/moved", "", "/moved", byFile}}},
		{name: "name unmapped during the call", script: way("unmap"), want: []use{open(secret), open(unreadable)}},
		{name: "name protected during the call", script: way("protect"), want: []use{open(secret), open(unreadable)}},
		{name: "name forgotten during the call", script: way("forget"), want: []use{open(secret), open(unreadable)}},
		{name: "name of a pipe unmapped during the call", script: `"$ACT" evade fifo "$D/fifo"`, fifo: true, want: []use{
			{"openat", s.dir + "/fifo", s.dir + "/fifo", "/fifo", byAll}, {"openat", s.dir + "/fifo", unreadable, "/fifo", byAll}}},
		{name: "32-bit call", bits32: true, script: `"$ACT" int80 "$D/secret"`, want: []use{{"open", secret, secret, "/secret", byAll}}},
		{name: "32-bit call through a link", bits32: true, script: `ln -s secret link32; "$ACT" int80 link32`,
			want: []use{{"open", secret, "link32", "/secret", byAll}}},
		{name: "32-bit program", bits32: true, script: `"$ACT386" cat secret`, want: []use{open("secret")}},
		{name: "32-bit program and a name unmapped during the call", bits32: true, script: `"$ACT386" evade unmap "$D/secret"`,
			want: []use{open(secret), open(unreadable)}},
		{name: "request of a ring", script: `"$ACT" ring "$D/secret" plain`, want: []use{open(secret)}},
		{name: "request of a ring that a worker does", script: `ln -s secret link-ring; "$ACT" ring link-ring async`, want: []use{open("link-ring")}},
		{name: "program in memory", script: `"$ACT" fexec "$ACT" cat secret`, want: []use{open("secret")},
			image: map[string]string{"proc.exepath": "memfd:act", "proc.is_exe_from_memfd": "true"}},
		{name: "program of a borrowed memory", script: `"$ACT" vfork "$ACT" cat secret`, want: []use{open("secret")},
			image: map[string]string{"proc.exepath": s.act, "proc.is_exe_from_memfd": "false"}},
		{name: "program of a thread", script: `cp "$ACT" other-act; "$ACT" thread-exec ./other-act cat secret`, want: []use{open("secret")},
			image: map[string]string{"proc.name": "other-act", "proc.exepath": s.dir + "/other-act"}},
	}
}

// numbered are the names that hold the number of a descriptor.
var numbered = regexp.MustCompile(`/fd/\d+$`)

// TestEvasions opens a watched file in all ways that hide what is opened from who reads the arguments of calls.
func TestEvasions(t *testing.T) {
	privileged(t)
	s := newStage(t)
	fifo := filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "public"), "everybody's\n")
	place := placeOf(t, s.dir)
	file, pipe := stat(t, filepath.Join(s.dir, "secret")), stat(t, fifo)
	d := start(t, launch{rules: fmt.Sprintf(evasionRules, s.dir, place, file.Ino, pipe.Ino, file.Dev)})
	for _, e := range evasions(s) {
		t.Run(e.name, func(t *testing.T) {
			if e.bits32 {
				runs32(t)
			}
			from := d.mark()
			said := perform(t, s.command(scene{script: e.script}))
			d.sync()
			ino := file.Ino
			if e.fifo {
				ino = pipe.Ino
			}
			checkUses(t, d.alerts(from), e, place, ino, said)
		})
	}
	t.Run("name rewritten during the call", func(t *testing.T) { checkRewritten(t, d, s) })
	t.Run("number of the x32 table", func(t *testing.T) { checkX32(t, d, s) })
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func checkUses(t *testing.T, alerts []alert, e evasion, place string, ino uint64, said string) {
	t.Helper()
	// One event, several alerts: they differ in the rule alone.
	rules, got, times := map[string][]string{}, []string{}, []string{}
	for _, a := range alerts {
		raw := numbered.ReplaceAllString(a.str("fd.nameraw"), "/fd/N")
		if raw == "" && a.str("evt.arg.name") == "NULL" {
			raw = unreadable
		}
		key := fmt.Sprintf("%s %q raw %q place %q ino %s", a.str("evt.type"), a.str("fd.name"), raw, a.str("fd.fspath"), a.str("fd.ino"))
		if rules[a.Time] == nil {
			got, times = append(got, key), append(times, a.Time)
		}
		rules[a.Time] = append(rules[a.Time], strings.TrimPrefix(a.Rule, "E2E by "))
		for field, want := range e.image {
			if v := a.str(field); v != want {
				t.Errorf("%s is %q, want %q", field, v, want)
			}
		}
		if e.image != nil {
			if want := "pid=" + a.str("proc.pid"); !strings.Contains(said, want+"\n") {
				t.Errorf("%s, want %s", want, said)
			}
		}
	}
	for i, when := range times {
		slices.Sort(rules[when])
		got[i] += " by " + strings.Join(rules[when], " ")
	}
	var want []string
	for _, u := range e.want {
		want = append(want, fmt.Sprintf("%s %q raw %q place %q ino %d by %s", u.event, u.name, u.raw, place+u.place, ino, u.by))
	}
	slices.Sort(got) // a call that waits ends when it may
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events are\n%s\nwant\n%s", indent(strings.Join(got, "\n")), indent(strings.Join(want, "\n")))
	}
	if t.Failed() {
		for _, a := range alerts {
			t.Log(a.Output)
		}
	}
}

// checkRewritten: whatever the name was before and after, what counts is what was opened.
func checkRewritten(t *testing.T, d *daemon, s *stage) {
	from := d.mark()
	said := perform(t, s.command(scene{script: `"$ACT" evade rewrite "$D/secret" public`}))
	d.sync()
	opened, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(said, "opened=")))
	if err != nil || opened == 0 {
		t.Fatalf("the file was not opened: %q", said)
	}
	seen := map[string]int{}
	for _, a := range d.alerts(from) {
		if a.str("fd.name") == s.dir+"/secret" {
			seen[a.Rule]++
		} else if a.Rule != "E2E by name" { // which is also about a file that a name promises
			t.Errorf("alert of another file: %s", a.Line)
		}
	}
	for _, rule := range []string{"E2E by name", "E2E by place", "E2E by file"} {
		if seen[rule] != opened {
			t.Errorf("%d alerts of %s, the file was opened %d times", seen[rule], rule, opened)
		}
	}
}

// checkX32: a kernel without that table opens nothing, and nothing is to be said of a file.
func checkX32(t *testing.T, d *daemon, s *stage) {
	from := d.mark()
	said := perform(t, s.command(scene{script: `"$ACT" evade x32 "$D/secret"`}))
	d.sync()
	e := evasion{}
	if said == "errno=0\n" {
		e.want = []use{{"openat", s.dir + "/secret", s.dir + "/secret", "/secret", byAll}}
	} else if said != fmt.Sprintf("errno=%d\n", syscall.ENOSYS) {
		t.Errorf("the call says %q", said)
	}
	checkUses(t, d.alerts(from), e, placeOf(t, s.dir), stat(t, s.dir+"/secret").Ino, said)
}

func stat(t *testing.T, path string) syscall.Stat_t {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// placeOf is where a directory is in its filesystem: what its mount shows of that, and the way from there.
func placeOf(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	longest, place := -1, ""
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		root, at := f[3], strings.TrimSuffix(f[4], "/")
		if (dir == at || strings.HasPrefix(dir, at+"/")) && len(at) >= longest {
			longest, place = len(at), filepath.Join(root, dir[len(at):])
		}
	}
	return place
}
