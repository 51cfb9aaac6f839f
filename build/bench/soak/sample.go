// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fact is what is true of a process, by the names of falconet's fields.
type fact struct {
	marker string // the argument by which its alert is found
	fields map[string]string
}

// sampled starts processes whose lineage is known.
type sampled struct {
	outer, inner string // shells: copies with paths of their own
	self         string // name of this process
}

// lineage is run by the outer shell: each shell says its pid, the inner one also that of the program.
const lineage = `echo $$; "$0" -c 'echo $$; "$0" "$1" & echo $!; wait' "$1" "$2"; :`

func (s *sampled) setUp(dir string) error {
	sh, err := os.ReadFile("/bin/sh")
	if err != nil {
		return err
	}
	s.outer, s.inner = filepath.Join(dir, "outer/sh"), filepath.Join(dir, "inner/sh")
	for _, path := range []string{s.outer, s.inner} {
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, sh, 0o755); err != nil {
			return err
		}
	}
	comm, err := os.ReadFile("/proc/self/comm")
	s.self = strings.TrimSpace(string(comm))
	return err
}

// sample starts a shell that starts a shell that starts the program.
func (s *sampled) sample(i int, program string) (*fact, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	marker := "soak-sample-" + strconv.Itoa(i)
	pid, err := startAndWait(s.outer, []string{"sh", "-c", lineage, s.inner, program, marker}, &syscall.ProcAttr{
		Env: []string{"SOAK=" + marker}, Files: []uintptr{0, w.Fd(), 2},
	})
	_ = w.Close()
	said, readErr := io.ReadAll(r)
	if err != nil || readErr != nil {
		return nil, fmt.Errorf("sample %d: %w, %w", i, err, readErr)
	}
	pids := strings.Fields(string(said))
	if len(pids) != 3 || pids[0] != strconv.Itoa(pid) {
		return nil, fmt.Errorf("sample %d: shell %d said %q", i, pid, said)
	}
	return &fact{marker, map[string]string{
		"proc.pid": pids[2], "proc.name": filepath.Base(program), "proc.exepath": program, "proc.cmdline": filepath.Base(program) + " " + marker,
		"proc.ppid": pids[1], "proc.pname": "sh", "proc.pexepath": s.inner, "proc.env[SOAK]": marker,
		"proc.apid[2]": pids[0], "proc.aname[2]": "sh", "proc.aexepath[2]": s.outer,
		"proc.apid[3]": strconv.Itoa(os.Getpid()), "proc.aname[3]": s.self, "container.id": "host",
	}}, nil
}
