// SPDX-License-Identifier: Apache-2.0

package field

import (
	"fmt"
	"testing"

	"falconet/engine/event"
)

func cut(k event.PartKind, data string) event.Piece {
	return event.Piece{Kind: k, Data: []byte(data), Truncated: true}
}

func TestKnown(t *testing.T) {
	for _, c := range []struct{ text, front, back string }{
		{"/a<UNKNOWN>b/c", "/a", "b/c"}, {"<UNKNOWN>/c", "", "/c"}, {"<UNKNOWN>", "", ""}, {"/a<unknown>", "/a", ""},
		{"<UNKNOWN>/a<UNKNOWN>b", "", "b"}, {"/a<unknown>/x<UNKNOWN>/<unknown>/b", "/a", "/b"},
	} {
		v := pathValue(c.text, true)
		if front, back, whole := v.Known(); front != c.front || back != c.back || whole {
			t.Errorf("of %q is known %q and %q, %v", c.text, front, back, whole)
		}
	}
	v := pathValue("/a", true)
	if front, _, whole := v.Known(); front != "/a" || !whole {
		t.Errorf("without a gap: %q, %v", front, whole)
	}
}

// TestGaps looks at which fields say that a part of them is not known.
func TestGaps(t *testing.T) {
	k := newKit(t)
	k.family()
	f := func(what, names string, unknown bool) {
		t.Helper()
		got := ""
		for _, d := range All() {
			if d.Flags&Gaps == 0 || d.Get == nil || d.Arg == ArgRequired {
				continue
			}
			if v, ok := d.Get(k.ctx, Arg{}); ok && v.HasGap() {
				got += " " + d.Name
			}
		}
		if got != names {
			t.Errorf("%s: not known are%s, want%s", what, got, names)
		}
		if v := k.text("evt.is_path_unknown"); v != fmt.Sprint(unknown) {
			t.Errorf("%s: evt.is_path_unknown is %s", what, v)
		}
	}
	h := header("openat")
	h.Args[0] = ^uint64(99)
	file := fileFacts(event.FileFacts{Ino: 1, Kind: uint8(event.KindFile)})
	k.event(h, piece(event.PartName, "x"), piece(event.PartDir, "/a<UNKNOWN>b"), piece(event.PartPath, "/a<UNKNOWN>b/x"), file)
	f("names of directories", "", false)
	k.event(h, piece(event.PartName, "x"), cut(event.PartDir, "/a<UNKNOWN>b"), cut(event.PartPath, "/a<UNKNOWN>b/x"), cut(event.PartFSPath, "<UNKNOWN>b/x"), file)
	f("open far down", " evt.abspath proc.cwd fd.name fd.directory fd.filename fd.fspath fd.containername fd.containerdirectory fs.path.name", true)
	k.expect("open far down", map[string]string{"fd.name": "/a<UNKNOWN>b/x", "fd.directory": "/a<UNKNOWN>b", "fd.filename": "x"})
	k.event(h, piece(event.PartName, "/x"), piece(event.PartPath, "/x"), cut(event.PartFSPath, "<UNKNOWN>/x"), file)
	f("a filesystem that begins far up", " fd.fspath", true)

	// the descriptor of the directory was closed while the call was under way
	h = header("mkdirat")
	h.Args[0], h.Ret = 7, 0
	k.event(h, piece(event.PartName, "x"))
	f("directory that is gone", " evt.abspath fs.path.name", true)
	h.Ret = -ebadf
	k.event(h, piece(event.PartName, "x"))
	f("directory that never was", "", false)

	h = header("openat")
	h.Args[0], h.Ret = 7, -2
	k.event(h, piece(event.PartName, "x"))
	f("failed open", " evt.abspath fd.name fd.directory fd.filename fd.containername fd.containerdirectory", true)

	exec := header("execve")
	exec.PID, exec.TID, exec.Start, exec.PPID = 90, 90, 90*second, 42
	var facts event.TaskFacts
	facts.PID, facts.TID, facts.Start = 90, 90, exec.Start
	k.event(exec, piece(event.PartTask, string(event.BytesOf(&facts))), piece(event.PartArgv, "x\x00"), cut(event.PartExe, "/a<UNKNOWN>x"), cut(event.PartCwd, "/a<UNKNOWN>b"))
	h = header("close")
	h.PID, h.TID, h.Start, h.PPID, h.TS = 90, 90, exec.Start, 42, atTS+1
	k.event(h)
	f("program far down", " proc.exepath proc.cwd", false)
	if v := k.all("proc.aexepath"); len(v) == 0 || v[0] != "/usr/bin/cat" {
		t.Errorf("programs of ancestors are %q", v)
	}
}
