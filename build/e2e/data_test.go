// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

const dataRules = `- rule: E2E outbound
  desc: A socket turns to somebody.
  condition: evt.type in (sendto, sendmsg) and evt.rawres>=0 and fd.l4proto=udp and fd.name_changed=true and fd.sip=127.0.0.1 and proc.name=act
  output: outbound name=<%fd.name> client=<%fd.cport> server=<%fd.sport> local=<%fd.lport> connected=<%fd.connected>
  priority: NOTICE

- rule: E2E data
  desc: Something secret goes over a socket.
  condition: evt.is_io=true and evt.type in (read, write, writev, sendto, recvfrom) and evt.buffer contains secret-token and fd.sockfamily=ip and proc.name=act
  output: data type=<%evt.type> dir=<%evt.io_dir> len=<%evt.buflen> buffer=<%evt.buffer> client=<%fd.cport> server=<%fd.sport> local=<%fd.lport> proto=<%fd.l4proto>
  priority: NOTICE

- rule: E2E end of data
  desc: The end of a long buffer.
  condition: evt.type=write and evt.arg.data endswith "end of the request" and proc.name=act
  output: end len=<%evt.buflen>
  priority: NOTICE
`

// joined are the fields of an alert, as the output names them.
func joined(a alert, fields string) string {
	var out []string
	for _, f := range strings.Fields(fields) {
		out = append(out, a.str(f))
	}
	return strings.Join(out, " ")
}

func TestData(t *testing.T) {
	privileged(t)
	long := "secret-token " + strings.Repeat("x", 300) + " end of the request"
	for _, c := range []struct {
		name string
		args []string
		kept int // bytes of each buffer
		all  bool
	}{
		{"as it comes", nil, 80, false}, {"with high-volume calls", []string{"-A"}, 80, true}, {"with long buffers", []string{"-A", "-o", "falco_libs.snaplen=60000"}, 60000, true},
		{"with short buffers", []string{"-A", "-S", "20"}, 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, launch{rules: dataRules, args: c.args})
			mark := d.mark()
			out, err := exec.Command(actor(t), "talk").Output()
			if err != nil {
				t.Fatal(err)
			}
			d.sync()
			var server, client, tcpServer, tcpClient int
			if _, err := fmt.Sscan(string(out), &server, &client, &tcpServer, &tcpClient); err != nil {
				t.Fatal(err)
			}
			kept := func(s string) string { return s[:min(len(s), c.kept)] }
			var want []string
			for i, text := range []string{"first secret-token", "second secret-token"} {
				if i == 0 {
					want = append(want, fmt.Sprintf("outbound 0.0.0.0:%d->127.0.0.1:%[2]d %[1]d %d %[1]d false", client, server))
				}
				if c.kept >= 20 {
					want = append(want, fmt.Sprintf("data sendto write %d %s %d %d %[3]d udp", len(text), text, client, server),
						fmt.Sprintf("data recvfrom read %d %s %d %d %[4]d udp", len(text), text, client, server))
				}
			}
			if c.all {
				want = append(want, fmt.Sprintf("data write write %d %s %d %d %[3]d tcp", len(long), kept(long), tcpClient, tcpServer))
				if c.kept > len(long) {
					want = append(want, fmt.Sprintf("end %d", len(long)))
				}
				want = append(want, fmt.Sprintf("data read read %d %s %d %d %[4]d tcp", len(long), kept(long), tcpClient, tcpServer),
					fmt.Sprintf("data writev write 21 %s %d %d %[3]d tcp", kept("secret-token answered"), tcpClient, tcpServer))
			}
			var got []string
			for _, a := range d.alerts(mark) {
				switch a.Rule {
				case "E2E outbound":
					got = append(got, "outbound "+joined(a, "fd.name fd.cport fd.sport fd.lport fd.connected"))
				case "E2E data":
					got = append(got, "data "+joined(a, "evt.type evt.io_dir evt.buflen evt.buffer fd.cport fd.sport fd.lport fd.l4proto"))
				case "E2E end of data":
					got = append(got, "end "+joined(a, "evt.buflen"))
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("reported:\n%s\nwant:\n%s", indent(strings.Join(got, "\n")), indent(strings.Join(want, "\n")))
			}
		})
	}
}
