// SPDX-License-Identifier: Apache-2.0

package state

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"falconet/engine/event"
)

// procFS reads processes from /proc. What stands there is in the hands of the processes: every read is bounded, and those
// that the kernel serves from a process's memory or from its filesystem, which a hostile process can make hang, are done
// aside and given up after a while.
type procFS struct {
	root  string // the proc directory
	other bool   // it numbers processes otherwise than the kernel's records do: nothing in it can be used
	buf   []byte
	slow  atomic.Uint64
	stuck atomic.Int32 // reads given up that have not come back
	// After a read was given up none is tried for pause: however many processes make reads hang, events wait for them only a
	// small part of the time.
	pause   time.Duration
	wait    time.Duration // for a read
	resting time.Time
}

const (
	slowRead  = 50 * time.Millisecond
	slowPause = time.Second
	maxStuck  = 8
)

// initPIDNamespace is what a process of the initial pid namespace has as ns/pid; the number is fixed in the kernel.
const initPIDNamespace = "pid:[4026531836]"

func newProcFS(root string) *procFS {
	f := &procFS{root: filepath.Join("/", root, "proc"), buf: make([]byte, 8192), pause: slowPause, wait: slowRead}
	// The first process of a proc file system is that of the namespace whose numbers it shows. Who may not look at it takes our
	// own for it.
	ns := f.link(1, "ns/pid")
	if ns == "" && f.root == "/proc" {
		ns = f.link(uint32(syscall.Getpid()), "ns/pid")
	}
	f.other = ns != "" && ns != initPIDNamespace
	return f
}

// readFile reads at most limit bytes of a regular file; false when it cannot be read. It never waits for a FIFO or a device.
func readFile(path string, buf []byte) ([]byte, bool) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, false
	}
	defer func() { _ = syscall.Close(fd) }()
	var st syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, false
	}
	n := 0
	for n < len(buf) {
		m, err := syscall.Read(fd, buf[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return buf[:n], n > 0
		}
		if m == 0 {
			break
		}
		n += m
	}
	return buf[:n], true
}

func (f *procFS) path(pid uint32, name string) string {
	return f.root + "/" + strconv.FormatUint(uint64(pid), 10) + "/" + name
}

func (f *procFS) read(pid uint32, name string) ([]byte, bool) {
	return readFile(f.path(pid, name), f.buf)
}

func (f *procFS) link(pid uint32, name string) string {
	n, err := syscall.Readlink(f.path(pid, name), f.buf)
	if err != nil || n <= 0 {
		return ""
	}
	return strings.TrimSuffix(string(f.buf[:n]), " (deleted)")
}

// aside runs read in a goroutine of its own and waits a short while for it. What read fills in must be its own.
func aside[T any](f *procFS, read func() (T, bool)) (v T, ok bool) {
	if f.stuck.Load() >= maxStuck || time.Now().Before(f.resting) {
		f.slow.Add(1)
		return v, false
	}
	type result struct {
		v  T
		ok bool
	}
	done := make(chan result, 1)
	f.stuck.Add(1)
	go func() {
		v, ok := read()
		f.stuck.Add(-1)
		done <- result{v, ok}
	}()
	timer := time.NewTimer(f.wait)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.v, r.ok
	case <-timer.C:
		f.slow.Add(1)
		f.resting = time.Now().Add(f.pause)
		return v, false
	}
}

func (f *procFS) memory(pid uint32, name string, limit int) []byte {
	path := f.path(pid, name)
	b, _ := aside(f, func() ([]byte, bool) { return readFile(path, make([]byte, limit)) })
	return b
}

// image fills img with what /proc tells of the process. start is its start time in nanoseconds since boot, 0 for whichever
// process has the pid now; false when there is no such process.
func (f *procFS) image(pid uint32, start uint64, img *Image) bool {
	if !f.facts(pid, start, img) {
		return false
	}
	f.text(pid, img)
	// What was read is one process's only if the pid has not passed to another meanwhile.
	var again Image
	return f.stat(pid, &again) && again.Task.Start/tick == img.Task.Start/tick
}

// facts fills in img.Task and img.Comm.
func (f *procFS) facts(pid uint32, start uint64, img *Image) bool {
	if !f.stat(pid, img) || start != 0 && img.Task.Start != start/tick*tick {
		return false
	}
	if start != 0 {
		img.Task.Start = start
	}
	img.HasTask, img.FromProc = true, true
	img.Task.ThreadStart = img.Task.Start
	f.status(pid, img)
	img.Task.LoginUID = ^uint32(0)
	if b, ok := f.read(pid, "loginuid"); ok {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32); err == nil {
			img.Task.LoginUID = uint32(n)
		}
	}
	if b, ok := f.read(pid, "limits"); ok {
		img.Task.FDLimit = openFiles(string(b))
	}
	exe := f.path(pid, "exe")
	st, ok := aside(f, func() (syscall.Stat_t, bool) {
		var st syscall.Stat_t
		return st, syscall.Stat(exe, &st) == nil
	})
	if ok {
		img.Task.ExeIno = st.Ino
		img.Task.ExeCtime, img.Task.ExeMtime = uint64(st.Ctim.Nano()), uint64(st.Mtim.Nano())
		major, minor := st.Dev>>8&0xfff|st.Dev>>32&^0xfff, st.Dev&0xff|st.Dev>>12&^0xff
		img.Task.ExeDev = uint32(major<<20 | minor&0xfffff)
	}
	return true
}

// text fills in what is no number: arguments, environment, paths and cgroups.
func (f *procFS) text(pid uint32, img *Image) {
	argv := f.memory(pid, "cmdline", argLimit)
	for len(argv) > 1 && argv[len(argv)-1] == 0 && argv[len(argv)-2] == 0 { // what setproctitle leaves behind its text
		argv = argv[:len(argv)-1]
	}
	img.setArgv(argv)
	if len(argv) == 0 {
		img.Exe = img.Comm // a kernel thread
	}
	img.Env = trimNUL(f.memory(pid, "environ", envLimit))
	img.ExePath = f.link(pid, "exe")
	img.Cwd = directory(f.link(pid, "cwd"))
	if b, ok := f.read(pid, "cgroup"); ok {
		img.Cgroups = Cgroups(string(b))
	}
}

// stat reads /proc/PID/stat. The name in it may hold anything, closing brackets too.
func (f *procFS) stat(pid uint32, img *Image) bool {
	if f.other {
		return false
	}
	b, ok := f.read(pid, "stat")
	if !ok {
		return false
	}
	s := string(b)
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return false
	}
	img.Comm = s[open+1 : min(end, open+16)] // workers of the kernel have longer names here than in their tasks
	w := strings.Fields(s[end+1:])
	if len(w) < 22 {
		return false
	}
	num := func(field int) uint64 { // as proc(5) counts them
		n, err := strconv.ParseInt(w[field-3], 10, 64)
		if err != nil {
			return 0
		}
		return uint64(n)
	}
	img.threads = int(min(num(20), 1<<20))
	t := &img.Task
	t.PID, t.TID, t.PPID, t.PTID = pid, pid, uint32(num(4)), uint32(num(4))
	t.PGID, t.VPGID, t.SID = uint32(num(5)), uint32(num(5)), uint32(num(6))
	t.VPID, t.VTID = pid, pid
	t.TTY = uint32(num(7))
	t.FaultsMinor, t.FaultsMajor = num(10), num(12)
	t.Start = num(22) * tick
	t.Comm = [16]byte{}
	copy(t.Comm[:15], img.Comm)
	if num(9)&0x00200000 != 0 { // PF_KTHREAD
		t.Flags |= event.TaskKthread
	}
	// Nothing will ever be heard of a zombie again.
	return w[0] != "X" && (w[0] != "Z" || img.threads > 1)
}

func (f *procFS) status(pid uint32, img *Image) {
	b, ok := f.read(pid, "status")
	if !ok {
		return
	}
	t := &img.Task
	for line := range strings.Lines(string(b)) {
		name, rest, _ := strings.Cut(line, ":")
		w := strings.Fields(rest)
		if len(w) == 0 {
			continue
		}
		num := func(i, base int) uint64 {
			n, err := strconv.ParseUint(w[min(i, len(w)-1)], base, 64)
			if err != nil {
				return 0
			}
			return n
		}
		last := len(w) - 1
		switch name {
		case "Uid":
			t.UID = uint32(num(1, 10))
		case "Gid":
			t.GID = uint32(num(1, 10))
		case "NStgid":
			t.VPID, t.VTID = uint32(num(last, 10)), uint32(num(last, 10))
			if last > 0 {
				t.Flags |= event.TaskInPidns
			}
		case "NSpgid":
			t.VPGID = uint32(num(last, 10))
		case "NSsid":
			t.SID = uint32(num(last, 10))
		case "VmSize":
			t.VMSize = uint32(num(0, 10))
		case "VmRSS":
			t.VMRSS = uint32(num(0, 10))
		case "VmSwap":
			t.VMSwap = uint32(num(0, 10))
		case "CapInh":
			t.CapInh = num(0, 16)
		case "CapPrm":
			t.CapPrm = num(0, 16)
		case "CapEff":
			t.CapEff = num(0, 16)
		}
	}
}

func openFiles(limits string) uint64 {
	for line := range strings.Lines(limits) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if w := strings.Fields(rest); ok && len(w) > 0 {
			if n, err := strconv.ParseUint(w[0], 10, 64); err == nil {
				return n
			}
			return ^uint64(0) >> 1 // unlimited
		}
	}
	return 0
}

// Cgroups turns the content of a /proc/PID/cgroup into "controller=path" entries separated by NUL, the form in which
// the probe sends them: a v2 hierarchy stands for the controllers that no v1 hierarchy has.
func Cgroups(file string) string {
	var paths [len(event.Controllers)]string
	unified, found := "", false
	for line := range strings.Lines(file) {
		_, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		names, path, ok2 := strings.Cut(rest, ":")
		if !ok || !ok2 {
			continue
		}
		if names == "" {
			unified, found = path, true
			continue
		}
		for name := range strings.SplitSeq(names, ",") {
			for i, c := range event.Controllers {
				if name == c {
					paths[i] = path
				}
			}
		}
	}
	var b strings.Builder
	for i, c := range event.Controllers {
		path := paths[i]
		if path == "" && found {
			path = unified
		}
		if path == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(0)
		}
		b.WriteString(c + "=" + path)
	}
	return b.String()
}
