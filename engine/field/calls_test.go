// SPDX-License-Identifier: Apache-2.0

package field

import (
	"testing"

	"falconet/engine/event"
)

// call is the header of a call with its result and arguments.
func call(name string, ret int64, args ...uint64) event.Header {
	h := header(name)
	h.Ret = ret
	copy(h.Args[:], args)
	return h
}

const fromCwd = uint64(1<<32 - 100)

func TestPathsOfCalls(t *testing.T) {
	k := newKit(t)
	k.family()
	name, name2 := func(s string) event.Piece { return piece(event.PartName, s) }, func(s string) event.Piece { return piece(event.PartName2, s) }
	dir, dir2 := func(s string) event.Piece { return piece(event.PartDir, s) }, func(s string) event.Piece { return piece(event.PartDir2, s) }

	k.event(call("mkdir", 0, 1, 0o755), name("a//b/"), dir("/tmp"))
	k.expect("mkdir", map[string]string{
		"fs.path.name": "/tmp/a/b", "fs.path.nameraw": "a/b/", "evt.abspath": "/tmp/a/b", "evt.args": "res=0 path=a//b/(/tmp/a/b) mode=1ED", "proc.cwd": "/tmp/",
	})
	k.event(call("mkdirat", 0, 7, 1, 0o700), name("b"), dir("/var"))
	k.expect("mkdirat", map[string]string{"fs.path.name": "/var/b", "fd.num": "7", "fd.name": "/var", "fd.type": "directory", "evt.args": "res=0 dirfd=7(<d>/var) path=b(/var/b) mode=1C0"})
	k.event(call("mkdirat", -17, fromCwd, 1, 0o700), name("b"), dir("/var"))
	k.expect("failed mkdirat", map[string]string{"fs.path.name": "-", "fs.path.nameraw": "-", "evt.res": "EEXIST"})

	k.event(call("symlink", 0), name2("../etc/shadow"), name("l"), dir("/tmp/x"), dir2("/tmp/x"))
	k.expect("symlink", map[string]string{
		"fs.path.source": "/tmp/x/l", "fs.path.target": "/tmp/etc/shadow", "fs.path.targetraw": "../etc/shadow", "evt.abspath": "/tmp/x/l",
		"evt.args": "res=0 target=../etc/shadow linkpath=l(/tmp/x/l)",
	})
	k.event(call("symlinkat", 0, 0, 9, 0), name2("/etc/shadow"), name("l"), dir("/srv"))
	k.expect("symlinkat", map[string]string{"fs.path.source": "/srv/l", "fs.path.target": "/etc/shadow", "fd.num": "9", "fd.name": "/srv", "evt.abspath": "/srv/l"})
	k.event(call("linkat", 0, 5, 0, fromCwd, 0, 0x400), name("old"), dir("/a"), name2("new"), dir2("/b"))
	k.expect("linkat", map[string]string{
		"fs.path.source": "/b/new", "fs.path.target": "/a/old", "evt.abspath.src": "/a/old", "evt.abspath.dst": "/b/new", "fd.num": "-",
		"evt.args": "res=0 olddir=5(<d>/a) oldpath=old(/a/old) newdir=-100(AT_FDCWD) newpath=new(/b/new) flags=1024(AT_SYMLINK_FOLLOW)",
	})
	k.event(call("mount", 0, 0, 0, 0, 0x1001), name("/dev/sda1"), name2("mnt"), dir2("/"), piece(event.PartName3, "ext4"))
	k.expect("mount", map[string]string{"fs.path.source": "/dev/sda1", "fs.path.target": "/mnt", "evt.args": "res=0 dev=/dev/sda1 dir=mnt(/mnt) type=ext4 flags=4097(RDONLY|BIND)"})
	k.event(call("umount2", 0, 0, 2), name("/mnt"))
	k.expect("umount2", map[string]string{"fs.path.name": "/mnt", "evt.arg.flags": "DETACH"})
	k.event(call("chown", 0, 0, 0, 1<<32-1), name("/bin/su"))
	k.expect("chown", map[string]string{"fs.path.name": "/bin/su", "evt.arg.uid": "0", "evt.arg.gid": "4294967295"})
	k.event(call("mknod", 0, 0, 0o060660, 8<<8|1), name("/dev/x"))
	k.expect("mknod", map[string]string{"evt.arg.mode": "S_IWGRP|S_IRGRP|S_IWUSR|S_IRUSR|S_IFBLK", "evt.arg.dev": "2049", "evt.abspath": "/dev/x"})
	k.event(call("access", 0, 0, 0), name("/x"))
	k.expect("access", map[string]string{"evt.args": "res=0 name=/x mode=0(F_OK)"})
	k.event(call("getcwd", -34), name("rubbish"))
	k.expect("getcwd", map[string]string{"evt.args": "res=-34(ERANGE) path=NULL"})
	k.event(call("chdir", 0), name("sub"), piece(event.PartCwd, "/srv/sub"))
	k.expect("chdir", map[string]string{"proc.cwd": "/srv/sub/", "evt.arg.path": "sub"})
	k.event(call("close", 0, 3))
	k.expect("after chdir", map[string]string{"proc.cwd": "/srv/sub/", "fd.num": "3", "fd.name": "", "fd.type": "-"})
}

func TestDescriptorsOfCalls(t *testing.T) {
	k := newKit(t)
	k.family()
	file := func(kind event.FileKind) event.Piece {
		f := event.FileFacts{Kind: uint8(kind), Ino: 5}
		return piece(event.PartFile, string(event.BytesOf(&f)))
	}
	s := inet("10.0.0.1:40000", "10.0.0.2:443", 6, tcpEstab)
	sock := piece(event.PartSock, string(event.BytesOf(&s)))
	k.event(call("dup2", 1, 5, 1), file(event.KindIPv4), sock)
	k.expect("dup2 of a socket", map[string]string{"fd.num": "1", "fd.type": "ipv4", "fd.name": "10.0.0.1:40000->10.0.0.2:443", "evt.rawres": "1", "evt.category": "net",
		"evt.args": "res=1(<4t>10.0.0.1:40000->10.0.0.2:443) oldfd=5 newfd=1"})
	k.event(call("dup3", -22, 5, 5, 0o2000000))
	k.expect("failed dup3", map[string]string{"fd.num": "-1", "evt.arg.flags": "O_CLOEXEC", "evt.res": "EINVAL"})
	k.event(call("fcntl", 9, 5, 1030, 3), file(event.KindFIFO))
	k.expect("fcntl", map[string]string{"fd.num": "5", "fd.type": "pipe", "evt.args": "res=9 fd=5(<p>) cmd=26(F_DUPFD_CLOEXEC) arg=3", "evt.category": "ipc"})
	k.event(call("copy_file_range", 9, 5, 0, 6, 0, 100), file(event.KindFile), piece(event.PartPath, "/to"))
	k.expect("copy_file_range", map[string]string{"fd.num": "6", "fd.name": "/to", "evt.io_dir": "read", "evt.is_io_write": "true"})
	k.event(call("pipe", 0), file(event.KindFIFO), piece(event.PartMem, "\x07\x00\x00\x00\x08\x00\x00\x00"))
	k.expect("pipe", map[string]string{"fd.num": "7", "fd.type": "pipe", "evt.args": "res=0 fd1=7(<p>) fd2=8 ino=5"})
	k.event(call("pipe", -24))
	k.expect("failed pipe", map[string]string{"fd.num": "-1", "evt.args": "res=-24(EMFILE) fd1=-1(EPERM) fd2=-1(EPERM) ino=0"})
	k.event(call("epoll_create1", 4, 0o2000000), file(event.KindAnon), piece(event.PartPath, "[eventpoll]"))
	k.expect("epoll_create1", map[string]string{"fd.num": "4", "fd.type": "eventpoll", "evt.args": "res=4 flags=1(EPOLL_CLOEXEC)"})
	k.event(call("open_by_handle_at", -116, 5, 0, 1))
	k.expect("failed open_by_handle_at", map[string]string{"fd.num": "-1", "fd.name": "", "evt.args": "fd=-116(ESTALE) mountfd=5 flags=2(O_WRONLY) path=NULL dev=0 ino=0", "evt.abspath": "-"})
	k.event(call("open_by_handle_at", 8, fromCwd, 0, 1), file(event.KindFile), piece(event.PartPath, "/etc/shadow"))
	k.expect("open_by_handle_at", map[string]string{"fd.num": "8", "fd.name": "/etc/shadow", "evt.arg.path": "/etc/shadow", "evt.arg.mountfd": "AT_FDCWD", "evt.abspath": "/etc/shadow"})
}

func TestListsOfCalls(t *testing.T) {
	k := newKit(t)
	k.family()
	list := ""
	for _, f := range []event.PollFacts{
		{FD: 3, Revents: 0x11, Kind: event.KindFIFO, Found: 1}, {FD: -1}, {FD: 9, Revents: 0x2000, Kind: event.KindAnon, Found: 1, Name: [8]byte([]byte("[eventfd"))},
		{FD: 10, Kind: event.KindAnon, Found: 1, Name: [8]byte([]byte("inotify\x00"))}, {FD: 11, Revents: 4, Kind: event.KindIPv6, Found: 1},
	} {
		list += string(event.BytesOf(&f))
	}
	k.event(call("poll", 2, 1, 5, 1<<32-1), piece(event.PartPoll, list))
	k.expect("poll", map[string]string{"evt.args": "res=2 fds=3:p21 -1:?0 9:e8 10:i0 11:64 timeout=-1", "evt.arg.fds": "3:p21 -1:?0 9:e8 10:i0 11:64", "evt.is_wait": "true"})
	k.event(call("ppoll", 0, 0, 0, 1, 1), piece(event.PartPoll, ""), piece(event.PartMem, "\x01\x00\x00\x00\x00\x00\x00\x00"), piece(event.PartMem2, "\x00\x65\xcd\x1d\x00\x00\x00\x00"),
		piece(event.PartMem3, "\x02\x40\x00\x80"))
	k.expect("ppoll", map[string]string{"evt.args": "res=0 fds= timeout=1500000000(1.5s) sigmask=SIGINT SIGTERM"})
}
