// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"falconet/embed"
	"falconet/engine/alert"
	"falconet/engine/field"
	"falconet/engine/format"
)

// shippedFiles are the rule files in the binary, and Falco's where FALCONET_FALCO_RULES says where they are.
func shippedFiles(t testing.TB) (files []File) {
	t.Helper()
	for _, a := range assets.Rules() {
		files = append(files, File{Name: a.Name, Data: a.Data})
	}
	dir := os.Getenv("FALCONET_FALCO_RULES")
	if dir == "" {
		return files
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{Name: name, Data: b})
	}
	return files
}

// items splits a file into its items, so that a mutation of one is a file of its own.
func items(f File) (texts []string) {
	for _, t := range strings.Split("\n"+string(f.Data), "\n- ")[1:] {
		texts = append(texts, "- "+t+"\n")
	}
	return texts
}

// fuzzBase is a file before the fuzzed one: something for it to name, to append to and to override.
const fuzzBase = `- list: l
  items: [a, /etc/x, "b c"]
- macro: m
  condition: evt.type in (open, openat) and proc.name in (l)
- rule: R
  desc: d
  condition: m or fd.name startswith /x
  output: "%fd.name %proc.name"
  priority: INFO
  tags: [t]
  exceptions:
    - {name: e, fields: [proc.name, fd.name], comps: [=, startswith], values: [[a, /b]]}
    - {name: s, fields: fd.name, values: [/c]}
`

// FuzzLoad loads a file alone and behind another. Nothing panics, the same files give the same results, results can be printed, and a set
// that loads can be described and matched against events.
func FuzzLoad(f *testing.F) {
	for _, file := range shippedFiles(f) {
		f.Add(string(file.Data))
		for _, text := range items(file) {
			f.Add(text)
		}
	}
	for _, s := range []string{
		base, fuzzBase, "- rule: R\n  exceptions: [{name: e, values: [[c, /d]]}]\n  append: true", "a: &a [*a]", "- list: l\n  items: [l, q]\n  append: true",
		"- rule: R\n  condition: and not m\n  output: \"%evt.args\"\n  tags: [u]\n  override: {condition: append, output: append, tags: replace}",
		"- macro: m\n  condition: or evt.type = sync\n  append: true\n- list: l\n  items: []\n  override: {items: replace}", "- rule: R\n  enabled: false",
		"- rule: N\n  desc: >\n    d\n  condition: &c evt.type = connect and fd.sip != \"::1\"\n  output: |\n    x\n    %fd.name\n  priority: debug\n- macro: n\n  condition: *c",
		"- required_engine_version: 0.26.0\n- required_plugin_versions: [{name: x, version: 1.0.0, alternatives: [{name: y, version: 2}]}]\n---\n- rule: [x]",
		"- rule: R\n  desc: d\n  condition: k8s.ns.name = x or not container.privileged exists\n  output: \"%nosuch\"\n  priority: INFO\n  skip-if-unknown-filter: true",
	} {
		f.Add(s)
	}
	events := []*field.Ctx{context(f, nrOpenat, "/x"), context(f, nrConnect, ""), context(f, nrSync, ""), context(f, nrGetpid, "")}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		file := File{Name: "fuzz\n.yaml", Data: []byte(text)}
		o := Options{
			MinPriority: alert.Debug, Matching: All, Suffix: format.ParseSuffix(""), Select: []Selection{{Enable: true, Rule: "*"}},
			Append: []Append{{Tags: []string{"t"}, Output: "%evt.num", Fields: []Extra{{Name: "evt.res"}, {Name: "x", Text: "y %evt.type"}}}},
		}
		for _, files := range [][]File{{file}, {{Name: "base.yaml", Data: []byte(fuzzBase)}, file}} {
			set, said := loaded(t, o, files)
			if _, again := loaded(t, o, files); again != said {
				t.Fatalf("the same files give\n%s\nand then\n%s", said, again)
			}
			if set == nil {
				continue
			}
			set.Demand()
			for _, c := range events {
				c.Begin(c.Rec, 1)
				set.Match(c, func(r *Rule) {
					r.Output.Append(nil, c)
					r.Output.Fields(c)
				})
			}
		}
	})
}

// loaded loads files and returns all that is said of them and of the set.
func loaded(t *testing.T, o Options, files []File) (*Set, string) {
	t.Helper()
	set, results := Load(o, files...)
	if len(results) != len(files) {
		t.Fatalf("%d results for %d files", len(results), len(files))
	}
	var b strings.Builder
	ok := true
	for i, r := range results {
		ok = ok && r.OK()
		if r.Name != files[i].Name {
			t.Fatalf("result %d is of %q", i, r.Name)
		}
		b.WriteString(r.Text(true))
		for _, list := range [][]Problem{r.Errors, r.Warnings} {
			for k := range list {
				if list[k].Message == "" || list[k].Code == "" {
					t.Fatalf("a problem without words: %+v", list[k])
				}
				b.WriteString(list[k].Line())
			}
		}
		j, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(j)
	}
	if ok != (set != nil) {
		t.Fatalf("every file is accepted: %v, and there is a set: %v", ok, set != nil)
	}
	if set == nil {
		return nil, b.String()
	}
	d, err := Describe(set, "")
	if err != nil {
		t.Fatal(err)
	}
	j, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(j)
	fmt.Fprint(&b, set.Enabled())
	return set, b.String()
}
