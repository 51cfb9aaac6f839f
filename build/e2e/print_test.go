// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestDoctor wants every hook to be proven on the kernel of the test.
func TestDoctor(t *testing.T) {
	privileged(t)
	r := command(t, "doctor")
	if r.code != 0 {
		t.Errorf("exit code is %d, want 0", r.code)
	}
	for _, what := range []string{"kernel", "probe", "sys_exit", "sched_process_exec", "sched_process_fork", "sched_process_exit",
		"signal_deliver", "page_fault_user", "page_fault_kernel"} {
		if !regexp.MustCompile(`(?m)^ok +` + what + ` `).MatchString(r.stdout) {
			t.Errorf("%s is not ok", what)
		}
	}
	if t.Failed() {
		t.Log(indent(r.stdout + r.stderr))
	}
}

// TestLists reads what the tables of fields and events print for programs.
func TestLists(t *testing.T) {
	type param struct {
		Name, Type string
		Flags      any
	}
	type entry struct {
		Name, Type, Class, Category string
		Params                      []param
	}
	lists := map[string]map[string]entry{}
	for _, list := range []string{"--list", "--list-events"} {
		r := command(t, list, "--format", "json")
		var entries []entry
		if err := json.Unmarshal([]byte(r.stdout), &entries); err != nil || r.code != 0 {
			t.Fatalf("%s: exit code %d, %v", list, r.code, err)
		}
		lists[list] = map[string]entry{}
		for _, e := range entries {
			if e.Name == "" {
				t.Errorf("%s: an entry without a name", list)
			}
			lists[list][e.Name] = e
		}
	}
	if f := lists["--list"]["fd.name"]; f.Type != "CHARBUF" || f.Class != "fd" {
		t.Errorf("fd.name is %+v", f)
	}
	if f := lists["--list"]["proc.pid"]; f.Type != "INT64" || f.Class == "" {
		t.Errorf("proc.pid is %+v", f)
	}
	open := lists["--list-events"]["openat"]
	if open.Category != "file" || len(open.Params) < 4 || open.Params[0] != (param{Name: "fd", Type: "FD"}) {
		t.Errorf("openat is %+v", open)
	}
	names := strings.Fields(command(t, "--list", "-N").stdout)
	if len(names) < 100 || len(names) > len(lists["--list"]) {
		t.Errorf("-N prints %d names, JSON has %d", len(names), len(lists["--list"]))
	}
	for _, n := range names {
		if _, ok := lists["--list"][n]; !ok {
			t.Errorf("-N prints %q, which JSON does not have", n)
		}
	}
}

// TestSchemas wants JSON Schemas that know the best-known keys.
func TestSchemas(t *testing.T) {
	for option, key := range map[string]string{"--config-schema": `"json_output"`, "--rule-schema": `"condition"`} {
		r := command(t, option)
		if r.code != 0 || !json.Valid([]byte(r.stdout)) || !strings.Contains(r.stdout, key) {
			t.Errorf("%s: exit code %d, valid %v, or without %s", option, r.code, json.Valid([]byte(r.stdout)), key)
		}
	}
}

// TestTimes wants the other format of times in both kinds of output.
func TestTimes(t *testing.T) {
	privileged(t)
	iso := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+0000: Debug canary`)
	for _, text := range []bool{false, true} {
		d := prepare(t, launch{text: text, args: []string{"-o", "time_format_iso_8601=true"}})
		d.sync()
		line := d.since(0)[0]
		if text {
			if !iso.MatchString(line) {
				t.Errorf("line is %q", line)
			}
			continue
		}
		a, err := parseJSON(line)
		if err != nil || !iso.MatchString(a.Output) {
			t.Errorf("line is %q (%v)", line, err)
		}
		if _, ok := a.Fields["evt.time.iso8601"].(json.Number); !ok {
			t.Errorf("evt.time.iso8601 is %v, want nanoseconds", a.Fields["evt.time.iso8601"])
		}
	}
}
