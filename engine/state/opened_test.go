// SPDX-License-Identifier: Apache-2.0

package state

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"falconet/engine/event"
)

// self is this very process in a table over the real /proc.
func self(t *testing.T) (*Table, *Process) {
	t.Helper()
	table := NewTable(Options{})
	table.fs.wait = time.Minute // however busy the machine is
	table.fs.other = false      // whatever namespace the test runs in: it asks for its own numbers
	p := table.refill(uint32(os.Getpid()))
	if p == nil {
		t.Fatal("this process is not found")
	}
	return table, p
}

func TestOpened(t *testing.T) {
	table, p := self(t)
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(pipe[0]), syscall.Close(pipe[1]) }()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	client, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	accepted, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepted.Close() }()
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "log"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()

	number := func(c syscall.Conn) (n int) {
		raw, err := c.SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) { n = int(fd) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	at := func(a net.Addr) netip.AddrPort { return netip.MustParseAddrPort(a.String()) }
	want := []Opened{
		{FD: number(file), Kind: event.KindFile, Name: file.Name()},
		{FD: number(folder), Kind: event.KindDirectory, Name: dir},
		{FD: number(server.(*net.TCPListener)), Kind: event.KindIPv4, Local: at(server.Addr()), Remote: netip.MustParseAddrPort("0.0.0.0:0"), Server: true, Listens: true},
		{FD: number(client.(*net.TCPConn)), Kind: event.KindIPv4, Local: at(client.LocalAddr()), Remote: at(server.Addr())},
		{FD: number(accepted.(*net.TCPConn)), Kind: event.KindIPv4, Local: at(server.Addr()), Remote: at(client.LocalAddr()), Server: true},
		{FD: number(log), Kind: event.KindUnix, Name: filepath.Join(dir, "log")},
	}
	for _, w := range want {
		got, ok := table.Opened(p, w.FD)
		if !ok || len(got) != 1 || got[0] != w {
			t.Errorf("descriptor %d is %+v, %v, want %+v", w.FD, got, ok, w)
		}
	}
	got, ok := table.Opened(p, pipe[0], 9999)
	if !ok || len(got) != 1 || got[0].Kind != event.KindFIFO {
		t.Errorf("a pipe and what is not open are %+v, %v", got, ok)
	}

	all, ok := table.Opened(p)
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n, counted := table.CountOpened(p)
	// The directory itself is open while it is read.
	if !ok || !counted || len(all) < len(want)+5 || int(n) > len(entries) || int(n) < len(entries)-2 {
		t.Errorf("%d descriptors are listed and %d counted, of %d", len(all), n, len(entries))
	}
	gone := &Process{PID: p.PID, Start: p.Start + sec, img: &Image{}}
	if _, ok := table.Opened(gone, 0); ok {
		t.Error("the descriptors of a former process with that number are found")
	}
	if _, ok := table.CountOpened(gone); ok {
		t.Error("the descriptors of a former process with that number are counted")
	}
}

func TestProcAddr(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90": "127.0.0.1:8080", "00000000:0000": "0.0.0.0:0",
		"B80D0120000000000000000001000000:01BB": "[2001:db8::1]:443", "0000000000000000FFFF00000100007F:0016": "127.0.0.1:22",
	} {
		if got, ok := procAddr(text); !ok || got.String() != want {
			t.Errorf("%s is %v, %v, want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", ":", "0100007F", "0100007F:", "010007F:1F90", "0100007F:1FFFF", "zz00007F:1F90", "0100007F0100007F:1"} {
		if got, ok := procAddr(bad); ok {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func TestUsage(t *testing.T) {
	table, p := self(t)
	u, ok := table.UsageOf(p, p.PID)
	if !ok || !u.HasPreciseCPU || u.OnCPU == 0 {
		t.Fatalf("usage of this process: %+v, %v", u, ok)
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	if all := uint64(r.Utime.Nano() + r.Stime.Nano()); u.User+u.System > all+2*tick || u.OnCPU > all+2*tick {
		t.Errorf("its first thread has used more than all of it, %d: %+v", all, u)
	}
	if u.Start/tick != p.Start/tick {
		t.Errorf("it began at %d, the process at %d", u.Start, p.Start)
	}
	if _, ok := table.UsageOf(p, 1<<30); ok {
		t.Error("a thread that is not there has used something")
	}
}
