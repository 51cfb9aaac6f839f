// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// hostileBox is a container whose maker wants to fool, slow down or fill up who looks at it.
type hostileBox struct {
	name   string
	cgroup string                   // below the one of the test; %s is the container's id
	files  func(state string) error // what is below docker's directory for it
	want   map[string]string        // where the runtime's word counts
}

// dockerFiles writes what docker would of a container that somebody has named so.
func dockerFiles(id, name, image string, labels map[string]string) func(string) error {
	return func(state string) error {
		b, err := json.Marshal(map[string]any{"ID": id, "Name": "/" + name, "Config": map[string]any{"Image": image, "Labels": labels}})
		return errors.Join(err, os.WriteFile(filepath.Join(state, "config.v2.json"), b, 0o644),
			os.WriteFile(filepath.Join(state, "hostconfig.json"), []byte(`{"NetworkMode":"none"}`), 0o644))
	}
}

func boxID(n int) string { return fmt.Sprintf("%064x", 0xe2e00+n) }

// hostileBoxes are the containers; secret is a file that none of them may read.
func hostileBoxes(secret string) (list []hostileBox) {
	add := func(name string, files func(id string) func(string) error, want map[string]string) {
		list = append(list, hostileBox{name: name, cgroup: "docker/%s", files: files(boxID(len(list))), want: want})
	}
	for _, text := range hostileNames {
		clean := string([]rune(text)) // as JSON has it
		add("named "+text, func(id string) func(string) error {
			return dockerFiles(id, "n"+text, "registry.local/i"+text+":tag", map[string]string{"evil": text, text: "evil"})
		}, map[string]string{"container.name": "n" + clean, "container.label.evil": clean, "container.image.tag": "tag"})
	}
	long := strings.Repeat("m", 1<<20)
	add("named with megabytes", func(id string) func(string) error {
		return dockerFiles(id, long, long+":"+long, map[string]string{"evil": long, "good": "yes"})
	}, map[string]string{"container.name": long[:4096], "container.label.evil": "<NA>"})
	many := make(map[string]string)
	for i := range 50_000 {
		many[fmt.Sprintf("label%d", i)] = strings.Repeat("v", 100)
	}
	add("with very many labels", func(id string) func(string) error { return dockerFiles(id, "many", "a/b:c", many) }, map[string]string{"container.name": "many"})
	unread := map[string]string{"container.name": "<NA>", "container.image.repository": "<NA>", "container.label.evil": "<NA>"}
	add("described by more than is read", func(id string) func(string) error {
		return dockerFiles(id, "big", "a/b:c", map[string]string{"good": strings.Repeat(long, 9)})
	}, unread)
	file := func(make func(path string) error) func(string) func(string) error {
		return func(string) func(string) error {
			return func(state string) error { return make(filepath.Join(state, "config.v2.json")) }
		}
	}
	add("a FIFO for a file", file(func(path string) error { return syscall.Mkfifo(path, 0o644) }), unread)
	add("a directory for a file", file(func(path string) error { return os.Mkdir(path, 0o755) }), unread)
	add("a link out of the root", file(func(path string) error { return os.Symlink(secret, path) }), unread)
	add("a link to a device", file(func(path string) error { return os.Symlink("/dev/zero", path) }), unread)
	add("a file without end", file(func(path string) error {
		return errors.Join(os.WriteFile(path, []byte(`{"Name":"/`), 0o644), os.Truncate(path, 1<<40))
	}), unread)
	add("nested without end", file(func(path string) error {
		return os.WriteFile(path, []byte(strings.Repeat(`{"Config":`, 500_000)), 0o644)
	}), unread)
	for _, c := range []struct{ path, id string }{
		{"lxc.payload.\x1b[2J", "\x1b[2J"}, {`lxc.payload.q"uote`, `q"uote`}, {"lxc.payload." + strings.Repeat("l", 200), strings.Repeat("l", 200)},
		{"lxc.payload.\u202etxt", "\u202etxt"}, {"lxc.payload.\xff", "\ufffd"}, {"lxc.payload.deep" + strings.Repeat("/d", 20), "deep"}, {"lxc.payload...", ".."},
	} {
		list = append(list, hostileBox{name: "cgroup " + c.path[:min(len(c.path), 20)], cgroup: c.path, want: map[string]string{"container.id": c.id, "container.name": c.id, "container.type": "lxc"}})
	}
	return list
}

// TestHostileContainers wants of each of them one line for each rule, in which nothing can do harm, and nothing to hold up or read what it must not.
func TestHostileContainers(t *testing.T) {
	for _, text := range []bool{false, true} {
		t.Run(map[bool]string{false: "json", true: "text"}[text], func(t *testing.T) {
			h := newHost(t)
			secret := write(t, filepath.Join(tempDir(t), "secret"), `{"ID":"x","Name":"/stolen","Config":{"Image":"stolen"}}`)
			boxes := hostileBoxes(secret)
			d := start(t, launch{text: text, by: []string{"env", "HOST_ROOT=" + h.dir}, rules: "- rule: E2E hostile\n  desc: d\n  condition: evt.type in (execve, execveat) and container.id != host and " +
				"proc.args contains hostile-\n  output: \"<%proc.args> %container.id %container.type <%container.name> <%container.image.repository> %container.image.tag <%container.label.evil> <%container.labels>\"\n  priority: NOTICE\n"})
			for i, b := range boxes {
				if b.files != nil {
					state := h.at("var/lib/docker/containers/" + boxID(i))
					if err := errors.Join(os.MkdirAll(state, 0o755), b.files(state)); err != nil {
						t.Fatal(err)
					}
					b.cgroup = fmt.Sprintf(b.cgroup, boxID(i))
				}
				from := d.mark()
				marker := fmt.Sprintf("hostile-%d", i)
				perform(t, exec.Command(actor(t), "cgroup", fmt.Sprintf("/falconet-e2e-%d/%s", os.Getpid(), b.cgroup), actor(t), "nothing", marker))
				var lines []string
				until(t, "the alert of "+b.name, func() bool { // it may wait for what is to be known of the container
					d.sync()
					lines = slices.DeleteFunc(slices.Clone(d.since(from)), func(line string) bool { return strings.Contains(line, d.canary) })
					return len(lines) > 0
				})
				if len(lines) != 1 {
					t.Errorf("%s: %d lines of output, want one: %.500q", b.name, len(lines), lines)
					continue
				}
				checkLine(t, lines[0])
				if len(lines[0]) > 256<<10 || strings.Contains(lines[0], "stolen") {
					t.Errorf("%s: line of %d bytes: %.500q", b.name, len(lines[0]), lines[0])
				}
				a, ok := d.parse(lines[0])
				if !ok || a.Priority != "Notice" || !text && a.Rule != "E2E hostile" {
					t.Errorf("%s: line is no alert of the rule: %.500q", b.name, lines[0])
				}
				for f, w := range b.want {
					if got := a.str(f); !text && got != w && utf8.ValidString(got) {
						t.Errorf("%s: %s is %.200q, want %.200q", b.name, f, got, w)
					}
				}
			}
			if code, _ := d.stop(); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
		})
	}
}
