// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"falconet/engine/event"

	"golang.org/x/sys/unix"
)

// TestX32Numbers compares the table with the kernel's header.
func TestX32Numbers(t *testing.T) {
	b, err := os.ReadFile("/usr/include/x86_64-linux-gnu/asm/unistd_x32.h")
	if err != nil {
		t.Skip(err)
	}
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^#define __NR_(\w+) \(__X32_SYSCALL_BIT \+ (5\d\d)\)$`).FindAllStringSubmatch(string(b), -1) {
		nr, err := strconv.Atoi(m[2])
		if err != nil || nr < firstX32 {
			continue
		}
		n++
		if i := nr - firstX32; i >= len(x32Names) || x32Names[i] != m[1] {
			t.Errorf("number %d is %s", nr, m[1])
		}
	}
	if n != len(x32Names) {
		t.Errorf("%d numbers, want %d", len(x32Names), n)
	}
	for i, nr := range x32Calls() {
		if (nr != 0) != (i < len(x32Names)) {
			t.Errorf("number %d leads to %d", firstX32+i, nr)
		}
	}
}

// TestX32 makes calls by numbers of the x32 table, which few kernels have: what such a call does is an event, with what was in memory, and
// elsewhere the event says that there is no such call.
func TestX32(t *testing.T) {
	privileged(t)
	const bit = 0x40000000
	dir := workDir(t)
	a := newAsm(64)
	text := a.str("through another table")
	vector := a.put([]byte{byte(text), byte(text >> 8), byte(text >> 16), byte(text >> 24), 7, 0, 0, 0}) // struct compat_iovec
	a.sys(bit|516, 1, vector, 1)
	a.sys(bit|535, 1, vector, 1, 1<<32|5)
	a.sys(bit|unix.SYS_WRITE, 1, text+8, 7)
	a.exit(0)
	s := newSession(t, probe(t))
	cmd := exec.Command(a.file(t, dir, "x32"))
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout = out
	l := s.start(cmd)
	s.await("end", func(r *event.Record) bool { return r.EventName() == "procexit" && int(r.PID) == l.pid })
	written, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := int64(7)
	if len(written) == 0 {
		want = -int64(unix.ENOSYS)
	} else if string(written[:7]) != "through" {
		t.Errorf("written was %q", written[:7])
	}
	t.Logf("the calls return %d", want)
	find := func(name string) *event.Record {
		return s.await(name, func(r *event.Record) bool { return r.EventName() == name && int(r.PID) == l.pid })
	}
	for name, nr := range map[string]int{"writev": 146, "pwritev": 334} {
		r := find(name)
		only(t, r.Ret, want, "result of "+name)
		only(t, int(r.NR), nr, "number of "+name)
		only(t, r.Compat32(), true, "32-bit table for "+name)
		i, _ := r.Row().Param("data")
		b, _ := r.Bytes(i)
		only(t, string(b), "through", "data of "+name)
	}
	r := find("pwritev")
	i, _ := r.Row().Param("pos")
	pos, _ := r.Uint(i)
	only(t, pos, uint64(1<<32|5), "position of pwritev")
	r = find("write")
	only(t, r.Ret, want, "result of write")
	only(t, r.Compat32(), false, "32-bit table for write")
}
