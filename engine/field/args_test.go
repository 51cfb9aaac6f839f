// SPDX-License-Identifier: Apache-2.0

package field

import (
	"encoding/binary"
	"testing"

	"falconet/engine/event"
)

func numbers(list ...any) string {
	var b []byte
	for _, v := range list {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return string(b)
}

// The text of every parameter, as Falco writes it.
func TestArgs(t *testing.T) {
	k := newKit(t)
	k.family()
	const bad = 0x10
	memory := piece(event.PartMemory, numbers(uint32(100), uint32(20), uint32(3)))
	page := event.FileFacts{Kind: uint8(event.KindFile), Mode: 0o100644}
	for _, c := range []struct {
		name, event string
		ret         int64
		args        [6]uint64
		nr          int // of the 32-bit table, 0 for a 64-bit call
		pieces      []event.Piece
		want        string
	}{
		{name: "group", event: "setgid", args: [6]uint64{50}, want: "res=0 gid=50(staff)"},
		{name: "no id", event: "setresuid", ret: -1, args: [6]uint64{1000, 0xffffffff, 0},
			want: "res=-1(EPERM) ruid=1000(alice) euid=-1(<NONE>) suid=0(root)"},
		{name: "short id", event: "setreuid", nr: 70, args: [6]uint64{1<<16 | 1000, 0xffff}, want: "res=0 ruid=1000(alice) euid=-1(<NONE>)"},
		{name: "the same number in the other table", event: "setreuid", nr: 203, args: [6]uint64{1000, 0xffff}, want: "res=0 ruid=1000(alice) euid=65535(<NA>)"},
		{name: "result is an id", event: "getuid", ret: 1000, want: "uid=1000(alice)"},
		{name: "ids in memory", event: "getresgid", args: [6]uint64{8, 16, 24},
			pieces: []event.Piece{piece(event.PartMem, numbers(uint32(0))), piece(event.PartMem2, numbers(uint32(50))), piece(event.PartMem3, numbers(uint32(7)))},
			want:   "res=0 rgid=0(root) egid=50(staff) sgid=7(<NA>)"},
		{name: "ids that nobody wrote", event: "getresuid", ret: -14, args: [6]uint64{8, bad, 24}, pieces: []event.Piece{piece(event.PartMem, numbers(uint32(0)))},
			want: "res=-14(EFAULT) ruid=NULL euid=NULL suid=NULL"},
		{name: "namespaces", event: "unshare", args: [6]uint64{0x10000000 | 0x20000}, want: "res=0 flags=1048608(CLONE_NEWNS|CLONE_NEWUSER)"},
		{name: "descriptor", event: "setns", args: [6]uint64{3, 0x40000000},
			pieces: []event.Piece{fileFacts(page), piece(event.PartPath, "net:[4026531840]")}, want: "res=0 fd=3(<f>net:[4026531840]) nstype=16(CLONE_NEWNET)"},
		{name: "signal", event: "tgkill", args: [6]uint64{41, 41, 9}, want: "res=0 pid=41(bash) tid=41(bash) sig=9(SIGKILL)"},
		{name: "group of processes", event: "kill", ret: -3, args: [6]uint64{0xffffffd7, 15}, want: "res=-3(ESRCH) pid=-41 sig=15(SIGTERM)"},
		{name: "delivered", event: "signaldeliver", args: [6]uint64{41, 42, 10, 0}, want: "spid=41(bash) dpid=42(cat) sig=10(SIGUSR1)"},
		{name: "delivered by nobody", event: "signaldeliver", args: [6]uint64{0x1234, 42, 11, 1}, want: "spid=0 dpid=42(cat) sig=11(SIGSEGV)"},
		{name: "end of a child", event: "signaldeliver", args: [6]uint64{41, 42, 17, 1}, want: "spid=41(bash) dpid=42(cat) sig=17(SIGCHLD)"},
		{name: "page fault", event: "page_fault", args: [6]uint64{0xabc000, 0x401000, 6}, want: "addr=ABC000 ip=401000 error=22(PAGE_NOT_PRESENT|WRITE_ACCESS|USER_FAULT)"},
		{name: "capabilities", event: "capset", pieces: []event.Piece{piece(event.PartTask, string(event.BytesOf(&event.TaskFacts{CapInh: 1, CapPrm: 0xff, CapEff: 0xab})))},
			want: "res=0 cap_inheritable=1 cap_permitted=FF cap_effective=AB"},
		{name: "name", event: "prctl", args: [6]uint64{15, 8}, pieces: []event.Piece{piece(event.PartName, "kworker/0:1")},
			want: "res=0 option=15(PR_SET_NAME) arg2_str=kworker/0:1 arg2_int=0"},
		{name: "name that means nothing", event: "prctl", args: [6]uint64{36, 1}, pieces: []event.Piece{piece(event.PartName, "x")},
			want: "res=0 option=36(PR_SET_CHILD_SUBREAPER) arg2_str=NULL arg2_int=1"},
		{name: "answer in memory", event: "prctl", args: [6]uint64{37, 8}, pieces: []event.Piece{piece(event.PartMem, numbers(uint32(1)))},
			want: "res=0 option=37(PR_GET_CHILD_SUBREAPER) arg2_str=NULL arg2_int=1"},
		{name: "limits", event: "setrlimit", args: [6]uint64{4, 8},
			pieces: []event.Piece{piece(event.PartMem, numbers(uint64(5))), piece(event.PartMem2, numbers(int64(-1)))}, want: "res=0 cur=5 max=-1 resource=4(RLIMIT_CORE)"},
		{name: "limits of a 32-bit call", event: "getrlimit", nr: 191, args: [6]uint64{7, 8}, pieces: []event.Piece{piece(event.PartMem, numbers(uint32(5), int32(-1)))},
			want: "res=0 cur=5 max=-1 resource=7(RLIMIT_NOFILE)"},
		{name: "no limits", event: "getrlimit", ret: -22, args: [6]uint64{99, 8}, want: "res=-22(EINVAL) cur=-1 max=-1 resource=255(RLIMIT_UNKNOWN)"},
		{name: "two sets of limits", event: "prlimit", args: [6]uint64{0, 3, 0, 8}, pieces: []event.Piece{piece(event.PartMem2, numbers(uint64(1), uint64(2)))},
			want: "res=0 newcur=0 newmax=0 oldcur=1 oldmax=2 pid=0 resource=3(RLIMIT_STACK)"},
		{name: "mapping", event: "mmap", ret: 0x7f0000001000, args: [6]uint64{0, 4096, 5, 2, 3, 8192},
			pieces: []event.Piece{fileFacts(page), piece(event.PartPath, "/lib/x.so"), memory},
			want: "res=7F0000001000 vm_size=100 vm_rss=20 vm_swap=3 addr=0 length=4096 prot=5(PROT_READ|PROT_EXEC) flags=2(MAP_PRIVATE) " +
				"fd=3(<f>/lib/x.so) offset=8192"},
		{name: "no mapping", event: "mmap", ret: -12, args: [6]uint64{0, 4096, 0, 0x22, 0xffffffff, 0}, pieces: []event.Piece{memory},
			want: "res=FFFFFFFFFFFFFFF4(ENOMEM) vm_size=100 vm_rss=20 vm_swap=3 addr=0 length=4096 prot=0(PROT_NONE) flags=10(MAP_PRIVATE|MAP_ANONYMOUS) fd=-1(EPERM) offset=0"},
		{name: "new descriptor", event: "userfaultfd", ret: 5, args: [6]uint64{0o2004000}, want: "res=5 flags=4160(O_NONBLOCK|O_CLOEXEC)"},
		{name: "semaphores", event: "semop", args: [6]uint64{7, 8, 1}, pieces: []event.Piece{piece(event.PartMem, numbers(uint16(2), int16(-1), uint16(0o4000)))},
			want: "res=0 nsops=1 sem_num_0=2 sem_op_0=-1 sem_flg_0=1(IPC_NOWAIT) sem_num_1=0 sem_op_1=0 sem_flg_1=0 semid=7"},
		{name: "value of a semaphore", event: "semctl", args: [6]uint64{7, 1, 16, 0xfffffff0}, want: "res=0 semid=7 semnum=1 cmd=4096(SETVAL) val=-16"},
		{name: "key", event: "semget", ret: 9, args: [6]uint64{0xcafe, 1, 0o3600}, want: "res=9 key=CAFE nsems=1 semflg=24576(IPC_EXCL|IPC_CREAT)"},
		{name: "futex", event: "futex", args: [6]uint64{0x1000, 137, 1}, want: "res=0 addr=1000 op=137(FUTEX_PRIVATE_FLAG|FUTEX_WAIT_BITSET) val=1"},
		{name: "interval", event: "nanosleep", args: [6]uint64{8}, pieces: []event.Piece{piece(event.PartMem, numbers(uint64(1))), piece(event.PartMem2, numbers(uint64(500_000_000)))},
			want: "res=0 interval=1500000000(1.5s)"},
		{name: "interval of a 32-bit call", event: "nanosleep", nr: 162, args: [6]uint64{8}, pieces: []event.Piece{piece(event.PartMem, numbers(uint32(2), uint32(0)))},
			want: "res=0 interval=2000000000(2s)"},
		{name: "unreadable interval", event: "nanosleep", ret: -14, args: [6]uint64{bad}, want: "res=-14(EFAULT) interval=NULL"},
		{name: "success without a descriptor", event: "bpf", args: [6]uint64{10}, want: "fd=0 cmd=10(BPF_PROG_TEST_RUN|BPF_PROG_RUN)"},
		{name: "module", event: "init_module", args: [6]uint64{8, 3, 16}, pieces: []event.Piece{piece(event.PartMem, "\x7fEL"), piece(event.PartName, "a=b")},
			want: "res=0 img=.EL length=3 uargs=a=b"},
		{name: "module's removal", event: "delete_module", args: [6]uint64{8, 0o5000}, pieces: []event.Piece{piece(event.PartName, "x")}, want: "res=0 name=x flags=3(O_NONBLOCK|O_TRUNC)"},
		{name: "string key", event: "keyctl", args: [6]uint64{1, 8, 5}, pieces: []event.Piece{piece(event.PartName, "_ses"), piece(event.PartName2, "no")},
			want: "res=0 operation=1(KEYCTL_JOIN_SESSION_KEYRING) arg2=_ses arg3=0 arg4=0 arg5=0"},
		{name: "numeric keys", event: "keyctl", nr: 288, args: [6]uint64{8, 0xfffffffd, 7, 9}, pieces: []event.Piece{piece(event.PartName, "no")},
			want: "res=0 operation=8(KEYCTL_LINK) arg2=-3 arg3=7 arg4=0 arg5=0"},
		{name: "quota", event: "quotactl", ret: -15, args: [6]uint64{0x80000801, 8, 1001, 16},
			pieces: []event.Piece{piece(event.PartName, "sda1"), piece(event.PartMem, numbers(uint64(1), uint64(2), uint64(3), uint64(4), uint64(5), uint64(6), uint64(7), uint64(8), uint32(5)))},
			want: "res=-15(ENOTBLK) special=sda1 quotafilepath=NULL dqb_bhardlimit=1 dqb_bsoftlimit=2 dqb_curspace=0 dqb_ihardlimit=4 dqb_isoftlimit=5 " +
				"dqb_btime=0(0s) dqb_itime=0(0s) dqi_bgrace=0(0s) dqi_igrace=0(0s) dqi_flags=0 quota_fmt_out=1(QFMT_NOT_USED) cmd=64(Q_SETQUOTA) type=2(GRPQUOTA) id=1001 quota_fmt=1(QFMT_NOT_USED)"},
		{name: "mount option", event: "fsconfig", args: [6]uint64{3, 1, 8, 16, 0}, pieces: []event.Piece{piece(event.PartName, "source"), piece(event.PartName2, "/dev/x")},
			want: "res=0 fd=3 cmd=1(FSCONFIG_SET_STRING) key=source value_bytebuf=NULL value_charbuf=/dev/x aux=0"},
	} {
		h := header(c.event)
		h.Ret, h.Args = c.ret, c.args
		if c.nr != 0 {
			h.NR, h.Flags = uint16(c.nr), event.FlagCompat32
		}
		k.event(h, c.pieces...)
		k.expect(c.name, map[string]string{"evt.args": c.want})
	}
	h := header("signaldeliver")
	h.Args = [6]uint64{41, 42, 10, 0}
	k.event(h)
	k.expect("tracepoint", map[string]string{"evt.dir": ">", "syscall.type": "-", "evt.arg.sig": "SIGUSR1", "evt.category": "signal", "evt.res": "-"})
	h = header("ptrace")
	h.Args = [6]uint64{7, 41, 0xab, 19} // PTRACE_CONT
	k.event(h)
	k.expect("signal of a ptrace", map[string]string{"evt.args": "res=0 addr=AB data=19(SIGSTOP) request=8(PTRACE_CONT) pid=41(bash)"})
	h = header("userfaultfd")
	h.Ret = 5
	anon := event.FileFacts{Kind: uint8(event.KindAnon)}
	k.event(h, fileFacts(anon), piece(event.PartPath, "[userfaultfd]"))
	k.expect("descriptor under another name", map[string]string{"fd.num": "5", "fd.type": "userfaultfd"})
	h = header("pidfd_open")
	h.Ret = 6
	k.event(h, fileFacts(anon), piece(event.PartPath, "[pidfd]"))
	k.expect("pidfd", map[string]string{"fd.num": "6", "fd.type": "pidfd"})
	h = header("quotactl")
	h.Args = [6]uint64{0x80000100}
	k.event(h, piece(event.PartName, "dev/sda1"), piece(event.PartDir, "/"))
	k.expect("path of a quota", map[string]string{"fs.path.name": "/dev/sda1", "fs.path.nameraw": "dev/sda1"})
}
