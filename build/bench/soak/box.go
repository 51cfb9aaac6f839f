// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// boxes starts containers: cgroups, and what docker writes about its containers.
type boxes struct {
	cgroups []string // directories for ours, one in each hierarchy
	state   string   // docker's
	count   atomic.Int64

	mu   sync.Mutex
	left []string // directories of containers that have ended, the oldest first
}

// leave is how many containers that have ended have still files: docker, too, removes them a moment later.
const leave = 32

const boxImage = "registry.local:5000/soak/tiny:v1"

// setUp makes dir look like the root of a host with docker.
func (b *boxes) setUp(dir string) error {
	b.state = filepath.Join(dir, "var/lib/docker/containers")
	err := errors.Join(os.Symlink("/proc", filepath.Join(dir, "proc")), os.Symlink("/sys", filepath.Join(dir, "sys")),
		os.Mkdir(filepath.Join(dir, "etc"), 0o755), os.MkdirAll(b.state, 0o755))
	if err != nil {
		return err
	}
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		own := filepath.Join(root, "falconet-soak-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(own, 0o755); err != nil {
			return err
		}
		b.cgroups = append(b.cgroups, own)
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} { // version 1 takes no process without them
			value, err := os.ReadFile(filepath.Join(root, name))
			if errors.Is(err, os.ErrNotExist) || len(bytes.TrimSpace(value)) == 0 {
				continue
			}
			if err := errors.Join(err, os.WriteFile(filepath.Join(own, name), value, 0), os.WriteFile(filepath.Join(own, "cgroup.clone_children"), []byte("1"), 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *boxes) close() (err error) {
	for _, own := range b.cgroups {
		left, _ := os.ReadDir(own) // of a run that failed
		for _, e := range left {
			if e.IsDir() {
				err = errors.Join(err, removeCgroup(filepath.Join(own, e.Name())))
			}
		}
		err = errors.Join(err, removeCgroup(own))
	}
	return err
}

// hierarchies finds where cgroups are mounted: version 2, and of version 1 what has a controller that tells containers apart.
func hierarchies() (dirs []string, err error) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		if len(w) < 4 {
			continue
		}
		options := strings.Split(w[3], ",")
		if w[2] == "cgroup2" || w[2] == "cgroup" && (slices.Contains(options, "cpuset") || slices.Contains(options, "cpu")) {
			dirs = append(dirs, w[1])
		}
	}
	if len(dirs) == 0 {
		return nil, errors.New("no cgroups are mounted")
	}
	return dirs, nil
}

// enter is run by a shell: it joins the cgroups and becomes the program, as runtimes do.
const enter = `p=$0 m=$1; shift; for d; do echo 0 >"$d/cgroup.procs" || exit 1; done; exec "$p" "$m"`

// box starts a container with the program as its first process, and removes it.
func (b *boxes) box(i int, program string) (*fact, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", os.Getpid(), b.count.Add(1)))
	id, name, marker := hex.EncodeToString(sum[:]), "soak"+strconv.Itoa(i), "soak-box-"+strconv.Itoa(i)
	state := filepath.Join(b.state, id)
	conf, err := json.Marshal(map[string]any{
		"ID": id, "Name": "/" + name, "Image": "sha256:" + id,
		"Config": map[string]any{"Image": boxImage, "Labels": map[string]string{"soak": marker}},
	})
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.Mkdir(state, 0o755), os.WriteFile(filepath.Join(state, "config.v2.json"), conf, 0o644),
		os.WriteFile(filepath.Join(state, "hostconfig.json"), []byte(`{"NetworkMode":"none"}`), 0o644))
	argv := []string{"sh", "-c", enter, program, marker}
	for _, own := range b.cgroups {
		argv = append(argv, filepath.Join(own, id))
		err = errors.Join(err, os.Mkdir(filepath.Join(own, id), 0o755))
	}
	if err != nil {
		return nil, err
	}
	pid, err := startAndWait("/bin/sh", argv, &syscall.ProcAttr{Files: []uintptr{0, 2, 2}})
	for _, dir := range argv[5:] {
		err = errors.Join(err, removeCgroup(dir))
	}
	if err = errors.Join(err, b.remove(state)); err != nil {
		return nil, fmt.Errorf("container %d: %w", i, err)
	}
	return &fact{marker, map[string]string{
		"proc.pid": strconv.Itoa(pid), "proc.ppid": strconv.Itoa(os.Getpid()), "proc.name": filepath.Base(program),
		"container.id": id[:12], "container.name": name, "container.type": "docker", "container.label[soak]": marker,
		"container.image.repository": "registry.local:5000/soak/tiny", "container.image.tag": "v1",
	}}, nil
}

// remove removes the files of one of the containers before.
func (b *boxes) remove(state string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = append(b.left, state)
	if len(b.left) <= leave {
		return nil
	}
	oldest := b.left[0]
	b.left = b.left[1:]
	return os.RemoveAll(oldest)
}

// removeCgroup removes a cgroup. Newer kernels keep it busy for a moment after its last process has been waited for.
func removeCgroup(dir string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := os.Remove(dir)
		if err == nil || !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}
