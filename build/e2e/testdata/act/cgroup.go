// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// inCgroup runs a program in a new cgroup of the given path, in each hierarchy that is mounted, and removes it afterwards. To the
// kernel that is what makes a container.
func inCgroup(args []string) error {
	path, args := args[0], args[1:]
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	var homes, made []string
	for _, root := range roots {
		home, err := ownCgroup(root)
		if err != nil {
			return err
		}
		dirs, err := makeCgroup(root.dir, path)
		made = append(made, dirs...)
		if err == nil {
			err = enter(filepath.Join(root.dir, path))
		}
		if err != nil {
			continue // a hierarchy may refuse: the others are enough
		}
		homes = append(homes, filepath.Join(root.dir, home))
	}
	if len(homes) == 0 {
		return errors.New("no cgroup could be made")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	for _, home := range homes {
		err = errors.Join(err, enter(home))
	}
	for i := len(made) - 1; i >= 0; i-- {
		err = errors.Join(err, remove(made[i]))
	}
	return err
}

// remove removes a cgroup. Newer kernels keep it busy for a moment after its last process has been waited for.
func remove(dir string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := os.Remove(dir)
		if err == nil || !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}

type hierarchy struct{ dir, controllers string }

// hierarchies lists the cgroup hierarchies, each by one of the places where it is mounted; controllers is "" for version 2.
func hierarchies() ([]hierarchy, error) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var out []hierarchy
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[2] != "cgroup" && f[2] != "cgroup2" {
			continue
		}
		h := hierarchy{dir: f[1]}
		if f[2] == "cgroup" {
			h.controllers = f[3]
		}
		if !seen[h.controllers] {
			seen[h.controllers] = true
			out = append(out, h)
		}
	}
	return out, nil
}

// ownCgroup returns the path of this process in a hierarchy.
func ownCgroup(h hierarchy) (string, error) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) == 3 && (f[1] == h.controllers || f[1] != "" && has(h.controllers, f[1])) {
			return f[2], nil
		}
	}
	return "", fmt.Errorf("no cgroup of this process in %s", h.dir)
}

// has reports whether all of some controllers are among the options of a mount.
func has(options, controllers string) bool {
	for c := range strings.SplitSeq(controllers, ",") {
		if !strings.Contains(","+options+",", ","+c+",") {
			return false
		}
	}
	return true
}

// makeCgroup makes the directories that path lacks and returns them.
func makeCgroup(root, path string) (made []string, err error) {
	dir := root
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		above := dir
		dir = filepath.Join(dir, part)
		switch err := os.Mkdir(dir, 0o755); {
		case err == nil:
			made = append(made, dir)
		case !errors.Is(err, os.ErrExist):
			return made, err
		}
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} { // version 1 wants them before it takes a process
			b, err := os.ReadFile(filepath.Join(above, name))
			if err == nil && len(bytes.TrimSpace(b)) > 0 {
				err = os.WriteFile(filepath.Join(dir, name), b, 0)
			}
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return made, err
			}
		}
	}
	return made, nil
}

func enter(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}
