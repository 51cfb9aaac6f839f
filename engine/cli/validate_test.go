// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const describedRule = `- rule: A rule that is well
  desc: Its description is long enough to need another line, which begins below the first and not below the name.
  condition: evt.type = open and fd.name = /x
  output: x %fd.name
  priority: INFO
`

// validated runs -V on files with the given texts and returns the exit code and the standard output, with the directory cut off the names
// of the files.
func validated(t *testing.T, options []string, texts ...string) (code int, out string) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "falconet.yaml")
	if err := os.WriteFile(conf, []byte("rules_files: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-c", conf}, options...)
	for i, text := range texts {
		name := filepath.Join(dir, fmt.Sprintf("%c.yaml", 'a'+i))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-V", name)
	}
	var stdout, stderr bytes.Buffer
	code = Main(context.Background(), Deps{Version: "0.0.0", Stdout: &stdout, Stderr: &stderr}, args)
	return code, strings.ReplaceAll(stdout.String(), dir+"/", "")
}

func TestValidateText(t *testing.T) {
	code, out := validated(t, nil, describedRule, "- macro: m\n  condition: evt.type = open\n")
	if want := "a.yaml: Ok\nb.yaml: Ok, with warnings\n"; code != 0 || out != want {
		t.Errorf("code %d, output\n%s\nwant\n%s", code, out, want)
	}
	code, out = validated(t, []string{"-v"}, describedRule, "- macro: m\n  condition: evt.type = open\n")
	if want := "a.yaml: Ok\nb.yaml: Ok, with warnings\n1 Warnings:\nIn macro 'm': (b.yaml:1:"; code != 0 || !strings.HasPrefix(out, want) || !strings.Contains(out, "\nLOAD_UNUSED_MACRO (") {
		t.Errorf("with -v: code %d, output\n%s\nwant it to begin with\n%s", code, out, want)
	}
	code, out = validated(t, nil, describedRule, strings.Replace(describedRule, "fd.name =", "fd.nme =", 1))
	if want := "a.yaml: Ok\nb.yaml: Invalid\n1 Errors:\nIn rule 'A rule that is well': (b.yaml:1:3)\n    condition 'A rule that is well': (b.yaml:3:34)\n------\n"; code != 1 ||
		!strings.HasPrefix(out, want) || !strings.Contains(out, "\n------\nLOAD_ERR_COMPILE_CONDITION (") {
		t.Errorf("invalid: code %d, output\n%s\nwant it to begin with\n%s", code, out, want)
	}
	code, out = validated(t, []string{"-L"}, describedRule)
	if want := "a.yaml: Ok\n\n" +
		"Rule                                               Description\n" +
		"----                                               -----------\n" +
		"A rule that is well                                Its description is long enough to need another line, which\n" +
		"                                                   begins below the first and not below the name.\n\n"; code != 0 || out != want {
		t.Errorf("with -L: code %d, output\n%s\nwant\n%s", code, out, want)
	}
}

// TestValidateJSON wants the keys of Falco and no others, in the order of their bytes.
func TestValidateJSON(t *testing.T) {
	type problem struct {
		Code     string `json:"code"`
		CodeDesc string `json:"codedesc"`
		Context  struct {
			Locations []struct {
				ItemName string `json:"item_name"`
				ItemType string `json:"item_type"`
				Position struct {
					Column int    `json:"column"`
					Line   int    `json:"line"`
					Name   string `json:"name"`
					Offset int    `json:"offset"`
				} `json:"position"`
			} `json:"locations"`
			Snippet string `json:"snippet"`
		} `json:"context"`
		Message string `json:"message"`
	}
	var got struct {
		Describe json.RawMessage `json:"falco_describe_results"`
		Results  []struct {
			Errors         []problem `json:"errors"`
			Name           string    `json:"name"`
			SchemaValid    bool      `json:"schema_valid"`
			SchemaWarnings []string  `json:"schema_warnings"`
			Successful     bool      `json:"successful"`
			Warnings       []problem `json:"warnings"`
		} `json:"falco_load_results"`
	}
	read := func(out string) {
		t.Helper()
		d := json.NewDecoder(strings.NewReader(out))
		d.DisallowUnknownFields()
		got.Describe, got.Results = nil, nil
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if strings.Count(out, "\n") != 1 {
			t.Errorf("output is not one line:\n%s", out)
		}
	}
	json := []string{"-o", "json_output=true"}
	code, out := validated(t, json, describedRule, "- macro: m\n  condition: evt.type = open\n  colour: red\n", strings.Replace(describedRule, "fd.name =", "fd.nme =", 1))
	read(out)
	if code != 1 || len(got.Results) != 3 || got.Describe != nil {
		t.Fatalf("code %d, output %s", code, out)
	}
	if r := got.Results[0]; r.Name != "a.yaml" || !r.Successful || !r.SchemaValid || len(r.SchemaWarnings)+len(r.Errors)+len(r.Warnings) != 0 {
		t.Errorf("result of a good file: %+v", r)
	}
	if r := got.Results[1]; !r.Successful || r.SchemaValid || len(r.SchemaWarnings) != 1 || !strings.Contains(r.SchemaWarnings[0], "'colour'") || len(r.Errors) != 0 {
		t.Errorf("result of a file with an unknown key: %+v", r)
	}
	r := got.Results[2]
	if r.Successful || !r.SchemaValid || len(r.Errors) != 1 || r.Errors[0].Code != "LOAD_ERR_COMPILE_CONDITION" || r.Errors[0].CodeDesc == "" || r.Errors[0].Message == "" {
		t.Fatalf("result of a bad file: %+v", r)
	}
	at := r.Errors[0].Context
	if l := at.Locations; len(l) != 2 || l[0].ItemType != "rule" || l[0].ItemName != "A rule that is well" || l[1].Position.Line != 2 || l[1].Position.Column != 33 ||
		l[1].Position.Name != "c.yaml" || !strings.Contains(at.Snippet, "fd.nme") {
		t.Errorf("context of the error: %+v", at)
	}
	order := regexp.MustCompile(`^\{"falco_load_results":\[\{"errors":\[\],"name":"a.yaml","schema_valid":true,"schema_warnings":\[\],"successful":true,"warnings":\[\]\},\{"errors":`)
	if !order.MatchString(out) {
		t.Errorf("keys are in another order: %s", out)
	}
	code, out = validated(t, append(json, "-l", "A rule that is well"), describedRule)
	if read(out); code != 0 || !strings.HasPrefix(string(got.Describe), `{"rules":[{"details":{"condition_compiled":"evt.type = open and fd.name = /x",`) || !strings.HasPrefix(out, `{"falco_describe_results":`) {
		t.Errorf("with -l: code %d, output %s", code, out)
	}
}
