// SPDX-License-Identifier: Apache-2.0

// Package e2e runs the real binary on the real kernel and compares what it says with what was done.
//
// The binary is $FALCONET_BIN, else build/bin/falconet, else one that is built for the run. Tests that need root and the kernel's
// type information are skipped where these are not there, and fail instead when FALCONET_REQUIRE_PRIVILEGED=1.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline bounds every wait for something that has to happen. It is no measure: a loaded machine may take its time.
const deadline = 3 * time.Minute

// suite is what the tests share: directories and the programs in them, each made once, when the first test asks.
type suite struct {
	dir    string
	root   string // of the repository
	falco  func() (string, error)
	act    func() (string, error)
	act386 func() (string, error)
}

var shared suite

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "falconet-e2e-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755) // an unprivileged falconet is started from here
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for the tests:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	root, err := filepath.Abs("../..")
	if err != nil {
		fmt.Fprintln(os.Stderr, "find the repository:", err)
		return 1
	}
	shared = suite{dir: dir, root: root}
	shared.falco = sync.OnceValues(shared.findBinary)
	shared.act = sync.OnceValues(func() (string, error) { return shared.build("act", "./build/e2e/testdata/act") })
	shared.act386 = sync.OnceValues(func() (string, error) { return shared.build("act386", "./build/e2e/testdata/act", "GOARCH=386") })
	return m.Run()
}

// findBinary returns the path of the falconet to test.
func (s *suite) findBinary() (string, error) {
	if bin := os.Getenv("FALCONET_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	bin := filepath.Join(s.root, "build/bin/falconet")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	return s.build("falconet", ".")
}

// build compiles a package of this module, seen from its root, and returns the program. Where there is no toolchain, as in a
// virtual machine, the programs come ready, in the directory $FALCONET_E2E_PROGRAMS.
func (s *suite) build(name, pkg string, env ...string) (string, error) {
	if dir := os.Getenv("FALCONET_E2E_PROGRAMS"); dir != "" {
		return s.copyProgram(filepath.Join(dir, name), name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out := filepath.Join(s.dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "netgo,osusergo", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir = s.root
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, b)
	}
	return out, nil
}

// copyProgram brings a program into the suite's directory, for tests make hard links of it.
func (s *suite) copyProgram(from, name string) (string, error) {
	b, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	to := filepath.Join(s.dir, name)
	return to, os.WriteFile(to, b, 0o755)
}

// binary returns the falconet to test.
func binary(t testing.TB) string {
	t.Helper()
	return program(t, shared.falco)
}

// actor returns the program that does what the tests watch.
func actor(t testing.TB) string {
	t.Helper()
	return program(t, shared.act)
}

func program(t testing.TB, made func() (string, error)) string {
	t.Helper()
	path, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// privileged skips the test where the kernel cannot be watched, or fails it when that is not allowed to happen.
func privileged(t testing.TB) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	} else if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		missing = "the kernel's type information (/sys/kernel/btf/vmlinux)"
	}
	if missing == "" {
		return
	}
	if os.Getenv("FALCONET_REQUIRE_PRIVILEGED") == "1" {
		t.Fatalf("this test needs %s, and FALCONET_REQUIRE_PRIVILEGED=1 forbids to skip it", missing)
	}
	t.Skipf("this test needs %s", missing)
}

// runs32 skips the test where the kernel runs no 32-bit programs and takes no 32-bit calls: one built so, one told so at boot, one on a
// hypervisor that has no such calls. With FALCONET_REQUIRE_32BIT=1, as in the machines of the matrix, that is a failure.
func runs32(t testing.TB) {
	t.Helper()
	err := exec.Command(program(t, shared.act386)).Run()
	if err == nil || errors.As(err, new(*exec.ExitError)) {
		return
	}
	if os.Getenv("FALCONET_REQUIRE_32BIT") == "1" {
		t.Fatalf("run 32-bit program: %v", err)
	}
	t.Skipf("this kernel runs no 32-bit programs: %v", err)
}

// write makes a file and returns its path.
func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tempDir is t.TempDir under the directory of the suite: short, and open to other users.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(shared.dir, "t")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// until calls ok until it holds, and fails the test when it never does.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(deadline)
	for wait := time.Millisecond; !ok(); wait = min(2*wait, 50*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", deadline, what)
		}
		time.Sleep(wait)
	}
}

// indent sets off a program's output in a message.
func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}
