// SPDX-License-Identifier: Apache-2.0

package state

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// box is a container as /proc shows it: process pid with a root directory of its own.
type box struct {
	*fakeProc
	pid uint32
	dir string
}

func newBox(f *fakeProc, pid uint32, ns string) *box {
	f.Helper()
	f.process(pid, 1, "guest", startOf(pid)/tick, "guest\x00")
	f.write(pid, "uid_map", "         0          0 4294967295\n")
	f.write(pid, "gid_map", "         0          0 4294967295\n")
	b := &box{f, pid, f.TempDir()}
	proc := filepath.Join(f.root, "proc", strconv.Itoa(int(pid)))
	b.link(b.dir, filepath.Join(proc, "root"))
	if err := os.MkdirAll(filepath.Join(proc, "ns"), 0o755); err != nil {
		f.Fatal(err)
	}
	b.link("mnt:["+ns+"]", filepath.Join(proc, "ns/mnt"))
	if err := os.MkdirAll(filepath.Join(b.dir, "etc"), 0o755); err != nil {
		f.Fatal(err)
	}
	return b
}

func (b *box) link(to, at string) {
	b.Helper()
	_ = os.Remove(at)
	if err := os.Symlink(to, at); err != nil {
		b.Fatal(err)
	}
}

func (b *box) file(name, text string) {
	b.Helper()
	path := filepath.Join(b.dir, name)
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// guests is a cache over a table that holds the given boxes.
func (s *sim) guests(boxes ...*box) (*Guests, []*Process) {
	s.Helper()
	s.t.fs.wait = time.Minute // however busy the machine is
	var ps []*Process
	for _, b := range boxes {
		p := s.t.refill(b.pid)
		if p == nil {
			s.Fatalf("process %d is not found", b.pid)
		}
		ps = append(ps, p)
	}
	return NewGuests(s.t, 16<<20), ps
}

func TestGuests(t *testing.T) {
	f := newFakeProc(t)
	a, b := newBox(f, 10, "4026532001"), newBox(f, 11, "4026532002")
	a.file("etc/passwd", "root:x:0:0:r:/root:/bin/sh\napp:x:1000:1000::/srv/app:/bin/false\n")
	a.file("etc/group", "root:x:0:\nweb:x:33:\n")
	b.file("etc/passwd", "other:x:1000:1000::/home/other:/bin/ash\n")
	s := newSim(t, f.root, 0)
	g, p := s.guests(a, b)
	g.burst = time.Hour
	user := func(i int, uid uint32) string {
		u, ok := g.Of(p[i], "box"+strconv.Itoa(i)).User(uid)
		if !ok {
			return "-"
		}
		return u.Name + " " + u.Home + " " + u.Shell
	}
	for _, c := range []struct {
		box  int
		uid  uint32
		want string
	}{{0, 1000, "app /srv/app /bin/false"}, {1, 1000, "other /home/other /bin/ash"}, {0, 0, "root /root /bin/sh"}, {1, 0, "root /root "}, {0, 7, "-"}} {
		if got := user(c.box, c.uid); got != c.want {
			t.Errorf("user %d of box %d is %q, want %q", c.uid, c.box, got, c.want)
		}
	}
	if name, ok := g.Of(p[0], "box0").Group(33); !ok || name != "web" {
		t.Errorf("group 33 is %q, %v", name, ok)
	}
	if n := testing.AllocsPerRun(20, func() { g.Of(p[0], "box0").User(1000) }); n != 0 {
		t.Errorf("a user that is known costs %v allocations", n)
	}

	a.file("etc/passwd", "renamed:x:1000:1000::/srv/app:/bin/false\n")
	if got := user(0, 1000); got != "app /srv/app /bin/false" {
		t.Errorf("read again within a second: %q", got)
	}
	g.Tick(g.now.Add(2 * time.Second))
	if got := user(0, 1000); got != "renamed /srv/app /bin/false" {
		t.Errorf("after a change: %q", got)
	}

	// A process that left before anything was found out about it is told by its container.
	late := newBox(f, 12, "4026532001")
	_, ps := s.guests(late)
	if err := os.RemoveAll(filepath.Join(f.root, "proc/12")); err != nil {
		t.Fatal(err)
	}
	if u, ok := g.Of(ps[0], "box0").User(1000); !ok || u.Name != "renamed" {
		t.Errorf("a process that is gone: %+v, %v", u, ok)
	}
	if u, ok := g.Of(ps[0], "nobody's").User(1000); ok {
		t.Errorf("a container that nobody saw names %+v", u)
	}
}

func TestGuestIDsOfUserNamespaces(t *testing.T) {
	f := newFakeProc(t)
	a := newBox(f, 10, "4026532001")
	f.write(10, "uid_map", "         0     100000      65536\n")
	f.write(10, "gid_map", "         0     200000      65536\n")
	a.file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:5:5::/:/bin/sh\n")
	a.file("etc/group", "wheel:x:10:\n")
	g, p := newSim(t, f.root, 0).guests(a)
	for uid, want := range map[uint32]string{100000: "root", 100005: "app", 0: "", 5: "", 165536: ""} {
		if u, ok := g.Of(p[0], "x").User(uid); u.Name != want || ok != (want != "") {
			t.Errorf("user %d is %q, %v, want %q", uid, u.Name, ok, want)
		}
	}
	if name, _ := g.Of(p[0], "x").Group(200010); name != "wheel" {
		t.Errorf("group 200010 is %q", name)
	}
}

func TestHostileGuests(t *testing.T) {
	const mine = "victim:x:1000:1000::/:/bin/sh\n"
	long := strings.Repeat("x", 3<<20)
	for _, c := range []struct {
		name string
		make func(b *box)
		want string
	}{
		{"fifo", func(b *box) {
			if err := syscall.Mkfifo(filepath.Join(b.dir, "etc/passwd"), 0o644); err != nil {
				b.Fatal(err)
			}
		}, ""},
		{"directory", func(b *box) { _ = os.Mkdir(filepath.Join(b.dir, "etc/passwd"), 0o755) }, ""},
		{"socket or device", func(b *box) { b.link("/dev/zero", filepath.Join(b.dir, "etc/passwd")) }, ""},
		{"absolute link stays inside", func(b *box) {
			b.file("real", mine)
			b.link("/real", filepath.Join(b.dir, "etc/passwd"))
		}, "victim"},
		{"link out of the root", func(b *box) {
			out := filepath.Join(b.TempDir(), "passwd")
			if err := os.WriteFile(out, []byte(mine), 0o644); err != nil {
				b.Fatal(err)
			}
			b.link(out, filepath.Join(b.dir, "etc/passwd"))
		}, ""},
		{"way up out of the root", func(b *box) {
			b.link("../../../../../../../../../../../../etc/passwd", filepath.Join(b.dir, "etc/passwd"))
		}, ""},
		{"loop", func(b *box) { b.link("passwd", filepath.Join(b.dir, "etc/passwd")) }, ""},
		{"megabytes in one line", func(b *box) { b.file("etc/passwd", "a:x:1:1:"+long+":/:/bin/sh\n"+mine) }, ""},
		{"megabytes behind", func(b *box) { b.file("etc/passwd", mine+long) }, "victim"},
		{"cut in a line", func(b *box) {
			b.file("etc/passwd", strings.Repeat("#", maxGuestFile-20)+"\n"+mine)
		}, ""},
		{"nonsense", func(b *box) { b.file("etc/passwd", ":::::::\n\x00\xff:x:-1:9\nx:x:99999999999:1::/:/\n"+mine) }, "victim"},
		{"nothing", func(*box) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeProc(t)
			b := newBox(f, 10, "4026532001")
			c.make(b)
			g, p := newSim(t, f.root, 0).guests(b)
			if u, ok := g.Of(p[0], "x").User(1000); u.Name != c.want || ok != (c.want != "") {
				t.Errorf("user 1000 is %.40q, %v, want %q", u.Name, ok, c.want)
			}
			if g.bytes > maxGuestFile*2 {
				t.Errorf("%d bytes are kept", g.bytes)
			}
		})
	}
}

// TestGuestsAreBounded: what many containers name is dropped, the oldest first, and counted; reading it takes no more than its share of time.
func TestGuestsAreBounded(t *testing.T) {
	f := newFakeProc(t)
	var lines strings.Builder
	for i := range 16000 {
		lines.WriteString("user" + strconv.Itoa(i) + ":x:" + strconv.Itoa(i) + ":1::/home/of/somebody:/bin/sh\n")
	}
	var boxes []*box
	for i := range 24 {
		b := newBox(f, uint32(10+i), "40265320"+strconv.Itoa(10+i))
		b.file("etc/passwd", lines.String())
		boxes = append(boxes, b)
	}
	s := newSim(t, f.root, 0)
	g, ps := s.guests(boxes...)
	g.burst = time.Hour
	for i, p := range ps {
		if u, ok := g.Of(p, "x").User(15999); !ok || u.Name != "user15999" {
			t.Errorf("box %d: %+v, %v", i, u, ok)
		}
	}
	if g.bytes > g.room || g.Stats().Evictions == 0 || g.Stats().Roots != uint64(len(g.byKey)) {
		t.Errorf("%d bytes are kept, %+v", g.bytes, g.Stats())
	}
	sum := 0
	for _, guest := range g.byKey {
		sum += guest.size
	}
	if sum != g.bytes {
		t.Errorf("%d bytes are counted, there are %d", g.bytes, sum)
	}
	fresh := newBox(f, 90, "4026532999")
	fresh.file("etc/passwd", "app:x:7:7::/:/bin/sh\n")
	_, p := s.guests(fresh)
	g.debt = g.burst
	if _, ok := g.Of(p[0], "fresh").User(7); ok {
		t.Error("it is read although too much time has gone into reading")
	}
	if s.t.Stats().SkippedReads == 0 {
		t.Error("what was left out is not counted")
	}
	g.Tick(g.now.Add(guestShare * 2 * g.burst))
	if u, ok := g.Of(p[0], "fresh").User(7); !ok || u.Name != "app" {
		t.Errorf("it is never read: %+v, %v", u, ok)
	}
}
