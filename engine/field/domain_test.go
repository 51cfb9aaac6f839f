// SPDX-License-Identifier: Apache-2.0

package field

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"falconet/engine/event"
)

// holds reports whether the domain has a value that is written so.
func (d *Domain) holds(text string) bool {
	number := d.Numbers && strings.Trim(text, "0123456789ABCDEF-") == ""
	words := []string{text}
	if d.Join != "" {
		words = strings.Split(text, d.Join)
	}
	begins := func(b string) bool { return strings.HasPrefix(text, b) }
	switch {
	case d.Max > 0 && len(text) > d.Max,
		d.Words != nil && !number && (d.Join == "" || text != "") &&
			slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(d.Words, w) }),
		d.Begins != nil && text != "" && !slices.ContainsFunc(d.Begins, begins) && (!d.Loose || strings.Contains(text, "/")),
		d.Shape&Leaf != 0 && text != "/" && strings.Contains(text, "/"),
		d.Shape&Bare != 0 && text != "/" && strings.HasSuffix(text, "/"),
		d.Shape&Slashed != 0 && text != "" && !strings.HasSuffix(text, "/"),
		d.Shape&AllLower != 0 && strings.ToLower(text) != text, d.Shape&AllUpper != 0 && strings.ToUpper(text) != text:
		return false
	}
	return true
}

// kernelRecord makes a record of a row as the probe could send it: what is in it is any of what the kernel has.
func kernelRecord(k *kit, rnd *rand.Rand, row *event.Row) *event.Record {
	any := func(list ...string) string { return list[rnd.IntN(len(list))] }
	name := func() string { return any("x", "", "/etc//x/", "../y/z", "memfd:a/b", "/", "a/b") }
	kind := event.FileKind(rnd.IntN(int(event.KindAnon) + 1))
	if row.Name == "memfd_create" {
		kind = event.KindMemfd
	}
	path := func() string {
		switch kind { // what has no path has a name of the kernel's
		case event.KindMemfd:
			return "memfd:" + any("a", "a/b")
		case event.KindAnon:
			return any("[eventfd]", "anon_inode:inotify", "kvm-vcpu:0")
		case event.KindFile:
			return any("/a/b", "/x", "dev/zero")
		}
		return any("/a/b", "/", "/x")
	}
	dir := func() string { return any("/", "/tmp", "/tmp/a") }
	h := header(row.Name)
	h.Event, h.Ret, h.PID, h.TID = row.ID, []int64{-2, 0, 3, -115, -41, 42}[rnd.IntN(6)], 42, 42
	for i := range h.Args {
		h.Args[i] = rnd.Uint64() >> rnd.IntN(64)
	}
	if row.Flags&event.Tracepoint != 0 {
		h.NR = 0
	}
	var pieces []event.Piece
	object := rnd.IntN(8) > 0 // where there is no object, nothing is known of it
	for _, p := range row.Parts {
		data := ""
		switch p.Kind {
		case event.PartName, event.PartName2:
			data = name()
		case event.PartPath, event.PartFSPath, event.PartPath2:
			data = path()
		case event.PartDir, event.PartDir2, event.PartCwd, event.PartHere:
			data = dir()
		case event.PartExe:
			data = any("/bin/a", "memfd:x:/proc/self/exe")
		case event.PartFile:
			f := event.FileFacts{Kind: uint8(kind), Layer: uint8(rnd.IntN(3)), FMode: rnd.Uint32()}
			data = string(event.BytesOf(&f))
		case event.PartSock:
			f := inet("10.0.0.1:1", "10.0.0.2:80", uint16(rnd.IntN(20)), uint16(rnd.IntN(4)))
			f.Family, f.State = []uint16{afUnix, afInet, 3}[rnd.IntN(3)], uint8(rnd.IntN(12))
			f.PathLen = uint8(copy(f.Path[:], any("/run/x", "run/x", "\x00abstract")))
			data = string(event.BytesOf(&f))
		case event.PartTask:
			f := event.TaskFacts{PID: 42, TID: 42, PPID: 41, CapEff: rnd.Uint64(), ExeFlags: rnd.Uint32(), Stdio: [3]uint8{uint8(rnd.IntN(14)), 1, 2}}
			copy(f.Comm[:15], any("sh", "fifteen-bytes-x", "a/b"))
			data = string(event.BytesOf(&f))
		default:
			data = strings.Repeat(any("a", "\x00", "\xff"), rnd.IntN(40))
		}
		ofObject := p.Kind == event.PartFile || p.Kind == event.PartPath || p.Kind == event.PartFSPath
		if ofObject && object || !ofObject && rnd.IntN(8) > 0 {
			pieces = append(pieces, piece(p.Kind, data))
		}
	}
	return k.record(h, pieces...)
}

// TestDomainsHoldAllValues looks for values that are outside of what is said of their fields, and for values of fields that are said not
// to occur.
func TestDomainsHoldAllValues(t *testing.T) {
	k := newKit(t)
	k.family()
	rnd := rand.New(rand.NewPCG(3, 4))
	occurred := make(map[string]bool)
	for range 60 {
		for i := range event.Rows()[1:] {
			row := &event.Rows()[i+1]
			if row.Internal() || row.ID == event.Generic {
				continue
			}
			r := kernelRecord(k, rnd, row)
			k.host.Apply(r)
			k.ctx.Begin(r, 1)
			for _, d := range All() {
				args := withArgs(d)
				if d.Name == "evt.arg" || d.Name == "evt.rawarg" {
					for _, p := range row.Params {
						args = append(args, Arg{Present: true, Key: p.Name})
					}
				}
				for _, a := range args {
					check := func(v Value) {
						text := string(Render(nil, k.ctx, d, v))
						domain := d.DomainIn(row, a)
						if d.Flags&OutputOnly != 0 {
							return
						}
						occurred[d.Name] = true
						if !d.OccursWith(row, a) {
							t.Errorf("%s%s of %s has the value %q and is said not to occur", d.Name, a.Key, row.Name, text)
						}
						if !domain.holds(text) || !d.Domain.holds(text) {
							t.Errorf("%s%s of %s has the value %q, outside of %+v", d.Name, a.Key, row.Name, text, domain)
						}
					}
					// without an argument, Get of a field with several values is how they are printed
					if v, ok := d.Get(k.ctx, a); ok && (d.Multi == nil || a.Present) {
						check(v)
					}
					if d.Alt != nil {
						if v, ok := d.Alt(k.ctx, a); ok {
							check(v)
						}
					}
				}
				if d.Multi != nil {
					d.Multi(k.ctx, func(v Value) bool {
						if !d.OccursWith(row, Arg{}) || !d.Domain.holds(string(Render(nil, k.ctx, d, v))) {
							t.Errorf("%s of %s has a value that it is said not to have", d.Name, row.Name)
						}
						occurred[d.Name] = true
						return true
					})
				}
			}
		}
	}
	for _, d := range All() {
		if len(d.Domain.Words) > 2 && !occurred[d.Name] {
			t.Errorf("%s never had a value: the test says nothing of it", d.Name)
		}
	}
}

func TestOccursWith(t *testing.T) {
	f := func(text string, in, notIn string) {
		t.Helper()
		d, a, _, err := Scan(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(in) {
			if !d.OccursWith(event.RowOf(event.ByName(name)[0]), a) {
				t.Errorf("%s does not occur in %s", text, name)
			}
		}
		for _, name := range strings.Fields(notIn) {
			if d.OccursWith(event.RowOf(event.ByName(name)[0]), a) {
				t.Errorf("%s occurs in %s", text, name)
			}
		}
	}
	f("fd.sport", "connect accept syscall", "openat fork chmod")
	f("fd.name", "openat connect fchmod unlinkat", "execve unlink ptrace procexit")
	f("fd.ino", "openat connect unlink", "execve")
	f("fd.replaced", "dup2 dup3", "dup rename")
	f("evt.arg.mode", "openat chmod syscall", "execve")
	f("evt.arg[4]", "openat", "setuid")
	f("evt.rawarg.request", "ptrace", "openat")
	f("fs.path.name", "openat unlink fchmod", "connect rename execve")
	f("fs.path.target", "rename", "openat fchmod")
	f("evt.abspath", "openat unlink", "rename connect")
	f("evt.abspath.dst", "rename", "openat")
	f("evt.failed", "openat", "procexit")
	f("proc.name", "openat procexit", "")
}

func TestDomainOr(t *testing.T) {
	a, b := Domain{Words: []string{"x"}, Join: "|", Max: 3, Shape: Leaf | Bare}, Domain{Words: []string{"y"}, Numbers: true, Max: 5, Shape: Bare}
	u := a.Or(b)
	if !slices.Equal(u.Words, []string{"x", "y"}) || u.Join != "|" || !u.Numbers || u.Max != 5 || u.Shape != Bare {
		t.Errorf("%+v", u)
	}
	for _, o := range []Domain{a.Or(Domain{}), (Domain{}).Or(a), a.Or(Domain{Words: []string{"z"}, Join: " "})} {
		if o.Words != nil {
			t.Errorf("%+v has words", o)
		}
	}
	if u := (Domain{Begins: []string{"/"}}).Or(Domain{Begins: []string{"a"}}); len(u.Begins) != 2 {
		t.Errorf("%+v", u)
	}
}
