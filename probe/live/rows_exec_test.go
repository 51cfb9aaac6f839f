// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"falconet/engine/event"
	"falconet/probe/live/testdata/trigger"

	"golang.org/x/sys/unix"
)

func init() {
	rowTests["execve"] = func(t *testing.T) {
		privileged(t)
		t.Run("fails", calls("execve", "execfail", "execgiant"))
		for _, bits := range []int{64, 32} {
			t.Run(map[int]string{64: "64", 32: "32"}[bits], func(t *testing.T) { execs(t, bits) })
		}
	}
	rowTests["execveat"] = func(t *testing.T) {
		privileged(t)
		t.Run("fails", calls("execveat", "execfail"))
		t.Run("64", func(t *testing.T) { execsAt(t, 64) })
		t.Run("32", func(t *testing.T) { execsAt(t, 32) })
	}
}

// image runs a command that goes on for ever, and compares its exec event with its /proc. filename is what the caller gave.
func image(t *testing.T, cmd *exec.Cmd, name, filename string, change func(c *trigger.Call)) {
	t.Helper()
	s := newSession(t, probe(t))
	l := s.start(cmd)
	// the last exec of the process: the programs of these tests execute one another
	r := s.await(name, func(r *event.Record) bool {
		f, ok := r.Part(event.PartName)
		return r.EventName() == name && int(r.TID) == l.pid && r.Ret == 0 && ok && string(f) == filename
	})
	self := selfOf(t, l.pid)
	c := expect(t, name, self, l.pid, r)
	c.NR, c.Args = map[string]int{"execve": syscall.SYS_EXECVE, "execveat": unix.SYS_EXECVEAT}[name], [6]uint64{}
	c.Part("name", filename)
	if name == "execve" {
		c.Bytes("filename", filename)
	}
	change(c)
	compare(t, r, self, c)
	if f, ok := r.Task(); ok {
		facts(t, &f, l.pid, l.pid)
	}
	only(t, int(r.NR), c.NR, "number")
	only(t, r.Args, c.Args, "arguments")
	l.kill()
}

func execs(t *testing.T, bits int) {
	if bits == 32 {
		compat(t) // whether this kernel runs such programs
	}
	dir := workDir(t)
	path := paused(t, bits, dir, "an image with a name")
	plain := func(*trigger.Call) {}
	command := func(path string, args ...string) *exec.Cmd {
		return &exec.Cmd{Path: path, Args: args, Dir: dir, Env: []string{"A=1", "EMPTY=", "C=x y\nz"}}
	}
	t.Run("absolute", func(t *testing.T) {
		image(t, command(path, "zero", "", "two words", "\xff\x1b[0m"), "execve", path, plain)
	})
	t.Run("relative", func(t *testing.T) {
		image(t, command("./"+filepath.Base(path), "x"), "execve", "./"+filepath.Base(path), plain)
	})
	t.Run("link", func(t *testing.T) {
		if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		image(t, command(filepath.Join(dir, "link"), "-sh"), "execve", filepath.Join(dir, "link"), plain)
	})
	t.Run("script", func(t *testing.T) {
		direct := paused(t, bits, dir, "interpreter")
		script := filepath.Join(dir, "script")
		if err := os.WriteFile(script, []byte("#!"+direct+" option\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		image(t, command(script, "name", "argument"), "execve", script, plain)
	})
	t.Run("user", func(t *testing.T) {
		cmd := command(path, "x")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 23456}}
		image(t, cmd, "execve", path, func(c *trigger.Call) {
			only(t, c.Params["uid"].N, int64(12345), "uid")
			only(t, len(c.Params["flags"].Flags), 0, "number of flags")
		})
	})
	t.Run("owner", func(t *testing.T) {
		owned := paused(t, bits, dir, "owned")
		if err := os.Chown(owned, 12345, 0); err != nil {
			t.Fatal(err)
		}
		cmd := command(owned, "x")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 23456}}
		image(t, cmd, "execve", owned, func(c *trigger.Call) { c.Flags("flags", "EXE_WRITABLE") })
	})
	t.Run("setuid", func(t *testing.T) {
		bit := paused(t, bits, dir, "bit")
		if err := os.Chmod(bit, 0o755|os.ModeSetuid); err != nil {
			t.Fatal(err)
		}
		cmd := command(bit, "x")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 23456}}
		image(t, cmd, "execve", bit, func(c *trigger.Call) { only(t, c.Params["uid"].N, int64(0), "uid") })
	})
	t.Run("session", func(t *testing.T) {
		cmd := command(path, "x")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		image(t, cmd, "execve", path, plain)
	})
	t.Run("long", func(t *testing.T) {
		cmd := command(path, "x", strings.Repeat("a", 3000), strings.Repeat("b", 3000))
		cmd.Env = []string{"LONG=" + strings.Repeat("c", 10000)}
		image(t, cmd, "execve", path, func(c *trigger.Call) {
			c.Truncated = true
			head := func(p string) trigger.Want { return trigger.Want{Kind: "head", B: c.Params[p].B} }
			c.Params["env"], c.Parts["env"] = head("env"), head("env")
			c.Parts["argv"] = trigger.Want{Kind: "head", B: c.Parts["argv"].B}
			args := c.Params["args"].B
			c.Bytes("args", string(args[:4095-len("x")-1]))
		})
	})
	t.Run("many", func(t *testing.T) {
		args := make([]string, 30_000)
		cmd := command(path, append([]string{"x"}, args...)...)
		cmd.Env = slices.Repeat([]string{"A"}, 10_000)
		image(t, cmd, "execve", path, func(c *trigger.Call) {
			c.Truncated = true
			head := func(p string) trigger.Want { return trigger.Want{Kind: "head", B: c.Params[p].B} }
			c.Params["env"], c.Parts["env"] = head("env"), head("env")
			c.Parts["argv"] = trigger.Want{Kind: "head", B: c.Parts["argv"].B}
			c.Bytes("args", strings.Repeat("\x00", 4095-len("x")-1))
		})
	})
	t.Run("full", func(t *testing.T) {
		// as long as the probe copies, to the byte
		cmd := command(path, "x", strings.Repeat("a", 4095-4))
		image(t, cmd, "execve", path, func(c *trigger.Call) { only(t, len(c.Parts["argv"].B), 4094, "length") })
	})
	t.Run("deep", func(t *testing.T) {
		deep := dir
		for len(deep) < 3000 {
			deep += "/" + strings.Repeat("d", 20)
		}
		if err := os.MkdirAll(deep, 0o755); err != nil {
			t.Fatal(err)
		}
		there := paused(t, bits, deep, "image")
		cmd := command(there, "x")
		cmd.Dir = deep
		image(t, cmd, "execve", there, plain)
	})
	t.Run("far down", func(t *testing.T) {
		cmd := command(path, "x")
		cmd.Dir = farDown(t, dir)
		image(t, cmd, "execve", path, plain)
	})
	t.Run("deleted", func(t *testing.T) {
		doomed := newAsm(bits)
		doomed.sys(doomed.nr(syscall.SYS_UNLINK, 10), doomed.str("doomed"))
		doomed.sys(doomed.nr(syscall.SYS_EXECVE, 11), doomed.str("/proc/self/exe"), doomed.words(doomed.str("again"), 0), 0)
		first := doomed.file(t, dir, "doomed")
		// what comes after the second exec is the same program: it finds nothing to delete, and executes itself for ever; so look at one
		s := newSession(t, probe(t))
		l := s.start(command(first, "first"))
		r := s.await("second image", func(r *event.Record) bool {
			b, _ := r.Part(event.PartName)
			return r.EventName() == "execve" && int(r.PID) == l.pid && string(b) == "/proc/self/exe"
		})
		exe, _ := r.Part(event.PartExe)
		only(t, string(exe), first, "path of a deleted image")
		l.kill()
	})
}

// execsAt: a program that executes another through a descriptor.
func execsAt(t *testing.T, bits int) {
	if bits == 32 {
		compat(t)
	}
	dir := workDir(t)
	next := paused(t, bits, dir, "next")
	run := func(name, filename string, given string, flags uint64, file *os.File, change func(*trigger.Call)) {
		t.Run(name+" "+filename, func(t *testing.T) {
			a := newAsm(bits)
			dirfd := uint64(3)
			if file == nil {
				dirfd = uint64(uint32(0xffffff9c)) // AT_FDCWD
			}
			argv, env := a.words(a.str("argv0"), a.str("one"), 0), a.words(a.str("E=1"), 0)
			a.sys(a.nr(unix.SYS_EXECVEAT, 358), dirfd, a.str(given), argv, env, flags)
			a.exit(9)
			cmd := &exec.Cmd{Path: a.file(t, dir, "first"), Args: []string{"first"}, Dir: dir, Env: []string{}}
			if file != nil {
				cmd.ExtraFiles = []*os.File{file}
			}
			image(t, cmd, name, filename, change)
		})
	}
	open := func(path string, flags int) *os.File {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), path)
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	plain := func(*trigger.Call) {}
	run("execveat", "/dev/fd/3", "", unix.AT_EMPTY_PATH, open(next, unix.O_PATH), plain)
	run("execveat", "/dev/fd/3/next", "next", 0, open(dir, unix.O_RDONLY|unix.O_DIRECTORY), plain)
	// without a descriptor it is an execve
	run("execve", "next", "next", 0, nil, plain)
	run("execve", next, next, 0, open(dir, unix.O_PATH), plain)

	fd, err := unix.MemfdCreate("payload", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, code); err != nil {
		t.Fatal(err)
	}
	memory := os.NewFile(uintptr(fd), "payload")
	defer func() { _ = memory.Close() }()
	// a file that is open for writing cannot be executed
	again := open("/proc/self/fd/"+itoa(fd), unix.O_RDONLY)
	_ = memory.Close()
	run("execveat", "/dev/fd/3", "", unix.AT_EMPTY_PATH, again, func(c *trigger.Call) {
		c.Bytes("trusted_exepath", "memfd:payload").Part("exe", "memfd:payload").Flags("flags", "EXE_FROM_MEMFD", "EXE_WRITABLE")
	})
}

// Without any argument: since 5.18 (dcd46d897adb) the kernel gives such a program one that is empty.
func TestExecWithoutArguments(t *testing.T) {
	privileged(t)
	dir := workDir(t)
	next := paused(t, 64, dir, "next")
	a := newAsm(64)
	a.sys(unix.SYS_EXECVE, a.str(next), 0, 0)
	a.pause()
	image(t, &exec.Cmd{Path: a.file(t, dir, "first"), Dir: dir, Env: []string{}}, "execve", next, func(c *trigger.Call) {
		if argv := c.Parts["argv"].B; len(argv) > 1 {
			t.Errorf("/proc says that the arguments are %q", argv)
		}
	})
}

// A thread that executes takes over the number of its process.
func TestExecOfThread(t *testing.T) {
	privileged(t)
	dir := workDir(t)
	next := paused(t, 64, dir, "next")
	a := newAsm(64)
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
	stack := a.space()
	a.sys(unix.SYS_CLONE, thread, stack)
	a.ifZero(func() {
		a.sys(unix.SYS_EXECVE, a.str(next), a.words(a.str("by thread"), 0), 0)
	})
	a.pause()
	image(t, &exec.Cmd{Path: a.file(t, dir, "first"), Dir: dir, Env: []string{}}, "execve", next, func(*trigger.Call) {})
}
