// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// textLine is the shape of an alert as Falco writes it in text.
var textLine = regexp.MustCompile(`^(\d\d:\d\d:\d\d\.\d{9}): (Emergency|Alert|Critical|Error|Warning|Notice|Informational|Debug) (.*)$`)

// textPairs are the "key=(value)" in the outputs of the tests' own rules.
var textPairs = regexp.MustCompile(`([a-z0-9_.\[\]]+)=<([^>]*)>`)

// parseText reads an alert from a line of text. Fields are those that the message shows as name=<value>.
func parseText(line string) (alert, bool) {
	m := textLine.FindStringSubmatch(line)
	if m == nil {
		return alert{}, false
	}
	a := alert{Line: line, Time: m[1], Priority: m[2], Message: m[3], Fields: map[string]any{}}
	for _, p := range textPairs.FindAllStringSubmatch(a.Message, -1) {
		a.Fields[p[1]] = p[2]
	}
	return a, true
}

// checkLine fails the test when a line of output could do harm to who reads it on a terminal or in a log.
func checkLine(t testing.TB, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("line is no valid UTF-8: %q", line)
	}
	for _, r := range line {
		if unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("line holds the character %U: %q", r, line)
			return
		}
	}
}

// checkText compares a text alert with what Falco writes.
func checkText(t testing.TB, a alert, priority string) {
	t.Helper()
	checkLine(t, a.Line)
	if a.Priority != priority {
		t.Errorf("priority is %q, want %q", a.Priority, priority)
	}
}

// checkJSON compares a JSON alert with what Falco writes: keys in the order of their bytes, no spaces, typed fields, and in output
// the same line that the text format has.
func checkJSON(t testing.TB, a alert, rule, priority string, tags []string) {
	t.Helper()
	checkLine(t, a.Line)
	want := []string{"hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"}
	if !slices.Equal(a.Keys, want) {
		t.Errorf("keys are %q, want %q", a.Keys, want)
	}
	compact, err := json.Marshal(json.RawMessage(a.Line))
	if err != nil || len(compact) > len(a.Line)+jsonEscapes(a.Line) {
		t.Errorf("line is not compact: %q (%v)", a.Line, err)
	}
	if strings.Contains(a.Line, `": `) || strings.Contains(a.Line, `, "`) {
		t.Errorf("line has spaces between its parts: %q", a.Line)
	}
	if a.Rule != rule || a.Priority != priority || a.Source != "syscall" || !slices.Equal(a.Tags, tags) {
		t.Errorf("rule, priority, source, tags are %q, %q, %q, %q; want %q, %q, syscall, %q", a.Rule, a.Priority, a.Source, a.Tags, rule, priority, tags)
	}
	if a.Hostname == "" {
		t.Error("hostname is empty")
	}
	when, err := time.Parse("2006-01-02T15:04:05.000000000Z", a.Time)
	if err != nil {
		t.Errorf("time is not in UTC with nanoseconds: %v", err)
	}
	ns, ok := a.Fields["evt.time"].(json.Number)
	if n, err := ns.Int64(); !ok || err != nil || n != when.UnixNano() {
		t.Errorf("evt.time is %v, want the integer %d, which is the time of the alert", a.Fields["evt.time"], when.UnixNano())
	}
	m := textLine.FindStringSubmatch(a.Output)
	if m == nil {
		t.Fatalf("output is not the text line: %q", a.Output)
	}
	if m[1] != when.Local().Format("15:04:05.000000000") || m[2] != priority {
		t.Errorf("output begins with %q %q, want %q %q", m[1], m[2], when.Local().Format("15:04:05.000000000"), priority)
	}
}

// jsonEscapes is how much longer a line may be in Go's spelling of the same JSON, which escapes a few harmless characters.
func jsonEscapes(line string) int {
	return 5 * (strings.Count(line, "<") + strings.Count(line, ">") + strings.Count(line, "&"))
}
