// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"falconet/embed"
	"falconet/engine/field"

	"go.yaml.in/yaml/v3"
)

// shippedOutputs are the outputs of the rules in the binary, and of Falco's where FALCONET_FALCO_RULES says where they are.
func shippedOutputs(t testing.TB) (texts []string) {
	t.Helper()
	files := map[string][]byte{}
	for _, a := range assets.Rules() {
		files[a.Name] = a.Data
	}
	if dir := os.Getenv("FALCONET_FALCO_RULES"); dir != "" {
		names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = b
		}
	}
	for name, b := range files {
		var items []struct{ Output string }
		if err := yaml.NewDecoder(bytes.NewReader(b)).Decode(&items); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, it := range items {
			if it.Output != "" {
				texts = append(texts, it.Output)
			}
		}
	}
	return texts
}

func TestShippedOutputs(t *testing.T) {
	texts := shippedOutputs(t)
	if len(texts) == 0 {
		t.Error("no outputs are shipped")
	}
	for _, text := range texts {
		if p, err := Parse(ParseSuffix("").Apply(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if len(p.Warnings()) > 0 {
			t.Errorf("%q: %s", text, p.Warnings()[0].Msg)
		}
	}
}

// FuzzParse parses a template, prints it for two events and reads its fields. Nothing panics, errors and warnings have a place, every event
// prints the same as often as it is printed, what is printed is bounded, and the fields are what JSON can have.
func FuzzParse(f *testing.F) {
	for _, s := range shippedOutputs(f) {
		f.Add(s)
	}
	for _, g := range printed {
		f.Add(g.template)
	}
	for _, g := range refused {
		f.Add(g.template)
	}
	for _, g := range valued {
		f.Add(g.template)
	}
	known := goldenContext(f)
	unknown := openContext(f) // of a process that nothing is known of
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%q: %T is no *Error: %v", text, err, err)
			}
			checkPlace(t, text, e)
			return
		}
		for i := range p.Warnings() {
			checkPlace(t, text, &p.Warnings()[i])
		}
		if p.String() != text {
			t.Fatalf("%q is said to be %q", text, p)
		}
		for _, r := range p.Reads() {
			if (r.Def == nil) != (r.Why != "") || r.Text == "" {
				t.Fatalf("%q reads %+v", text, r)
			}
		}
		for _, c := range []*field.Ctx{known, unknown} {
			line := p.Append(nil, c)
			if most := (len(text) + 1) * (maxWidth + 4096); len(line) > most {
				t.Fatalf("%q prints %d bytes", text, len(line))
			}
			if again := p.Append([]byte("x"), c); string(again[1:]) != string(line) {
				t.Fatalf("%q prints %q and then %q", text, line, again[1:])
			}
			checkFields(t, text, p, c)
		}
		if name, ok := strings.CutPrefix(text, "%"); ok {
			if q, err := p.WithField(name); err == nil {
				checkFields(t, text, q, known)
			}
		}
		checkFields(t, text, p.WithText("evt.num", p), known)
	})
}

func checkPlace(t *testing.T, text string, e *Error) {
	t.Helper()
	if e.Off < 0 || e.Len < 1 || e.Off > len(text) || e.Off+e.Len > len(text)+1 || strings.TrimSpace(e.Msg) == "" {
		t.Fatalf("%q: %+v", text, e)
	}
}

func checkFields(t *testing.T, text string, p *Template, c *field.Ctx) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range p.Fields(c) {
		if seen[f.Name] {
			t.Fatalf("%q has the field %s twice", text, f.Name)
		}
		seen[f.Name] = true
		if _, err := json.Marshal(f.Value); err != nil {
			t.Fatalf("%q: field %s: %v", text, f.Name, err)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	for text, want := range map[string]string{
		"%" + strings.Repeat("toupper(", 5000) + "evt.type" + strings.Repeat(")", 5000): "more than 100 transformers within one another",
		"%" + strings.Repeat("concat(", 5000) + "evt.type" + strings.Repeat(")", 5000):  "more than 100 transformers within one another",
		"%join('', " + strings.Repeat("(", 5000) + strings.Repeat(")", 5000):            "more than 100 lists within one another",
	} {
		if _, err := Parse(text); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.40s...: %v, want %s", text, err, want)
		}
	}
}
