// SPDX-License-Identifier: Apache-2.0

package field

import (
	"testing"

	"falconet/engine/event"
)

func TestEvent(t *testing.T) {
	k := newKit(t)
	k.event(header("setuid"))
	h := header("setuid")
	h.TS, h.Flags = atTS+1_000_000_005, event.FlagCompat32
	k.event(h)
	k.expect("event", map[string]string{
		"evt.num": "2", "evt.time": "23:15:01.000000005", "evt.time.s": "23:15:01", "evt.time.iso8601": "2023-11-14T22:15:01.000000005+0000",
		"evt.datetime": "2023-11-14 23:15:01.000000005", "evt.datetime.s": "2023-11-14 23:15:01", "evt.rawtime": "1700000101000000005",
		"evt.rawtime.s": "1700000101", "evt.rawtime.ns": "000000005", "evt.reltime": "1000000005", "evt.reltime.s": "1", "evt.reltime.ns": "000000005",
		"evt.deltatime": "1000000005", "evt.deltatime.s": "1", "evt.deltatime.ns": "000000005", "evt.source": "syscall", "evt.hostname": "box",
		"evt.dir": "<", "evt.type": "setuid", "syscall.type": "setuid", "evt.category": "user", "evt.cpu": "3", "evt.is_compat32": "true",
		"evt.is_io_uring": "false", "evt.is_result_unknown": "false",
		"evt.type.is.setuid": "1", "evt.type.is.open": "0", "evt.is_async": "false", "evt.latency": "-", "evt.count": "1", "evt.count.exit": "1",
		"evt.is_open_read": "false", "fd.num": "-", "fd.name": "-", "fd.typechar": "-", "fd.ip": "-",
	})
}

func TestGenericCalls(t *testing.T) {
	k := newKit(t)
	h := header("")
	h.Event, h.NR, h.Ret = event.Generic, 0, 100 // read
	k.event(h)
	k.expect("read", map[string]string{
		"evt.type": "read", "evt.type.is.read": "1", "evt.is_io": "true", "evt.is_io_read": "true", "evt.is_io_write": "false",
		"evt.io_dir": "read", "evt.buflen": "100", "evt.args": "ID=0(read) nativeID=0", "evt.rawres": "100", "evt.category": "other",
	})
	h.NR, h.Flags, h.Ret = 4, event.FlagCompat32, -9 // write
	k.event(h)
	k.expect("write of 32 bits", map[string]string{"evt.type": "write", "evt.is_io_write": "true", "evt.buflen": "-", "evt.res": "EBADF", "evt.count.error.other": "1"})
	h.NR, h.Flags = 35, 0 // nanosleep
	k.event(h)
	k.expect("nanosleep", map[string]string{"evt.is_wait": "true", "evt.io_dir": "-"})
	h.NR = 65535
	k.event(h)
	k.expect("no call", map[string]string{"evt.type": "", "evt.is_io": "false"})
}

func TestRequestOfIOUring(t *testing.T) {
	k := newKit(t)
	h := header("openat")
	h.Flags, h.Args[2] = event.FlagIOUring|event.FlagUnknown, 0o100000 // O_LARGEFILE, which the kernel has set
	k.event(h, piece(event.PartName, "x"), piece(event.PartDir, "/tmp"))
	k.expect("openat", map[string]string{
		"evt.is_io_uring": "true", "evt.is_result_unknown": "true", "evt.arg.flags": "O_RDONLY", "fd.num": "0", "fd.name": "/tmp/x", "fd.typechar": "f",
		"evt.is_open_read": "true",
	})
}

func TestCreat(t *testing.T) {
	k := newKit(t)
	h := header("creat")
	h.Ret, h.Args[1] = 3, 0o711
	f := regular
	f.FMode = fmodeCreated
	k.event(h, piece(event.PartName, "/x"), fileFacts(f))
	k.expect("creat", map[string]string{
		"evt.is_open_write": "true", "evt.is_open_create": "true", "evt.is_open_exec": "true", "evt.is_open_read": "false", "fd.name": "/x", "evt.arg.mode": "0711",
	})
}

func TestPtrace(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("ptrace")
	h.Args = [6]uint64{16, 41, 0xab, 0} // PTRACE_ATTACH
	k.event(h)
	k.expect("attach", map[string]string{"evt.arg.request": "PTRACE_ATTACH", "evt.arg.pid": "bash", "evt.arg.addr": "AB", "evt.rawarg.pid": "41"})
	h.Args = [6]uint64{7, 41, 0, 9} // PTRACE_CONT
	k.event(h)
	k.expect("cont", map[string]string{"evt.arg.data": "SIGKILL"})
}

func TestFlagsAndEnums(t *testing.T) {
	set := &event.FlagSet{Flags: []event.Flag{{Name: "RDWR", Value: 3}, {Name: "W", Value: 2}, {Name: "R", Value: 1}, {Name: "NONE", Value: 0}, {Name: "ALSO_R", Value: 1}}}
	for n, want := range map[uint64]string{0: "NONE", 1: "R", 2: "W", 3: "RDWR", 4: "", 5: "R"} {
		if got := string(appendFlags(nil, set, n)); got != want {
			t.Errorf("%d = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "NONE", 1: "R|ALSO_R", 9: ""} {
		if got := string(appendEnum(nil, set, n)); got != want {
			t.Errorf("enum %d = %q, want %q", n, got, want)
		}
	}
	for ret, want := range map[int64]string{-1: "EPERM", -2: "ENOENT", -11: "EAGAIN", -35: "EDEADLK", -41: "41", -133: "EHWPOISON", -512: "ERESTARTSYS", -4000: "4000"} {
		if got := string(appendErrno(nil, ret)); got != want {
			t.Errorf("%d = %q, want %q", ret, got, want)
		}
	}
	if len(errnoNames) != 134 || signalName(31) != "SIGSYS" || signalName(64) != "" {
		t.Errorf("%d errors, signal 31 is %s", len(errnoNames), signalName(31))
	}
}

func TestRender(t *testing.T) {
	ctx := newKit(t).ctx
	for _, c := range []struct {
		d    Def
		v    Value
		text string
		json any
	}{
		{Def{}, num(event.Int64, ^uint64(0)), "-1", int64(-1)},
		{Def{}, num(event.Uint64, ^uint64(0)), "18446744073709551615", ^uint64(0)},
		{Def{Print: Hex}, num(event.Int32, 0xab), "AB", "AB"},
		{Def{Print: Hex}, num(event.Int32, ^uint64(0)), "FFFFFFFF", "FFFFFFFF"},
		{Def{Print: Oct}, num(event.Uint32, 0o644), "0644", "0644"},
		{Def{Print: Oct}, num(event.Uint32, 0), "0", "0"},
		{Def{Print: Pad9}, num(event.RelTime, 1234), "000001234", "000001234"},
		{Def{Print: Pad9, Flags: EventTime}, num(event.RelTime, 1234), "000001234", int64(1234)},
		{Def{}, num(event.RelTime, 1234), "1234", int64(1234)},
		{Def{Print: Pad9}, num(event.RelTime, 12345678901), "12345678901", "12345678901"},
		{Def{}, boolean(true), "true", true},
		{Def{}, Str("a\x00\n"), "a\x00\n", "a\x00\n"},
		{Def{}, Value{Kind: event.ByteBuf, S: "a\x00é"}, "a...", "a..."},
		{Def{}, Value{Kind: event.IPAddr, S: "\x7f\x00\x00\x01"}, "127.0.0.1", "127.0.0.1"},
		{Def{}, Value{Kind: event.IPAddr, S: string(append(make([]byte, 15), 1))}, "::1", "::1"},
		{Def{}, num(event.Port, 80), "80", uint64(80)},
		{Def{Flags: EventTime}, Value{Kind: event.CharBuf, S: "12:00", N: 5}, "12:00", int64(5)},
		{Def{}, num(event.Mode, 0o755), "0755", "0755"},
	} {
		if got := string(Render(nil, ctx, &c.d, c.v)); got != c.text {
			t.Errorf("%+v: text %q, want %q", c.v, got, c.text)
		}
		if got := JSONValue(ctx, &c.d, c.v); got != c.json {
			t.Errorf("%+v: JSON %#v, want %#v", c.v, got, c.json)
		}
	}
	ctx.Host.Base64 = true
	buffer := Value{Kind: event.ByteBuf, S: "\x00\xffa\n"}
	if text, json := string(Render(nil, ctx, &Def{}, buffer)), JSONValue(ctx, &Def{}, buffer); text != "AP9hCg==" || json != text {
		t.Errorf("buffer in base64: text %q, JSON %#v", text, json)
	}
	list := Def{List: true}
	v := ListOf(event.CharBuf, []Value{Str("a"), Str("b")})
	if got := string(Render(nil, nil, &list, v)); got != "(a,b)" {
		t.Errorf("list: %q", got)
	}
}

func TestSuggestedOutput(t *testing.T) {
	if got, want := SuggestedOutput(), "container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository container_image_tag=%container.image.tag k8s_ns_name=%k8s.ns.name k8s_pod_name=%k8s.pod.name"; got != want {
		t.Errorf("suggested is %q, want %q", got, want)
	}
}
