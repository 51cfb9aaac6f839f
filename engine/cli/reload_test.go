// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"falconet/engine/event"
	"falconet/engine/field"

	"github.com/rs/zerolog"
)

func ruleOf(name string) string {
	return fmt.Sprintf("- rule: %s\n  desc: test\n  condition: evt.type = open\n  output: o\n  priority: NOTICE\n", name)
}

// A reload reads what the start read, as it is now; what was handed over open it keeps.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := out.WriteString(ruleOf("handed")); err != nil {
		t.Fatal(err)
	}
	out.Close()
	pipe, file := fmt.Sprintf("/proc/self/fd/%d", in.Fd()), put("r.yaml", ruleOf("one"))
	conf := put("c.yaml", fmt.Sprintf("rules_file: [%s, %s, /not/there.yaml, embedded]\nconfig_files: [%s]\n", pipe, file, filepath.Join(dir, "more.d")))
	var said bytes.Buffer
	log := zerolog.New(&said)
	c := &command{options: options{config: conf}}
	first, err := c.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.findRules(first); err != nil { // as the start does
		t.Fatal(err)
	}
	ours := func() string {
		t.Helper()
		s, err := c.reload(log, first)
		if err != nil {
			return err.Error()
		}
		var names []string
		for _, r := range s.Rules.Rules {
			if r.Desc == "test" {
				names = append(names, r.Name)
			}
		}
		if want := []string{conf, filepath.Join(dir, "more.d"), file, "/not/there.yaml"}; strings.Join(s.Watch, " ") != strings.Join(want, " ") {
			t.Errorf("watched are %q, want %q", s.Watch, want)
		}
		return fmt.Sprint(names, s.Config.Render.JSON)
	}
	check := func(want string) {
		t.Helper()
		if got := ours(); !strings.HasPrefix(got, want) {
			t.Errorf("a reload finds %s, want %s", got, want)
		}
	}
	check("[handed one] false")
	put("r.yaml", ruleOf("two"))
	check("[handed two] false")
	put("r.yaml", "- rule: [")
	check("load rules: " + file + ":1:")
	put("r.yaml", ruleOf("three"))
	if err := os.Mkdir(filepath.Join(dir, "more.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	put("more.d/a.yaml", "json_output: perhaps")
	check("load configuration: " + filepath.Join(dir, "more.d/a.yaml") + ":1:14: json_output: must be true or false")
	put("more.d/a.yaml", "json_output: true")
	check("[handed three] true")
	if !strings.Contains(said.String(), file+":1:") {
		t.Errorf("the broken file is not logged: %s", said.String())
	}
}

// Every key that says what is loaded, matched and captured makes a difference to what a reload comes to.
func TestReloadFollowsKeys(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two := put("one.yaml", ruleOf("one")+strings.Replace(ruleOf("heavy"), "type = open", "type in (read, execve)", 1)), put("two.yaml", ruleOf("two"))
	reload := func(text string) string {
		t.Helper()
		if !strings.Contains(text, "rules_file") {
			text += fmt.Sprintf("rules_files: [%s]\n", one)
		}
		if !strings.Contains(text, "config_files:") {
			text += "config_files: []\n"
		}
		if !strings.Contains(text, "base_syscalls:") {
			text += "base_syscalls: {custom_set: ['!execve']}\n"
		}
		var said bytes.Buffer
		c := &command{options: options{config: put("c.yaml", text)}}
		s, err := c.reload(zerolog.New(&said), nil)
		if err != nil {
			t.Fatal(err)
		}
		var h field.Host
		s.Adopt(&h)
		var b strings.Builder
		fmt.Fprintf(&b, "%q %q %t %+v %q %t\n%s", s.Files, s.Watch, s.Config.Files.Watch, ruleOptions(s.Config, ""), h.Static, h.Base64, said.String())
		for _, r := range s.Rules.Rules {
			fmt.Fprintln(&b, r.Name)
		}
		for id, row := range event.Rows() {
			if _, wanted := s.Demand.Wants(event.ID(id)); wanted {
				fmt.Fprintln(&b, row.Name)
			}
		}
		return b.String()
	}
	before := reload("")
	for key, value := range map[string]string{
		"config_files": "[" + put("more.yaml", "priority: error") + "]", "watch_config_files": "false", "rules_files": "[" + two + "]", "rules_file": "[" + two + "]",
		"rules": "[{disable: {rule: one}}]", "rule_matching": "all", "priority": "error", "append_output": "[{extra_output: more}]", "static_fields": "{a: b}",
		"base_syscalls": "{custom_set: ['!execve', mkdir]}", "base_syscalls.all": "{custom_set: ['!execve'], all: true}",
		"base_syscalls.repair": "{custom_set: ['!execve'], repair: true}", "buffer_format_base64": "true", "load_plugins": "[x]", "plugins": "[{name: x, library_path: x}]",
	} {
		t.Run(key, func(t *testing.T) {
			top, _, _ := strings.Cut(key, ".")
			if after := reload(top + ": " + value + "\n"); after == before {
				t.Errorf("it makes no difference: %s", after)
			}
		})
	}
}
