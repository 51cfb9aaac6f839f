// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"
)

// callRules name calls about processes, and two tracepoints that are attached because a rule asks for them.
const callRules = `- macro: e2e_caller
  condition: proc.aname=e2e-grand

- rule: E2E call
  desc: A process of the tests changes what it is.
  condition: >
    e2e_caller and (evt.type in (unshare, setns, chroot, setsid, setresuid, setuid, setgid, capset) or evt.type=kill and evt.arg.sig=SIGUSR1
    or evt.type=signaldeliver and evt.arg.sig=SIGUSR1)
  output: <%evt.type %evt.args> fd.name=<%fd.name> fd.type=<%fd.type> proc.name=<%proc.name>
  priority: NOTICE

- rule: E2E page fault
  desc: A program of the tests touches a page for the first time.
  condition: e2e_caller and evt.type=page_fault and evt.arg.error contains WRITE_ACCESS and proc.name=e2e-faulty
  output: <%evt.type %evt.arg.error>
  priority: NOTICE
`

// said is a script and what an alert of it holds.
type said struct{ name, script, want string }

// sayCalls plays the scripts, one after the other, reads the alert of each and ends the watch.
func sayCalls(t *testing.T, s *stage, d *daemon, list []said) {
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			from := d.mark()
			s.play(t, scene{name: c.name, script: c.script})
			d.sync()
			for _, a := range d.alerts(from) {
				if strings.Contains(a.Output, c.want) {
					return
				}
				t.Log(a.Line)
			}
			t.Errorf("no alert with %q", c.want)
		})
	}
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func TestCalls(t *testing.T) {
	privileged(t)
	s := newStage(t)
	d := start(t, launch{rules: callRules})
	sayCalls(t, s, d, []said{
		{"namespace", `unshare -u true`, "<unshare res=0 flags=128(CLONE_NEWUTS)> fd.name=<<NA>> fd.type=<<NA>> proc.name=<unshare>"},
		{"session", `setsid true; :`, "<setsid res="},
		{"root", `chroot / true`, "<chroot res=0 path=/> fd.name=<<NA>> fd.type=<<NA>> proc.name=<chroot>"},
		{"user", `setpriv --reuid 12345 true`, "<setresuid res=0 ruid=12345(<NA>) euid=12345(<NA>) suid=12345(<NA>)>"},
		{"capabilities", `setpriv --inh-caps +chown true`, "<capset res=0 cap_inheritable=1 cap_permitted="},
		{"entered namespace", `nsenter --uts=/proc/self/ns/uts true`, "fd.name=<uts:[40265"},
		{"signal", `trap '' USR1; kill -USR1 $$`, "<kill res=0 pid="},
		{"page fault", `cp "$0" e2e-faulty; ./e2e-faulty -c :`, "<page_fault PAGE_NOT_PRESENT|WRITE_ACCESS|USER_FAULT>"},
		{"delivery", `trap : USR1; kill -USR1 $$; :`, "(e2e-parent) sig=10(SIGUSR1)>"},
	})
}
