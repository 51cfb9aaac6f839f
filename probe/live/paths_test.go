// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

// The kernel's own path of a file, whatever the name that led to it. Each trigger says where the file really is; each call is compared
// in all that its record says.

func TestPathsOfNames(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "paths") })
}

func TestPathsFarDown(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "openat", "deep") })
}

func TestPathsBelowMounts(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "mounts") })
}

func TestPathsInsideAnotherRoot(t *testing.T) {
	eachArch(t, func(t *testing.T, a arch) { a.calls(t, "open", "chroot") })
}
