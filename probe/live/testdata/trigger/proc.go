// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inThread runs f in a thread of its own, which ends with f. The first thread of the process is passed on: Go's runtime never lets it end.
func inThread(f func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			inThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	})
	wg.Wait()
}

func memfd(t *T) {
	for _, v := range []struct {
		name  string
		flags uintptr
		names []string
	}{{"payload", 0, nil}, {"", unix.MFD_CLOEXEC, []string{"MFD_CLOEXEC"}}, {"a/b c", unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING, []string{"MFD_CLOEXEC", "MFD_ALLOW_SEALING"}}} {
		c := t.call("memfd_create", unix.SYS_MEMFD_CREATE, t.str(v.name), v.flags).ok().Result("fd").Bytes("name", v.name).Flags("flags", v.names...).
			Part("path", "memfd:"+v.name)
		c.file(c.fd()).close()
	}
	t.call("memfd_create", unix.SYS_MEMFD_CREATE, t.str("x"), 0x8000).fails(unix.EINVAL).Result("fd").Bytes("name", "x").Flags("flags").NoPart("file", "path")
	t.call("memfd_create", unix.SYS_MEMFD_CREATE, badPtr, 0).fails(unix.EFAULT).Result("fd").Absent("name").Flags("flags").NoPart("name", "file", "path").Fault = true
}

// execfail makes calls that leave the image as it is.
func execfail(t *T) {
	dir := cwd()
	argv := t.words(t.str("zero"), t.str("one two"), t.str(""), t.str("three"), 0)
	env := t.words(t.str("A=1"), t.str("B="), 0)
	given := func(c *Call) *Call {
		return c.Result("res").Bytes("exe", "zero").Bytes("args", "one two\x00\x00three\x00").Bytes("env", "A=1\x00B=\x00").
			Part("argv", "zero\x00one two\x00\x00three\x00").Part("env", "A=1\x00B=\x00")
	}
	given(t.call("execve", unix.SYS_EXECVE, t.str("no/such"), argv, env).fails(unix.ENOENT)).Bytes("filename", "no/such").Part("name", "no/such").task()
	write("data")
	given(t.call("execve", unix.SYS_EXECVE, t.str("data"), argv, env).fails(unix.EACCES)).Bytes("filename", "data").Part("name", "data").task()
	t.call("execve", unix.SYS_EXECVE, t.str("no/such"), 0, 0).fails(unix.ENOENT).Result("res").Bytes("filename", "no/such").Part("name", "no/such").
		Bytes("exe", "").Bytes("args", "").Bytes("env", "").Part("argv", "").Part("env", "").task()
	given(t.call("execve", unix.SYS_EXECVE, badPtr, argv, env).fails(unix.EFAULT)).Absent("filename").NoPart("name").task().Fault = true
	c := t.call("execve", unix.SYS_EXECVE, t.str("no/such"), t.words(t.str("zero"), badPtr, 0), env).fails(unix.ENOENT, unix.EFAULT)
	given(c).Bytes("args", "").Part("argv", "zero\x00").Bytes("filename", "no/such").Part("name", "no/such").task().Fault = true
	c.Truncated = true // the vector ends where it cannot be read

	must(os.Mkdir("sub", 0o755))
	sub := one(unix.Open("sub", unix.O_PATH, 0))
	given(t.call("execveat", unix.SYS_EXECVEAT, uintptr(sub), t.str("no"), argv, env, 0).fails(unix.ENOENT)).Part("name", "no").task()
	data := one(unix.Open("data", unix.O_RDONLY, 0))
	given(t.call("execveat", unix.SYS_EXECVEAT, uintptr(data), t.str(""), argv, env, unix.AT_EMPTY_PATH).fails(unix.EACCES)).Part("name", "").task()
	abs := filepath.Join(dir, "none")
	given(t.call("execveat", unix.SYS_EXECVEAT, uptr(unix.AT_FDCWD), t.str(abs), argv, env, 0).fails(unix.ENOENT)).Part("name", abs).task()
}

// execgiant fails to execute programs, with more arguments than are copied, far down.
func execgiant(t *T) {
	dir := cwd()
	for len(dir) < unix.PathMax-3 {
		must(unix.Mkdir("d", 0o755))
		must(unix.Chdir("d"))
		dir += "/d"
	}
	const most = 4095 // bytes, and a string that does not fit is cut
	many := make([]uintptr, 20_000)
	for i := range many[:len(many)-1] {
		many[i] = t.str("a")
	}
	long := t.words(t.str("E="+strings.Repeat("c", 10_000)), t.str("F=1"), 0)
	c := t.call("execve", unix.SYS_EXECVE, t.str("no"), t.words(many...), long).fails(unix.ENOENT).Result("res").Bytes("filename", "no").Part("name", "no")
	args, env := strings.Repeat("a\x00", most/2), "E="+strings.Repeat("c", most-3)+"\x00"
	c.Bytes("exe", "a").Bytes("args", args[2:]).Part("argv", args).Bytes("env", env).Part("env", env).task().Truncated = true
}

// Tracee is what a tracee says of itself before it waits for its input to end.
type Tracee struct {
	PID  int
	Addr uint64
	Word []byte
}

func tracee(t *T) {
	word := []byte{0xef, 0xbe, 0xad, 0xde, 0x78, 0x56, 0x34, 0x12}
	at := t.bytes(word)
	must(json.NewEncoder(os.Stdout).Encode(Tracee{PID: os.Getpid(), Addr: uint64(at), Word: word[:unsafe.Sizeof(at)]}))
	_, _ = io.ReadAll(os.Stdin)
	os.Exit(0)
}

func ptrace(t *T) {
	cmd := exec.Command("/proc/self/exe")
	// no signal of the runtime's own may come between the stops
	cmd.Env = append(os.Environ(), Env+"=tracee", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
	stdin := one(cmd.StdinPipe())
	stdout := one(cmd.StdoutPipe())
	must(cmd.Start())
	var other Tracee
	must(json.Unmarshal(one(bufio.NewReader(stdout).ReadBytes('\n')), &other))
	pid := uintptr(other.PID)
	stopped := func() {
		var ws unix.WaitStatus
		one(unix.Wait4(other.PID, &ws, unix.WALL, nil))
		if !ws.Stopped() {
			fail("tracee is not stopped: %x", ws)
		}
	}
	plain := func(request, addr, data uintptr, name string) *Call {
		return t.call("ptrace", unix.SYS_PTRACE, request, pid, addr, data).Result("res").Flags("request", name).Number("pid", int64(pid)).
			Number("addr", int64(addr)).Number("data", int64(data))
	}
	plain(unix.PTRACE_PEEKDATA, uintptr(other.Addr), t.words(0), "PTRACE_PEEKDATA").fails(unix.ESRCH).Number("addr", 0).Number("data", 0).Present("mem")
	plain(unix.PTRACE_ATTACH, 0, 0, "PTRACE_ATTACH").ok()
	stopped()
	word := make([]byte, 8)
	copy(word, other.Word)
	for request, name := range map[uintptr]string{unix.PTRACE_PEEKDATA: "PTRACE_PEEKDATA", unix.PTRACE_PEEKTEXT: "PTRACE_PEEKTEXT"} {
		// the bytes behind the word are not the kernel's answer
		to := t.bytes([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
		plain(request, uintptr(other.Addr), to, name).ok().Number("data", int64(binary.LittleEndian.Uint64(word)))
		if got := t.at(to, len(other.Word)); string(got) != string(other.Word) {
			fail("peeked %x", got)
		}
	}
	plain(unix.PTRACE_POKEDATA, uintptr(other.Addr), 0x11223344, "PTRACE_POKEDATA").ok()
	plain(unix.PTRACE_SETOPTIONS, 0, 0x100000, "PTRACE_SETOPTIONS").ok()
	plain(unix.PTRACE_CONT, 0, uintptr(unix.SIGWINCH), "PTRACE_CONT").ok()
	plain(unix.PTRACE_CONT, 1, uintptr(unix.SIGWINCH), "PTRACE_CONT").fails(unix.ESRCH).Number("addr", 0).Number("data", 0)
	must(unix.Kill(other.PID, unix.SIGSTOP))
	stopped()
	plain(unix.PTRACE_DETACH, 0, uintptr(unix.SIGCONT), "PTRACE_DETACH").ok()
	plain(0x7777, 5, 6, "PTRACE_UNKNOWN").fails(unix.ESRCH).Number("addr", 0).Number("data", 0)
	must(stdin.Close())
	must(cmd.Wait())
}

// exit leaves with the code or by the signal that its environment says.
func exit(t *T) {
	if os.Getenv("FALCONET_SIGNAL") == "" {
		os.Exit(int(number(os.Getenv("FALCONET_CODE"))))
	}
	must(unix.Kill(os.Getpid(), unix.Signal(number(os.Getenv("FALCONET_SIGNAL")))))
	select {}
}

// thread ends a thread of a process that goes on.
func thread(t *T) {
	inThread(func() { t.report.Notes["tid"] = itoa(uint64(unix.Gettid())) })
	// until the kernel has taken it away
	for {
		if _, err := os.Stat("/proc/self/task/" + t.report.Notes["tid"]); err != nil {
			break
		}
		runtime.Gosched()
	}
}

// crowd ends with many threads at one time.
func crowd(*T) {
	var ready sync.WaitGroup
	for range 30 {
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			must(unix.Pause())
		}()
	}
	ready.Wait()
}

// orphan starts a process that outlives its parent, with or without a subreaper above.
func orphan(t *T) {
	if os.Getenv("FALCONET_SUBREAPER") != "" {
		must(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	}
	cmd := exec.Command("/bin/sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $$ $!")
	var out []string
	inThread(func() { out = strings.Fields(string(one(cmd.Output()))) }) // the parent is a thread, the reaper a process
	t.report.Notes["parent"], t.report.Notes["child"] = out[0], out[1]
	stat := one(Stat(int(number(out[1]))))
	t.report.Notes["reaper"] = stat[4]
	must(unix.Kill(int(number(out[1])), unix.SIGKILL))
	if os.Getenv("FALCONET_SUBREAPER") != "" {
		one(unix.Wait4(int(number(out[1])), nil, 0, nil))
	}
}

// cookie makes the loader's call without its secret.
func cookie(t *T) {
	for _, what := range []uintptr{1, 2} {
		for _, secret := range []uintptr{0, 1, 0xdeadbeef} {
			t.call("readahead", unix.SYS_READAHEAD, uptr(-1), secret, what).fails(unix.EBADF).
				Number("ID", unix.SYS_READAHEAD).Number("nativeID", unix.SYS_READAHEAD)
		}
	}
}
