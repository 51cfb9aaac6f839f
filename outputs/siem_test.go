// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
)

func finding() *alert.Alert {
	return &alert.Alert{
		Time: 1700000000123456789, Rule: "Shell in container", Source: alert.SourceSyscall, Hostname: "node1", Priority: alert.Critical,
		Tags: []string{"T1059.004", "container", "mitre_command_and_control"}, Message: "a shell\n(pid=7)",
		Fields: []alert.Field{
			{Name: "proc.pid", Value: int64(7)}, {Name: "proc.name", Value: "sh"}, {Name: "proc.exepath", Value: "/bin/sh"}, {Name: "proc.cmdline", Value: "sh -c \u202e"},
			{Name: "proc.pname", Value: "runc"}, {Name: "user.name", Value: "root"}, {Name: "user.uid", Value: uint64(0)}, {Name: "fd.name", Value: "/etc/shadow"},
			{Name: "container.id", Value: "3ad7b26ded6d"}, {Name: "container.image.repository", Value: "docker.io/alpine"}, {Name: "container.image.tag", Value: "3.20"},
			{Name: "evt.res", Value: nil}, {Name: "proc.name", Value: "second"},
		},
	}
}

func renderer() *Renderer {
	r := NewRenderer(config.Render{}, time.UTC)
	r.version = "1.2.3"
	return r
}

func TestOCSF(t *testing.T) {
	want := `{"activity_id":1,"activity_name":"Create","category_uid":2,"category_name":"Findings","class_uid":2004,"class_name":"Detection Finding",` +
		`"type_uid":200401,"type_name":"Detection Finding: Create","time":1700000000123,"severity_id":5,"severity":"Critical","status_id":1,"status":"New",` +
		`"message":"a shell\n(pid=7)","metadata":{"version":"1.3.0","product":{"name":"falconet","vendor_name":"falconet","version":"1.2.3"},"profiles":["host","container"],"log_name":"syscall"},` +
		`"device":{"hostname":"node1","type_id":1,"type":"Server","os":{"name":"Linux","type":"Linux","type_id":200}},` +
		`"finding_info":{"uid":"UID","title":"Shell in container","desc":"a shell\n(pid=7)","created_time":1700000000123,` +
		`"analytic":{"name":"Shell in container","type":"Rule","type_id":1},"types":["T1059.004","container","mitre_command_and_control"],` +
		`"attacks":[{"technique":{"uid":"T1059.004"}},{"tactic":{"name":"Command and Control"}}]},` +
		`"evidences":[{"process":{"pid":7,"name":"sh","cmd_line":"sh -c \u202e","file":{"path":"/bin/sh","name":"sh","type_id":1},"parent_process":{"name":"runc"},` +
		`"user":{"name":"root","uid":"0"},"container":{"uid":"3ad7b26ded6d","image":{"name":"docker.io/alpine","tag":"3.20"}}},` +
		`"file":{"path":"/etc/shadow","name":"shadow","type_id":0}}],` +
		`"unmapped":{"priority":"Critical","output_fields":{"container.id":"3ad7b26ded6d","container.image.repository":"docker.io/alpine","container.image.tag":"3.20",` +
		`"evt.res":null,"fd.name":"/etc/shadow","proc.cmdline":"sh -c \u202e","proc.exepath":"/bin/sh","proc.name":"sh","proc.pid":7,"proc.pname":"runc","user.name":"root","user.uid":0}}}`
	a := finding()
	got := string(renderer().Append(nil, FormatOCSF, a))
	if want = strings.Replace(want, "UID", findingID(a), 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for p := range severities { // every finding has the attributes that the class requires
		a := &alert.Alert{Priority: alert.Priority(p), Source: alert.SourceInternal}
		var doc map[string]any
		if err := json.Unmarshal(renderer().Append(nil, FormatOCSF, a), &doc); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"} {
			if doc[key] == nil {
				t.Errorf("priority %d: no %s", p, key)
			}
		}
	}
	b := finding()
	b.Time++
	if findingID(a) == findingID(b) || findingID(a) != findingID(finding()) {
		t.Error("a finding's id does not tell findings apart")
	}
}

func TestECS(t *testing.T) {
	want := `{"@timestamp":"2023-11-14T22:13:20.123456789Z","ecs":{"version":"8.11.0"},"message":"a shell\n(pid=7)",` +
		`"event":{"kind":"alert","category":["intrusion_detection"],"type":["info"],"module":"falconet","dataset":"falconet.alerts","provider":"syscall","severity":2,"id":"UID"},` +
		`"log":{"level":"critical"},"rule":{"name":"Shell in container"},"host":{"hostname":"node1","name":"node1"},` +
		`"observer":{"vendor":"falconet","product":"falconet","type":"hids","version":"1.2.3"},"tags":["T1059.004","container","mitre_command_and_control"],` +
		`"threat":{"framework":"MITRE ATT\u0026CK","technique":{"id":["T1059.004"]},"tactic":{"name":["Command and Control"]}},` +
		`"process":{"pid":7,"name":"sh","executable":"/bin/sh","command_line":"sh -c \u202e","parent":{"name":"runc"}},"user":{"name":"root","id":"0"},` +
		`"file":{"path":"/etc/shadow","name":"shadow","directory":"/etc"},"container":{"id":"3ad7b26ded6d","image":{"name":"docker.io/alpine","tag":["3.20"]}},` +
		`"falconet":{"output_fields":{"container.id":"3ad7b26ded6d","container.image.repository":"docker.io/alpine","container.image.tag":"3.20",` +
		`"evt.res":null,"fd.name":"/etc/shadow","proc.cmdline":"sh -c \u202e","proc.exepath":"/bin/sh","proc.name":"sh","proc.pid":7,"proc.pname":"runc","user.name":"root","user.uid":0}}}`
	a := finding()
	got := string(renderer().Append(nil, FormatECS, a))
	want = strings.NewReplacer("UID", findingID(a), `\u0026`, "&").Replace(want)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	net := &alert.Alert{Fields: []alert.Field{{Name: "fd.cip", Value: "10.0.0.1"}, {Name: "fd.cport", Value: int64(5)}, {Name: "fd.sip", Value: "10.0.0.2"}, {Name: "fd.name", Value: "10.0.0.1:5->10.0.0.2:80"}}}
	got = string(renderer().Append(nil, FormatECS, net))
	if !strings.Contains(got, `"source":{"ip":"10.0.0.1","port":5},"destination":{"ip":"10.0.0.2"}`) || strings.Contains(got, `"file"`) {
		t.Errorf("%s", got)
	}
}
