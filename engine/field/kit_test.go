// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/state"
)

const (
	bootTime = 1_700_000_000_000_000_000
	atTS     = 100 * second
)

// kit is a host without a /proc: what tests know of processes they tell by records.
type kit struct {
	*testing.T
	host *Host
	ctx  *Ctx
	n    uint64
}

func newKit(t *testing.T) *kit {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("etc/passwd", "root:x:0:0:r:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/zsh\n")
	write("etc/group", "root:x:0:\nstaff:x:50:alice\n")
	procs := state.NewTable(state.Options{Root: root})
	h := &Host{
		Name: "box", BootTime: bootTime, Location: time.FixedZone("X", 3600),
		Procs: procs, Guests: state.NewGuests(procs, 1<<20), Users: state.NewUsers(root), Addrs: state.NewAddrs(),
		Containers: container.NewResolver(root),
	}
	return &kit{T: t, host: h, ctx: NewCtx(h)}
}

// realHost is the host with the processes of this machine.
func realHost(h *Host) *Host {
	real := *h
	real.Procs = state.NewTable(state.Options{})
	real.Guests = state.NewGuests(real.Procs, 1<<20)
	return &real
}

// header is the header of an event of process 42.
func header(name string) event.Header {
	ids := event.ByName(name)
	h := event.Header{
		TS: atTS, Start: 42 * second, PID: 42, TID: 42, PPID: 41, UID: 1000, GID: 50, LoginUID: noLogin, CPU: 3,
	}
	if len(ids) > 0 {
		h.Event = ids[0]
		if nrs := event.RowOf(h.Event).NR64; len(nrs) > 0 {
			h.NR = uint16(nrs[0])
		}
	}
	return h
}

func (k *kit) record(h event.Header, pieces ...event.Piece) *event.Record {
	k.Helper()
	var r event.Record
	if err := r.Reset(event.Encode(nil, h, pieces...)); err != nil {
		k.Fatal(err)
	}
	return &r
}

// event makes the context look at one event.
func (k *kit) event(h event.Header, pieces ...event.Piece) {
	k.Helper()
	r := k.record(h, pieces...)
	k.host.Apply(r)
	k.n++
	k.ctx.Begin(r, k.n)
}

// exec tells of a process by the record of its last execve.
func (k *kit) exec(pid, ppid uint32, comm, exe, argv string, more ...func(*event.TaskFacts)) {
	k.Helper()
	h := header("execve")
	h.PID, h.TID, h.PPID, h.Start, h.TS = pid, pid, ppid, uint64(pid)*second, uint64(pid)*second+1
	f := event.TaskFacts{PID: pid, TID: pid, VPID: pid, VTID: pid, PPID: ppid, PTID: ppid, PGID: pid, VPGID: pid, SID: pid, Start: h.Start}
	copy(f.Comm[:], comm)
	for _, change := range more {
		change(&f)
	}
	k.event(h, piece(event.PartTask, string(event.BytesOf(&f))), piece(event.PartArgv, argv), piece(event.PartExe, exe),
		piece(event.PartCwd, "/home/"+comm), piece(event.PartEnv, "HOME=/home/"+comm+"\x00EMPTY=\x00PAD= x \x00"),
		piece(event.PartCgroups, "cpu=/user\x00blkio=/disk\x00"))
}

// family is init(1) - sshd(40) - bash(41) - cat(42).
func (k *kit) family() {
	k.exec(1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init\x00")
	k.exec(40, 1, "sshd", "/usr/sbin/sshd", "sshd: alice\x00")
	k.exec(41, 40, "bash", "/usr/bin/bash", "-bash\x00")
	k.exec(42, 41, "cat", "/usr/bin/cat", "cat\x00-n\x00a b\x00", func(f *event.TaskFacts) {
		f.PGID, f.VPGID, f.SID, f.TTY = 42, 42, 41, 34816
		f.ExeFlags, f.ExeIno, f.ExeCtime, f.ExeMtime = exeWritable|exeFromMemfd, 77, bootTime+second, 5
		f.CapEff, f.CapPrm, f.FDLimit, f.VMSize = 1<<21|1<<0, 1<<40, 1024, 4000
		f.Stdio = [3]uint8{uint8(event.KindIPv4), uint8(event.KindFIFO), 0}
		f.PidnsStart = 3
	})
}

func piece(k event.PartKind, data string) event.Piece {
	return event.Piece{Kind: k, Data: []byte(data)}
}

func fileFacts(f event.FileFacts) event.Piece {
	return event.Piece{Kind: event.PartFile, Data: append([]byte(nil), event.BytesOf(&f)...)}
}

func sockFacts(f event.SockFacts) event.Piece {
	return event.Piece{Kind: event.PartSock, Data: append([]byte(nil), event.BytesOf(&f)...)}
}

// inet makes the facts of a socket.
func inet(local, remote string, proto, typ uint16) event.SockFacts {
	l, r := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	f := event.SockFacts{Family: afInet, Proto: proto, Type: typ, LPort: l.Port(), RPort: r.Port()}
	if l.Addr().Is6() {
		f.Family = afInet6
	}
	copy(f.LAddr[:], l.Addr().AsSlice())
	copy(f.RAddr[:], r.Addr().AsSlice())
	return f
}

// inetAddr makes a sockaddr.
func inetAddr(s string) event.Piece {
	a := netip.MustParseAddrPort(s)
	b := binary.LittleEndian.AppendUint16(nil, afInet)
	if a.Addr().Is6() {
		b = binary.LittleEndian.AppendUint16(nil, afInet6)
	}
	b = binary.BigEndian.AppendUint16(b, a.Port())
	if a.Addr().Is6() {
		b = append(b, 0, 0, 0, 0)
	}
	b = append(b, a.Addr().AsSlice()...)
	return event.Piece{Kind: event.PartSockAddr, Data: append(b, make([]byte, 8)...)}
}

// text reads a field and renders it; "-" is an absent value.
func (k *kit) text(expr string) string {
	k.Helper()
	d, a, n, err := Scan(expr)
	if err != nil || n != len(expr) {
		k.Fatalf("%s: read %d bytes: %v", expr, n, err)
	}
	v, ok := d.Get(k.ctx, a)
	if !ok {
		return "-"
	}
	return string(Render(nil, k.ctx, d, v))
}

// alt is text of the second spelling.
func (k *kit) alt(name string) string {
	k.Helper()
	d, ok := Lookup(name)
	if !ok || d.Alt == nil {
		k.Fatalf("%s has no second spelling", name)
	}
	v, ok := d.Alt(k.ctx, Arg{})
	if !ok {
		return "-"
	}
	return v.S
}

func (k *kit) expect(what string, want map[string]string) {
	k.Helper()
	for expr, want := range want {
		if got := k.text(expr); got != want {
			k.Errorf("%s: %s = %q, want %q", what, expr, got, want)
		}
	}
}

// all renders every value that a comparison looks at.
func (k *kit) all(name string) (list []string) {
	k.Helper()
	d, ok := Lookup(name)
	if !ok || d.Multi == nil {
		k.Fatalf("%s has one value", name)
	}
	d.Multi(k.ctx, func(v Value) bool {
		list = append(list, string(Render(nil, k.ctx, d, v)))
		return true
	})
	return list
}
