// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// unpack makes the directories and files of an image below a directory.
func (h *host) unpack(image []byte, dir string) {
	h.t.Helper()
	for r := tar.NewReader(bytes.NewReader(image)); ; {
		f, err := r.Next()
		if err == io.EOF {
			return
		}
		if err == nil && f.Typeflag == tar.TypeDir {
			err = os.MkdirAll(filepath.Join(dir, f.Name), 0o755)
		} else if err == nil {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(filepath.Join(dir, f.Name), b, 0o755)
			}
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestLXCContainers starts containers by each of the two programs that LXC has for it, and in cgroups named as LXC names them and as it did
// before version 4. They have a name, which is their id, and no image.
func TestLXCContainers(t *testing.T) {
	h := newHost(t)
	h.installed("lxc-start", "lxc-execute")
	h.unpack(h.image(), h.at("rootfs"))
	containers := h.at("var/lib/lxc")
	if err := os.MkdirAll(containers, 0o755); err != nil {
		t.Fatal(err)
	}
	d := h.watch()
	name := func(i int) string { return fmt.Sprintf("lxc%d", i) }
	h.check(d, func(i int) expected { return expected{name: name(i), kind: "lxc", noImage: true} }, func(i int) {
		conf := fmt.Sprintf("lxc.uts.name = %s\nlxc.rootfs.path = dir:%s\nlxc.net.0.type = empty\n", name(i), h.at("rootfs"))
		if i%2 == 1 {
			conf += fmt.Sprintf("lxc.cgroup.dir = lxc/%s\n", name(i))
		}
		program := []string{"lxc-start", "-F"}
		if i%3 == 2 {
			program = []string{"lxc-execute"}
		}
		h.run(nil, append(program, "-n", name(i), "-P", containers, "-f", write(t, h.at(name(i)+".conf"), conf), "-o", h.at("lxc.log"), "--",
			"/bin/act", "nothing", "first-"+name(i))...)
	})
}
