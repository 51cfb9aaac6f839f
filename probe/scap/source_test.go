// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"falconet/engine/event"
)

// show writes a record as a line.
func show(r *event.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d<%d %s", r.PID, r.TID, r.PPID, r.EventName())
	for i, p := range r.Row().Params {
		if r.Event == event.Generic {
			break
		}
		if p.Type == event.SockTuple {
			continue
		}
		if v, ok := r.Bytes(i); ok {
			fmt.Fprintf(&b, " %s=%q", p.Name, v)
		} else if v, ok := r.Uint(i); ok && v != 0 {
			fmt.Fprintf(&b, " %s=%d", p.Name, int64(v))
		}
	}
	for _, k := range []event.PartKind{event.PartPath, event.PartDir, event.PartCgroups} {
		if v, ok := r.Part(k); ok {
			fmt.Fprintf(&b, " [%s %s]", k, v)
		}
	}
	if s, ok := r.Sock(); ok {
		fmt.Fprintf(&b, " [sock %s->%s role=%d state=%d proto=%d]", end(s.Family, s.LAddr, s.LPort), end(s.Family, s.RAddr, s.RPort), s.Role, s.State, s.Proto)
	}
	if f, ok := r.File(); ok {
		fmt.Fprintf(&b, " [file kind=%d ino=%d dev=%#x]", f.Kind, f.Ino, f.Dev)
	}
	return b.String()
}

func end(family uint16, addr [16]byte, port uint16) string {
	ip := netip.AddrFrom16(addr)
	if family == familyInet {
		ip = netip.AddrFrom4([4]byte(addr[:4]))
	}
	return netip.AddrPortFrom(ip, port).String()
}

// read replays a capture and returns its records as lines.
func read(t *testing.T, in io.Reader, o Options) (lines []string, s *Source, err error) {
	t.Helper()
	if s, err = New(in, o); err != nil {
		return nil, nil, err
	}
	err = s.Run(context.Background(), func(r *event.Record) { lines = append(lines, show(r)) }, func() {})
	return lines, s, err
}

var update = flag.Bool("update", false, "write the expected records anew")

func TestSample(t *testing.T) {
	for form, name := range []string{1: "early", 2: "late"} {
		if name == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			lines, s, err := read(t, sample(form), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(lines, "\n") + "\n"
			path := filepath.Join("testdata", name+".txt")
			file := filepath.Join("testdata", name+".scap") // which others replay
			if *update {
				if err := os.WriteFile(file, sample(form).Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("records:\n%s\nwant:\n%s", got, want)
			}
			if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, sample(form).Bytes()) {
				t.Errorf("%s is not the sample (%v): run with -update", file, err)
			}
			audit(t, s.tables)
			if s.Machine.Hostname != "recorded" || s.Users[1000] != (User{"ubuntu", "/home/ubuntu", "/bin/bash"}) || s.Groups[1000] != "staff" {
				t.Errorf("machine %+v, users %v, groups %v", s.Machine, s.Users, s.Groups)
			}
			if len(s.Addrs) != 1 || s.Addrs[0] != netip.MustParseAddr("10.0.0.5") {
				t.Errorf("addresses %v", s.Addrs)
			}
		})
	}
}

func TestProcessListVersions(t *testing.T) {
	for version := 1; version <= 9; version++ {
		c := newCapture()
		c.procs(version,
			proc{tid: 1, pid: 1, comm: "init", exe: "/sbin/init", exepath: "/sbin/init", cwd: "/"},
			proc{tid: 50, pid: 50, ptid: 1, comm: "sh", exe: "sh", exepath: "/bin/sh", args: "-c\x00ls\x00", cwd: "/tmp", env: "K=v\x00", uid: 7, gid: 8, cgroups: "cpu=/x\x00"})
		s, err := New(c, Options{})
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		got := make(map[uint32]string)
		s.Seed(func(r *event.Record) { got[r.PID] = show(r) })
		want := `50/50<1 execve exe="sh" args="-c\x00ls\x00" tid=50 pid=50 ptid=1 cwd="/tmp" fdlimit=1024`
		if len(got) != 2 || !strings.HasPrefix(got[50], want) {
			t.Errorf("version %d: %d processes, %s", version, len(got), got[50])
		}
		for since, has := range map[int]string{2: " vm_size=100", 3: ` env="K=v\x00"`, 4: ` cgroups="cpu=/x\x00"`, 7: ` trusted_exepath="/bin/sh"`, 8: " vpgid=2", 9: " tty=34816"} {
			if strings.Contains(got[50], has) != (version >= since) {
				t.Errorf("version %d: %q in %s: want %v", version, has, got[50], version >= since)
			}
		}
	}
}

func TestGzip(t *testing.T) {
	plain, _, err := read(t, sample(2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(sample(2).Bytes())
	_ = w.Close()
	whole := z.Bytes()
	got, _, err := read(t, bytes.NewReader(whole), Options{})
	if err != nil || !slices.Equal(got, plain) {
		t.Errorf("%d records, %v; want %d", len(got), err, len(plain))
	}
	whole[len(whole)-1] ^= 1 // the checksum's length
	got, _, err = read(t, bytes.NewReader(whole), Options{})
	var d *Damage
	if !errors.As(err, &d) || !slices.Equal(got, plain) {
		t.Errorf("with a broken end: %d records, %v; want %d and where it is", len(got), err, len(plain))
	}
}

// at is the offset of the n-th event block of a capture.
func at(b []byte, n int) (off, size int) {
	for ; ; off += size {
		size = int(binary.LittleEndian.Uint32(b[off+4:]))
		if isEvent(binary.LittleEndian.Uint32(b[off:])) {
			if n == 0 {
				return off, size
			}
			n--
		}
	}
}

func TestDamage(t *testing.T) {
	plain, _, err := read(t, sample(2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	off, size := at(sample(2).Bytes(), 1) // the read, behind an open
	tests := []struct {
		name string
		harm func(b []byte) []byte
		want string
		kept int // records before it
		lost int // records that resync cannot save
	}{
		{"end missing", func(b []byte) []byte { return b[:off+size-2] }, "read event: unexpected EOF", 1, len(plain) - 1},
		{"header cut", func(b []byte) []byte { return b[:off+3] }, "read block: unexpected EOF", 1, len(plain) - 1},
		{"length 3", func(b []byte) []byte { b[off+4], b[off+5] = 3, 0; return b }, "block of 3 bytes", 1, 1},
		{"length of gigabytes", func(b []byte) []byte { b[off+7] = 0x70; return b }, fmt.Sprintf("event of %d bytes", 0x70000000+size), 1, 1},
		{"trailer", func(b []byte) []byte { b[off+size-4]++; return b }, fmt.Sprintf("block of %d bytes ends as one of %d", size, size+1), 1, 1},
		{"event length", func(b []byte) []byte { b[off+8+6+16] = 255; return b }, "event that says that it has 255 bytes", 1, 1},
		{"parameter count", func(b []byte) []byte { b[off+8+6+22] = 200; return b }, "that says that it has 200 parameters", 1, 1},
		{"parameter length", func(b []byte) []byte { b[off+8+6+26] = 200; return b }, "parameter 0 of 200 bytes", 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := test.harm(sample(2).Bytes())
			got, _, err := read(t, bytes.NewReader(b), Options{})
			var d *Damage
			if !errors.As(err, &d) || d.Offset != int64(off) || !strings.Contains(d.Err.Error(), test.want) {
				t.Errorf("error %v, want %q at %d", err, test.want, off)
			}
			if !slices.Equal(got, plain[:test.kept]) {
				t.Errorf("kept %d records, want %d", len(got), test.kept)
			}
			got, s, err := read(t, bytes.NewReader(b), Options{Resync: true})
			if err != nil || len(got) != len(plain)-test.lost {
				t.Errorf("resync: %d records, %v; want %d", len(got), err, len(plain)-test.lost)
			}
			if st := s.Stats(); st.Damaged != 1 || st.First.Offset != int64(off) {
				t.Errorf("resync: %d places, first %v", st.Damaged, st.First)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	section := func(order uint32, major uint16) string {
		c := &capture{}
		c.block(blockSection, le(order, major, uint16(0), int64(-1)))
		return c.String()
	}
	for name, test := range map[string]struct{ in, want string }{
		"empty":       {"", "this is no capture file"},
		"text":        {"hello, this is a text", "this is no capture file"},
		"version":     {section(magic, 2), "capture is damaged at offset 0: capture of version 2 of the format, of which 1 is known"},
		"byte order":  {section(magicSwapped, 1), "capture is damaged at offset 0: capture of a machine with the other byte order"},
		"gzip header": {"\x1f\x8b\x00", "capture is damaged at offset 0: read gzip header: unexpected EOF"},
	} {
		if _, err := New(strings.NewReader(test.in), Options{}); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

// What is before damaged lists is kept too.
func TestDamagedList(t *testing.T) {
	c := newCapture()
	c.machine("recorded")
	off := c.Len()
	c.users(true, 1, "a", "/", "/bin/sh", 1, "g")
	b := c.Bytes()
	b[off+8] = 200 // the first entry
	lines, s, err := read(t, bytes.NewReader(b), Options{})
	want := fmt.Sprintf("capture is damaged at offset %d: entry is longer than its list", off)
	if err == nil || err.Error() != want || s.Machine.Hostname != "recorded" || len(lines) != 0 {
		t.Errorf("%v, want %s; %+v", err, want, s.Machine)
	}
	if _, s, err = read(t, bytes.NewReader(b), Options{Resync: true}); err != nil || s.Stats().Damaged != 1 {
		t.Errorf("resync: %v, %+v", err, s.Stats())
	}
}

// Events and blocks of later versions are passed over.
func TestLaterVersions(t *testing.T) {
	c := newCapture()
	c.block(0x300, []byte("what is this"))
	c.event(blockEvent2, 1, 1, 60000, []byte("x"))
	c.event(blockEvent2, 2, 1, numberOf("read", false), le(int64(1)), []byte("a"), le(int64(0)), le(uint32(1)), []byte("a parameter of a later version"))
	got, s, err := read(t, c, Options{})
	if want := []string{`1/1<0 read res=1 data="a" size=1`}; err != nil || !slices.Equal(got, want) || s.Stats().Unknown != 1 {
		t.Errorf("%q, %v, %d unknown", got, err, s.Stats().Unknown)
	}
}
