// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// result is what a finished command left behind.
type result struct {
	code           int
	stdout, stderr string
}

// command runs a falconet that ends by itself.
func command(t *testing.T, args ...string) result {
	t.Helper()
	return commandAs(t, nil, binary(t), args...)
}

// commandAs runs a program with the credentials of a user; nil are our own.
func commandAs(t *testing.T, user *syscall.Credential, bin string, args ...string) result {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = tempDir(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	err := finish(cmd)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %s %q: %v\n%s", bin, args, err, indent(diag.String()))
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), diag.String()}
}

// perform runs a program that has to succeed.
func perform(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := finish(cmd); err != nil {
		t.Fatalf("run %q: %v\n%s", cmd.Args, err, indent(out.String()))
	}
	return out.String()
}

// finish runs a program to its end, in a session of its own: without a terminal, wherever the tests are run. One that hangs is
// ended with all that it has started.
func finish(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return err
	}
	var hangs atomic.Bool
	late := time.AfterFunc(deadline, func() {
		hangs.Store(true)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // an error means that it has ended just now
	})
	err := cmd.Wait()
	late.Stop()
	if hangs.Load() {
		return fmt.Errorf("it has not ended in %v", deadline)
	}
	return err
}

// refused fails the test when falconet did not end with code 1 and one line of explanation that has all of the words, and returns
// that line.
func (r result) refused(t *testing.T, words ...string) string {
	t.Helper()
	if r.code != 1 {
		t.Errorf("exit code is %d, want 1", r.code)
	}
	said := r.stderr + r.stdout
	if strings.Contains(said, "goroutine ") || strings.Contains(said, "panic:") {
		t.Fatalf("falconet crashed:\n%s", indent(said))
	}
	for line := range strings.Lines(r.stderr) {
		if holds(line, words) {
			checkLine(t, strings.TrimSuffix(line, "\n"))
			return line
		}
	}
	t.Errorf("no line of standard error holds all of %q:\n%s", words, indent(r.stderr))
	return ""
}

func holds(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}
