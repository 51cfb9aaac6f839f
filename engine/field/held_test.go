// SPDX-License-Identifier: Apache-2.0

package field

import (
	"testing"

	"falconet/engine/event"
)

// What was held before a call was done is what fields say of it; without it they have what the call was passed.
func TestHeldObjects(t *testing.T) {
	k := newKit(t)
	k.family()
	name, name2 := func(s string) event.Piece { return piece(event.PartName, s) }, func(s string) event.Piece { return piece(event.PartName2, s) }
	dir := piece(event.PartDir, "/tmp")
	path := func(s string) event.Piece { return piece(event.PartPath, s) }
	facts := fileFacts(event.FileFacts{Ino: 7, Dev: 8<<20 | 1, Kind: uint8(event.KindFile)})

	k.event(call("close", 0, 5), facts, path("/etc/shadow"), piece(event.PartFSPath, "/shadow"))
	k.expect("close", map[string]string{"fd.num": "5", "fd.name": "/etc/shadow", "fd.type": "file", "fd.ino": "7", "fd.dev": "801", "fd.fspath": "/shadow", "fs.path.name": "-"})
	k.event(call("close", 0, 5))
	k.expect("close of what was not held", map[string]string{"fd.num": "5", "fd.name": "", "fd.type": "-", "fd.ino": "-", "fd.fspath": "-"})

	k.event(call("dup2", 1, 5, 1), path("/x"), piece(event.PartPath2, "/var/log/auth.log"))
	k.expect("dup2", map[string]string{"fd.name": "/x", "fd.replaced": "/var/log/auth.log"})
	k.event(call("dup2", 1, 1, 1), path("/x"), piece(event.PartPath2, "/x"))
	k.expect("dup2 of itself", map[string]string{"fd.replaced": "-"})

	k.event(call("unlinkat", 0, 7), name("link/passwd"), dir, facts, path("/etc/passwd"), piece(event.PartFSPath, "/passwd"))
	k.expect("unlinkat", map[string]string{
		"fs.path.name": "/etc/passwd", "fs.path.nameraw": "link/passwd", "fs.path.origin": "kernel", "fd.name": "/tmp", "fd.type": "directory", "fd.num": "7",
		"fd.fspath": "/passwd", "fd.ino": "7", "fd.dev": "801", "evt.arg.name": "/tmp/link/passwd",
	})
	if got := k.alt("fs.path.name"); got != "/tmp/link/passwd" {
		t.Errorf("the other spelling is %q", got)
	}
	k.event(call("unlinkat", 0, 7), name("link/passwd"), dir)
	k.expect("unlinkat by its argument", map[string]string{"fs.path.name": "/tmp/link/passwd", "fs.path.origin": "argument", "fd.fspath": "-", "fd.ino": "-"})
	if got := k.alt("fs.path.name"); got != "-" {
		t.Errorf("the other spelling is %q", got)
	}
	k.event(call("unlinkat", -1, 7), name("x"), dir, facts, path("/etc/passwd"))
	k.expect("unlinkat that failed", map[string]string{"fs.path.name": "-", "fs.path.origin": "-"})

	k.event(call("rename", 0), name("a"), dir, name2("/l/b"), path("/etc/a"), piece(event.PartPath2, "/srv/b"))
	k.expect("rename", map[string]string{"fs.path.source": "/etc/a", "fs.path.target": "/srv/b", "fs.path.sourceraw": "a", "fs.path.targetraw": "/l/b", "fs.path.origin": "kernel", "fd.replaced": "-"})
	if a, b := k.alt("fs.path.source"), k.alt("fs.path.target"); a != "/tmp/a" || b != "/l/b" {
		t.Errorf("the other spellings are %q and %q", a, b)
	}
	k.event(call("link", 0), name("/a"), name2("/l/b"), path("/etc/a"), piece(event.PartPath2, "/srv/b"))
	k.expect("link", map[string]string{"fs.path.source": "/srv/b", "fs.path.target": "/etc/a"})
	k.event(call("symlink", 0), name("/l/b"), name2("../t"), path("/srv/b"))
	k.expect("symlink", map[string]string{"fs.path.source": "/srv/b", "fs.path.target": "/home/t"})
}

// Fields of descriptors do not ask for what the kernel found for a path, nor does what is only written out in full.
func TestHeldPiecesAreAskedFor(t *testing.T) {
	for _, v := range []struct {
		field, row string
		want       event.Parts
	}{
		{"fd.name", "close", event.PartsOf(event.PartFile, event.PartPath, event.PartSock)},
		{"fd.ino", "close", event.PartsOf(event.PartFile)},
		{"fd.num", "close", 0}, {"evt.args", "close", 0}, {"evt.arg.fd", "close", 0}, {"evt.res", "close", 0},
		{"fd.replaced", "dup2", event.PartsOf(event.PartPath2)}, {"fd.name", "dup2", 0}, {"evt.args", "dup3", 0},
		{"fd.name", "unlinkat", 0}, {"evt.args", "unlinkat", 0}, {"fd.ino", "unlinkat", event.PartsOf(event.PartFile)},
		{"fd.fspath", "unlink", event.PartsOf(event.PartFSPath)}, {"fs.path.nameraw", "unlink", 0},
		{"fs.path.name", "unlink", event.PartsOf(event.PartPath, event.PartFile)}, {"fs.path.target", "rename", event.PartsOf(event.PartPath, event.PartPath2, event.PartFile)},
		{"fs.path.name", "dup2", 0}, {"fs.path.name", "close", 0}, {"fd.replaced", "rename", 0},
		{"fs.path.origin", "rename", event.PartsOf(event.PartPath)},
	} {
		row := event.RowOf(event.ByName(v.row)[0])
		d, a, _, err := Scan(v.field)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.PartsFor(row, a) & row.HeldParts(); got != v.want {
			t.Errorf("%s asks of %s for %b, want %b", v.field, v.row, got, v.want)
		}
	}
}
