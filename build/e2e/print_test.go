// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
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
	type call struct {
		Name, Category, Dir string
		Params              []param
	}
	read := func(into any, args ...string) {
		t.Helper()
		r := command(t, append(args, "--format", "json")...)
		if err := json.Unmarshal([]byte(r.stdout), into); err != nil || r.code != 0 {
			t.Fatalf("%q: exit code %d, %v", args, r.code, err)
		}
	}
	var listing []struct{ Class, Name, Type string }
	read(&listing, "--list")
	types := map[string]string{}
	var all []string
	for _, f := range listing {
		types[f.Name] = f.Class + " " + f.Type
		all = append(all, f.Name)
	}
	for name, want := range map[string]string{"fd.name": "fd CHARBUF", "proc.pid": "process INT64"} {
		if types[name] != want {
			t.Errorf("%s is %q, want %q", name, types[name], want)
		}
	}
	var names []string
	read(&names, "--list", "-N")
	text := strings.Fields(command(t, "--list", "-N").stdout)
	if len(all) < 100 || !slices.Equal(text, all) || !slices.Equal(names, all) {
		t.Errorf("-N prints %d names, and %d in JSON, where %d fields are listed", len(text), len(names), len(all))
	}
	var calls []call
	read(&calls, "--list-events")
	i := slices.IndexFunc(calls, func(e call) bool { return e.Name == "openat" })
	if i < 0 || calls[i].Category != "file" || calls[i].Dir != "<" || len(calls[i].Params) < 4 || calls[i].Params[0] != (param{Name: "fd", Type: "FD"}) {
		t.Errorf("openat is not as it should be among %d events", len(calls))
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
