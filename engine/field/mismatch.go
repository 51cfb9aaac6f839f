// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/binary"

	"falconet/engine/event"
	"falconet/engine/state"
)

// Of arguments as the kernel has them: include/uapi/asm-generic/fcntl.h, linux/fcntl.h, linux/openat2.h, linux/magic.h.
const (
	oNoFollow      = 0o400000
	oTmpfile       = 0o20000000
	atNoFollow     = 0x100
	resolveInRoot  = 0x10 // another root than the process's
	overlayfsMagic = 0x794c7630
	btrfsMagic     = 0x9123683e
)

// names says how a call treats the path that it is passed. ok is false for calls of which nothing is left to compare: they took the name away,
// or made the object without one.
func (c *Ctx) names() (noFollow, ok bool) {
	r := c.Rec
	flags := uint64(0)
	switch r.Row().Name {
	case "open":
		flags = r.Args[1]
	case "openat":
		flags = r.Args[2]
	case "openat2":
		how, ok := r.Part(event.PartMem)
		if !ok || len(how) < 24 || how[16]&resolveInRoot != 0 { // struct open_how: flags, mode, resolve
			return false, false
		}
		flags = binary.LittleEndian.Uint64(how)
	case "creat", "chmod", "fchmodat", "chown":
	case "lchown":
		return true, true
	case "fchownat":
		return r.Args[4]&atNoFollow != 0, true
	default:
		return false, false
	}
	return flags&oNoFollow != 0, flags&oTmpfile != oTmpfile
}

// argMismatch is evt.arg_mismatch.
func (c *Ctx) argMismatch(Arg) (Value, bool) {
	if !c.succeeded() {
		return Value{}, false
	}
	noFollow, ok := c.names()
	i := c.row().path
	if !ok || i < 0 {
		return Value{}, false
	}
	var file event.FileFacts
	path, ok := c.Rec.Bytes(i)
	if !ok || len(path) == 0 || c.Rec.Truncated(event.PartName) || c.Rec.Truncated(event.PartDir) || !c.facts(event.PartFile, event.BytesOf(&file)) {
		return Value{}, false
	}
	place := state.Place{PID: c.Rec.PID, TID: c.Rec.TID, Start: c.Rec.Start, FD: int32(atCwd), Path: string(path), NoFollow: noFollow}
	if path[0] != '/' {
		dir, ok := c.Rec.Part(event.PartDir)
		if !ok {
			return Value{}, false
		}
		place.Dir = string(dir)
		if p := &c.Rec.Row().Params[i]; p.Type == event.FSRelPath {
			fd, _ := c.Rec.Int(int(p.DirFD))
			place.FD = int32(fd)
		}
	}
	id, ok := c.Host.Procs.Resolve(place)
	if !ok {
		return Value{}, false
	}
	return boolean(!same(&file, id)), true
}

// same reports whether the kernel's file is the one that stat describes. There are filesystems that tell stat another device than they have.
func same(f *event.FileFacts, id state.FileID) bool {
	return f.Ino == id.Ino && (f.Magic == overlayfsMagic || f.Magic == btrfsMagic || device(f.Dev) == id.Dev)
}

func mismatchFields() []Def {
	parts := event.PartsOf(event.PartName, event.PartDir, event.PartFile, event.PartMem)
	return []Def{{
		Name: "evt.arg_mismatch", Type: event.Bool, Flags: Ours, Cost: 20_000, Example: "evt.arg_mismatch = true",
		Desc:  "whether the path that a call left in memory leads to another file than the one that the kernel used; absent when it no longer leads anywhere. Takes calls of falconet's own for every event that it is asked of",
		Needs: Needs{Parts: parts, Must: event.PartsOf(event.PartName, event.PartFile), Inside: true},
		Get:   func(c *Ctx, a Arg) (Value, bool) { return c.argMismatch(a) },
		occurs: func(r *rowInfo, row *event.Row, _ Arg) bool {
			return r.path >= 0 && (r.kind == rowOpen || r.kind == rowCreat || r.inside)
		},
	}}
}
