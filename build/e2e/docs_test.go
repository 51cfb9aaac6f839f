// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// example is a command of the documentation with the output that it is said to have.
type example struct {
	place   string // file:line
	command string
	output  []string
}

// TestDocs runs the examples of the README and the manual and compares their output.
//
// An example is a fenced block whose info string is "console run". A line that begins with "$ " is a command for the shell; the
// lines up to the next one are its output, where "..." alone in a line stands for any lines and "..." within one for any text.
// Examples need no privileges; they run in an empty directory with falconet in the path.
func TestDocs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared.root, "embed/manual/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(shared.root, "README.md")
	if _, err := os.Stat(readme); err == nil {
		files = append(files, readme)
	}
	var all []example
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(shared.root, f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, examples(name, string(b))...)
	}
	if len(all) == 0 {
		t.Skip("the documentation has no examples to run")
	}
	bin := tempDir(t)
	if err := os.Symlink(binary(t), filepath.Join(bin, "falconet")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dirs := map[string]string{} // examples of one file follow one another
	for _, e := range all {
		file, _, _ := strings.Cut(e.place, ":")
		if dirs[file] == "" {
			dirs[file] = tempDir(t)
		}
		t.Run(e.place, func(t *testing.T) {
			r := commandAs(t, nil, "/bin/sh", "-c", "cd "+dirs[file]+" && "+e.command)
			got := r.stdout + r.stderr
			if !pattern(e.output).MatchString(got) {
				t.Errorf("%s\nis said to print\n%s\nbut prints\n%s", e.command, indent(strings.Join(e.output, "\n")), indent(got))
			}
		})
	}
}

// examples finds those of a text.
func examples(file, text string) []example {
	var out []example
	in := false
	n := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		n++
		switch {
		case !in:
			in = strings.HasPrefix(line, "```") && strings.Join(strings.Fields(line[3:]), " ") == "console run"
			if in {
				out = append(out, example{}) // collects output before the first command, of which there must be none
			}
		case strings.HasPrefix(line, "```"):
			in = false
		case strings.HasPrefix(line, "$ "):
			out = append(out, example{place: file + ":" + strconv.Itoa(n), command: line[2:]})
		default:
			last := &out[len(out)-1]
			last.output = append(last.output, line)
		}
	}
	var real []example
	for _, e := range out {
		if e.command != "" || len(e.output) > 0 {
			real = append(real, e)
		}
	}
	return real
}

// pattern turns expected output into an expression for the whole of it.
func pattern(lines []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for _, l := range lines {
		if strings.TrimSpace(l) == "..." {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		for i, part := range strings.Split(l, "...") {
			if i > 0 {
				b.WriteString(`.*`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
		b.WriteString(`[ \t]*\n`)
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}

// TestExamples checks the reader of the documentation itself.
func TestExamples(t *testing.T) {
	text := "text\n```console run\n$ falconet --version\nA: ...\n...\nZ\n$ true\n```\n```console\n$ not this\n```\n"
	got := examples("f.md", text)
	if len(got) != 2 || got[0].place != "f.md:3" || got[0].command != "falconet --version" || got[1].command != "true" || len(got[1].output) != 0 {
		t.Fatalf("%+v", got)
	}
	for out, want := range map[string]bool{"A: 1\nB\nC\nZ\n": true, "A: 1\nZ\n": true, "A: 1\nZ\nmore\n": false, "B\nZ\n": false, "": false} {
		if pattern(got[0].output).MatchString(out) != want {
			t.Errorf("%q: want %v", out, want)
		}
	}
	if !pattern(got[1].output).MatchString("") || pattern(got[1].output).MatchString("x\n") {
		t.Error("a command without output must print nothing")
	}
}
