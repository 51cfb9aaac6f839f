// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds what a broken watcher costs.
const patience = 30 * time.Second

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever way a file changes, it is told once it has.
func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	file, rules, later := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "rules.d"), filepath.Join(dir, "not", "yet", "there.yaml")
	volume := filepath.Join(dir, "volume") // as Kubernetes mounts one: names lead through ..data, which is exchanged
	elsewhere := filepath.Join(dir, "elsewhere.yaml")
	for _, d := range []string{rules, volume, filepath.Join(volume, "..1")} {
		must(t, os.Mkdir(d, 0o700))
	}
	put(t, file, "1")
	put(t, filepath.Join(rules, "r.yaml"), "1")
	put(t, elsewhere, "1")
	must(t, os.Symlink(elsewhere, filepath.Join(rules, "link.yaml")))
	put(t, filepath.Join(volume, "..1", "v.yaml"), "1")
	must(t, os.Symlink("..1", filepath.Join(volume, "..data")))
	must(t, os.Symlink("..data/v.yaml", filepath.Join(volume, "v.yaml")))

	w, err := NewWatcher()
	must(t, err)
	defer w.Close()
	paths := []string{file, rules, filepath.Join(volume, "v.yaml"), later}
	must(t, w.Set(paths, time.Now().Add(time.Hour)))
	told := func(what string) {
		t.Helper()
		select {
		case <-w.Changed():
		case <-time.After(patience):
			t.Fatalf("not told: %s", what)
		}
	}
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a write", func() { put(t, file, "2") }},
		{"another file takes the name", func() {
			put(t, filepath.Join(dir, "a.yaml~"), "3")
			must(t, os.Rename(filepath.Join(dir, "a.yaml~"), file))
		}},
		{"a write to that one", func() { put(t, file, "4") }},
		{"a file in a directory", func() { put(t, filepath.Join(rules, "s.yaml"), "1") }},
		{"its end", func() { must(t, os.Remove(filepath.Join(rules, "s.yaml"))) }},
		{"a write behind a link in a directory", func() { put(t, elsewhere, "2") }},
		{"a volume is exchanged", func() {
			must(t, os.Mkdir(filepath.Join(volume, "..2"), 0o700))
			put(t, filepath.Join(volume, "..2", "v.yaml"), "2")
			must(t, os.Symlink("..2", filepath.Join(volume, "..data_tmp")))
			must(t, os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")))
			must(t, os.RemoveAll(filepath.Join(volume, "..1")))
		}},
		{"and again", func() {
			must(t, os.Mkdir(filepath.Join(volume, "..3"), 0o700))
			put(t, filepath.Join(volume, "..3", "v.yaml"), "3")
			must(t, os.Symlink("..3", filepath.Join(volume, "..data_tmp")))
			must(t, os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")))
			must(t, os.RemoveAll(filepath.Join(volume, "..2")))
		}},
		{"a file that comes with its directories", func() {
			must(t, os.MkdirAll(filepath.Dir(later), 0o700))
			put(t, later, "1")
		}},
		{"a directory that is replaced", func() {
			must(t, os.Rename(rules, rules+".old"))
			must(t, os.Mkdir(rules, 0o700))
			put(t, filepath.Join(rules, "new.yaml"), "1")
		}},
		{"a file in the new one", func() { put(t, filepath.Join(rules, "new.yaml"), "2") }},
	} {
		step.do()
		told(step.what)
	}

	// What does not change the content, and what is of no interest, is not told: the next that is told is the last.
	put(t, file, "4")
	put(t, filepath.Join(dir, "other"), "1")
	must(t, os.Chmod(file, 0o640))
	time.Sleep(3 * quiet)
	select {
	case <-w.Changed():
		t.Error("told that nothing has changed")
	default:
	}

	// What is about to be read is known.
	put(t, file, "5")
	w.Seen()
	time.Sleep(3 * quiet)
	select {
	case <-w.Changed():
		t.Error("told of what was read")
	default:
	}
}

// What changed between being read and being watched is told: a file, and a link that leads to older ones.
func TestWatcherComesLate(t *testing.T) {
	for name, change := range map[string]func(dir string){
		"a file": func(dir string) { put(t, filepath.Join(dir, "..data", "a.yaml"), "2") },
		"a link": func(dir string) {
			must(t, os.Symlink("..2", filepath.Join(dir, "..new")))
			must(t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
		},
	} {
		for _, watched := range []string{"", "a.yaml"} {
			t.Run(name+" "+watched, func(t *testing.T) {
				dir := t.TempDir()
				for _, n := range []string{"..1", "..2"} {
					must(t, os.Mkdir(filepath.Join(dir, n), 0o700))
					put(t, filepath.Join(dir, n, "a.yaml"), n)
				}
				must(t, os.Symlink("..1", filepath.Join(dir, "..data")))
				must(t, os.Symlink("..data/a.yaml", filepath.Join(dir, "a.yaml")))
				time.Sleep(2 * clockGrain)
				read := time.Now()
				change(dir)
				w, err := NewWatcher()
				must(t, err)
				defer w.Close()
				must(t, w.Set([]string{filepath.Join(dir, watched)}, read))
				select {
				case <-w.Changed():
				case <-time.After(patience):
					t.Error("not told")
				}
			})
		}
	}
}
