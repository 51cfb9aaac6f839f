// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"falconet/build/kernels/guest"
)

// archive writes a cpio archive of the "newc" format, the one that kernels unpack as their first root.
type archive struct {
	w    *bufio.Writer
	ino  int
	dirs map[string]bool
	err  error
}

func newArchive(w io.Writer) *archive {
	return &archive{w: bufio.NewWriterSize(w, 1<<20), dirs: map[string]bool{"/": true}}
}

func (a *archive) header(name string, mode uint32, size int64) {
	if a.err != nil {
		return
	}
	a.ino++
	// Fields: magic, ino, mode, uid, gid, nlink, mtime, size, device and rdevice (major, minor), name length with its NUL, checksum.
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.ino, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name)+1, 0)
	_, a.err = a.w.WriteString(head + name + "\x00")
	a.pad(int64(len(head) + len(name) + 1))
}

func (a *archive) pad(n int64) {
	if a.err == nil && n%4 != 0 {
		_, a.err = a.w.Write(make([]byte, 4-n%4))
	}
}

// merged are the directories that are links into /usr, as on today's distributions.
var merged = []string{"/bin", "/sbin", "/lib", "/lib64"}

// place is where a path really lies.
func place(name string) string {
	name = path.Clean(name)
	for _, m := range merged {
		if name == m || strings.HasPrefix(name, m+"/") {
			return "/usr" + name
		}
	}
	return name
}

func (a *archive) link(name, target string) {
	a.header(name[1:], 0o120777, int64(len(target)))
	if a.err == nil {
		_, a.err = a.w.WriteString(target)
	}
	a.pad(int64(len(target)))
}

func (a *archive) dir(name string) {
	name = place(name)
	if a.dirs[name] {
		return
	}
	a.dir(path.Dir(name))
	a.dirs[name] = true
	mode := uint32(0o040755)
	if name == "/tmp" {
		mode = 0o041777
	}
	a.header(name[1:], mode, 0)
}

func (a *archive) bytes(name string, mode fs.FileMode, data []byte) {
	name = place(name)
	a.dir(path.Dir(name))
	a.header(name[1:], 0o100000|uint32(mode.Perm()), int64(len(data)))
	if a.err == nil {
		_, a.err = a.w.Write(data)
	}
	a.pad(int64(len(data)))
}

// file copies a file, or a directory with all below it, from this machine.
func (a *archive) file(name, source string) error {
	return filepath.WalkDir(source, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, p)
		if err != nil {
			return err
		}
		target := path.Join("/", name, filepath.ToSlash(rel))
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		switch {
		case info.IsDir():
			a.dir(target)
		case info.Mode().IsRegular():
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			a.bytes(target, info.Mode(), data)
		}
		return a.err
	})
}

func (a *archive) close() error {
	a.header("TRAILER!!!", 0, 0)
	if a.err == nil {
		a.err = a.w.Flush()
	}
	return a.err
}

// moduleSet resolves module names to files in dependency order, from what each module says about itself: the
// package is unpacked, never installed, so nothing has run depmod.
func moduleSet(dir string, names []string) ([]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".ko") {
			files[strings.ReplaceAll(strings.TrimSuffix(filepath.Base(p), ".ko"), "-", "_")] = p
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	var order []string
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		name = strings.ReplaceAll(name, "-", "_")
		if seen[name] {
			return nil
		}
		seen[name] = true
		file, ok := files[name]
		if !ok {
			return fmt.Errorf("no module %s below %s", name, dir)
		}
		deps, err := moduleDeps(file)
		if err != nil {
			return err
		}
		for _, d := range deps {
			if err := add(d); err != nil {
				return err
			}
		}
		order = append(order, file)
		return nil
	}
	for _, n := range names {
		if err := add(n); err != nil {
			return nil, err
		}
	}
	return order, nil
}

func moduleDeps(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read module %s: %w", file, err)
	}
	defer f.Close()
	info := f.Section(".modinfo")
	if info == nil {
		return nil, fmt.Errorf("read module %s: no .modinfo", file)
	}
	data, err := info.Data()
	if err != nil {
		return nil, fmt.Errorf("read module %s: %w", file, err)
	}
	for entry := range strings.SplitSeq(string(data), "\x00") {
		if list, ok := strings.CutPrefix(entry, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}

// The accounts that lookups and the shipped rules need; the hash locks the account.
var accounts = map[string]string{
	"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	"/etc/group":  "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nnogroup:x:65534:\n",
	"/etc/shadow": "root:!:20000:0:99999:7:::\nnobody:!:20000:0:99999:7:::\n",
	"/etc/hosts":  "127.0.0.1 localhost\n::1 localhost\n",
}

// writeInitramfs makes the machine's whole file system at target.
func writeInitramfs(target string, o *options, modulesDir string, plan guest.Plan) error {
	modules, err := moduleSet(modulesDir, o.modules)
	if err != nil {
		return err
	}
	out, err := os.Create(target)
	if err != nil {
		return fmt.Errorf("make initramfs: %w", err)
	}
	defer out.Close()
	a := newArchive(out)
	for _, m := range merged {
		a.dir("/usr" + m)
		a.link(m, "usr"+m)
	}
	for _, d := range []string{"/newroot", "/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/mnt", "/usr/local/bin", "/var/log"} {
		a.dir(d)
	}
	for name, text := range accounts {
		mode := fs.FileMode(0o644)
		if name == "/etc/shadow" {
			mode = 0o640
		}
		a.bytes(name, mode, []byte(text))
	}
	for _, m := range modules {
		base := filepath.Base(m)
		plan.Modules = append(plan.Modules, base)
		if err := a.file(guest.ModulesDir+"/"+base, m); err != nil {
			return fmt.Errorf("pack module: %w", err)
		}
	}
	if err := a.file("/init", o.init); err != nil {
		return fmt.Errorf("pack init: %w", err)
	}
	packed := map[string]bool{}
	for _, f := range o.files {
		if packed[place(f.target)] {
			continue
		}
		packed[place(f.target)] = true
		if err := a.file(f.target, f.source); err != nil {
			return fmt.Errorf("pack %s: %w", f.source, err)
		}
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	a.bytes(guest.PlanPath, 0o644, text)
	if err := a.close(); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	return nil
}
