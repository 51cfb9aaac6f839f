// SPDX-License-Identifier: Apache-2.0

// Package container tells from a cgroup which container a process is in.
package container

import (
	"strconv"
	"strings"
)

// Info is what a cgroup path tells of a container. The zero Info is a process in none.
type Info struct {
	ID     string // what container.id prints: the first 12 characters of hexadecimal ids, the whole name of others
	FullID string
	Type   string // container.type: "docker", "podman", "containerd", "cri-o", "cri", "lxc", "libvirt-lxc", "bpm"
	UID    int    // whose podman it is, 0 for the system's
}

// Named reports whether the container is one of a runtime that knows a name and no more.
func (i Info) Named() bool { return i.Type == "lxc" || i.Type == "libvirt-lxc" || i.Type == "bpm" }

// engine recognises the cgroup paths of one runtime. Engines are asked in the order of the list, each with all paths of a process.
type engine func(path string) (full, kind string)

// The order is Falco's, but that libvirt's /libvirt/lxc/ is not taken for lxc's. Where several runtimes name their cgroups alike Falco asks the runtimes' sockets; by the path alone a
// Kubernetes pod's container of unknown runtime is "cri", and any other bare id is docker's.
var engines = [...]engine{matchDocker, matchPodman, matchCRI, matchLibvirt, matchLXC, matchBPM, matchContainerd}

// Match returns the container that the given cgroup paths belong to; ok is false when they are in none. A process that has
// moved to a cgroup below its container's (systemd in a container, a nested runtime) is still in it: what no engine
// knows is looked at again without its last component.
func Match(paths ...string) (info Info, ok bool) { return allEnabled.Match(paths...) }

// Match is like the function, with the containers of these runtimes only.
func (e Enabled) Match(paths ...string) (info Info, ok bool) {
	for depth := 0; depth < 64; depth++ {
		left := false
		for i := range engines {
			for _, path := range paths {
				path, ok := above(path, depth)
				if !ok {
					continue
				}
				left = true
				if full, kind := engines[i](path); full != "" && e.has(kind) {
					info := Info{ID: short(full, kind), FullID: full, Type: kind}
					if kind == "podman" {
						info.UID = owner(path)
					}
					return info, true
				}
			}
		}
		if !left {
			break
		}
	}
	return Info{}, false
}

// MatchList is Match for "controller=path" entries separated by NUL, as the probe sends them.
func MatchList(cgroups string) (Info, bool) { return allEnabled.MatchList(cgroups) }

// MatchList is like the function, with the containers of these runtimes only.
func (e Enabled) MatchList(cgroups string) (Info, bool) {
	var paths [16]string
	list := paths[:0]
	for cgroups != "" && len(list) < len(paths) {
		var entry string
		entry, cgroups, _ = strings.Cut(cgroups, "\x00")
		_, path, ok := strings.Cut(entry, "=")
		if ok && path != "/" && (len(list) == 0 || list[len(list)-1] != path) {
			list = append(list, path)
		}
	}
	return e.Match(list...)
}

// above cuts the last depth components from a path; ok is false when none remains.
func above(path string, depth int) (string, bool) {
	for ; depth > 0; depth-- {
		i := strings.LastIndexByte(path, '/')
		if i <= 0 {
			return "", false
		}
		path = path[:i]
	}
	return path, path != "" && path != "/"
}

const (
	idLen    = 64
	shortLen = 12
)

// short abbreviates the ids that Falco abbreviates.
func short(full, kind string) string {
	if len(full) == idLen && isHex(full) || kind == "containerd" {
		return full[:min(len(full), shortLen)]
	}
	return full
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return s != ""
}

// between returns the 64 hexadecimal digits between the last prefix and the last suffix; an empty suffix is the end.
func between(path, prefix, suffix string) string {
	start := strings.LastIndex(path, prefix)
	end := len(path)
	if suffix != "" {
		end = strings.LastIndex(path, suffix)
	}
	if start < 0 || end < start+len(prefix) {
		return ""
	}
	if id := path[start+len(prefix) : end]; len(id) == idLen && isHex(id) {
		return id
	}
	return ""
}

func matchDocker(path string) (full, kind string) {
	if id := between(path, "/docker-", ".scope"); id != "" {
		return id, "docker"
	}
	if strings.Contains(path, "/kubepods") || strings.Contains(path, "/libpod") || strings.HasPrefix(path, "/default/") || underUser(path) {
		return "", ""
	}
	return between(path, "/", ""), "docker"
}

// underUser tells the cgroups of a user's own podman from docker's.
func underUser(path string) bool {
	return strings.Contains(path, "/user.slice/user-") || strings.HasPrefix(path, "/user.slice/user-")
}

// owner reads the user from the cgroup of a user's own podman.
func owner(path string) int {
	_, rest, ok := strings.Cut(path, "/user.slice/user-")
	id, _, slice := strings.Cut(rest, ".slice")
	uid, err := strconv.ParseUint(id, 10, 31)
	if !ok || !slice || err != nil {
		return 0
	}
	return int(uid)
}

func matchPodman(path string) (full, kind string) {
	for _, suffix := range [...]string{".scope", ".scope/container", ""} {
		if id := between(path, "/libpod-", suffix); id != "" {
			return id, "podman"
		}
	}
	if !underUser(path) {
		return "", ""
	}
	return between(path, "/", ""), "podman"
}

func matchCRI(path string) (full, kind string) {
	if strings.HasPrefix(path, "/default/") {
		return "", "" // the namespace of containerd's own command line
	}
	for _, p := range [...]struct{ prefix, suffix, kind string }{
		{"/", "", "cri"},
		{"/crio-", "", "cri-o"},
		{"/cri-containerd-", ".scope", "containerd"},
		{"/crio-", ".scope", "cri-o"},
		{":cri-containerd:", "", "containerd"},
	} {
		if id := between(path, p.prefix, p.suffix); id != "" {
			return id, p.kind
		}
	}
	return "", ""
}

func matchContainerd(path string) (full, kind string) {
	id, ok := strings.CutPrefix(path, "/default/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return "", ""
	}
	for _, unit := range [...]string{".service", ".slice", ".scope"} {
		if strings.HasSuffix(path, unit) {
			return "", ""
		}
	}
	return id, "containerd"
}

func matchLXC(path string) (full, kind string) {
	for _, prefix := range [...]string{"/lxc/", "/lxc.payload/", "/lxc.payload."} {
		if i := strings.Index(path, prefix); i >= 0 {
			name, _, _ := strings.Cut(path[i+len(prefix):], "/")
			return name, "lxc"
		}
	}
	return "", ""
}

func matchLibvirt(path string) (full, kind string) {
	const kindName = "libvirt-lxc"
	if rest, ok := strings.CutSuffix(path, ".libvirt-lxc"); ok {
		return rest[strings.LastIndexByte(rest, '/')+1:], kindName
	}
	if i := strings.LastIndex(path, `-lxc\x2`); i >= 0 {
		rest := path[i+len(`-lxc\x2`):]
		name, ok := strings.CutSuffix(strings.TrimSuffix(rest, "/libvirt"), ".scope")
		if ok {
			// systemd writes the dash between machine and name as \x2d
			return strings.TrimPrefix(name, "d"), kindName
		}
	}
	if i := strings.Index(path, "/libvirt/lxc/"); i >= 0 {
		name, _, _ := strings.Cut(path[i+len("/libvirt/lxc/"):], "/")
		return name, kindName
	}
	return "", ""
}

func matchBPM(path string) (full, kind string) {
	i := strings.LastIndex(path, "bpm-")
	if i < 0 {
		return "", ""
	}
	name, ok := strings.CutSuffix(path[i+len("bpm-"):], ".scope")
	if !ok || name == "" {
		return "", ""
	}
	for i := range len(name) {
		c := name[i]
		word := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '_' || c == '-'
		if !word {
			return "", ""
		}
	}
	return name, "bpm"
}
