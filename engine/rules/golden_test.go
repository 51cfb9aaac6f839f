// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"falconet/engine/alert"
)

// TestGolden loads the cases of testdata/load: in every file they begin with a line `#### name`, and a line `##++` begins the next file of
// a case. What loading gives, and the conditions that come of it, stand beside them in a golden file.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/load/*.yaml")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".golden"
			var got strings.Builder
			for _, c := range strings.Split("\n"+string(text), "\n#### ")[1:] {
				title, body, _ := strings.Cut(c, "\n")
				got.WriteString("#### " + title + "\n" + loadCase(body))
			}
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			compareCases(t, got.String(), string(want))
		})
	}
}

// loadCase loads the files of one case together.
func loadCase(body string) string {
	var files []File
	for i, text := range strings.Split(body, "\n##++\n") {
		files = append(files, File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text + "\n")})
	}
	set, results := Load(Options{MinPriority: alert.Debug}, files...)
	var b strings.Builder
	for _, r := range results {
		b.WriteString(r.Text(true) + "\n")
	}
	if set != nil {
		for _, r := range set.Rules {
			b.WriteString("=> " + r.Name + ": " + r.Compiled + "\n")
		}
	}
	return b.String()
}

// compareCases compares case by case, so that a failure shows no more than what is at fault.
func compareCases(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "#### "), strings.Split(want, "#### ")
	for i := range max(len(g), len(w)) {
		var have, expected string
		if i < len(g) {
			have = g[i]
		}
		if i < len(w) {
			expected = w[i]
		}
		if have != expected {
			t.Errorf("case gives\n%s\nwant\n%s", have, expected)
		}
	}
}

// TestGoldenHasEveryCode wants a case for every code that text alone can bring about.
func TestGoldenHasEveryCode(t *testing.T) {
	files, _ := filepath.Glob("testdata/load/*.golden")
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for code, text := range codeText {
		if code != ErrFileRead && code != InvalidText && !strings.Contains(all.String(), "\n"+string(code)+" ("+text+"): ") {
			t.Errorf("no case gives %s", code)
		}
	}
}

// TestStrict makes errors of what Falco does not warn of, and of nothing else.
func TestStrict(t *testing.T) {
	f := func(text string, want ...Code) {
		t.Helper()
		s, results := load(t, Options{Strict: true}, text)
		var got []Code
		for _, p := range results[0].Errors {
			got = append(got, p.Code)
		}
		if (s == nil) != (len(want) > 0) || !slices.Equal(got, want) {
			t.Errorf("%s\ngives %v, want %v", text, got, want)
		}
	}
	f(ruleText("R", "proc.name = proc.pname", "  nonsense: 1\n") + "- list: l\n  items: []\n")
	f(ruleText("R", "evt.type = open and evt.type = openat"), Dubious)
	f(ruleText("R", "evt.type = open and evt.arg.app_id = true"), NotSupported)
	f(ruleText("R", "evt.type = open", "  desc: again\n  capture: true\n"), NoEffect)
	f(ruleText("R", "evt.type = open and proc.name = \xff"), InvalidText)
}

// TestUnreadFile has a file that could not be read among others: it is refused and they are not.
func TestUnreadFile(t *testing.T) {
	s, results := Load(Options{MinPriority: alert.Debug},
		File{Name: "a", Data: []byte("- macro: m\n  condition: evt.type = open\n")}, File{Name: "b", Err: os.ErrPermission},
		File{Name: "c", Data: []byte(ruleText("R", "m and elsewhere"))})
	var got []string
	for _, r := range results {
		got = append(got, r.Text(true))
	}
	want := "a: Ok\nb: Invalid\n1 Errors:\nLOAD_ERR_FILE_READ (File cannot be read): permission denied\nc: Ok"
	if s != nil || strings.Join(got, "\n") != want {
		t.Errorf("results are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
