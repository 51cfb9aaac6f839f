// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Controllers are the names of the cgroup controllers in v1 hierarchies, in the order of the cgroups parameter.
var Controllers = []string{"cpuset", "cpu", "cpuacct", "blkio", "memory"}

// Ticks is the length of a clock tick of /proc in nanoseconds.
const Ticks = 10_000_000

// Stat returns the fields of /proc/PID/stat by their numbers in proc(5); 1 and 2 are empty.
func Stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	stat := string(b)
	return append(make([]string, 3), strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])...), nil
}

// Status returns the lines of /proc/PID/status.
func Status(pid int) (map[string]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(line, ":")
		out[k] = strings.TrimSpace(v)
	}
	return out, nil
}

func number(s string) int64 {
	s, _, _ = strings.Cut(s, " ")
	return one(strconv.ParseInt(s, 10, 64))
}

// Task is what /proc says of a thread of a process, as the parameters that exec and clone events share. Memory and faults may
// only have grown since the event.
func Task(pid, tid int) (c *Call) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	c = &Call{Params: make(map[string]Want), Parts: make(map[string]Want)}
	stat, status := one(Stat(tid)), one(Status(tid))
	c.Number("tid", int64(tid)).Number("pid", int64(pid)).Number("ptid", number(stat[4]))
	c.Bytes("cwd", one(os.Readlink(dir+"cwd")))
	for line := range strings.Lines(string(one(os.ReadFile(dir + "limits")))) {
		if limit, ok := strings.CutPrefix(line, "Max open files"); ok {
			c.Number("fdlimit", number(strings.Fields(limit)[0]))
		}
	}
	c.Range("pgft_min", 0, number(stat[10])).Range("pgft_maj", 0, number(stat[12]))
	c.Range("vm_size", 1, number(status["VmPeak"])).Range("vm_rss", 0, number(status["VmHWM"])+1024).Number("vm_swap", number(status["VmSwap"]))
	c.Bytes("comm", status["Name"]).Bytes("cgroups", Cgroups(pid))
	pgid := strings.Fields(status["NSpgid"])
	c.Number("tty", number(stat[7])).Number("vpgid", number(pgid[len(pgid)-1])).Number("pgid", number(stat[5]))
	login, err := os.ReadFile(dir + "loginuid")
	if err != nil {
		login = []byte("4294967295")
	}
	c.Number("loginuid", number(strings.TrimSpace(string(login))))
	for param, line := range map[string]string{"cap_inheritable": "CapInh", "cap_permitted": "CapPrm", "cap_effective": "CapEff"} {
		c.Number(param, int64(one(strconv.ParseUint(status[line], 16, 64))))
	}
	uid, gid := strings.Fields(status["Uid"]), strings.Fields(status["Gid"])
	c.Number("uid", number(uid[1])).Number("gid", number(gid[1]))
	c.Number("vtid", int64(tid)).Number("vpid", int64(pid))
	if ns := strings.Fields(status["NSpid"]); len(ns) > 1 {
		tgid := strings.Fields(status["NStgid"])
		c.Number("vtid", number(ns[len(ns)-1])).Number("vpid", number(tgid[len(tgid)-1]))
	}
	init := number(one(Stat(1))[22]) * Ticks
	c.Range("pidns_init_start_ts", init, init+Ticks-1)
	exe := dir + "exe"
	var st unix.Stat_t
	must(unix.Stat(exe, &st))
	c.Number("exe_ino", int64(st.Ino)).Number("exe_ino_ctime", st.Ctim.Nano()).Number("exe_ino_mtime", st.Mtim.Nano())
	path := strings.TrimSuffix(one(os.Readlink(exe)), " (deleted)")
	c.Bytes("trusted_exepath", path).Part("exe", path)
	// exe_writable is about the user of the process; this program's own is root or the same
	c.Flags("flags")
	if uid[1] == "0" && unix.Faccessat(unix.AT_FDCWD, exe, unix.W_OK, unix.AT_EACCESS) == nil || uid[1] != "0" && st.Mode&2 != 0 {
		c.Flags("flags", "EXE_WRITABLE")
	}
	argv, env := string(one(os.ReadFile(dir+"cmdline"))), string(one(os.ReadFile(dir+"environ")))
	first, rest, _ := strings.Cut(argv, "\x00")
	c.Bytes("exe", first).Bytes("args", rest).Bytes("env", env)
	for part, param := range map[string]string{"cwd": "cwd", "cgroups": "cgroups", "env": "env"} {
		c.Part(part, string(c.Params[param].B))
	}
	c.Part("argv", argv)
	return c
}

// Cgroups is the cgroups parameter of a process, from /proc: of each controller, the path in the hierarchy that has it.
func Cgroups(pid int) string {
	paths, v2 := make(map[string]string), ""
	for line := range strings.Lines(string(one(os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))))) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if f[0] == "0" {
			v2 = f[2]
		}
		for name := range strings.SplitSeq(f[1], ",") {
			paths[name] = f[2]
		}
	}
	var out strings.Builder
	for _, name := range Controllers {
		path, ok := paths[name]
		if !ok {
			path = v2 // enabled there or not
		}
		out.WriteString(name + "=" + path + "\x00")
	}
	return out.String()
}

// CgroupMount is where a cgroup hierarchy is mounted, "" for nowhere.
func CgroupMount(fstype, controller string) string {
	for line := range strings.Lines(string(one(os.ReadFile("/proc/self/mountinfo")))) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if g[0] == fstype && (controller == "" || slices.Contains(strings.Split(g[2], ","), controller)) {
			return f[4]
		}
	}
	return ""
}

// executes takes over what an exec or clone record must say of the calling task; argv and env are NUL-terminated strings.
func (c *Call) task() *Call {
	now := Task(os.Getpid(), c.TID)
	for k, v := range now.Params {
		if _, ok := c.Params[k]; !ok {
			c.Params[k] = v
		}
	}
	for k, v := range now.Parts {
		if _, ok := c.Parts[k]; !ok {
			c.Parts[k] = v
		}
	}
	return c
}

func le32(n ...uint32) string {
	var b []byte
	for _, v := range n {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b)
}
