// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// The kernel's own path of a file, whatever the name that led to it. Each trigger says where the file really is; each call is compared
// in all that its record says.

func TestPathsOfNames(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "paths") })
}

func TestPathsFarDown(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "openat", "deep") })
}

// farDown makes a directory as far down as a path can tell.
func farDown(t *testing.T, dir string) string {
	t.Helper()
	dir += strings.Repeat("/d", (syscall.PathMax-2-len(dir))/2)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPathsBelowMounts(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "mounts") })
}

func TestPathsInsideAnotherRoot(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "chroot") })
}
