// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestStart measures how long it takes from the start of the program to the first event that it reports, on a machine with some
// 300 processes. There is no bound: the number is for who reads the log.
func TestStart(t *testing.T) {
	privileged(t)
	const want = 300
	var cmds []*exec.Cmd
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		out.Close()
		for _, cmd := range cmds {
			if err := cmd.Wait(); err != nil {
				t.Errorf("wait for an idle process: %v", err)
			}
		}
		in.Close()
	}()
	for n := processes(t); n < want; n++ {
		cmd := exec.Command("/bin/sh", "-c", "read line || :")
		cmd.Stdin = in
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	binary(t) // built before the clock starts
	var took []time.Duration
	for range 5 {
		took = append(took, firstEvent(t))
	}
	t.Logf("from start to the first event, with %d processes: %v", processes(t), took)
}

// firstEvent starts a falconet while files are opened all the time and returns when it has reported one of them.
func firstEvent(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	d := prepare(t, launch{rules: ""})
	for n := 1; d.mark() == 0; n++ {
		select {
		case <-d.closed:
			t.Fatalf("falconet ended before it reported an event:\n%s", indent(d.diag.String()))
		default:
		}
		if time.Since(begin) > deadline {
			t.Fatalf("falconet reported no event in %v:\n%s", deadline, indent(d.diag.String()))
		}
		write(t, filepath.Join(d.canary, "first"), "")
		time.Sleep(time.Millisecond)
	}
	took := time.Since(begin).Round(time.Millisecond)
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
	return took
}

// processes counts those that /proc shows.
func processes(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			n++
		}
	}
	return n
}
