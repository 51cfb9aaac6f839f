// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"falconet/engine/alert"
	"falconet/engine/config"
)

func sample() *alert.Alert {
	return &alert.Alert{
		Time: 1700000000000000042, Rule: "Read sensitive file", Source: alert.SourceSyscall, Hostname: "host-1",
		Priority: alert.Informational, Tags: []string{"filesystem", "mitre"},
		Message: `File read (user=root command=sh -c "cat /etc/shadow" fd=3 x=<NA>)`,
		Fields: []alert.Field{
			{Name: "user.name", Value: "root"}, {Name: "proc.cmdline", Value: `sh -c "cat /etc/shadow"`},
			{Name: "fd.num", Value: int64(-3)}, {Name: "container.id", Value: nil}, {Name: "evt.num", Value: uint64(1<<64 - 1)},
			{Name: "fd.is_server", Value: false}, {Name: "proc.aname[2]", Value: "bash"}, {Name: "fd.ip", Value: []any{"1.2.3.4", uint64(2)}},
			{Name: "user.name", Value: "twice"},
		},
	}
}

// allProperties is every include_* option set.
func allProperties() config.Render {
	return config.Render{JSON: true, JSONOutput: true, JSONMessage: true, JSONTags: true, JSONOutputFields: true}
}

func internal() *alert.Alert {
	return &alert.Alert{
		Time: 1700000000000000042, Rule: "Falco internal: syscall event drop", Source: alert.SourceInternal, Hostname: "host-1",
		Priority: alert.Debug, Message: "Falco internal: syscall event drop. 3 system calls dropped in last second.",
		Fields: []alert.Field{{Name: "n_evts", Value: "12"}, {Name: "n_drops", Value: "3"}, {Name: "rate", Value: 0.5}},
	}
}

func TestRenderGolden(t *testing.T) {
	zone := time.FixedZone("test", 2*3600)
	only := func(f func(*config.Render)) config.Render {
		c := config.Render{JSON: true}
		f(&c)
		return c
	}
	hostile := sample()
	hostile.Message = "open /tmp/a\nfake: Alert\x1b[2J\x7f\x00 \xff\xc3\u009b\u202e \"q\" b\\n \u00e9\u2028"
	hostile.Fields = []alert.Field{{Name: "fd.name", Value: "a\nb\x1b\xff\"\\\u009b/"}}
	hostile.Tags = nil
	timed := sample()
	timed.Fields = []alert.Field{{Name: "evt.time", Value: "noon"}}
	for _, tc := range []struct {
		name   string
		conf   config.Render
		format Format
		alert  *alert.Alert
		want   string
	}{
		{"text", config.Render{}, FormatText, sample(),
			`00:13:20.000000042: Informational File read (user=root command=sh -c "cat /etc/shadow" fd=3 x=<NA>)`},
		{"text iso", config.Render{ISOTime: true}, FormatText, sample(),
			`2023-11-14T22:13:20.000000042+0000: Informational File read (user=root command=sh -c "cat /etc/shadow" fd=3 x=<NA>)`},
		{"text hostile", config.Render{}, FormatText, hostile,
			`00:13:20.000000042: Informational open /tmp/a\nfake: Alert\u001b[2J\u007f\u0000 ` + "\ufffd\ufffd" + `\u009b\u202e "q" b\n é\u2028`},
		{"text internal", config.Render{ISOTime: true}, FormatText, internal(),
			`00:13:20.000000042: Debug Falco internal: syscall event drop. 3 system calls dropped in last second. (n_drops="3" n_evts="12" rate=0.5)`},
		{"json all", allProperties(), FormatJSON, sample(),
			`{"hostname":"host-1","message":"File read (user=root command=sh -c \"cat /etc/shadow\" fd=3 x=<NA>)",` +
				`"output":"00:13:20.000000042: Informational File read (user=root command=sh -c \"cat /etc/shadow\" fd=3 x=<NA>)",` +
				`"output_fields":{"container.id":null,"evt.num":18446744073709551615,"evt.time":1700000000000000042,"fd.ip":["1.2.3.4",2],` +
				`"fd.is_server":false,"fd.num":-3,"proc.aname[2]":"bash","proc.cmdline":"sh -c \"cat /etc/shadow\"","user.name":"root"},` +
				`"priority":"Informational","rule":"Read sensitive file","source":"syscall","tags":["filesystem","mitre"],` +
				`"time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json bare", config.Render{JSON: true}, FormatJSON, sample(),
			`{"hostname":"host-1","priority":"Informational","rule":"Read sensitive file","source":"syscall","time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json hostile fields, iso", only(func(c *config.Render) { c.JSONOutputFields, c.ISOTime = true, true }), FormatJSON, hostile,
			`{"hostname":"host-1","output_fields":{"evt.time.iso8601":1700000000000000042,"fd.name":"a\nb\u001b` + "\ufffd" + `\"\\\u009b/"},` +
				`"priority":"Informational","rule":"Read sensitive file","source":"syscall","time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json with a field that is named as the time's", only(func(c *config.Render) { c.JSONOutputFields = true }), FormatJSON, timed,
			`{"hostname":"host-1","output_fields":{"evt.time":"noon"},"priority":"Informational","rule":"Read sensitive file","source":"syscall",` +
				`"time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json no tags", only(func(c *config.Render) { c.JSONTags = true }), FormatJSON, hostile,
			`{"hostname":"host-1","priority":"Informational","rule":"Read sensitive file","source":"syscall","tags":[],"time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json hostile output", only(func(c *config.Render) { c.JSONOutput = true }), FormatJSON, hostile,
			`{"hostname":"host-1","output":"00:13:20.000000042: Informational open /tmp/a\nfake: Alert\u001b[2J\u007f\u0000 ` + "\ufffd\ufffd" +
				`\u009b\u202e \"q\" b\\n é\u2028","priority":"Informational","rule":"Read sensitive file","source":"syscall","time":"2023-11-14T22:13:20.000000042Z"}`},
		{"json internal", allProperties(), FormatJSON, internal(),
			`{"hostname":"host-1","output":"Falco internal: syscall event drop. 3 system calls dropped in last second.",` +
				`"output_fields":{"n_drops":"3","n_evts":"12","rate":0.5},"priority":"Debug","rule":"Falco internal: syscall event drop",` +
				`"source":"internal","time":"2023-11-14T22:13:20.000000042Z"}`},
	} {
		got := string(NewRenderer(tc.conf, zone).Append(nil, tc.format, tc.alert))
		if got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	r := NewRenderer(config.Render{}, time.UTC)
	if got := string(r.Append([]byte("before "), FormatText, sample())); !strings.HasPrefix(got, "before 22:13:20.") {
		t.Errorf("%s", got)
	}
}

func TestRenderDoesNotChangeTheAlert(t *testing.T) {
	a, b := sample(), sample()
	NewRenderer(allProperties(), time.UTC).Append(nil, FormatJSON, a)
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if !bytes.Equal(x, y) {
		t.Errorf("%s\n%s", x, y)
	}
}

func TestValueThatCannotBe(t *testing.T) {
	for _, v := range []any{struct{}{}, []string{"x"}, func() {}} {
		if got := string(appendValue(nil, v)); got != "null" {
			t.Errorf("%T: %s", v, got)
		}
	}
}

// FuzzRender: one alert is one line, whatever it holds; text is printable, JSON is JSON and says what the alert says.
func FuzzRender(f *testing.F) {
	f.Add("a\nb", "x\x1b[31m", "\xff\xfe", int64(0))
	f.Add("\u2028\u0085\u009b", "\"\\", "evt.time", int64(-1))
	f.Add("", "", "", int64(1700000000000000000))
	f.Add("\xed\xa0\x80 \xf4\x90\x80\x80", "\u202e\u200f", "\x7f", int64(1<<62))
	f.Fuzz(func(t *testing.T, message, value, name string, when int64) {
		a := &alert.Alert{
			Time: when, Rule: value, Source: name, Hostname: value, Priority: alert.Error, Tags: []string{message, value}, Message: message,
			Fields: []alert.Field{{Name: name, Value: value}, {Name: "l", Value: []any{message, when, nil}}},
		}
		r := NewRenderer(allProperties(), time.UTC)
		for _, format := range []Format{FormatText, FormatJSON} {
			line := r.Append(nil, format, a)
			if !utf8.Valid(line) {
				t.Fatalf("not UTF-8: %q", line)
			}
			for _, c := range string(line) {
				if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || unicode.Is(unicode.Bidi_Control, c) {
					t.Fatalf("%U in %q", c, line)
				}
			}
		}
		if a.Internal() {
			return
		}
		var back struct {
			Hostname, Message, Output, Rule, Source string
			Tags                                    []string
			OutputFields                            map[string]any `json:"output_fields"`
		}
		line := r.Append(nil, FormatJSON, a)
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if want := strings.ToValidUTF8(message, "\ufffd"); utf8.ValidString(message) && back.Message != want {
			t.Fatalf("message %q, want %q", back.Message, want)
		}
		if utf8.ValidString(value) && (back.Rule != value || back.Tags[1] != value) {
			t.Fatalf("rule %q tags %q, want %q", back.Rule, back.Tags, value)
		}
		if !strings.HasSuffix(back.Output, ": Error "+back.Message) {
			t.Fatalf("output %q does not end in %q", back.Output, back.Message)
		}
	})
}

func TestTally(t *testing.T) {
	var tally Tally
	var out strings.Builder
	if _, err := tally.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	if want := "Events detected: 0\nRule counts by severity:\nTriggered rules by rule name:\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	tally.Add(&alert.Alert{Rule: "b", Priority: alert.Informational})
	tally.Add(&alert.Alert{Rule: "a\nx", Priority: alert.Warning})
	tally.Add(&alert.Alert{Rule: "b", Priority: alert.Informational})
	out.Reset()
	if _, err := tally.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	want := "Events detected: 3\nRule counts by severity:\n   WARNING: 1\n   INFO: 2\nTriggered rules by rule name:\n   b: 2\n   a\\nx: 1\n"
	if out.String() != want || tally.Total() != 3 {
		t.Errorf("%q", out.String())
	}
}
