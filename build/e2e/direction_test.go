// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Where somebody comes in is not in Falco's stable rules; who goes out is their macro.
const directionRules = `- rule: E2E out
  desc: Somebody goes out.
  condition: outbound and proc.name=act
  output: out type=<%evt.type> name=<%fd.name> role=<%fd.is_server>
  priority: NOTICE

- rule: E2E in
  desc: Somebody comes in.
  condition: >
    proc.name=act and fd.typechar in (4, 6) and fd.ip != "0.0.0.0" and fd.net != "127.0.0.0/8" and evt.rawres >= 0 and
    (evt.type in (accept, accept4, listen) or
     evt.type in (recvfrom, recvmsg) and fd.l4proto != tcp and fd.connected=false and fd.name_changed=true)
  output: in type=<%evt.type> name=<%fd.name> role=<%fd.is_server>
  priority: NOTICE
`

// TestOutboundAndInbound: Falco's macros for connections that go out and come in hold for streams and for datagrams.
func TestOutboundAndInbound(t *testing.T) {
	privileged(t)
	files, _ := filepath.Glob(filepath.Join(os.Getenv("FALCONET_FALCO_RULES"), "*.yaml"))
	if os.Getenv("FALCONET_FALCO_RULES") == "" || len(files) == 0 {
		t.Skip("FALCONET_FALCO_RULES names no directory with Falco's rules")
	}
	slices.Sort(files)
	const home = "198.51.100.7" // of TEST-NET-2: nobody's, and no private network's
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d := start(t, launch{files: []string{file}, rules: directionRules})
			mark := d.mark()
			out, err := exec.Command(actor(t), "talk", home).Output()
			if err != nil {
				t.Fatal(err)
			}
			d.sync()
			var server, client, tcpServer, tcpClient int
			if _, err := fmt.Sscan(string(out), &server, &client, &tcpServer, &tcpClient); err != nil {
				t.Fatal(err)
			}
			want := []string{
				fmt.Sprintf("out sendto 0.0.0.0:%d->%s:%d false", client, home, server),
				fmt.Sprintf("in recvfrom %[1]s:%[2]d->%[1]s:%[3]d true", home, client, server),
				fmt.Sprintf("in listen %s:%d true", home, tcpServer),
				fmt.Sprintf("out connect %s:%d->%s:%d false", home, tcpClient, home, tcpServer),
				fmt.Sprintf("in accept4 %[1]s:%[2]d->%[1]s:%[3]d true", home, tcpClient, tcpServer),
			}
			var got []string
			for _, a := range d.alerts(mark) {
				if way, ok := strings.CutPrefix(a.Rule, "E2E "); ok && (way == "in" || way == "out") {
					got = append(got, way+" "+joined(a, "evt.type fd.name fd.is_server"))
				}
			}
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("not reported: %s", w)
				}
			}
			if t.Failed() {
				t.Logf("reported:\n%s", indent(strings.Join(got, "\n")))
			}
		})
	}
}
