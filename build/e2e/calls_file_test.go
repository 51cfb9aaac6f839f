// SPDX-License-Identifier: Apache-2.0

package e2e

import "testing"

// fileCallRules name calls on paths and descriptors.
const fileCallRules = `- macro: e2e_caller
  condition: proc.aname=e2e-grand

- rule: E2E path
  desc: A process of the tests makes or changes a name.
  condition: e2e_caller and evt.type in (mkdir, mkdirat, rmdir, link, linkat, symlink, symlinkat, chown, lchown, fchownat, mknod, mknodat)
  output: <%evt.type> name=<%fs.path.name> source=<%fs.path.source> target=<%fs.path.target> args=<%evt.args>
  priority: NOTICE

- rule: E2E mount
  desc: A process of the tests changes its mounts.
  condition: e2e_caller and evt.type in (mount, umount2) and evt.arg.flags contains PRIVATE
  output: <%evt.type %evt.args>
  priority: NOTICE

- rule: E2E redirection
  desc: The output of a process of the tests goes into a pipe.
  condition: e2e_caller and evt.type in (dup, dup2, dup3) and evt.rawres = 1 and fd.type = pipe
  output: <%evt.type> fd=<%fd.num %fd.type %fd.name> args=<%evt.args>
  priority: NOTICE

- rule: E2E directory
  desc: A process of the tests goes to another directory.
  condition: e2e_caller and evt.type = chdir and evt.arg.path = inner
  output: <%evt.type %evt.args> cwd=<%proc.cwd>
  priority: NOTICE
`

func TestFileCalls(t *testing.T) {
	privileged(t)
	s := newStage(t)
	d := start(t, launch{rules: fileCallRules})
	sayCalls(t, s, d, []said{
		{"directory", `mkdir -m 700 made`, "<mkdir> name=<" + s.dir + "/made> source=<<NA>> target=<<NA>> args=<res=0 path=made(" + s.dir + "/made) mode=1C0>"},
		{"symbolic link", `ln -s ../etc/shadow pointer`, "source=<" + s.dir + "/pointer> target=<"},
		{"hard link", `touch one; ln one two`, "source=<" + s.dir + "/two> target=<" + s.dir + "/one>"},
		{"owner", `touch mine; chown 1234:2345 mine`, "name=<" + s.dir + "/mine> source=<<NA>> target=<<NA>> args=<res=0 "},
		{"pipe", `mkfifo queue`, "(" + s.dir + "/queue) mode=010666(S_IWOTH|S_IROTH|S_IWGRP|S_IRGRP|S_IWUSR|S_IRUSR|S_IFIFO) dev=0>"},
		{"mounts", `unshare -m true`, "<mount res=0 dev=none dir=/ type=NULL flags=278528(REC|PRIVATE)>"},
		{"redirection", `echo x | cat >/dev/null`, "fd=<1 pipe > args=<res=1(<p>) oldfd="},
		{"directory of a process", `mkdir -p outer/inner; cd outer; cd -P inner`, "<chdir res=0 path=inner> cwd=<" + s.dir + "/outer/inner/>"},
	})
}
