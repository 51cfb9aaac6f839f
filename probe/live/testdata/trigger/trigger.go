// SPDX-License-Identifier: Apache-2.0

// Package trigger makes the system calls that the tests of the live probe look for. It runs in a process of its own, since the
// probe does not report its own; it makes each call raw, asks the kernel in other ways what the call did, and writes
// both to its standard output. It knows nothing of the event table.
package trigger

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Env names the trigger to run in the environment of a trigger process.
const Env = "FALCONET_TRIGGER"

// T is one run of a trigger.
type T struct {
	report Report
	via    string // how calls are made, see Via
	all    []byte
	arena  []byte         // what is left of all
	peers  map[int]string // whom sockets without a connection talked to last
}

var triggers = map[string]func(*T){
	"generic": generic, "open": open, "openat": openat, "openat2": openat2, "creat": creat, "unlink": unlink, "unlinkat": unlinkat,
	"rename": rename, "renameat": renameat, "renameat2": renameat2, "chmod": chmod, "fchmod": fchmod, "fchmodat": fchmodat,
	"overlay": overlay, "ptrace": ptrace, "memfd": memfd, "execfail": execfail, "execgiant": execgiant,
	"inet": inet, "inet6": inet6, "unix": unixSockets, "bind": bind, "netfail": netfail, "socket": socket,
	"buffers": buffers, "vectors": vectors, "otherMemory": otherMemory, "datagrams": datagrams, "streams": streams, "messages": messages, "elder": elder, "several": several, "flood": flood, "oddAddresses": oddAddresses,
	"listening": listening, "shutdowns": shutdowns, "pairs": pairs, "names": names, "setOptions": setOptions, "getOptions": getOptions,
	"paths": paths, "deep": deep, "mounts": mounts, "chroot": chroot, "cookie": cookie,
	"tracee": tracee, "storm": storm, "opens": opens, "rush": rush, "exit": exit, "thread": thread, "crowd": crowd, "orphan": orphan,
	"ring-files": ringFiles, "ring-net": ringNet, "ring-fixed": ringFixed, "ring-odd": ringOdd, "ring-bad": ringBad, "ring-repeated": ringRepeated, "ring-pipe": ringPipe,
	"ring-crowd": ringCrowd, "ring-calls": ringCalls, "ring-taken": ringTaken, "socketcalls": socketcalls, "talks": talks, "ipcs": ipcs,
}

// mapLow is MAP_32BIT: where calls of the other table find what they point to.
const mapLow = 0x40

// Main runs the trigger that the environment names, in the current directory, and exits. It returns when none is named.
func Main() {
	name := os.Getenv(Env)
	if name == "" {
		return
	}
	runtime.LockOSThread()
	f := triggers[name]
	if f == nil {
		fail("no trigger %q", name)
	}
	t := &T{report: Report{Notes: make(map[string]string)}, via: os.Getenv(Via), peers: make(map[int]string)}
	arena, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE|mapLow)
	must(err)
	t.all, t.arena = arena, arena
	t.report.Self = self()
	f(t)
	must(json.NewEncoder(os.Stdout).Encode(&t.report))
	os.Exit(0)
}

func fail(format string, args ...any) {
	panic(fmt.Sprintf("trigger: "+format, args...))
}

func must(err error) {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		fail("%s:%d: %v", filepath.Base(file), line, err)
	}
}

func one[V any](v V, err error) V {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		fail("%s:%d: %v", filepath.Base(file), line, err)
	}
	return v
}

func self() Self {
	login, err := os.ReadFile("/proc/self/loginuid")
	id := uint64(1<<32 - 1)
	if err == nil {
		id = one(strconv.ParseUint(strings.TrimSpace(string(login)), 10, 32))
	}
	stat := string(one(os.ReadFile("/proc/self/stat")))
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return Self{
		PID: os.Getpid(), TID: unix.Gettid(), PPID: os.Getppid(), UID: unix.Geteuid(), GID: unix.Getegid(), LoginUID: uint32(id),
		StartTicks: one(strconv.ParseUint(fields[22-3], 10, 64)),
	}
}

// bytes puts b where it stays and is in memory: what the probe is to read it cannot fault in.
func (t *T) bytes(b []byte) uintptr {
	n := copy(t.arena, b)
	if n < len(b) {
		fail("out of memory")
	}
	at := uintptr(unsafe.Pointer(&t.arena[0]))
	t.arena = t.arena[(n+16)&^15:]
	return at
}

// at is what has become of n bytes that were put somewhere.
func (t *T) at(addr uintptr, n int) []byte {
	off := addr - uintptr(unsafe.Pointer(&t.all[0]))
	return t.all[off : int(off)+n]
}

func (t *T) str(s string) uintptr { return t.bytes(append([]byte(s), 0)) }

// words is a vector of pointers or numbers.
func (t *T) words(w ...uintptr) uintptr {
	return t.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*int(unsafe.Sizeof(w[0]))))
}

// now is the time since boot in nanoseconds.
func now() uint64 {
	var ts unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts))
	return uint64(ts.Nano())
}

// call makes a system call whose record must have the given event name.
func (t *T) call(name string, nr int, args ...uintptr) *Call {
	var a [6]uintptr
	copy(a[:], args)
	c := &Call{Event: name, NR: nr, TID: unix.Gettid(), Params: make(map[string]Want), Parts: make(map[string]Want)}
	for i, v := range a {
		if c.Args[i] = uint64(v); t.via != "" {
			c.Args[i] = uint64(uint32(v))
		}
	}
	expect := t.before(c)
	c.Before = now()
	c.Ret, c.NR = t.do(name, nr, &a)
	c.After = now()
	expect()
	c.UID, c.GID = unix.Geteuid(), unix.Getegid()
	c.Now = ofNow(os.Getpid(), c.TID)
	t.report.Calls = append(t.report.Calls, c)
	return c
}

// ok stops the trigger when the call did not work.
func (c *Call) ok() *Call {
	if c.Ret < 0 {
		_, file, line, _ := runtime.Caller(1)
		fail("%s:%d: %s: %v", filepath.Base(file), line, c.Event, unix.Errno(-c.Ret))
	}
	return c
}

// fails stops the trigger when the call did not fail as it must; kernels may differ in what they check first.
func (c *Call) fails(err ...unix.Errno) *Call {
	if !slices.Contains(err, unix.Errno(-c.Ret)) {
		_, file, line, _ := runtime.Caller(1)
		fail("%s:%d: %s: %d instead of %v", filepath.Base(file), line, c.Event, c.Ret, err)
	}
	return c
}

func (c *Call) fd() int { return int(c.Ret) }

func (c *Call) close() { must(unix.Close(c.fd())) }

// file takes the facts of a descriptor.
func (c *Call) file(fd int) *Call {
	var st unix.Stat_t
	var fs unix.Statfs_t
	must(unix.Fstat(fd, &st))
	must(unix.Fstatfs(fd, &fs))
	flags := one(unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0))
	c.File = &File{
		Dev: uint64(st.Dev), Ino: st.Ino, Nlink: uint64(st.Nlink), Mode: st.Mode, Magic: uint32(fs.Type), Flags: uint32(flags),
		Ctime: uint64(st.Ctim.Nano()),
	}
	return c
}

// opened expects the file behind the descriptor that the call returned, under an absolute path.
func (c *Call) opened(path string) *Call {
	c.file(c.fd()).Number("dev", int64(c.File.Dev)).Number("ino", int64(c.File.Ino))
	return c.Part("path", path).Part("fspath", fsPath(path))
}

// notOpened expects no file.
func (c *Call) notOpened() *Call {
	return c.Number("dev", 0).Number("ino", 0).NoPart("file", "path", "fspath")
}

// fsPath is the path of a file inside its filesystem, according to /proc/self/mountinfo.
func fsPath(path string) string {
	best, out := -1, path
	for line := range strings.Lines(string(one(os.ReadFile("/proc/self/mountinfo")))) {
		f := strings.Fields(line)
		root, at := f[3], strings.TrimSuffix(f[4], "/")
		if (path == at || strings.HasPrefix(path, at+"/")) && len(at) >= best {
			best, out = len(at), filepath.Join(root, path[len(at):])
		}
	}
	return out
}

// cwd is the working directory, without help from $PWD.
func cwd() string {
	b := make([]byte, unix.PathMax)
	n := one(unix.Getcwd(b))
	return string(b[:n-1])
}

// uptr passes a negative number as an argument.
func uptr(n int) uintptr { return uintptr(n) }

// modes are the names of permission bits, in the order of the bits.
func modes(mode uint32) (names []string) {
	for i, n := range []string{
		"S_IXOTH", "S_IWOTH", "S_IROTH", "S_IXGRP", "S_IWGRP", "S_IRGRP", "S_IXUSR", "S_IWUSR", "S_IRUSR", "S_ISVTX", "S_ISGID", "S_ISUID",
	} {
		if mode&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return slices.Clip(names)
}
