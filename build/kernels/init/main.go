// SPDX-License-Identifier: Apache-2.0

// Command init is process 1 of the machines that build/kernels/vm boots: it makes the root file system look like a
// small host, runs one program, hands its output and exit code to the host through serial ports, and powers off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// job is what vm wrote for us. The two types are one agreement.
type job struct {
	Args    []string
	Env     []string
	Modules []string // paths of kernel modules, in the order in which they are loaded
}

// The host reads these: the program's output, and its exit code as one line at the end. The console keeps the kernel's messages.
const (
	outputPort = "/dev/ttyS1"
	resultPort = "/dev/ttyS2"
)

// notStarted is the exit code of a program that could not be started, as shells have it.
const notStarted = 127

func main() {
	code, err := run()
	if err != nil {
		fmt.Println("init:", err)
	}
	if f, err := port(resultPort); err != nil {
		fmt.Println("init:", err)
	} else {
		fmt.Fprintln(f, code)
		// Bytes that have not left the port are lost with the machine.
		_ = unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1)
	}
	unix.Sync()
	fmt.Println("init: power off:", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

func run() (code int, err error) {
	if err := mounts(); err != nil {
		return notStarted, err
	}
	out, err := port(outputPort)
	if err != nil {
		return notStarted, err
	}
	b, err := os.ReadFile("/job.json")
	if err != nil {
		return notStarted, err
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		return notStarted, fmt.Errorf("read job: %w", err)
	}
	for _, m := range j.Modules {
		if err := load(m); err != nil {
			return notStarted, fmt.Errorf("load %s: %w", m, err)
		}
	}
	if err := settings(); err != nil {
		return notStarted, err
	}
	code, err = start(j, out)
	if err != nil {
		fmt.Fprintln(out, "init:", err)
	}
	_ = unix.IoctlSetInt(int(out.Fd()), unix.TCSBRK, 1)
	return code, nil
}

func mounts() error {
	for _, m := range []struct{ kind, dir, data string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"devpts", "/dev/pts", "ptmxmode=0666"},
		{"tmpfs", "/dev/shm", "mode=1777"},
		{"tmpfs", "/tmp", "mode=1777"},
		{"tmpfs", "/run", "mode=0755"},
		{"tracefs", "/sys/kernel/tracing", ""},
		{"bpf", "/sys/fs/bpf", ""},
		{"cgroup2", "/sys/fs/cgroup", ""},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
		// devtmpfs may be there already: some kernels mount it for an initramfs.
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, m.data); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"} {
		_ = os.Remove("/dev/" + name)
		if err := os.Symlink(target, "/dev/"+name); err != nil {
			return err
		}
	}
	return nil
}

func settings() error {
	// Before Linux 5.11, maps and programs count against the limit of locked memory.
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}); err != nil {
		return fmt.Errorf("lift memory lock limit: %w", err)
	}
	if err := unix.Sethostname([]byte("vm")); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	defer unix.Close(s)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	return nil
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// port opens a serial port that changes no byte.
func port(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", path, err)
	}
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	t.Cflag = t.Cflag&^unix.CBAUD | unix.B115200 | unix.CLOCAL
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("set up %s: %w", path, err)
	}
	return f, nil
}

// start runs the program to its end and ends what it left behind. As process 1 we also collect every orphan.
func start(j job, out io.Writer) (int, error) {
	if len(j.Args) == 0 {
		return notStarted, errors.New("no program to run")
	}
	// A pipe, not the port: a program may behave otherwise on a terminal.
	r, w, err := os.Pipe()
	if err != nil {
		return notStarted, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return notStarted, err
	}
	if err := os.Chdir("/work"); err != nil {
		return notStarted, err
	}
	p, err := os.StartProcess(filepath.Clean(j.Args[0]), j.Args, &os.ProcAttr{
		Env: j.Env, Files: []*os.File{null, w, w}, Sys: &unix.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return notStarted, err
	}
	w.Close()
	var copied sync.WaitGroup
	copied.Go(func() { _, _ = io.Copy(out, r) })
	var status unix.WaitStatus
	for {
		var s unix.WaitStatus
		pid, err := unix.Wait4(-1, &s, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return notStarted, fmt.Errorf("wait: %w", err)
		}
		if pid == p.Pid && !s.Stopped() && !s.Continued() {
			status = s
			break
		}
	}
	_ = unix.Kill(-1, unix.SIGKILL)
	time.AfterFunc(5*time.Second, func() { r.Close() })
	copied.Wait()
	if status.Signaled() {
		return 128 + int(status.Signal()), fmt.Errorf("the program was ended by %v", status.Signal())
	}
	return status.ExitStatus(), nil
}
