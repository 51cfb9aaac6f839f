// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, p := range Priorities() {
		for _, name := range []string{p.String(), strings.ToLower(p.String()), strings.ToUpper(p.String())} {
			if got, err := Parse(name); err != nil || got != p {
				t.Errorf("Parse(%q) = %v, %v; want %v", name, got, err, p)
			}
		}
	}
	if got, err := Parse("INFO"); err != nil || got != Informational {
		t.Errorf("Parse(INFO) = %v, %v", got, err)
	}
	for _, bad := range []string{"", "warn", "Alarm", "0", "debug "} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, got)
		}
	}
}

func TestPriorityNumbersAreSyslogs(t *testing.T) {
	want := []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}
	for i, name := range want {
		if got := Priority(i).String(); got != name {
			t.Errorf("Priority(%d) = %s, want %s", i, got, name)
		}
	}
	if got := Priority(8).String(); got != "Priority(8)" {
		t.Errorf("Priority(8) = %s", got)
	}
	if !Critical.AtLeast(Warning) || !Warning.AtLeast(Warning) || Notice.AtLeast(Warning) {
		t.Error("AtLeast orders priorities wrongly")
	}
}

func TestPriorityText(t *testing.T) {
	out, err := json.Marshal(map[string]Priority{"p": Alarm})
	if err != nil || string(out) != `{"p":"Alert"}` {
		t.Errorf("json = %s, %v", out, err)
	}
	var in map[string]Priority
	if err := json.Unmarshal([]byte(`{"p":"info"}`), &in); err != nil || in["p"] != Informational {
		t.Errorf("from json = %v, %v", in, err)
	}
	if err := json.Unmarshal([]byte(`{"p":"loud"}`), &in); err == nil {
		t.Error("an unknown priority was accepted")
	}
	if _, err := Priority(9).MarshalText(); err == nil {
		t.Error("Priority(9) was marshalled")
	}
}

func TestInternal(t *testing.T) {
	if (&Alert{Source: SourceSyscall}).Internal() || !(&Alert{Source: SourceInternal}).Internal() {
		t.Error("Internal is wrong about the source")
	}
}
