// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"falconet/engine/config"
)

// TestFindRules reads what stands where a rules file could: nothing of it may block, and each has its reason.
func TestFindRules(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"d", "d/sub.yaml", "empty"} {
		if err := os.Mkdir(path(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("d/b.yml", "b")
	write("d/a.yaml", "a")
	write("d/note.txt", "no rules")
	write("[x].yaml", "x")
	for link, to := range map[string]string{"d/loop.yaml": "loop.yaml", "d/gone.yaml": "nowhere", "d/link.yaml": "a.yaml", "round": "round"} {
		if err := os.Symlink(to, path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, fifo := range []string{"pipe.yaml", "d/pipe.yaml"} {
		if err := syscall.Mkfifo(path(fifo), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want string, paths ...string) {
		t.Helper()
		c := &command{}
		for _, p := range paths {
			if !strings.HasPrefix(p, "/") {
				p = path(p)
			}
			c.ruleFiles = append(c.ruleFiles, p)
		}
		files, err := c.findRules(&config.Config{})
		var got []string
		if err != nil {
			got = append(got, "error")
		}
		for _, file := range files {
			name, _ := strings.CutPrefix(file.Name, dir+"/")
			got = append(got, fmt.Sprintf("%s:%s%v", name, file.Data, file.Err))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%v is read as\n%s, want\n%s", paths, s, want)
		}
	}
	f("d/a.yaml:a<nil>, d/b.yml:b<nil>, d/link.yaml:a<nil>, d/loop.yaml:too many levels of symbolic links", "d")
	f("[x].yaml:x<nil>, none.yaml:no such file or directory, d/b.yml:b<nil>", "[x].yaml", "none.yaml", "d/b.yml")
	f("pipe.yaml:it is not a regular file", "pipe.yaml")
	f("/dev/zero:it is not a regular file", "/dev/zero")
	f("round:too many levels of symbolic links", "round")
	f("error", "empty")

	c := &command{}
	files, err := c.findRules(&config.Config{Rules: config.Rules{Files: []string{path("none"), path("d/a.yaml")}}})
	if err != nil || len(files) != 1 || string(files[0].Data) != "a" {
		t.Errorf("a file of the configuration that is not there: %v, %v", files, err)
	}
}
