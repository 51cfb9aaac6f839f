// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write puts text into a file of a new directory and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads text as the main file.
func load(t *testing.T, text string, overrides ...string) (*Config, error) {
	t.Helper()
	return Load(Options{File: write(t, "main.yaml", text), Overrides: overrides})
}

func mustLoad(t *testing.T, text string, overrides ...string) *Config {
	t.Helper()
	c, err := load(t, text, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := Default()
	if !c.Outputs.Stdout.Enabled || c.Render.JSON || !c.Render.JSONOutput || c.Rules.Priority != "debug" || c.Rules.Matching != "first" {
		t.Errorf("defaults: %+v", c)
	}
	if c.Engine.Kind != "modern_ebpf" || c.Engine.ModernEBPF.BufSizePreset != 4 || c.Drops.Drops.Threshold != 0.1 {
		t.Errorf("defaults: %+v %+v", c.Engine, c.Drops)
	}
	if !reflect.DeepEqual(c.Rules.Files, []string{EmbeddedRules, "/etc/falconet/rules.d"}) {
		t.Errorf("rules_files = %q", c.Rules.Files)
	}
	if !reflect.DeepEqual(c.Files.Includes, []Include{{Path: "/etc/falconet/config.d", Strategy: "append"}}) {
		t.Errorf("config_files = %+v", c.Files.Includes)
	}
	if len(c.Source.Warnings) > 0 {
		t.Errorf("the defaults warn: %q", c.Source.Warnings)
	}
}

func TestValues(t *testing.T) {
	c := mustLoad(t, `
json_output: yes
priority: INFO
rules_files: /etc/one.yaml
outputs_queue: {capacity: 0x10}
syscall_event_drops: {threshold: .5, actions: log}
rules:
  - enable: {rule: "Read*"}
  - disable: {tag: noisy}
plugins:
  - name: json
    library_path: libjson.so
    init_config: {a: 1, b: [x, true]}
load_plugins: []
static_fields: {site: "north", "with.dot": 3}
append_output:
  - match: {source: syscall}
    extra_output: "pid=%proc.pid"
    extra_fields: [proc.name, {x: "a %proc.pid"}]
`)
	if !c.Render.JSON || c.Rules.Priority != "informational" || c.Outputs.Queue.Capacity != 16 {
		t.Errorf("%+v %+v %+v", c.Render, c.Rules, c.Outputs.Queue)
	}
	if !reflect.DeepEqual(c.Rules.Files, []string{"/etc/one.yaml"}) {
		t.Errorf("rules_files = %q", c.Rules.Files)
	}
	if c.Drops.Drops.Threshold != .5 || !reflect.DeepEqual(c.Drops.Drops.Actions, []string{"log"}) {
		t.Errorf("%+v", c.Drops.Drops)
	}
	want := []Selection{{Enable: &RuleMatch{Rule: "Read*"}}, {Disable: &RuleMatch{Tag: "noisy"}}}
	if !reflect.DeepEqual(c.Rules.Select, want) {
		t.Errorf("rules = %+v", c.Rules.Select)
	}
	if !reflect.DeepEqual(c.Plugins.Plugins[0].InitConfig, map[string]any{"a": 1, "b": []any{"x", true}}) {
		t.Errorf("init_config = %#v", c.Plugins.Plugins[0].InitConfig)
	}
	if c.Plugins.Load == nil {
		t.Error("load_plugins: [] is not told from no load_plugins")
	}
	if !reflect.DeepEqual(c.Rules.StaticFields, map[string]string{"site": "north", "with.dot": "3"}) {
		t.Errorf("static_fields = %v", c.Rules.StaticFields)
	}
	if a := c.Rules.Append[0]; a.Match.Source != "syscall" || !reflect.DeepEqual(a.ExtraFields, []any{"proc.name", map[string]any{"x": "a %proc.pid"}}) {
		t.Errorf("append_output = %+v", c.Rules.Append)
	}
	if len(c.Source.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Source.Warnings)
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"json_ouput: true", `main.yaml:1:1: json_ouput: no such key; did you mean json_output?`},
		{"\nengine:\n  knid: replay", `main.yaml:3:3: engine.knid: no such key; did you mean kind?`},
		{"json_output: perhaps", `main.yaml:1:14: json_output: must be true or false, not "perhaps"`},
		{"json_output: [true]", `main.yaml:1:14: json_output: must be true or false, not a list`},
		{"outputs_queue: {capacity: -1}", `main.yaml:1:27: outputs_queue.capacity: must be a whole number from 0 to 16777216, not -1`},
		{"outputs_queue: {capacity: many}", `must be a whole number from 0 to 16777216, not "many"`},
		{"outputs_queue: {capacity: 99999999999999999999}", `must be a whole number`},
		{"outputs_queue: 5", `main.yaml:1:16: outputs_queue: must be a map, not "5"`},
		{"priority: loud", `main.yaml:1:11: priority: must be one of emergency, alert,`},
		{"log_level: debgu", `did you mean debug?`},
		{"syscall_event_drops: {threshold: 2}", `must be a number from 0 to 1, not 2`},
		{"syscall_event_drops: {threshold: .nan}", `must be a number from 0 to 1`},
		{"syscall_event_drops: {actions: [log, ignore]}", `main.yaml:1:32: syscall_event_drops.actions: ignore excludes log and alert`},
		{"syscall_event_timeouts: {max_consecutives: 0}", `must be a whole number from 1`},
		{"rules: [{enable: {}}]", `main.yaml:1:8: rules: entry 1 must have either enable or disable`},
		{"rules: [{enable: {rule: a}, disable: {rule: b}}]", `entry 1 must have either`},
		{"rules: [{enabled: {rule: a}}]", `rules[].enabled: no such key; did you mean enable?`},
		{"rules_file: a\nrules_files: b", `rules_file: is the old name of rules_files`},
		{"engine: {kind: replay}", `engine.replay.capture_file: must name a file`},
		{"program_output: {enabled: true}", `program_output.program: must be a command`},
		{"file_output: {enabled: true, filename: ''}", `file_output.filename: must name a file`},
		{"http_output: {enabled: true}", `http_output.url: must be a URL`},
		{"webserver: {enabled: true, listen_address: localhost}", `main.yaml:1:44: webserver.listen_address: must be an IP address, not "localhost"`},
		{"metrics: {enabled: true, interval: 5000}", `metrics.interval: must be numbers with the units`},
		{"metrics: {enabled: true, interval: 5ms}", `metrics.interval: must be 100ms or more`},
		{"metrics: {enabled: true, interval: 5m1h}", `in this order`},
		{"config_files: [{path: a, stratgy: append}]", `config_files[].stratgy: no such key; did you mean strategy?`},
		{"static_fields: {a: [1]}", `static_fields.a: must be a text, not a list`},
		{"- a", `main.yaml:1:1: a configuration is a map of keys, this is a list`},
		{"a: [", `main.yaml:1: not valid YAML`},
		{"a: &x [*x]", `alias`},
		{"? [a]\n: b", `a key must be a plain text`},
	} {
		_, err := load(t, tc.text)
		if err == nil {
			t.Errorf("%q was accepted", tc.text)
			continue
		}
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v\n  want %s", tc.text, err, tc.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than one line: %v", tc.text, err)
		}
	}
}

// Every key refuses a value of another type, and one beyond its bounds, and says which, where, and what it wants.
func TestEveryKeyIsChecked(t *testing.T) {
	numbers := func(p *prop) (out []string) {
		out = []string{"many", "[1]", "{a: 1}"}
		for _, at := range []float64{p.min - 1, p.max + 1} {
			if !math.IsInf(at, 0) {
				out = append(out, fmt.Sprintf("%.0f", at))
			}
		}
		return out
	}
	wrong := map[propKind]func(*prop) []string{
		boolProp: func(*prop) []string { return []string{"perhaps", "3", "[true]", "{a: true}"} }, intProp: numbers, floatProp: numbers,
		stringProp: func(p *prop) []string {
			if p.enum != nil {
				return []string{"nothing-of-these", "[x]", "{a: b}"}
			}
			return []string{"[x]", "{a: b}"}
		},
		objectProp: func(*prop) []string { return []string{"5", "[x]"} },
		listProp: func(p *prop) []string {
			if p.item.kind == anyProp || p.item.kind == objectProp && p.item.scalar != "" {
				return nil
			}
			return []string{"{no-such-key: b}"}
		},
		textsProp: func(*prop) []string { return []string{"5", "[x]", "{a: [x]}"} },
	}
	n := 0
	var visit func(p *prop)
	visit = func(p *prop) {
		for _, child := range p.props {
			visit(child)
		}
		if p.path == "" || wrong[p.kind] == nil {
			return
		}
		for _, value := range wrong[p.kind](p) {
			n++
			// a line of its own for each level, the value on the last
			var text strings.Builder
			parts := strings.Split(p.path, ".")
			for i, name := range parts {
				fmt.Fprintf(&text, "%s%s:", strings.Repeat("  ", i), name)
				if i < len(parts)-1 {
					text.WriteByte('\n')
				}
			}
			_, err := load(t, text.String()+" "+value+"\n")
			if err == nil {
				t.Errorf("%s: %s was accepted", p.path, value)
				continue
			}
			if want := fmt.Sprintf("main.yaml:%d:", len(parts)); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), p.path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %s: %v", p.path, value, err)
			}
		}
	}
	visit(schema())
	t.Logf("%d values were refused", n)
}

// A configuration that others may change is none: it says which programs are run.
func TestWritableByEverybody(t *testing.T) {
	included := write(t, "more.yaml", "json_output: true")
	main := write(t, "main.yaml", "config_files: ["+included+"]")
	for _, path := range []string{main, included} {
		if err := os.Chmod(path, 0o606); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(Options{File: main}); err == nil || !strings.Contains(err.Error(), path+" can be written by everybody") {
			t.Errorf("%v", err)
		}
		if err := os.Chmod(path, 0o660); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(Options{File: main}); err != nil {
			t.Error(err)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := load(t, "json_output: 3\npriority: 4\n")
	if problems, ok := err.(Problems); !ok || len(problems) != 2 {
		t.Errorf("%v, want two problems", err)
	}
}

func TestLenient(t *testing.T) {
	c, err := Load(Options{File: write(t, "f.yaml", "new_key_of_falco: 1\njson_output: true\n"), Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Render.JSON || len(c.Source.Warnings) != 1 || !strings.Contains(c.Source.Warnings[0], "f.yaml:1:1: new_key_of_falco: no such key") {
		t.Errorf("%v, warnings %q", c.Render.JSON, c.Source.Warnings)
	}
}

func TestDuplicateKeyWarns(t *testing.T) {
	c := mustLoad(t, "json_output: true\njson_output: false\n")
	if !c.Render.JSON || len(c.Source.Warnings) != 1 || !strings.Contains(c.Source.Warnings[0], "main.yaml:2:1: key json_output is there twice") {
		t.Errorf("%v %q", c.Render.JSON, c.Source.Warnings)
	}
}

func TestManyAliasesAreRefused(t *testing.T) {
	text := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'i'; c++ {
		p := string(c - 1)
		text += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+p+",", 10), ",") + "]\n"
	}
	if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
}

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	ours, falcos := filepath.Join(dir, "falconet.yaml"), filepath.Join(dir, "falco.yaml")
	opts := Options{Search: []string{ours, falcos}, Embedded: []byte("priority: error")}
	check := func(main, priority string) {
		t.Helper()
		c, err := Load(opts)
		if err != nil {
			t.Fatal(err)
		}
		if c.Source.Main != main || c.Rules.Priority != priority {
			t.Errorf("main %q priority %s, want %q %s", c.Source.Main, c.Rules.Priority, main, priority)
		}
	}
	check("", "error")
	for path, text := range map[string]string{falcos: "priority: notice"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check(falcos, "notice")
	if err := os.WriteFile(ours, []byte("priority: alert"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(ours, "alert")
	if _, err := Load(Options{File: filepath.Join(dir, "none.yaml")}); err == nil || !strings.Contains(err.Error(), "none.yaml: no such file") {
		t.Errorf("missing -c file: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	c, err := Load(Options{Search: []string{}, Environ: []string{
		"FALCONET_CFG__JSON_OUTPUT=true", "FALCONET_CFG__METRICS__INTERVAL=2h", "FALCONET_PORT=tcp://1.2.3.4", "OTHER=1",
	}, Overrides: []string{"metrics.interval=3h"}})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Render.JSON || c.Metrics.Interval != "3h" {
		t.Errorf("%v %s", c.Render.JSON, c.Metrics.Interval)
	}
	_, err = Load(Options{Search: []string{}, Environ: []string{"FALCONET_CFG__JSON_OUTPT=true"}})
	if err == nil || !strings.Contains(err.Error(), "environment variable FALCONET_CFG__JSON_OUTPT: json_outpt: no such key; did you mean json_output?") {
		t.Errorf("%v", err)
	}
}
