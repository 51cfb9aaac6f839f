// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// eventFields are asked of every call that TestFactsOfEvents makes.
var eventFields = []string{
	"evt.num", "evt.source", "evt.is_async", "evt.asynctype", "evt.pluginname", "evt.plugininfo", "evt.hostname", "evt.type", "evt.type.is.openat", "syscall.type", "evt.category",
	"evt.cpu", "evt.is_result_unknown", "evt.args", "evt.info", "evt.rawarg.res", "evt.is_io", "evt.is_io_read", "evt.is_io_write", "evt.io_dir", "evt.is_wait", "evt.is_syslog", "evt.count", "evt.count.error",
	"evt.count.error.file", "evt.count.error.net", "evt.count.error.memory", "evt.count.error.other", "evt.count.exit", "evt.is_open_exec", "evt.is_open_create",
	"evt.time.s", "evt.datetime", "evt.datetime.s", "evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", "evt.reltime", "evt.reltime.s", "evt.reltime.ns", "evt.deltatime",
	"evt.deltatime.s", "evt.deltatime.ns", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency",
	"fd.num", "fd.name", "fd.containername", "fd.containerdirectory", "fd.uid", "fd.dev", "fd.dev.major", "fd.dev.minor", "fd.ino", "thread.tid",
	"fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto", "fd.cip", "fd.sip", "fd.lip", "fd.rip", "fd.cport", "fd.sport", "fd.lport", "fd.rport",
	"fdlist.nums", "fdlist.names", "fdlist.cips", "fdlist.sips", "fdlist.cports", "fdlist.sports",
	"syslog.facility.str", "syslog.facility", "syslog.severity.str", "syslog.severity", "syslog.message",
	"fs.path.name", "fs.path.source", "fs.path.sourceraw", "fs.path.target", "fs.path.targetraw", "static.e2e",
}

// happened is a falconet that is asked for everything about some calls of the test's own process.
type happened struct {
	*daemon
	t    *testing.T
	dir  string
	conn [2]int // client and server of a connection over the loopback
	ends [2]netip.AddrPort
}

func newHappened(t *testing.T) *happened {
	t.Helper()
	privileged(t)
	h := &happened{t: t, dir: tempDir(t)}
	h.connect()
	rule := func(name, condition string) string {
		return fmt.Sprintf("- rule: %s\n  desc: d\n  condition: proc.pid = %d and (%s)\n  output: '%%%s'\n  priority: INFO\n", name, os.Getpid(), condition, strings.Join(eventFields, " %"))
	}
	around := fmt.Sprintf("evt.around[%d] = 3600000 and not evt.around[1000000000000000000] = 1 and ", time.Now().UnixNano())
	ends := fmt.Sprintf("evt.type = write and fd.proto = %d and fd.proto = %d and not fd.proto = 1 and fd.net = 127.0.0.1/32 and fd.lnet = 127.0.0.0/8 and fd.rnet = 127.0.0.1/32 and "+
		"not fd.lnet = 10.0.0.0/8 and not fd.rnet = 128.0.0.0/1", h.ends[0].Port(), h.ends[1].Port())
	h.daemon = start(t, launch{config: "static_fields: {e2e: 'set by the test'}\n", args: []string{"-A"}, rules: rule("E2E happened", around+
		fmt.Sprintf("(evt.type = openat and fd.name startswith %[1]s/f or evt.type in (mmap, kill) and evt.failed = true or evt.type = connect and evt.failed = true and fd.net = 127.0.0.0/8 or "+
			"evt.type in (write, read) and fd.type = ipv4 or evt.type = sendto and fd.type = unix or evt.type in (poll, ppoll) and fdlist.nums != '' or "+
			"evt.type in (rename, renameat, renameat2) and fs.path.source startswith %[1]s/)", h.dir)) + rule("E2E ends", ends)})
	return h
}

// connect makes a connection over the loopback, by calls of its own: Go's sockets do not block.
func (h *happened) connect() {
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	socket := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(err)
		h.t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	name := func(get func(int) (unix.Sockaddr, error), fd int) netip.AddrPort {
		sa, err := get(fd)
		must(err)
		in := sa.(*unix.SockaddrInet4)
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
	}
	listener := socket()
	must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(unix.Listen(listener, 1))
	h.ends[1] = name(unix.Getsockname, listener)
	h.conn[0] = socket()
	must(unix.Connect(h.conn[0], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(h.ends[1].Port())}))
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	must(err)
	h.t.Cleanup(func() { _ = unix.Close(fd) })
	h.conn[1], h.ends[0] = fd, name(unix.Getsockname, h.conn[0])
}

// one makes a call, from a thread that stays, and returns the alert of it.
func (h *happened) one(t *testing.T, call string, do func() error) alert {
	t.Helper()
	from := h.mark()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	h.sync()
	for _, a := range h.alerts(from) {
		if a.Rule == "E2E happened" && a.str("evt.type") == call {
			return a
		}
	}
	for _, a := range h.alerts(from) {
		t.Log(a.Line)
	}
	t.Fatalf("no alert of %s", call)
	return alert{}
}

func (a alert) wants(t *testing.T, want map[string]string) {
	t.Helper()
	for f, w := range want {
		if got := a.str(f); got != w {
			t.Errorf("%s: %s = %q, want %q", a.str("evt.type"), f, got, w)
		}
	}
}

// errorCounts are the fields that say of what kind a call that failed was; all but the one of its kind are absent.
func errorCounts(kind string) map[string]string {
	want := map[string]string{"evt.count.error": "1"}
	for _, k := range []string{"file", "net", "memory", "other"} {
		want["evt.count.error."+k] = "<NA>"
	}
	if kind == "" {
		want["evt.count.error"] = "<NA>"
	} else {
		want["evt.count.error."+kind] = "1"
	}
	return want
}

// fails turns the error that a call is to return into none.
func fails(err, with error) error {
	if err != with {
		return fmt.Errorf("call returned %v, want %v", err, with)
	}
	return nil
}

func TestFactsOfEvents(t *testing.T) {
	h := newHappened(t)
	at := func(name string) string { return filepath.Join(h.dir, name) }
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	// The calls come from one thread, on one CPU.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()

	var st unix.Stat_t
	fd, since := -1, time.Now()
	made := h.one(t, "openat", func() (err error) {
		if fd, err = unix.Open(at("file"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o711); err == nil {
			err = unix.Fstat(fd, &st)
		}
		return err
	})
	until := time.Now()
	defer func() { _ = unix.Close(fd) }()
	tid := strconv.Itoa(unix.Gettid())
	made.wants(t, errorCounts(""))
	made.wants(t, map[string]string{
		"evt.source": "syscall", "evt.is_async": "false", "evt.asynctype": "<NA>", "evt.pluginname": "<NA>", "evt.plugininfo": "<NA>", "evt.hostname": host, "evt.type.is.openat": "1",
		"syscall.type": "openat", "evt.category": "file", "evt.cpu": strconv.Itoa(cpu), "evt.is_result_unknown": "false", "evt.info": made.str("evt.args"),
		"evt.is_io": "false", "evt.is_io_read": "false", "evt.is_io_write": "false", "evt.io_dir": "<NA>", "evt.is_wait": "false", "evt.is_syslog": "false", "evt.count": "1",
		"evt.count.exit": "1", "evt.is_open_exec": "true", "evt.is_open_create": "true", "evt.latency": "<NA>", "evt.latency.s": "<NA>", "evt.latency.ns": "<NA>",
		"evt.latency.human": "<NA>", "evt.wait_latency": "<NA>", "fd.num": strconv.Itoa(fd), "fd.name": at("file"), "fd.containername": "host:" + at("file"),
		"fd.containerdirectory": "host:" + h.dir, "fd.uid": tid + strconv.Itoa(fd), "fd.dev.major": fmt.Sprint(unix.Major(st.Dev)), "fd.dev.minor": fmt.Sprint(unix.Minor(st.Dev)),
		"fd.ino": fmt.Sprint(st.Ino), "thread.tid": tid, "static.e2e": "set by the test", "syslog.message": "<NA>", "fdlist.nums": "<NA>",
	})
	made.clocks(t, since, until)

	again := h.one(t, "openat", func() error {
		_, err := unix.Open(at("f-none"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return fails(err, unix.ENOENT)
	})
	again.wants(t, errorCounts("file"))
	again.wants(t, map[string]string{"evt.is_open_exec": "false", "evt.is_open_create": "false", "fd.num": "-1"})
	between := func(f string) int64 { return fieldNumber(t, again, f) - fieldNumber(t, made, f) }
	if between("evt.num") <= 0 || between("evt.reltime") != between("evt.rawtime") {
		t.Errorf("between two events are %d events and %d or %d ns", between("evt.num"), between("evt.reltime"), between("evt.rawtime"))
	}
	h.one(t, "kill", func() error { return fails(unix.Kill(os.Getpid(), 1000), unix.EINVAL) }).wants(t, errorCounts("other"))
	h.one(t, "mmap", func() error {
		_, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, 0, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0) // no length
		return fails(errno, unix.EINVAL)
	}).wants(t, errorCounts("memory"))
	h.one(t, "connect", func() error {
		closed, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(closed) }()
		return fails(unix.Connect(closed, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 1}), unix.ECONNREFUSED)
	}).wants(t, errorCounts("net"))

	old, moved := at("old"), at("new")
	write(t, old, "x")
	if err := os.Chdir(h.dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chdir(filepath.Join(shared.root, "build/e2e")) }()
	h.one(t, "renameat", func() error {
		return unix.Renameat(unix.AT_FDCWD, "../"+filepath.Base(h.dir)+"/old", unix.AT_FDCWD, "./new")
	}).wants(t, map[string]string{
		"fs.path.source": old, "fs.path.sourceraw": "../" + filepath.Base(h.dir) + "/old", "fs.path.target": moved, "fs.path.targetraw": "./new", "fs.path.name": "<NA>",
	})
}

// clocks checks the times of an event that happened between two others.
func (a alert) clocks(t *testing.T, since, until time.Time) {
	t.Helper()
	n := func(f string) int64 { return fieldNumber(t, a, f) }
	raw := n("evt.rawtime")
	if when := time.Unix(0, raw); when.Before(since.Add(-time.Second)) || when.After(until.Add(time.Second)) { // a clock may have been set meanwhile
		t.Errorf("evt.rawtime is %v, not between %v and %v", when, since, until)
	}
	for f, ns := range map[string]int64{"evt.rawtime": raw, "evt.reltime": n("evt.reltime"), "evt.deltatime": n("evt.deltatime")} {
		if ns < 0 || n(f+".s") != ns/1e9 || n(f+".ns") != ns%1e9 {
			t.Errorf("%s is %d, %d s and %d ns", f, ns, n(f+".s"), n(f+".ns"))
		}
	}
	local := time.Unix(0, raw)
	want := local.Format("15:04:05 2006-01-02 15:04:05.000000000 2006-01-02 15:04:05 ") // as text: in JSON all of them are the nanoseconds
	if !strings.Contains(a.Output, want) {
		t.Errorf("no %q in %s", want, a.Output)
	}
}

// TestFactsOfSockets writes to a connection, waits for it, and logs.
func TestFactsOfSockets(t *testing.T) {
	h := newHappened(t)
	client, server := h.ends[0], h.ends[1]
	port := func(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }
	sides := func(local, remote netip.AddrPort) map[string]string {
		want := make(map[string]string)
		for letter, end := range map[string]netip.AddrPort{"c": client, "s": server, "l": local, "r": remote} {
			want["fd."+letter+"ip"], want["fd."+letter+"port"], want["fd."+letter+"proto"] = end.Addr().String(), port(end), port(end)
		}
		return want
	}
	from := h.mark()
	w := h.one(t, "write", func() error { _, err := unix.Write(h.conn[0], []byte("hello")); return err })
	w.wants(t, sides(client, server))
	w.wants(t, map[string]string{"evt.is_io": "true", "evt.is_io_read": "false", "evt.is_io_write": "true", "evt.io_dir": "write", "evt.rawarg.res": "5", "fd.num": strconv.Itoa(h.conn[0])})
	if !slices.ContainsFunc(h.alerts(from), func(a alert) bool { return a.Rule == "E2E ends" }) {
		t.Error("the ports and networks of the connection are not those of its ends")
	}
	p := h.one(t, "ppoll", func() error {
		list := []unix.PollFd{{Fd: int32(h.conn[1]), Events: unix.POLLIN}, {Fd: int32(h.conn[0]), Events: unix.POLLOUT}}
		_, err := unix.Poll(list, -1)
		return err
	})
	name := client.String() + "->" + server.String()
	p.wants(t, map[string]string{
		"evt.is_wait": "true", "fdlist.nums": fmt.Sprintf("%d,%d", h.conn[1], h.conn[0]), "fdlist.names": name + "," + name, "fdlist.cips": "127.0.0.1,127.0.0.1",
		"fdlist.sips": "127.0.0.1,127.0.0.1", "fdlist.cports": port(client) + "," + port(client), "fdlist.sports": port(server) + "," + port(server),
	})
	r := h.one(t, "read", func() error { _, err := unix.Read(h.conn[1], make([]byte, 10)); return err })
	r.wants(t, sides(server, client))
	r.wants(t, map[string]string{"evt.is_io": "true", "evt.is_io_read": "true", "evt.is_io_write": "false", "evt.io_dir": "read", "evt.rawarg.res": "5"})

	if err := os.Mkdir(filepath.Join(h.dir, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	log := &unix.SockaddrUnix{Name: filepath.Join(h.dir, "dev/log")}
	fds := [2]int{}
	for i := range fds {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Close(fd) }()
		fds[i] = fd
	}
	if err := unix.Bind(fds[0], log); err != nil {
		t.Fatal(err)
	}
	// auth is facility 4, warning severity 4: 4*8+4.
	h.one(t, "sendto", func() error { return unix.Sendto(fds[1], []byte("<36>e2e: somebody tries"), 0, log) }).wants(t, map[string]string{
		"evt.is_syslog": "true", "syslog.facility": "4", "syslog.facility.str": "auth", "syslog.severity": "4", "syslog.severity.str": "warn", "syslog.message": "e2e: somebody tries",
	})
}
