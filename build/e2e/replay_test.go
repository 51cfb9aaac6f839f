// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const replayRules = `
- rule: Shadow
  desc: A recorded open of the password file.
  condition: evt.type = openat and fd.name = /etc/shadow and user.uid = 1000
  output: "%proc.cmdline opened %fd.name as %user.uid on %evt.hostname in %container.id below %proc.pname"
  priority: WARNING
- rule: Image
  desc: A recorded start of a program.
  condition: evt.type = execve and proc.pname = bash
  output: "%proc.cmdline is %proc.exepath below %proc.pcmdline of %user.loginname"
  priority: NOTICE
- rule: Name server
  desc: A recorded connection.
  condition: evt.type = connect and fd.sport = 53
  output: "%fd.name of %fd.cip to %fd.sip"
  priority: INFO
`

// recording is one of the captures that the reader's own tests write.
func recording(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "probe", "scap", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What a capture held, in the form that was written years ago and in the present one, makes the same alerts, at the time of the events.
func TestReplay(t *testing.T) {
	rules := write(t, filepath.Join(tempDir(t), "rules.yaml"), replayRules)
	want := `2017-07-14T02:40:00.00000X000+0000: Warning bash -i opened /etc/shadow as 1000 on recorded in aaaabbbbcccc below init
2017-07-14T02:40:00.00000X000+0000: Notice cat /etc/passwd is /usr/bin/cat below bash -i of ubuntu
2017-07-14T02:40:00.00000X000+0000: Informational 10.0.0.5:40001->1.1.1.1:53 of 10.0.0.5 to 1.1.1.1
Events detected: 3
Rule counts by severity:
   WARNING: 1
   NOTICE: 1
   INFO: 1
Triggered rules by rule name:
   Shadow: 1
   Image: 1
   Name server: 1
`
	for name, times := range map[string]string{"late.scap": "179", "early.scap": "29b"} {
		want := want
		for i := range times { // early captures have an event more before
			at := strings.IndexByte("0123456789ab", times[i])
			want = strings.Replace(want, "00000X000", "0000"+string("01"[at/10])+string("0123456789"[at%10])+"000", 1)
		}
		for _, args := range [][]string{
			{"-e", recording(t, name)},
			{"-o", "engine.kind=replay", "-o", "engine.replay.capture_file=" + recording(t, name)},
		} {
			args = append(args, "-r", rules, "-o", "syslog_output.enabled=false", "-o", "time_format_iso_8601=true")
			if r := command(t, args...); r.code != 0 || r.stdout != want {
				t.Errorf("%q ends with %d and says\n%s\nwant\n%s\n%s", args, r.code, indent(r.stdout), indent(want), indent(r.stderr))
			}
		}
	}
}

// A capture that is damaged gives the alerts of what is before the place, says where that is and fails. With --resync it goes on behind.
func TestReplayDamaged(t *testing.T) {
	rules := write(t, filepath.Join(tempDir(t), "rules.yaml"), replayRules)
	b, err := os.ReadFile(recording(t, "late.scap"))
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.Index(b, []byte("root\x08")) // the data of a read, behind the open
	if second < 0 {
		t.Fatal("the recording has no read")
	}
	for i := second - 50; i < second; i++ {
		b[i] = 0xff
	}
	file := write(t, filepath.Join(tempDir(t), "broken.scap"), string(b))
	plain := []string{"-e", file, "-r", rules, "-o", "syslog_output.enabled=false"}
	r := command(t, plain...)
	if r.code != 1 || !strings.Contains(r.stdout, "Events detected: 1\n") || !strings.Contains(r.stderr, "capture is damaged at offset ") {
		t.Errorf("ends with %d and says\n%s\n%s", r.code, indent(r.stdout), indent(r.stderr))
	}
	r = command(t, append(plain, "--resync")...)
	if r.code != 0 || !strings.Contains(r.stdout, "Events detected: 3\n") || !strings.Contains(r.stderr, "damaged parts of the capture were passed over") {
		t.Errorf("with --resync ends with %d and says\n%s\n%s", r.code, indent(r.stdout), indent(r.stderr))
	}
}

func TestReplayRefused(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"", ": this is no capture file\n"},
		{"a text that is no capture", ": this is no capture file\n"},
	} {
		file := write(t, filepath.Join(tempDir(t), "x.scap"), test.content)
		if r := command(t, "-e", file, "-o", "syslog_output.enabled=false"); r.code != 1 || !strings.HasSuffix(r.stderr, "Error: read capture: "+file+test.want) {
			t.Errorf("%q: ends with %d and says\n%s", test.content, r.code, indent(r.stderr))
		}
	}
	if r := command(t, "-e", "/there/is/none.scap"); r.code != 1 || !strings.HasSuffix(r.stderr, "Error: read capture: open /there/is/none.scap: no such file or directory\n") {
		t.Errorf("ends with %d and says\n%s", r.code, indent(r.stderr))
	}
}

// The events of a capture that a condition holds for are printed one a line, and nothing else is.
func TestEvents(t *testing.T) {
	file := recording(t, "late.scap")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"evt.type in (openat, execve)", "-p", `%evt.type "%fd.name" <%proc.cmdline>`}, "openat \"/etc/shadow\" <bash -i>\nexecve \"<NA>\" <cat /etc/passwd>\n"},
		{[]string{"proc.name = cat", "-p", "%evt.type"}, "execve\nprocexit\n"},
		{[]string{"-p", "%evt.num %evt.type"}, "1 openat\n2 read\n3 bind\n4 clone\n5 execve\n6 connect\n7 getpid\n8 procexit\n"},
	} {
		if r := command(t, append([]string{"events", "--read", file}, test.args...)...); r.code != 0 || r.stdout != test.want {
			t.Errorf("%q ends with %d and says\n%s\nwant\n%s\n%s", test.args, r.code, indent(r.stdout), indent(test.want), indent(r.stderr))
		}
	}
	if r := command(t, "events", "--read", file, "evt.type = "); r.code != 1 || !strings.Contains(r.stderr, "expecting a value") {
		t.Errorf("a broken condition ends with %d and says\n%s", r.code, indent(r.stderr))
	}
}
