// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["kill"] = kill
	triggers["signals"] = signals
	triggers["faults"] = faults
}

func kill(t *T) {
	pid, tid := os.Getpid(), unix.Gettid()
	got := make(chan os.Signal, 10)
	signal.Notify(got, unix.SIGUSR1, unix.SIGTERM)
	arrives := func(want os.Signal) {
		if s := <-got; s != want {
			fail("signal %v instead of %v", s, want)
		}
	}
	process := func(pid, sig int) *Call {
		return t.call("kill", unix.SYS_KILL, uptr(pid), uptr(sig)).Result("res").Number("pid", int64(pid)).Number("sig", int64(uint8(sig)))
	}
	process(pid, int(unix.SIGTERM)).ok()
	arrives(unix.SIGTERM)
	process(pid, 0).ok()
	process(1<<30, int(unix.SIGKILL)).fails(unix.ESRCH)
	process(-(1 << 30), int(unix.SIGKILL)).fails(unix.ESRCH)
	process(pid, 65).fails(unix.EINVAL)
	process(pid, -1).fails(unix.EINVAL)
	thread := func(tid, sig int) *Call {
		return t.call("tkill", unix.SYS_TKILL, uptr(tid), uptr(sig)).Result("res").Number("tid", int64(tid)).Number("sig", int64(uint8(sig)))
	}
	thread(tid, int(unix.SIGUSR1)).ok()
	arrives(unix.SIGUSR1)
	thread(1<<30, int(unix.SIGSTOP)).fails(unix.ESRCH)
	thread(-1, 0).fails(unix.EINVAL)
	of := func(pid, tid, sig int) *Call {
		return t.call("tgkill", unix.SYS_TGKILL, uptr(pid), uptr(tid), uptr(sig)).Result("res").Number("pid", int64(pid)).Number("tid", int64(tid)).Number("sig", int64(uint8(sig)))
	}
	of(pid, tid, int(unix.SIGUSR1)).ok()
	arrives(unix.SIGUSR1)
	of(1, tid, int(unix.SIGKILL)).fails(unix.ESRCH)
	of(pid, tid, 99).fails(unix.EINVAL)
}

// delivered expects the delivery of a signal to this thread within the call that was the last. info is the number in the place of a sender.
func (t *T) delivered(info, sig, code int) *Call {
	last := t.report.Calls[len(t.report.Calls)-1]
	c := &Call{
		Event: "signaldeliver", TID: last.TID, Before: last.Before, After: now(), UID: last.UID, GID: last.GID, Params: make(map[string]Want), Parts: make(map[string]Want),
		Args: [6]uint64{uint64(uint32(info)), uint64(last.TID), uint64(sig), uint64(uint32(code))},
	}
	t.report.Calls = append(t.report.Calls, c)
	return c.Number("dpid", int64(last.TID)).Number("sig", int64(sig))
}

// signals are what the kernel has to deliver, with a sender and without. Codes: include/uapi/asm-generic/siginfo.h.
func signals(t *T) {
	const tkill, queue, timer, realtime = -6, -1, -2, 40
	pid, tid := os.Getpid(), unix.Gettid()
	got := make(chan os.Signal, 10)
	signal.Notify(got, unix.SIGUSR1, unix.SIGTERM, unix.SIGCHLD, syscall.Signal(realtime))
	t.call("tgkill", unix.SYS_TGKILL, uintptr(pid), uintptr(tid), uintptr(unix.SIGUSR1)).ok().Result("res").Number("pid", int64(pid)).Number("tid", int64(tid)).
		Number("sig", int64(unix.SIGUSR1))
	t.delivered(pid, int(unix.SIGUSR1), tkill).Number("spid", int64(pid))
	<-got
	queued := func(sig, code, from int) {
		info := make([]byte, 128) // siginfo_t: number, errno, code, and behind a gap what depends on the code
		binary.LittleEndian.PutUint32(info, uint32(sig))
		binary.LittleEndian.PutUint32(info[8:], uint32(code))
		binary.LittleEndian.PutUint32(info[16:], uint32(from))
		t.call("rt_tgsigqueueinfo", unix.SYS_RT_TGSIGQUEUEINFO, uintptr(pid), uintptr(tid), uintptr(sig), t.bytes(info)).ok().
			Number("ID", unix.SYS_RT_TGSIGQUEUEINFO).Number("nativeID", unix.SYS_RT_TGSIGQUEUEINFO)
		// the number is the sender's to choose
		t.delivered(from, sig, code)
		<-got
	}
	last := func() *Call { return t.report.Calls[len(t.report.Calls)-1] }
	queued(realtime, queue, 4242)
	last().Number("spid", 4242)
	queued(int(unix.SIGTERM), queue, 4343)
	last().Number("spid", 4343)
	queued(int(unix.SIGUSR1), timer, 4444) // a timer has a number there, not a process
	last().Number("spid", 0)

	// a fault
	t.call("getppid", unix.SYS_GETPPID).ok().Number("ID", unix.SYS_GETPPID).Number("nativeID", unix.SYS_GETPPID)
	fault := func() (ok bool) {
		defer func() { ok = recover() != nil }()
		addr := uintptr(badPtr)
		return **(**byte)(unsafe.Pointer(&addr)) == 1
	}
	if !fault() {
		fail("address %#x can be read", badPtr)
	}
	t.delivered(badPtr, int(unix.SIGSEGV), 1).Number("spid", 0)

	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), Env+"=exit", "FALCONET_CODE=3")
	_ = cmd.Run()
	for <-got != unix.SIGCHLD {
	}
	t.report.Notes["child"] = itoa(uint64(cmd.Process.Pid))
}

// Touch is one page fault: what the record of it must say, but for the instruction's address, which lies between Low and High.
type Touch struct {
	Addr, Low, High uint64
	Error           []string
	TID             int
}

//go:noinline
func load(p *byte) byte { return *p }

//go:noinline
func store(p *byte) { *p = 1 }

func faults(t *T) {
	area := one(unix.Mmap(-1, 0, 64*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE))
	must(ignore(0, unix.Madvise(area, unix.MADV_NOHUGEPAGE)))
	zero := one(unix.Open("/dev/zero", unix.O_RDONLY, 0))
	next := 0
	fresh := func() *byte { // away from pages that the kernel might bring in with it
		next += 20 * page
		return &area[next-page+123]
	}
	touch := func(p *byte, f any, names ...string) {
		low := uint64(reflect.ValueOf(f).Pointer())
		t.report.Touches = append(t.report.Touches, Touch{
			Addr: uint64(uintptr(unsafe.Pointer(p))), Low: low, High: low + 64, Error: names, TID: unix.Gettid(),
		})
	}
	p := fresh()
	store(p)
	touch(p, store, "PAGE_NOT_PRESENT", "WRITE_ACCESS", "USER_FAULT")
	p = fresh()
	load(p)
	touch(p, load, "PAGE_NOT_PRESENT", "READ_ACCESS", "USER_FAULT")

	p = fresh()
	buf := unsafe.Slice(p, 1)
	if n := one(unix.Read(zero, buf)); n != 1 {
		fail("read %d bytes", n)
	}
	touch(p, load, "PAGE_NOT_PRESENT", "WRITE_ACCESS", "SUPERVISOR_FAULT")
	last := &t.report.Touches[len(t.report.Touches)-1]
	last.Low, last.High = 1<<63, ^uint64(0)

	p = &area[20*page-page+77] // the first one, which is there
	must(unix.Mprotect(area[19*page:20*page], unix.PROT_READ))
	debug.SetPanicOnFault(true)
	func() {
		defer func() {
			if recover() == nil {
				fail("a page without permission was written to")
			}
		}()
		store(p)
	}()
	touch(p, store, "PROTECTION_VIOLATION", "WRITE_ACCESS", "USER_FAULT")
}
