// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"
)

// host is a machine with a few processes, and events of theirs that nobody minds.
type host struct {
	root   string
	host   *field.Host
	ctx    *field.Ctx
	events []sample
}

type sample struct {
	name   string
	record *event.Record
}

const second = 1_000_000_000

func newHost() (*host, error) {
	root, err := os.MkdirTemp("", "falconet-bench-")
	if err != nil {
		return nil, err
	}
	h := &host{root: root}
	h.host = &field.Host{
		Name: "box", Procs: state.NewTable(state.Options{Root: root}), Users: state.NewUsers(root), Addrs: state.NewAddrs(),
		Containers: container.NewResolver(root),
	}
	h.ctx = field.NewCtx(h.host)
	for _, p := range []struct {
		pid, ppid  uint32
		comm, path string
		argv       string
	}{
		{1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init\x00"},
		{700, 1, "supervisor", "/usr/bin/supervisor", "supervisor\x00--quiet\x00"},
		{701, 700, "worker", "/usr/bin/worker", "worker\x00--queue\x00mail\x00"},
		{702, 701, "worker", "/usr/bin/worker", "worker\x00--child\x00"},
	} {
		if err := h.exec(p.pid, p.ppid, p.comm, p.path, p.argv); err != nil {
			h.close()
			return nil, err
		}
	}
	library := "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"
	file := event.FileFacts{Ino: 77, Dev: 8 << 20, Mode: 0o100644, Kind: uint8(event.KindFile)}
	sock := event.SockFacts{Family: 2, Type: 1, Proto: 6, LPort: 40000, RPort: 5432, LAddr: [16]byte{10, 0, 0, 5}, RAddr: [16]byte{10, 0, 0, 9}}
	addr := []byte{2, 0, 0x15, 0x38, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}
	const atCwd = ^uint64(99)
	for _, e := range []struct {
		name, row string
		ret       int64
		args      [6]uint64
		pieces    []event.Piece
	}{
		{"open", "openat", 5, [6]uint64{atCwd, 0, 0o2000000}, []event.Piece{
			text(event.PartName, library), text(event.PartPath, library), text(event.PartFSPath, library), facts(event.PartFile, event.BytesOf(&file))}},
		{"failed open", "openat", -2, [6]uint64{atCwd, 0, 0o2000000}, []event.Piece{text(event.PartName, "/etc/ld.so.preload")}},
		{"write", "openat", 6, [6]uint64{atCwd, 0, 0o2102, 0o644}, []event.Piece{text(event.PartName, "/srv/spool/17.tmp"),
			text(event.PartPath, "/srv/spool/17.tmp"), text(event.PartFSPath, "/srv/spool/17.tmp"), facts(event.PartFile, event.BytesOf(&file))}},
		{"connect", "connect", 0, [6]uint64{7}, []event.Piece{{Kind: event.PartSockAddr, Data: addr}, facts(event.PartSock, event.BytesOf(&sock)),
			facts(event.PartFile, event.BytesOf(&event.FileFacts{Kind: uint8(event.KindIPv4)}))}},
		{"execve", "execve", 0, [6]uint64{}, taskPieces(702, 701, "worker", "/usr/bin/worker", "worker\x00--child\x00")},
	} {
		id := event.ByName(e.row)[0]
		hd := header(702, 701)
		hd.Event, hd.NR, hd.Ret, hd.Args = id, uint16(event.RowOf(id).NR64[0]), e.ret, e.args
		r := new(event.Record)
		if err := r.Reset(event.Encode(nil, hd, e.pieces...)); err != nil {
			h.close()
			return nil, err
		}
		h.events = append(h.events, sample{e.name, r})
	}
	return h, nil
}

func (h *host) close() { _ = os.RemoveAll(h.root) }

func header(pid, ppid uint32) event.Header {
	return event.Header{TS: 1000 * second, Start: uint64(pid) * second, PID: pid, TID: pid, PPID: ppid, LoginUID: ^uint32(0)}
}

func text(k event.PartKind, s string) event.Piece { return event.Piece{Kind: k, Data: []byte(s)} }
func facts(k event.PartKind, b []byte) event.Piece {
	return event.Piece{Kind: k, Data: append([]byte(nil), b...)}
}

func taskPieces(pid, ppid uint32, comm, path, argv string) []event.Piece {
	f := event.TaskFacts{
		PID: pid, TID: pid, VPID: pid, VTID: pid, PPID: ppid, PTID: ppid, PGID: pid, VPGID: pid, SID: pid, Start: uint64(pid) * second, LoginUID: ^uint32(0),
	}
	copy(f.Comm[:], comm)
	return []event.Piece{facts(event.PartTask, event.BytesOf(&f)), text(event.PartArgv, argv), text(event.PartExe, path), text(event.PartCwd, "/srv"),
		text(event.PartEnv, "HOME=/srv\x00")}
}

// exec tells the process table of a process.
func (h *host) exec(pid, ppid uint32, comm, path, argv string) error {
	hd := header(pid, ppid)
	hd.Event, hd.NR, hd.TS = event.ByName("execve")[0], 59, uint64(pid)*second+1
	r := new(event.Record)
	if err := r.Reset(event.Encode(nil, hd, taskPieces(pid, ppid, comm, path, argv)...)); err != nil {
		return err
	}
	h.host.Apply(r)
	return nil
}
