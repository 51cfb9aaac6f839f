// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
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
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = tempDir(t)
	if user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
	}
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("run falconet %q: %v\n%s", args, err, indent(diag.String()))
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), diag.String()}
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
