// SPDX-License-Identifier: Apache-2.0

package field

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"falconet/engine/event"
)

func TestAround(t *testing.T) {
	k := newKit(t)
	k.event(header("setuid"))
	at := uint64(k.ctx.Time())
	d, _ := Lookup("evt.around")
	for text, want := range map[uint64]uint64{at: 0, at + 1: 1, at - 5*millisecond: 5, at + 5*millisecond + 1: 6} {
		a, err := ParseArg(d, strconv.FormatUint(text, 10))
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := d.Get(k.ctx, a); !ok || v.N != want {
			t.Errorf("around %d is %d, %v, want %d", text, v.N, ok, want)
		}
	}
	for _, bad := range []string{"", "x", "-1", "99999999999999999999"} {
		if _, err := ParseArg(d, bad); err == nil {
			t.Errorf("%q is a time", bad)
		}
	}
}

func TestLoss(t *testing.T) {
	k := newKit(t)
	h := header("setuid")
	h.Lost = 17
	k.event(h)
	k.expect("after a loss", map[string]string{"evt.loss": "17"})
}

// TestNow: what the event carries counts, not what the image began with.
func TestNow(t *testing.T) {
	k := newKit(t)
	k.family()
	now := event.NowFacts{CapEff: 1 << 5, CapPrm: 1 << 6, CapInh: 1 << 7, FDLimit: 77, FaultsMajor: 3, FaultsMinor: 4, PGID: 41, VPGID: 40, SID: 42, VPID: 42, VTID: 9, TTY: 5}
	memory := event.MemoryFacts{Size: 11, RSS: 12, Swap: 13}
	k.event(header("setuid"), piece(event.PartNow, string(event.BytesOf(&now))), piece(event.PartMemory, string(event.BytesOf(&memory))), piece(event.PartHere, "/elsewhere"))
	k.expect("now", map[string]string{
		"thread.cap_effective": "CAP_KILL", "thread.cap_permitted": "CAP_SETGID", "thread.cap_inheritable": "CAP_SETUID", "proc.fdlimit": "77",
		"thread.pfmajor": "3", "thread.pfminor": "4", "proc.pgid": "41", "proc.vpgid": "40", "proc.sid": "42", "thread.vtid": "9", "proc.tty": "5",
		"proc.is_sid_leader": "true", "proc.is_vpgid_leader": "false", "proc.is_pgid_leader": "false",
		"proc.sname": "cat", "proc.pgid.name": "bash", "proc.vpgid.name": "sshd", "proc.cwd": "/elsewhere/",
		"proc.vmsize": "11", "proc.vmrss": "12", "proc.vmswap": "13", "thread.vmsize": "11", "thread.vmrss.b": "12288",
	})
	k.event(header("setuid"))
	k.expect("without", map[string]string{"proc.sid": "41", "proc.tty": "34816", "proc.fdlimit": "1024", "proc.vmsize": "4000", "proc.sname": "bash"})
}

func TestParseLog(t *testing.T) {
	for text, want := range map[string]string{
		"<13>hello": "1 notice 5 user hello", "<0>": "0 emerg 0 kern ", "<191>a <b>": "23 debug 7 local7 a <b>", "<85>Jan  1 su: x\n": "10 notice 5 authpriv Jan  1 su: x\n",
		"": "-", "<": "-", "<>x": "-", "<13": "-", "13>x": "-", "<x>y": "-", "<-1>y": "-", "<2147483648>y": "-", "<99999999999>y": "-", "<13\x00>y": "-",
	} {
		got := "-"
		if l, ok := parseLog(text); ok {
			got = strings.Join([]string{strconv.Itoa(int(l.facility())), severities[l.severity()], strconv.Itoa(int(l.severity())), facilities[l.facility()], l.text}, " ")
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestIsSyslog(t *testing.T) {
	k := newKit(t)
	unix := func(path string) event.Piece {
		f := event.SockFacts{Family: afUnix, Sock: 1, PathLen: uint8(len(path))}
		copy(f.Path[:], path)
		return sockFacts(f)
	}
	kind := fileFacts(event.FileFacts{Kind: uint8(event.KindUnix)})
	for _, c := range []struct {
		call, path string
		want       string
	}{
		{"sendto", "/dev/log", "true"}, {"sendto", "/run/systemd/journal/dev-log", "true"}, {"sendto", "/run/dev/log", "true"},
		{"sendto", "/run/other", "false"}, {"recvfrom", "/dev/log", "false"}, {"connect", "/dev/log", "false"},
	} {
		h := header(c.call)
		if nr, _, ok := event.SyscallNumber(c.call); ok && len(event.ByName(c.call)) == 0 {
			h.Event, h.NR = event.ByName("connect")[0], uint16(nr) // a row with a socket, until the call has one
		}
		k.event(h, kind, unix(c.path))
		k.expect(c.call+" "+c.path, map[string]string{"evt.is_syslog": c.want})
	}
}

func TestHidden(t *testing.T) {
	k := newKit(t)
	k.family()
	k.event(header("setuid"))
	k.expect("hidden fields", map[string]string{"thread.nametid": "cat42", "evt.buflen.in": "-", "mesos.task.name": "-", "span.tag[x]": "-", "marathon.app.label.a": "-", "evt.infra.docker.name": "-"})
	for _, name := range []string{"mesos.task.name", "evt.latency.quantized", "span.id", "evtin.span.m.arg"} {
		if d, ok := Lookup(name); !ok || d.Flags&TableOnly == 0 || d.Flags&Deprecated == 0 {
			t.Errorf("%s is neither hidden nor deprecated", name)
		}
	}
}

func TestPolledLists(t *testing.T) {
	k := newKit(t)
	var list []byte
	for _, f := range []event.PollFacts{{FD: 3, Found: 1, Kind: event.KindFile}, {FD: -1}, {FD: 4, Found: 1}} {
		list = append(list, event.BytesOf(&f)...)
	}
	k.event(header("poll"), piece(event.PartPoll, string(list)))
	k.expect("poll of a process that is gone", map[string]string{"fdlist.nums": "3,-1,4", "fdlist.names": "<NA>,<NA>,<NA>", "fdlist.cips": "-", "fdlist.sports": "-"})
	k.event(header("setuid"))
	k.expect("no poll", map[string]string{"fdlist.nums": "-", "fdlist.names": "-"})
}

// TestOpenedFields asks for the descriptors of a process that runs.
func TestOpenedFields(t *testing.T) {
	if self, err := os.Readlink("/proc/1/ns/pid"); err == nil && self != "pid:[4026531836]" {
		t.Skip("/proc has other numbers than records")
	}
	file := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
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
	cmd := exec.Command("sleep", "1000")
	cmd.Stdout = out
	for _, c := range []interface{ File() (*os.File, error) }{client.(*net.TCPConn), accepted.(*net.TCPConn), server.(*net.TCPListener)} { // descriptors 3 to 5
		f, err := c.File()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	var stat []string
	for len(stat) == 0 || stat[0] != "S" { // before it sleeps it opens and closes libraries
		time.Sleep(time.Millisecond)
		b, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		stat = strings.Fields(string(b)[strings.LastIndexByte(string(b), ')')+2:])
	}
	ticks, err := strconv.ParseUint(stat[19], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	k := newKit(t)
	k.ctx.Host = realHost(k.host)
	var polled []byte
	for _, f := range []event.PollFacts{{FD: 1, Found: 1}, {FD: 77}} {
		polled = append(polled, event.BytesOf(&f)...)
	}
	h := header("poll")
	h.PID, h.TID, h.Start, h.TS = uint32(cmd.Process.Pid), uint32(cmd.Process.Pid), ticks*10_000_000, ticks*10_000_000+second
	k.event(h, piece(event.PartPoll, string(polled)))
	k.expect("sleep", map[string]string{
		"proc.fdopencount": strconv.Itoa(len(open)), "proc.stdin.name": "/dev/null", "proc.stdout.name": file, "proc.stderr.name": "/dev/null",
		"fd.types[1]": "(file)", "fd.types[9]": "-", "fdlist.names": file + ",<NA>", "fdlist.nums": "1,77",
	})
	polled = nil
	for fd := range int32(3) {
		f := event.PollFacts{FD: 3 + fd, Found: 1}
		polled = append(polled, event.BytesOf(&f)...)
	}
	k.event(h, piece(event.PartPoll, string(polled)))
	near, far := client.LocalAddr().String(), server.Addr().String()
	_, from, _ := strings.Cut(near, ":")
	_, to, _ := strings.Cut(far, ":")
	k.expect("sockets", map[string]string{
		"fdlist.names": near + "->" + far + "," + near + "->" + far + "," + far, "fdlist.cips": "127.0.0.1,127.0.0.1", "fdlist.sips": "127.0.0.1,127.0.0.1,127.0.0.1",
		"fdlist.cports": from + "," + from, "fdlist.sports": to + "," + to + "," + to, "fd.types[4]": "(ipv4)",
	})
	if got := k.text("fd.types"); !strings.HasPrefix(got, "(file") {
		t.Errorf("fd.types = %q", got)
	}
	if got := k.text("proc.fdusage"); got == "-" {
		t.Error("proc.fdusage has no value")
	}
}
