// SPDX-License-Identifier: Apache-2.0

package field

import (
	"reflect"
	"strings"
	"testing"

	"falconet/engine/event"
)

func TestProcess(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("setuid")
	k.event(h)
	k.expect("cat", map[string]string{
		"proc.name": "cat", "proc.exe": "cat", "proc.exepath": "/usr/bin/cat", "proc.cmdline": "cat -n a b", "proc.args": "-n a b",
		"proc.args[0]": "-n", "proc.args[1]": "a b", "proc.args[2]": "-", "proc.cmdnargs": "2", "proc.cmdlenargs": "5",
		"proc.exeline": "cat -n a b", "proc.cwd": "/home/cat/", "proc.env": "HOME=/home/cat EMPTY= PAD= x ",
		"proc.env[HOME]": "/home/cat", "proc.env[PAD]": "x", "proc.env[HOM]": "", "proc.env[NONE]": "", "proc.env[7]": "HOME=/home/cat EMPTY= PAD= x ",
		"proc.pid": "42", "proc.ppid": "41", "proc.vpid": "42", "proc.pvpid": "41", "proc.tty": "34816", "proc.sid": "41", "proc.pgid": "42",
		"proc.vpgid": "42", "proc.is_sid_leader": "false", "proc.is_vpgid_leader": "true", "proc.is_pgid_leader": "true",
		"proc.sname": "bash", "proc.sid.exe": "-bash", "proc.sid.exepath": "/usr/bin/bash", "proc.pgid.name": "cat", "proc.vpgid.exe": "cat",
		"proc.is_exe_writable": "true", "proc.is_exe_upper_layer": "false", "proc.is_exe_from_memfd": "true", "proc.is_exe_lower_layer": "false",
		"proc.exe_ino": "77", "proc.exe_ino.mtime": "5", "proc.exe_ino.ctime": "1700000001000000000",
		"proc.exe_ino.ctime_duration_proc_start": "41000000000", "proc.exe_ino.ctime_duration_pidns_start": "999999997",
		"proc.pidns_init_start_ts": "1700000000000000003",
		"proc.duration":            "58000000000", "proc.ppid.duration": "59000000000", "proc.pid.ts": "1700000042000000000", "proc.ppid.ts": "1700000041000000000",
		"proc.stdin.type": "ipv4", "proc.stdout.type": "pipe", "proc.stderr.type": "-", "proc.fdlimit": "1024", "proc.vmsize": "4000",
		"thread.cap_effective": "CAP_CHOWN CAP_SYS_ADMIN", "thread.cap_permitted": "CAP_CHECKPOINT_RESTORE", "thread.cap_inheritable": "",
		"thread.tid": "42", "thread.vtid": "42", "thread.ismain": "true", "thread.cgroups": "cpu=/user blkio=/disk",
		"thread.cgroup.cpu": "/user", "thread.cgroup.blkio": "/disk", "thread.cgroup.io": "/disk", "thread.cgroup.pids": "-", "thread.vmsize": "4000",
		"proc.nthreads": "-", // there is no /proc
	})
}

func TestLineage(t *testing.T) {
	k := newKit(t)
	k.family()
	k.event(header("setuid"))
	k.expect("ancestors", map[string]string{
		"proc.pname": "bash", "proc.pexe": "-bash", "proc.pexepath": "/usr/bin/bash", "proc.pcmdline": "bash",
		"proc.aname[0]": "cat", "proc.aname[1]": "bash", "proc.aname[2]": "sshd", "proc.aname[3]": "systemd", "proc.aname[4]": "-",
		"proc.aname": "bash sshd systemd", "proc.aexepath": "/usr/bin/bash /usr/sbin/sshd /usr/lib/systemd/systemd", "proc.apid": "42", "proc.apid[2]": "40", "proc.aexepath[2]": "/usr/sbin/sshd", "proc.aexe[3]": "/sbin/init",
		"proc.acmdline[2]": "sshd", "proc.aargs": "-n a b", "proc.aargs[1]": "", "proc.loginshellid": "41",
		"proc.aenv[HOME]": "/home/bash", "proc.aenv[2]": "HOME=/home/sshd EMPTY= PAD= x ", "proc.aenv[NO]": "",
	})
	if got, want := k.all("proc.aname"), []string{"bash", "sshd", "systemd"}; !reflect.DeepEqual(got, want) {
		t.Errorf("proc.aname = %v", got)
	}
	if got, want := k.all("proc.apid"), []string{"41", "40", "1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("proc.apid = %v", got)
	}
	if d, _ := Lookup("proc.aname"); d.Flags&AllDiffer != 0 {
		t.Error("!= of proc.aname must hold when one ancestor differs")
	}
	if d, _ := Lookup("fd.ip"); d.Flags&AllDiffer == 0 {
		t.Error("!= of fd.ip must hold only when both ends differ")
	}
}

func TestUnknownProcess(t *testing.T) {
	k := newKit(t)
	h := header("setuid")
	h.PID, h.TID, h.Start, h.PPID = 77, 78, 5, 0
	k.event(h)
	k.expect("nothing is known", map[string]string{
		"proc.name": "-", "proc.cmdline": "-", "proc.pid": "77", "proc.ppid": "-", "proc.pname": "-", "proc.exepath": "-", "proc.env[A]": "-",
		"proc.vpid": "-", "proc.is_exe_writable": "-", "proc.sname": "", "thread.tid": "78", "thread.ismain": "false", "thread.vtid": "-", "proc.loginshellid": "-",
		"proc.cwd": "-", "user.uid": "1000", "container.id": "host",
	})
	if got := k.all("proc.aname"); got != nil {
		t.Errorf("proc.aname = %v", got)
	}
}

func TestUsersAndGroups(t *testing.T) {
	k := newKit(t)
	h := header("setuid")
	h.LoginUID, h.Args[0] = 0, 1000
	k.event(h)
	k.expect("alice", map[string]string{
		"user.uid": "1000", "user.name": "alice", "user.homedir": "/home/alice", "user.shell": "/bin/zsh", "user.loginuid": "0",
		"user.loginname": "root", "group.gid": "50", "group.name": "staff", "evt.arg.uid": "alice", "evt.args": "res=0 uid=1000(alice)",
	})
	h.UID, h.GID, h.LoginUID, h.Args[0] = 4000, 4000, noLogin, 0xffffffff
	k.event(h)
	k.expect("nobody", map[string]string{
		"user.name": na, "user.homedir": na, "user.shell": na, "user.loginuid": "-1", "user.loginname": na, "group.name": na,
		"evt.args": "res=0 uid=-1(<NONE>)",
	})
}

func TestContainers(t *testing.T) {
	const id = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
	k := newKit(t)
	h := header("execve")
	h.Cgroup = 5
	f := event.TaskFacts{PID: 42, TID: 42, VPID: 7, VTID: 7, SID: 7, VPGID: 7, PGID: 42, Start: h.Start, PidnsStart: 90 * second, Flags: event.TaskInPidns}
	k.event(h, piece(event.PartTask, string(event.BytesOf(&f))), piece(event.PartArgv, "sh\x00"), piece(event.PartCgroups, "cpu=/docker/"+id+"\x00"))
	k.expect("container", map[string]string{
		"container.id": id[:12], "container.full_id": id, "container.type": "docker", "container.name": "-",
		"container.start_ts": "1700000090000000000", "container.duration": "10000000000", "proc.vpid": "7", "thread.vtid": "7",
		"proc.sname": "", // comm is empty here; the leader is the process itself
	})
	h = header("setuid")
	h.Cgroup = 6 // a pid namespace, and a cgroup that tells nothing
	k.event(h)
	k.expect("namespace alone", map[string]string{"container.id": "", "container.name": "-", "container.type": "-", "container.full_id": "-", "container.duration": "-"})
	h.PID, h.TID, h.Start = 50, 50, 50*second
	k.event(h)
	k.expect("host", map[string]string{"container.id": "host", "container.name": "host", "container.type": "host", "container.full_id": "-", "container.start_ts": "-"})
}

func TestExecAndExit(t *testing.T) {
	k := newKit(t)
	k.family()
	h := header("execve")
	h.TS, h.PPID = 101*second, 41
	f := event.TaskFacts{PID: 42, TID: 42, VPID: 42, VTID: 42, PPID: 41, Start: h.Start, ExeFlags: exeLowerLayer, LoginUID: 1000}
	copy(f.Comm[:], "id")
	k.event(h, piece(event.PartTask, string(event.BytesOf(&f))), piece(event.PartArgv, "/bin/id\x00-u\x00"),
		piece(event.PartExe, "/usr/bin/id"), piece(event.PartName, "./id"), piece(event.PartCwd, "/bin"))
	k.expect("execve", map[string]string{
		"evt.type": "execve", "proc.name": "id", "proc.exe": "/bin/id", "proc.exepath": "/usr/bin/id", "proc.is_exe_lower_layer": "true",
		"evt.arg.exe": "/bin/id", "evt.arg.args": "-u.", "evt.arg.filename": "/bin/id", "evt.arg.loginuid": "alice",
		"evt.arg.flags": "EXE_LOWER_LAYER", "evt.arg.tid": "id", "evt.arg.ptid": "0", "evt.arg.comm": "id",
	})
	before := header("setuid")
	before.TS = 100 * second
	k.event(before) // an older event that comes later is still the former image's
	k.expect("before the execve", map[string]string{"proc.name": "cat", "proc.exepath": "/usr/bin/cat"})

	h = header("execve")
	h.TS, h.Ret, h.Flags = 102*second, -2, event.FlagFailed
	k.event(h, piece(event.PartTask, string(event.BytesOf(&f))), piece(event.PartArgv, "nope\x00"), piece(event.PartName, "/nope"))
	k.expect("failed execve", map[string]string{"proc.name": "id", "evt.res": "ENOENT", "evt.arg.exe": "nope", "evt.failed": "true"})

	h = header("procexit")
	h.TS, h.Flags = 103*second, event.FlagGroupDead
	x := event.ExitFacts{Code: 9, Reaper: 1}
	k.event(h, piece(event.PartExit, string(event.BytesOf(&x))))
	k.expect("exit", map[string]string{
		"evt.type": "procexit", "evt.dir": ">", "evt.res": "-", "evt.rawres": "-", "evt.failed": "-", "syscall.type": "-", "proc.name": "id",
		"evt.args": "status=9 ret=0 sig=9(SIGKILL) core=0 reaper_tid=1(systemd)", "evt.count.exit": "-", "evt.is_io": "false",
	})
}

func TestHostileImage(t *testing.T) {
	k := newKit(t)
	k.exec(42, 1, "a\nb", "/tmp/\x1b[31m", strings.Repeat("\x00", 5000))
	k.event(header("setuid"))
	// Values are what the kernel has: whoever prints them escapes.
	k.expect("control characters", map[string]string{"proc.name": "a\nb", "proc.exepath": "/tmp/\x1b[31m", "proc.exe": "", "proc.cmdnargs": "4095"})
}
