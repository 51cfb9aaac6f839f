// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that the tests compare with")

// TestEmbeddedFile holds the file in the binary against the structure.
func TestEmbeddedFile(t *testing.T) {
	const file = "../../embed/config/falconet.yaml"
	if *update {
		if err := os.WriteFile(file, Defaults(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Defaults()) {
		t.Errorf("%s is not what the structure says: go test ./engine/config -update writes it", file)
	}
	c, err := Load(Options{Search: []string{}, Embedded: got})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	c.tree, want.tree = nil, nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("the embedded file loads as\n%+v\nthe defaults are\n%+v", c, want)
	}
}

// TestEveryKeyIsExplained: what is neither explained nor said to be without effect cannot be used.
func TestEveryKeyIsExplained(t *testing.T) {
	var look func(p *prop)
	look = func(p *prop) {
		for _, c := range p.props {
			if c.kind == objectProp {
				look(c)
			} else if c.doc == "" {
				t.Errorf("key %s has no description", c.path)
			}
		}
	}
	look(schema())
}

func TestEffectiveConfigurationSaysWhereValuesComeFrom(t *testing.T) {
	main := write(t, "main.yaml", `
priority: INFO
config_files: []
rules_files: [one.yaml, "two: 2.yaml"]
http_output: {url: ""}
load_plugins: []
static_fields: {site: "north\nsouth"}
grpc: {threadiness: 2}
`)
	c, err := Load(Options{File: main, Overrides: []string{"engine.modern_ebpf.buf_size_preset=6", "rules[].disable.tag=noisy"},
		Environ: []string{"FALCONET_CFG__metrics__enabled=true"}})
	if err != nil {
		t.Fatal(err)
	}
	got := string(c.YAML())
	for _, want := range []string{
		"priority: informational  # " + main + ":2:11\n",
		"config_files: []  # " + main + ":3:15\n",
		"rules_files:\n  - one.yaml  # " + main + ":4:15\n  - 'two: 2.yaml'  # " + main + ":4:25\n",
		"  url: \"\"  # " + main + ":5:20\n",
		"load_plugins: []  # ",
		`static_fields: {site: "north\nsouth"}  # `,
		"grpc:\n  threadiness: 2  # ",
		"    buf_size_preset: 6  # option -o engine.modern_ebpf.buf_size_preset=6\n",
		"  - {disable: {tag: noisy}}  # option -o rules[].disable.tag=noisy\n",
		"  enabled: true  # environment variable FALCONET_CFG__metrics__enabled\n",
		"rule_matching: first\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	// What is printed is a configuration: it loads as what it was printed from.
	again, err := Load(Options{File: write(t, "again.yaml", got)})
	if err != nil {
		t.Fatal(err)
	}
	again.Source, c.Source, again.tree, c.tree = Source{}, Source{}, nil, nil
	if !reflect.DeepEqual(again, c) {
		t.Errorf("printed and loaded again:\n%+v\nwas\n%+v", again, c)
	}
}
